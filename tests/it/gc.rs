//! Garbage.

use crate::workbench::Workbench;

#[test]
fn what_nothing_needs_goes_and_a_dry_run_changes_nothing() {
    let bench = Workbench::small();
    bench.matrix(&["gc"]).code(2);
    assert!(!bench.path("results").exists(), "a place without a store is not made one");
    bench.matrix(&["run", "small.toml"]).code(0);
    let results = bench.results();
    let times = bench.times("results");
    let json = bench.json(&["gc"]);
    assert_eq!((&json["files"], &json["bytes"]), (&0.into(), &0.into()));
    assert_eq!(bench.times("results"), times, "nothing to remove, nothing written");

    // Without its record an object is garbage; its attempt is not, for the run names it.
    let record = results.keys().find(|path| path.starts_with("cells")).unwrap();
    std::fs::remove_file(bench.path("results").join(record)).unwrap();
    bench.write("results/tmp/left", "by someone who was killed");
    let before = bench.files("results");
    let told = bench.json(&["gc", "--dry-run"]);
    assert_eq!(bench.files("results"), before);
    let removed = bench.json(&["gc"]);
    assert_eq!(told["garbage"], removed["garbage"]);
    assert_eq!((&removed["files"], removed["garbage"]["objects"].as_array().unwrap().len()), (&2.into(), 1));
    let after = bench.files("results");
    assert_eq!(before.len() - after.len(), 2);
    bench.matrix(&["verify"]).code(0);

    // Without its run a failed attempt would be garbage; those of results stay.
    let attempts = |files: &std::collections::BTreeMap<std::path::PathBuf, Vec<u8>>| {
        files.keys().filter(|path| path.starts_with("attempts")).count()
    };
    assert_eq!(attempts(&after), 12);
    std::fs::remove_dir_all(bench.path("results/runs")).unwrap();
    bench.matrix(&["gc"]).code(0).out_has("removed attempts/");
    assert_eq!(attempts(&bench.files("results")), 11, "the one whose record is gone");
    bench.matrix(&["run", "small.toml"]).code(0);
    assert_eq!(bench.results(), results);
}

#[test]
fn imported_results_keep_what_says_where_they_come_from() {
    let (bench, _) = Workbench::measured();
    let before = bench.files("measured");
    bench.matrix(&["gc", "--results", "measured"]).code(0).out_lacks("removed");
    assert_eq!(bench.files("measured"), before);
}
