//! What an evaluator does with a bundle: verifies it, runs its experiment again, and compares.

use super::{executable, executions, with};
use crate::workbench::Workbench;

/// A small sibling of experiments/compress.toml.
const COMPRESS: &str = r#"
schema = 2
name = "squeeze"
workload = "command"
rounds = 3
seed = 5
paired = "program"

[axes]
program = ["gzip", "bzip2"]
level = [1, 9]

[command]
run = ["./measure", "{program}", "{level}"]
inputs = ["measure"]
rows = "kv:stdout"
env = { COUNT = "{experiment}/count" }

[columns]
bytes = { unit = "B", type = "integer" }

[[metric]]
name = "size"
is = "sum(bytes)"
better = "lower"

[[claim]]
id = "smaller"
says = "bzip2 makes smaller files than gzip"
metric = "size"
where = { program = "bzip2" }
ratio_to = { program = "gzip" }
at_most = 1.0

[[figure]]
name = "size"
kind = "line"
x = "level"
y = "size"
series = "program"

[subset.quick]
filter = "level = 1"
"#;

/// Compresses numbers. The sizes are those of the programs, whatever the machine.
const MEASURE: &str = r#"#!/bin/sh
set -eu
echo run >> "$COUNT"
echo "bytes = $(seq 20000 | $1 -$2 -c | wc -c)"
"#;

fn author() -> Workbench {
    let bench = with(COMPRESS, "");
    executable(&bench, "measure", MEASURE);
    bench.matrix(&["run", "kv.toml"]).code(0);
    bench.matrix(&["bundle", "create", "--origin", "author", "-o", "squeeze.tar.zst"]).code(0);
    bench
}

/// A folder with the bundle and the programs of the artifact, and no results.
fn evaluator(author: &Workbench, measure: &str) -> Workbench {
    let bench = Workbench::new();
    std::fs::copy(author.path("squeeze.tar.zst"), bench.path("squeeze.tar.zst")).unwrap();
    bench.write("kv.toml", COMPRESS);
    executable(&bench, "measure", measure);
    bench
}

#[test]
fn a_bundle_is_verified_run_again_and_compared() {
    let author = author();
    let bench = evaluator(&author, MEASURE);
    // Nothing of this runs anything.
    bench.matrix(&["verify", "squeeze.tar.zst"]).code(0);
    bench.matrix(&["check", "--results", "squeeze.tar.zst"]).code(0);
    bench.matrix(&["plot", "--results", "squeeze.tar.zst"]).code(0);
    // Without a terminal, what came in a bundle runs nothing either, but says what it would.
    bench.matrix(&["bundle", "replay", "squeeze.tar.zst"]).code(2).err_has("  runs ./measure\n").err_has("--yes");
    assert_eq!(executions(&bench), 0);

    let replayed = bench.matrix(&["bundle", "replay", "squeeze.tar.zst", "--yes", "--results", "mine"]).code(0);
    assert_eq!(executions(&bench), 12);
    // Whether the test's machine was quiet is not what this is about.
    let printed: Vec<&str> = replayed.out.lines().filter(|line| !line.starts_with("disturbed")).collect();
    insta::assert_snapshot!(printed.join("\n"));
    let diff = bench.json(&["diff", "squeeze.tar.zst", "mine"]);
    assert_eq!(diff[0]["same_key"].as_u64().unwrap() + diff[0]["identical"].as_u64().unwrap(), 12, "{diff}");
    assert_eq!(diff[0]["claims"][0]["a"], diff[0]["claims"][0]["b"]);
    assert_eq!(diff[0]["changes"].as_array().unwrap().len(), 4);

    // Under another origin, beside the authors' results: both are judged by themselves.
    bench.matrix(&["bundle", "create", "--results", "mine", "--origin", "evaluator", "-o", "mine.tar.zst"]).code(0);
    bench.matrix(&["bundle", "merge", "squeeze.tar.zst", "mine.tar.zst", "-o", "both.tar.zst"]).code(0);
    let merged = std::fs::read(bench.path("both.tar.zst")).unwrap();
    bench
        .matrix(&["bundle", "merge", "mine.tar.zst", "squeeze.tar.zst", "squeeze.tar.zst", "-o", "both.tar.zst"])
        .code(0);
    assert!(merged == std::fs::read(bench.path("both.tar.zst")).unwrap(), "the order of bundles makes no difference");
    bench.matrix(&["verify", "both.tar.zst"]).code(0);
    for origin in ["author", "evaluator"] {
        bench.matrix(&["check", "--results", "both.tar.zst", "--origin", origin]).code(0).out_has("smaller: supported");
    }
}

#[test]
fn a_program_that_differs_is_told_by_what_differs() {
    let author = author();
    // It adds bytes to what bzip2 makes: the claim falls.
    let bench = evaluator(&author, &MEASURE.replace("$(seq", "$(if [ $1 = bzip2 ]; then seq 3000; fi; seq"));
    let replayed = bench.matrix(&["bundle", "replay", "squeeze.tar.zst", "--yes", "--tolerance", "1"]).code(0);
    let differs = "the keys differ in command.inputs.measure.sha256 (12 cells)";
    replayed.out_has(differs);
    replayed.out_has("beyond the tolerance").out_has("within 1 %: 2 of 4");
    // One that fails is neither the same nor another number.
    executable(&bench, "measure", "#!/bin/sh\nexit 1\n");
    bench.matrix(&["bundle", "replay", "squeeze.tar.zst", "--yes", "--subset", "quick"]).code(3).out_has("DNF");
}

#[test]
fn bundles_of_the_same_cells_conflict_and_selections_unite() {
    let author = author();
    let one = author.matrix(&["bundle", "create", "--filter", "level = 1", "-o", "one.tar.zst"]).code(0);
    one.err_has("a selection (level = 1): 6 of the 12 cells");
    author.matrix(&["bundle", "create", "--filter", "level = 9", "--with-source", "-o", "nine.tar.zst"]).code(0);
    for bundle in ["one.tar.zst", "nine.tar.zst"] {
        author.matrix(&["verify", bundle]).code(0);
    }
    author.matrix(&["bundle", "extract", "nine.tar.zst", "-o", "nine"]).code(0);
    let source: Vec<_> = author.files("nine/data/source").into_keys().collect();
    assert!(source.iter().any(|path| path.ends_with("Cargo.lock")), "{source:?}");
    author.matrix(&["bundle", "merge", "one.tar.zst", "nine.tar.zst", "-o", "both.tar.zst"]).code(0);
    author.matrix(&["verify", "both.tar.zst"]).code(0);
    let whole = author.json(&["diff", "both.tar.zst", "results"]);
    assert_eq!(whole[0]["identical"], 12, "{whole}");
    author.matrix(&["bundle", "create", "--filter", "level = 5", "-o", "none.tar.zst"]).code(2);

    // Measured twice under one name: neither is dropped in silence.
    let other = evaluator(&author, MEASURE);
    other.matrix(&["run", "kv.toml"]).code(0);
    other.matrix(&["bundle", "create", "--origin", "author", "-o", "other.tar.zst"]).code(0);
    let conflict = other.matrix(&["bundle", "merge", "squeeze.tar.zst", "other.tar.zst", "-o", "x.tar.zst"]).code(5);
    conflict.err_has("has different results from origin author");
}
