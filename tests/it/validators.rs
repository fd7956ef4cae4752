//! Bundles before tools that know nothing of this project: `scripts/check-bundle-with-validators`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workbench::{Printed, Workbench, here};

fn check(args: &[&str], path: &Path) -> Printed {
    let script = here().join("scripts/check-bundle-with-validators");
    Workbench::printed(Command::new(script).args(args).arg(path).output().unwrap())
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
    assert!(printed.out.contains("no fault found by stock bag crate citation"), "{}", printed.out);

    let stock = changed("stock", &folder, "data/cells.csv", |text| text.replacen('0', "1", 1));
    assert!(stock.out.contains("data/cells.csv: FAILED"), "{stock:?}");
    let bag = changed("bag", &folder, "data/README.md", |text| text.to_owned() + "\n");
    assert!(bag.err.contains("Payload-Oxum"), "{bag:?}");
    let metadata = "data/ro-crate-metadata.json";
    let root = changed("crate", &folder, metadata, |text| text.replacen("\"datePublished\"", "\"dateUnknown\"", 1));
    assert!(root.err.contains("ro-crate-1.1: ") && root.err.contains("datePublished"), "{root:?}");
    let action = changed("crate", &folder, metadata, |text| text.replace("\"instrument\"", "\"tool\""));
    assert!(action.err.contains("process-run-crate: ") && action.err.contains("instrument"), "{action:?}");
    let elsewhere = changed("crate", &folder, metadata, |text| {
        text.replacen("w3id.org/ro/crate/1.1/context", "example.org/context", 1)
    });
    assert!(elsewhere.err.contains("https://example.org/context"), "{elsewhere:?}");
    let citation = changed("citation", &folder, "data/CITATION.cff", |text| text.replacen("title:", "subtitle:", 1));
    assert!(citation.err.contains("title"), "{citation:?}");
}

#[test]
fn the_repository_s_own_citation_is_valid() {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"))).unwrap();
    let tool = cache.join("matrix-test-tools/citation/bin/cffconvert");
    assert!(tool.exists(), "{} is missing: run scripts/install-test-needs", tool.display());
    let output = Command::new(tool).args(["--validate", "-i"]).arg(here().join("CITATION.cff")).output().unwrap();
    Workbench::printed(output).code(0);
}

#[test]
fn a_missing_validator_is_a_failure_that_says_how_to_install_it() {
    let bench = Workbench::new();
    let script = here().join("scripts/check-bundle-with-validators");
    let output = Command::new(script).arg("any").env("XDG_CACHE_HOME", bench.path("")).output().unwrap();
    let printed = Workbench::printed(output).code(2);
    assert!(printed.err.contains("is missing: run scripts/install-test-needs"), "{}", printed.err);
}
