//! The results that come with a checkout: the first thing that somebody can check.

use crate::workbench::{Workbench, here};

/// A folder with what a checkout has in `results/` and `experiments/`.
fn checkout() -> Workbench {
    let bench = Workbench::new();
    for folder in ["results", "experiments/models"] {
        std::fs::create_dir_all(bench.path(folder)).unwrap();
    }
    for file in
        ["results/README.md", "results/quick.tar.zst", "experiments/quick.toml", "experiments/models/aws-2021.toml"]
    {
        std::fs::copy(here().join(file), bench.path(file)).unwrap();
    }
    bench
}

#[test]
fn they_are_verified_replayed_and_judged() {
    let bench = checkout();
    let printed = bench.matrix(&["verify", "results/quick.tar.zst"]).code(0).out;
    let is_of_this_version = printed.contains("sound: no fault found") && !printed.contains("NOT VERIFIED");
    assert!(is_of_this_version, "make it again: scripts/results-bundle\n{printed}");
    let replayed = bench.matrix(&["bundle", "replay", "results/quick.tar.zst"]).code(0);
    replayed.out_has("24 of 24 simulated cells are identical, 0 are not");
    bench.matrix(&["check", "--results", "results/quick.tar.zst"]).code(0);
}

#[test]
fn a_store_is_made_beside_them() {
    let bench = checkout();
    // There is no store yet: not one that is damaged, and not something else.
    let none = bench.matrix(&["status"]).code(2);
    none.err_has("no store or unpacked bundle");
    none.err_has("did you mean results/quick.tar.zst?");
    bench.matrix(&["run", "experiments/quick.toml"]).code(0);
    assert!(!bench.matrix(&["verify"]).code(0).out.contains("note:"));
    bench.matrix(&["status"]).code(0);
    assert!(bench.matrix(&["gc"]).code(0).out.contains("all"));
    for file in ["results/README.md", "results/quick.tar.zst"] {
        assert!(std::fs::read(bench.path(file)).unwrap() == std::fs::read(here().join(file)).unwrap(), "{file}");
    }
    bench.matrix(&["diff", "results", "results/quick.tar.zst"]).code(0).out_has("24 identical");
}
