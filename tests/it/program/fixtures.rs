//! What users of older versions have of programs' results: bundles and a store that `tests/fixtures/make-programs` made. All of it can
//! still be verified, merged, drawn, judged, unpacked and gone on with, and no key, order, record, attempt, object or output has moved.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::executable;
use crate::workbench::{Workbench, ended, here};

fn folder() -> PathBuf {
    here().join("tests/fixtures/programs")
}

/// The path of a bundle, as an argument.
fn fixture(name: &str) -> String {
    folder().join(format!("made/{name}.tar.zst")).display().to_string()
}

/// A folder with the experiment and its programs.
fn bench() -> Workbench {
    let mut bench = Workbench::new();
    for name in ["programs.toml", "bench", "prepare", "serve"] {
        let text = std::fs::read_to_string(folder().join(name)).unwrap();
        if name.ends_with(".toml") { bench.write(name, &text) } else { executable(&bench, name, &text) }
    }
    bench.set("XDG_CACHE_HOME", bench.path("cache"));
    bench
}

/// What was saved of results in an unpacked bundle: all but what is derived from it.
fn saved(bench: &Workbench, bag: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = bench.files(&format!("{bag}/data"));
    files.retain(|path, _| !is_derived(path));
    assert!(files.len() > 10, "{:?}", files.keys());
    files
}

fn is_derived(path: &Path) -> bool {
    let kept = ["attempts", "experiments", "objects", "outputs", "plans", "records", "runs"];
    // The renderer's name has the program's version in it.
    !kept.iter().any(|folder| path.starts_with(folder)) && path != Path::new("figures/renderer.txt")
}

fn attempts(bench: &Workbench, store: &str) -> usize {
    bench.files(&format!("{store}/attempts")).len()
}

/// Everything that every bundle has to go through; how many cells then still have to run.
fn goes_on_being_read(name: &str, left: usize) {
    let bench = bench();
    let bundle = fixture(name);
    let verified = bench.json(&["verify", &bundle]);
    assert_eq!((&verified["sound"], &verified["deriver"]), (&true.into(), &5.into()), "{verified}");
    assert_eq!((&verified["another_version"], &verified["faults"]), (&true.into(), &serde_json::json!([])));
    let judged = bench.matrix(&["check", "--results", &bundle]);
    assert!([0, 4].contains(&judged.code), "{judged:?}");
    bench.matrix(&["plot", "--results", &bundle, "-o", "plots"]).code(0);
    bench.matrix(&["table", "--results", &bundle]).code(0);

    // A bundle that is made today of the store that one becomes has the same files.
    bench.matrix(&["bundle", "extract", &bundle, "-o", "bag"]).code(0);
    bench.matrix(&["bundle", "extract", &bundle, "--as-store", "-o", "results"]).code(0);
    bench.matrix(&["verify"]).code(0);
    bench.matrix(&["bundle", "create", "--allow-incomplete", "-o", "again.tar.zst"]).code(0);
    bench.matrix(&["verify", "again.tar.zst"]).code(0).out_lacks("NOT VERIFIED");
    bench.matrix(&["bundle", "extract", "again.tar.zst", "-o", "again"]).code(0);
    let (old, new) = (saved(&bench, "bag"), saved(&bench, "again"));
    let changed = old.keys().chain(new.keys()).filter(|path| old.get(*path) != new.get(*path));
    assert_eq!(changed.collect::<Vec<_>>(), Vec::<&PathBuf>::new());

    // Cells have the keys that they had: nothing that is done runs again.
    let before = attempts(&bench, "results");
    bench.matrix(&["run", "programs.toml"]).code(0);
    assert_eq!(attempts(&bench, "results") - before, left, "{name}");
    bench.matrix(&["verify"]).code(0);
}

#[test]
fn the_fixtures_are_those_that_were_made() {
    let check = ["--check", "--strict", "--quiet", "SHA256SUMS"];
    ended(Command::new("sha256sum").args(check).current_dir(folder().join("made"))).code(0);
}

#[test]
fn bundles_of_every_kind() {
    for (name, left) in [("whole", 0), ("part", 12), ("shard1", 12), ("merged", 0), ("failed", 12), ("reread", 0)] {
        goes_on_being_read(name, left);
    }
}

#[test]
fn shards_and_the_other_bundles_merge() {
    let bench = bench();
    let merged = |names: &[&str], out: &str| {
        let files: Vec<String> = names.iter().map(|name| fixture(name)).collect();
        let files = files.iter().map(String::as_str).collect::<Vec<_>>();
        bench.matrix(&[&["bundle", "merge", "-o", out], files.as_slice()].concat()).code(0);
        bench.matrix(&["verify", out]).code(0).out_has("sound: no fault found").out_lacks("NOT VERIFIED");
    };
    merged(&["shard1", "shard2"], "shards.tar.zst");
    merged(&["whole", "part"], "again.tar.zst");
    // Of two origins, one of which has half of the results.
    merged(&["failed", "shard1", "shard2"], "all.tar.zst");
    bench.matrix(&["check", "--results", "shards.tar.zst"]).out_has("programs (24 of 24 cells done)");
}

#[test]
fn a_store_in_which_a_run_was_killed_is_gone_on_with() {
    let bench = bench();
    std::fs::create_dir(bench.path("results")).unwrap();
    let script = format!("zstd -qdc '{}' | tar -x -C results", fixture("store"));
    ended(Command::new("bash").args(["-o", "pipefail", "-c", &script]).current_dir(bench.path(""))).code(0);
    let before = bench.results();
    bench.matrix(&["verify"]).code(0);
    bench.matrix(&["run", "programs.toml"]).code(0);
    let after = bench.results();
    assert!(before.iter().all(|(path, bytes)| after.get(path) == Some(bytes)));
    let records = |of: &BTreeMap<PathBuf, Vec<u8>>| of.keys().filter(|path| path.starts_with("cells")).count();
    assert!((5..24).contains(&records(&before)), "{}", records(&before));
    assert_eq!(records(&after), 24);
    bench.matrix(&["verify"]).code(0);
}

/// A change of derived files is seen here. It raises the deriver's version, once for each release; the snapshot of the version that
/// is not released yet may be accepted anew.
#[test]
fn derived_files_change_only_with_the_deriver() {
    let bench = bench();
    for name in ["merged", "failed"] {
        bench.matrix(&["bundle", "extract", &fixture(name), "--as-store", "-o", name]).code(0);
        let now = format!("{name}.tar.zst");
        bench.matrix(&["bundle", "create", "--results", name, "--allow-incomplete", "-o", &now]).code(0);
        bench.matrix(&["bundle", "extract", &now, "-o", &format!("bags/{name}")]).code(0);
    }
    let mut listed = String::new();
    for (path, bytes) in bench.files("bags") {
        if is_derived(&path.components().skip(2).collect::<PathBuf>()) {
            listed += &format!("{} {}\n", &matrix_store::Digest::of(&bytes).to_string()[..16], path.display());
        }
    }
    let deriver = bench.read("bags/merged/data/tables/deriver.txt");
    assert_eq!(deriver, format!("matrix-command {}\n", matrix_command_derived::DERIVER_VERSION));
    insta::assert_snapshot!(format!("deriver_{}", matrix_command_derived::DERIVER_VERSION), listed);
}
