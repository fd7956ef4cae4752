//! An experiment divided into shards, each with a store of its own, and united.

use crate::workbench::{SMALL, Workbench};

/// A workbench on which one shard has run, with its bundle `part.tar.zst`.
fn shard(shard: &str, index: Option<(&str, &str)>) -> Workbench {
    let bench = Workbench::with(SMALL);
    let mut command = bench.command(&["run", "small.toml", "--shard", shard]);
    command.envs(index);
    Workbench::printed(command.output().unwrap()).code(0);
    // The plan keeps the shard: resuming does the same cells, and there is nothing left of them.
    assert!(bench.matrix(&["resume"]).code(0).out.contains("nothing to resume"));
    bench.matrix(&["bundle", "create", "--origin", "cluster", "-o", "part.tar.zst"]).code(0);
    bench
}

#[test]
fn shards_of_three_stores_are_the_experiment_of_one() {
    let whole = Workbench::with(SMALL);
    whole.matrix(&["run", "small.toml"]).code(0);

    let bench = Workbench::with(SMALL);
    let shards = [
        shard("1/3", None),
        shard("auto/3", Some(("AWS_BATCH_JOB_ARRAY_INDEX", "1"))),
        shard("auto/3", Some(("SLURM_ARRAY_TASK_ID", "2"))),
    ];
    for (shard, name) in shards.iter().zip(["1.tar.zst", "2.tar.zst", "3.tar.zst"]) {
        std::fs::copy(shard.path("part.tar.zst"), bench.path(name)).unwrap();
    }

    let refused = bench.matrix(&["bundle", "merge", "1.tar.zst", "3.tar.zst", "-o", "two.tar.zst"]).code(2);
    assert!(refused.err.contains("shards are missing: 2/3 of small"), "{}", refused.err);
    assert!(!bench.path("two.tar.zst").exists());
    let merge = ["bundle", "merge", "1.tar.zst", "3.tar.zst", "-o", "two.tar.zst", "--allow-incomplete"];
    let allowed = bench.matrix(&merge).code(0);
    assert!(allowed.err.contains("missing shards: 2/3 of small"), "{}", allowed.err);

    let merge = ["bundle", "merge", "two.tar.zst", "2.tar.zst", "-o", "all.tar.zst"];
    let united = bench.matrix(&merge).code(0);
    assert!(!united.err.contains("missing") && !united.err.contains("selection"), "{}", united.err);
    bench.matrix(&["verify", "all.tar.zst"]).code(0);
    bench.matrix(&["bundle", "extract", "all.tar.zst", "--as-store", "-o", "united"]).code(0);
    assert_eq!(bench.files("united/objects"), whole.files("results/objects"));
    let again = bench.matrix(&["run", "small.toml", "--results", "united"]).code(0);
    assert!(again.out.contains("nothing to do"), "{}", again.out);
}

#[test]
fn a_shard_without_cells_and_one_that_nobody_names_are_refused() {
    let bench = Workbench::with(SMALL);
    let empty = bench.matrix(&["run", "small.toml", "--shard", "1/1000"]).code(2);
    assert!(empty.err.contains("shard 1/1000 is empty"), "{}", empty.err);
    for wrong in ["0/3", "4/3", "x"] {
        bench.matrix(&["run", "small.toml", "--shard", wrong]).code(2);
    }
    let mut command = bench.command(&["run", "small.toml", "--shard", "auto/3"]);
    let nobody = Workbench::printed(command.output().unwrap()).code(2);
    assert!(nobody.err.contains("SLURM_ARRAY_TASK_ID"), "{}", nobody.err);
    let mut command = bench.command(&["run", "small.toml", "--shard", "auto/3"]);
    let outside = Workbench::printed(command.env("JOB_COMPLETION_INDEX", "3").output().unwrap()).code(2);
    assert!(outside.err.contains("JOB_COMPLETION_INDEX"), "{}", outside.err);
    assert!(!bench.path("results").exists(), "nothing is written for what is refused");
}
