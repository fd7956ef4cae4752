//! Experiments that run a program: schema 2.

mod bad_files;
mod bundle;
mod evaluator;
mod failures;
mod figures;
mod fixtures;
mod host;
mod keys;
mod leftovers;
mod lifecycle;
mod prepare;
pub(crate) mod remote;
mod root;
mod shards;
mod shipped;
mod spine;

use crate::workbench::Workbench;

/// A program that writes three rows, faster with more threads, and counts how often it was executed.
pub(crate) const BENCH: &str = r#"#!/bin/sh
set -eu
echo run >> "$COUNT"
threads=$1 engine=$2 out=$3
base=1000
[ "$engine" = fast ] && base=400
printf 'latency_us,found,noise\n' > "$out"
for i in 1 2 3; do printf '%s,true,x\n' $((base / threads + i)) >> "$out"; done
"#;

pub(crate) const EXPERIMENT: &str = r#"
schema = 2
name = "kv"
workload = "command"
rounds = 3
seed = 7
paired = "engine"

[axes]
engine = { values = ["slow", "fast"], labels = { slow = "Slow", fast = "Fast" } }
threads = { from = 1, to = 4, factor = 2 }

[command]
run = ["./bench", "{threads}", "{engine}", "{out}/rows.csv"]
inputs = ["bench"]
env = { COUNT = "{experiment}/count" }
rows = "csv:{out}/rows.csv"

[columns]
latency_us = { unit = "us", type = "integer" }
found = { type = "boolean" }

[[metric]]
name = "mean_latency"
is = "mean(latency_us)"
better = "lower"

[[claim]]
id = "C1"
paper = "Fig. 1"
says = "The fast engine takes less than half the time"
metric = "mean_latency"
ratio_to = { engine = "slow" }
at_most = 0.5

[[claim]]
id = "C2"
says = "Every key is found"
every_row = "found"

[[figure]]
name = "scaling"
paper = "Fig. 1"
kind = "line"
x = "threads"
y = "mean_latency"
series = "engine"
log = ["x"]

[subset.small]
filter = "threads = 1 and round = 1"
"#;

/// A folder with an experiment of this text, and its program.
pub(crate) fn with(experiment: &str, program: &str) -> Workbench {
    let bench = Workbench::new();
    bench.write("kv.toml", experiment);
    executable(&bench, "bench", program);
    bench
}

pub(crate) fn kv() -> Workbench {
    with(EXPERIMENT, BENCH)
}

/// A program that reads what was prepared.
const READER: &str = r#"#!/bin/sh
set -eu
echo run >> "$COUNT"
printf 'latency_us,found\n%s,true\n' "$(cat "$2/size")" > "$3"
"#;

pub(crate) fn executable(bench: &Workbench, name: &str, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    bench.write(name, text);
    std::fs::set_permissions(bench.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// How often the program was executed.
pub(crate) fn executions(bench: &Workbench) -> usize {
    std::fs::read_to_string(bench.path("count")).map_or(0, |text| text.lines().count())
}
