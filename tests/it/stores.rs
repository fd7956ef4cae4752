//! `matrix store`: checking a store for several runners, and copying between stores.

use crate::workbench::Workbench;

#[test]
fn a_store_that_was_checked_says_so_and_is_used_as_any_other() {
    let bench = Workbench::small();
    bench.matrix(&["store", "check", "results"]).code(0).out_has("several runners may share it");
    assert!(bench.read("results/store.toml").contains("[shared]\n"));
    bench.matrix(&["run", "small.toml"]).code(0);
    bench.matrix(&["verify"]).code(0).out_lacks("store.toml");
}

#[test]
fn what_a_store_lacks_is_copied_once_and_its_runs_go_on() {
    let (reference, bench) = (Workbench::small(), Workbench::small());
    reference.matrix(&["run", "small.toml"]).code(0);
    bench.matrix(&["run", "small.toml", "--results", "a", "--filter", "antipode=true"]).code(0);
    let push = ["store", "push", "a", "results", "--format", "json"];
    let copied = bench.matrix(&push).code(0).json();
    assert!(copied["records"].as_u64().unwrap() > 0 && copied["runs"] == 1, "{copied}");
    assert_eq!(bench.files("a/cells"), bench.files("results/cells"));
    assert_eq!(bench.files("a/runs"), bench.files("results/runs"));
    // A second time there is nothing to copy.
    let again = bench.matrix(&push).code(0).json();
    assert_eq!((&again["records"], &again["objects"], &again["runs"]), (&0.into(), &0.into(), &0.into()), "{again}");

    bench.matrix(&["run", "small.toml"]).code(0);
    assert_eq!(bench.results(), reference.results());
    bench.matrix(&["verify"]).code(0);
    // The way back, with what was done since.
    bench.matrix(&["store", "pull", "results", "a"]).code(0);
    bench.matrix(&["verify", "a"]).code(0);
    assert!(bench.matrix(&["run", "small.toml", "--results", "a"]).code(0).out.contains("nothing to do"));
    // A record that differs is named, and stays.
    let record = bench.files("a/cells").into_keys().next().unwrap();
    let other = bench.files("a/cells").into_values().next_back().unwrap();
    std::fs::write(bench.path("a/cells").join(&record), other).unwrap();
    bench.matrix(&["store", "push", "results", "a"]).code(3).err_has("differs, and stays as it is");
}
