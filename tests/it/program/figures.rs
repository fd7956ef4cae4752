//! Every kind of figure, from rows that a program wrote.

use super::with;

/// Two phases of rows, one of them a histogram; the slow engine fails with four threads.
const BENCH: &str = r#"#!/bin/sh
set -eu
threads=$1 engine=$2 out=$3
[ "$engine$threads" = slow4 ] && { echo out of memory >&2; exit 1; }
base=100
[ "$engine" = fast ] && base=40
{
  echo phase,latency_us,times,bytes
  for phase in load run; do
    [ $phase = run ] && base=$((base / 2))
    for i in 1 2 3; do echo "$phase,$((base + i)),$((4 - i)),$((threads * 1000))"; done
  done
} > "$out"
"#;

const EXPERIMENT: &str = r#"
schema = 2
name = "kinds"
workload = "command"
rounds = 3

[axes]
engine = ["slow", "fast"]
threads = [1, 2, 4]

[command]
run = ["./bench", "{threads}", "{engine}", "{out}/rows.csv"]
inputs = ["bench"]
rows = "csv:{out}/rows.csv"

[columns]
phase = { type = "text" }
latency_us = { unit = "us", type = "integer", weight = "times" }
times = { unit = "1", type = "integer" }
bytes = { unit = "B", type = "integer" }

[[metric]]
name = "latency"
is = "mean(latency_us)"
better = "lower"

[[metric]]
name = "volume"
is = "sum(bytes)"

[[claim]]
id = "C1"
says = "Less than 50 us on the authors' machine, and less than 90 us elsewhere"
metric = "latency"
where = "engine = fast and threads <= 2"
at_most = 20
elsewhere = { at_most = 90 }

[artifact]
hardware = "Zilog Z80, 64 KiB"

[[figure]]
name = "phases"
kind = "bars"
x = "phase"
y = "latency"
series = "engine"
panel = "threads"

[[figure]]
name = "stacked"
kind = "bars"
stack = true
x = "threads"
y = "latency"
series = "engine"

[[figure]]
name = "distribution"
kind = "ecdf"
x = "latency_us"
series = "engine"
panel = "threads"

[[figure]]
name = "fields"
kind = "heat"
x = "threads"
y = "latency"
series = "engine"

[[figure]]
name = "curve"
kind = "line"
x = "volume"
y = "latency"
along = "threads"
series = "engine"

[[figure]]
name = "table"
kind = "table"
x = "threads"
y = "latency"
series = "engine"
"#;

#[test]
fn every_kind_is_drawn_of_numbers_that_are_right() {
    let bench = with(EXPERIMENT, BENCH);
    bench.matrix(&["run", "kv.toml", "--plot"]).code(3);
    let csv = |name: &str| bench.read(&format!("plots/kinds/{name}.csv"));
    insta::assert_snapshot!(
        ["phases", "stacked", "distribution", "fields", "curve"]
            .map(|name| format!("{name}\n{}", csv(name)))
            .join("\n")
    );
    // Whether other work disturbed a cell meanwhile is not what this is about.
    let table = bench.read("plots/kinds/table.tex").replace("$^{*}$", "");
    let lines: Vec<&str> = table.lines().filter(|line| !line.contains("disturbed")).collect();
    insta::assert_snapshot!(lines.join("\n"));
    for name in ["phases", "stacked", "distribution", "fields", "curve"] {
        let svg = bench.read(&format!("plots/kinds/{name}.svg"));
        assert!(svg.contains("measured"), "{name} says where its numbers come from");
        assert!(svg.contains("DNF"), "{name} marks what failed");
        assert!(bench.path(&format!("plots/kinds/{name}.png")).is_file());
    }
    // The text of a picture stands in its words for those who do not see it.
    assert!(bench.read("plots/kinds/distribution.svg").contains("quartiles"));

    let before = bench.files("plots");
    bench.matrix(&["plot", "kv.toml"]).code(0);
    assert_eq!(before, bench.files("plots"), "same results, same bytes");
    bench.matrix(&["plot", "kv.toml", "--figure", "tabel"]).code(2).err_has("did you mean `table`?");
}

#[test]
fn elsewhere_a_claim_is_judged_by_the_bound_for_it() {
    let bench = with(EXPERIMENT, BENCH);
    bench.matrix(&["run", "kv.toml", "--filter", "engine = fast"]).code(0);
    let checked = bench.matrix(&["check", "kv.toml"]).code(0);
    checked.out_has("C1: supported").out_has("claimed at most 90");
    checked.out_has("not the authors' (Zilog Z80, 64 KiB)");
    bench.write("kv.toml", &bench.read("kv.toml").replace("elsewhere = { at_most = 90 }\n", ""));
    bench.matrix(&["check", "kv.toml"]).code(4);
}

#[test]
fn a_column_with_thousands_of_values_is_no_place_across() {
    let many = "#!/bin/sh\n{ echo phase,latency_us,times,bytes; seq 1 1500 | sed 's/.*/p&,1,1,1/'; } > $3\n";
    let bench = with(EXPERIMENT, many);
    bench.matrix(&["run", "kv.toml", "--filter", "threads = 1"]).code(0);
    bench.matrix(&["plot", "kv.toml"]).code(0).err_has("column `phase` has more than 1000 values");
}

#[test]
fn pictures_of_figures_that_are_renamed_or_have_no_number_go() {
    let bench = super::kv();
    bench.matrix(&["run", "kv.toml", "--plot"]).code(0);
    bench.write("plots/kv/mine.svg", "mine");
    let removed = "removed from plots/kv: 3 files";
    let names = || bench.files("plots/kv").into_keys().map(|path| path.display().to_string()).collect::<Vec<_>>();
    let renamed = bench.read("kv.toml").replace("name = \"scaling\"", "name = \"growth\"");
    bench.write("kv.toml", &renamed);
    bench.matrix(&["plot", "kv.toml"]).code(0).err_has(removed);
    assert_eq!(names(), [".kv.drawn.sha256", "growth.csv", "growth.png", "growth.svg", "mine.svg"]);
    // Its only points were not run.
    let unrun = renamed.replace("to = 4", "to = 8").replace("log = [\"x\"]", "where = \"threads = 8\"");
    bench.write("kv.toml", &unrun);
    bench.matrix(&["plot", "kv.toml"]).code(0).err_has("no growth: ").err_has(removed);
    assert_eq!(names(), [".kv.drawn.sha256", "mine.svg"]);
}
