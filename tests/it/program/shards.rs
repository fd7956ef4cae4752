//! `--shard`: an experiment divided between machines, each with a store of its own, and united again.

use std::collections::BTreeSet;

use super::{EXPERIMENT, READER, executable, executions, with};
use crate::shards::divided;
use crate::workbench::Workbench;

/// Something is made for each number of threads, which takes long; each machine makes what its shard needs.
const PREPARE: &str = r#"
[site]
prepared = "made"

[[prepare]]
name = "data"
each = ["threads"]
run = ["sh", "-c", "echo {threads} >> makes; echo $((1000 / {threads})) > {prepared}/size"]

[columns]"#;

fn bench() -> Workbench {
    let text =
        EXPERIMENT.replace("[columns]", PREPARE).replace("\"{engine}\", \"{out}", "\"{prepared:data}\", \"{out}");
    with(&text, READER)
}

#[test]
fn shards_of_three_machines_are_the_experiment_of_one() {
    let whole = bench();
    whole.matrix(&["run", "kv.toml", "--jobs", "2"]).code(0);
    let (shards, bench) = divided(bench, "kv.toml", "kv");
    // Each machine prepares one of the three things, and no cell runs twice.
    let makes: BTreeSet<String> = shards.iter().map(|shard| shard.read("makes")).collect();
    assert_eq!(makes.into_iter().collect::<String>(), "1\n2\n4\n");
    assert_eq!(shards.iter().map(executions).collect::<Vec<_>>(), [6, 6, 6]);

    let merge = ["bundle", "merge", "1.tar.zst", "3.tar.zst", "-o", "two.tar.zst", "--allow-incomplete"];
    bench.matrix(&merge).code(0).err_has("12 of the 18 cells that its plans have");
    bench.matrix(&["bundle", "extract", "two.tar.zst", "-o", "two"]).code(0);
    assert!(bench.read("two/data/README.md").contains("**Missing shards:** 2/3 of kv."));
    bench.matrix(&["check", "--results", "all.tar.zst"]).code(4).out_has("kv (18 of 18 cells done)");
    let diff = whole.path("all.tar.zst");
    std::fs::copy(bench.path("all.tar.zst"), &diff).unwrap();
    let diff = whole.json(&["diff", "all.tar.zst", "results"]);
    assert_eq!(diff[0]["same_key"].as_u64().unwrap() + diff[0]["identical"].as_u64().unwrap(), 18, "{diff}");
}

#[test]
fn what_varies_slowest_stays_together_and_a_cell_that_cannot_run_stays_its_shards() {
    let outer = EXPERIMENT.replace("paired = \"engine\"", "paired = \"engine\"\nouter = [\"threads\"]");
    let bench = with(&outer, super::BENCH);
    let plan = |shard: &str| bench.json(&["plan", "kv.toml", "--shard", shard]);
    let mut seen = BTreeSet::new();
    for (number, threads) in [(1, 1), (2, 2), (3, 4)] {
        let plan = plan(&format!("{number}/3"));
        assert_eq!(plan["shard"], format!("{number}/3"));
        for cell in plan["cells"].as_array().unwrap() {
            let own = cell["reason"] == "pending";
            assert_eq!(own, cell["axes"]["threads"] == threads, "{cell}");
            assert_eq!(own, cell["shard"] == number, "{cell}");
            assert!(own || cell["reason"] == "other_shard", "{cell}");
            if own {
                seen.insert(cell["key"].as_str().unwrap().to_owned());
            }
        }
    }
    assert_eq!(seen.len(), 18);

    // Who cannot run a cell divides all the same as who can.
    let require = "[[require]]\nwhere = \"threads = 2\"\nrun = [\"false\"]\nelse = \"it is broken\"\n\n[columns]";
    let lame = with(&outer.replace("[columns]", require), super::BENCH);
    lame.matrix(&["run", "kv.toml", "--shard", "1/3"]).code(0);
    assert_eq!(executions(&lame), 6);
    lame.matrix(&["run", "kv.toml", "--shard", "2/3"]).code(0).err_has("skipped: 6 cells: it is broken");
    assert_eq!(executions(&lame), 6);
}

#[test]
fn a_shard_without_cells_is_refused() {
    let bench = with(EXPERIMENT, "");
    let empty = bench.matrix(&["run", "kv.toml", "--shard", "1/1000"]).code(2);
    empty.err_has("shard 1/1000 is empty: there are 9 blocks to divide");
    bench.matrix(&["run", "kv.toml", "--shard", "4/3"]).code(2);
    // What needs no shard's cells either.
    executable(&bench, "bench", super::BENCH);
    let filtered = bench.matrix(&["run", "kv.toml", "--shard", "1/2", "--filter", "threads = 1 and round = 1"]).code(2);
    filtered.err_has("there are 1 blocks to divide");
    assert!(!bench.path("results").exists());
}
