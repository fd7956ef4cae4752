//! Bundles before tools that know nothing of this project: `scripts/check-bundle-with-validators`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workbench::{Printed, Workbench, ended, here, installed};

fn check(args: &[&str], path: &Path) -> Printed {
    let script = here().join("scripts/check-bundle-with-validators");
    ended(Command::new(script).args(args).arg(path))
}

/// The bundle of `experiments/quick.toml`, and the folder that it unpacks to.
fn quick() -> (Workbench, PathBuf, PathBuf) {
    let bench = Workbench::new();
    let experiment = here().join("experiments/quick.toml");
    bench.matrix(&["run", experiment.to_str().unwrap()]).code(0);
    bench.matrix(&["bundle", "create", "-o", "quick.tar.zst"]).code(0);
    bench.matrix(&["bundle", "extract", "quick.tar.zst", "-o", "quick"]).code(0);
    let paths = [bench.path("quick.tar.zst"), bench.path("quick")];
    let [bundle, folder] = paths;
    (bench, bundle, folder)
}

/// Changes a file, checks, and puts it back.
fn changed(only: &str, folder: &Path, file: &str, change: impl Fn(&str) -> String) -> Printed {
    let path = folder.join(file);
    let before = std::fs::read_to_string(&path).unwrap();
    let after = change(&before);
    assert_ne!(before, after, "{file} is changed");
    std::fs::write(&path, after).unwrap();
    let printed = check(&["--only", only], folder).code(1);
    std::fs::write(&path, before).unwrap();
    printed
}

#[test]
fn independent_validators_accept_the_bundle_of_quick_and_nothing_worse() {
    let (_bench, bundle, folder) = quick();
    let printed = check(&[], &bundle).code(0);
    for profile in ["ro-crate-1.1", "process-run-crate"] {
        let clean = |line: &str| line.starts_with(profile) && line.ends_with(" 0 REQUIRED issues");
        assert!(printed.out.lines().any(clean), "{}", printed.out);
    }
    printed.out_has("no fault found by stock bag crate citation");

    let stock = changed("stock", &folder, "data/cells.csv", |text| text.replacen('0', "1", 1));
    stock.out_has("data/cells.csv: FAILED");
    let bag = changed("bag", &folder, "data/README.md", |text| text.to_owned() + "\n");
    bag.err_has("Payload-Oxum");
    let metadata = "data/ro-crate-metadata.json";
    let root = changed("crate", &folder, metadata, |text| text.replacen("\"datePublished\"", "\"dateUnknown\"", 1));
    root.err_has("ro-crate-1.1: ").err_has("datePublished");
    let action = changed("crate", &folder, metadata, |text| text.replace("\"instrument\"", "\"tool\""));
    action.err_has("process-run-crate: ").err_has("instrument");
    let elsewhere = changed("crate", &folder, metadata, |text| {
        text.replacen("w3id.org/ro/crate/1.1/context", "example.org/context", 1)
    });
    elsewhere.err_has("https://example.org/context");
    let citation = changed("citation", &folder, "data/CITATION.cff", |text| text.replacen("title:", "subtitle:", 1));
    citation.err_has("title");
}

#[test]
fn the_repository_s_own_citation_is_valid() {
    ended(
        Command::new(installed("citation/bin/cffconvert")).args(["--validate", "-i"]).arg(here().join("CITATION.cff")),
    )
    .code(0);
}

#[test]
fn a_missing_validator_is_a_failure_that_says_how_to_install_it() {
    let bench = Workbench::new();
    let script = here().join("scripts/check-bundle-with-validators");
    ended(Command::new(script).arg("any").env("XDG_CACHE_HOME", bench.path("")))
        .code(2)
        .err_has("is missing: run scripts/install-test-needs");
}
