//! An experiment divided into shards, each with a store of its own, and united.

use crate::workbench::{SMALL, Workbench, ended};

/// Three machines, each of which has run one shard of the experiment in `file`, and one with their bundles: `two.tar.zst`
/// lacks the second shard, `all.tar.zst` has them all.
pub(crate) fn divided(bench: fn() -> Workbench, file: &str, name: &str) -> ([Workbench; 3], Workbench) {
    let indices = [None, Some(("AWS_BATCH_JOB_ARRAY_INDEX", "1")), Some(("SLURM_ARRAY_TASK_ID", "2"))];
    let union = bench();
    let mut number = 0;
    let shards = indices.map(|index| {
        number += 1;
        let machine = bench();
        let shard = if index.is_some() { "auto/3" } else { "1/3" };
        ended(machine.command(&["run", file, "--shard", shard, "--jobs", "2"]).envs(index)).code(0);
        // The plan keeps the shard: resuming does the same cells, and there is nothing left of them.
        machine.matrix(&["resume"]).code(0).out_has("nothing to resume");
        let bundle = format!("{number}.tar.zst");
        machine.matrix(&["bundle", "create", "--origin", "lab", "-o", &bundle]).code(0);
        std::fs::copy(machine.path(&bundle), union.path(&bundle)).unwrap();
        union.matrix(&["verify", &bundle]).code(0);
        machine
    });
    let merge = ["bundle", "merge", "1.tar.zst", "3.tar.zst", "-o", "two.tar.zst", "--allow-incomplete"];
    union.matrix(&merge[..6]).code(2).err_has(&format!("shards are missing: 2/3 of {name}"));
    assert!(!union.path("two.tar.zst").exists());
    union.matrix(&merge).code(0).err_has(&format!("missing shards: 2/3 of {name}"));
    union.matrix(&["verify", "two.tar.zst"]).code(0);
    let united = union.matrix(&["bundle", "merge", "two.tar.zst", "2.tar.zst", "-o", "all.tar.zst"]).code(0);
    united.err_lacks("missing").err_lacks("selection");
    union.matrix(&["verify", "all.tar.zst"]).code(0);
    (shards, union)
}

#[test]
fn shards_of_three_stores_are_the_experiment_of_one() {
    let whole = Workbench::ran();
    let (_, bench) = divided(Workbench::small, "small.toml", "small");
    bench.matrix(&["bundle", "extract", "all.tar.zst", "--as-store", "-o", "united"]).code(0);
    assert_eq!(bench.files("united/objects"), whole.files("results/objects"));
    bench.matrix(&["run", "small.toml", "--results", "united"]).code(0).out_has("nothing to do");
}

#[test]
fn a_shard_without_cells_and_one_that_nobody_names_are_refused() {
    let bench = Workbench::with(SMALL);
    bench.matrix(&["run", "small.toml", "--shard", "1/1000"]).code(2).err_has("shard 1/1000 is empty");
    for wrong in ["0/3", "4/3", "x"] {
        bench.matrix(&["run", "small.toml", "--shard", wrong]).code(2);
    }
    let mut command = bench.command(&["run", "small.toml", "--shard", "auto/3"]);
    ended(&mut command).code(2).err_has("SLURM_ARRAY_TASK_ID");
    let outside =
        ended(bench.command(&["run", "small.toml", "--shard", "auto/3"]).env("JOB_COMPLETION_INDEX", "3")).code(2);
    outside.err_has("JOB_COMPLETION_INDEX");
    assert!(!bench.path("results").exists(), "nothing is written for what is refused");
}
