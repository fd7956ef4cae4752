//! From a file to rows, a metric, verdicts, a figure and an export; and that what is done stays done.

use super::{BENCH, EXPERIMENT, executions, kv, with};
use crate::workbench::Workbench;

#[test]
fn a_matrix_runs_once_is_judged_and_drawn() {
    let bench = kv();
    bench.matrix(&["plan", "kv.toml"]).code(0).out_has("18 cells = 0 done").out_has("18 to run");
    let printed = bench.matrix(&["run", "kv.toml", "--plot"]).code(0);
    printed.out_has("kv (18 of 18 cells done)");
    printed.err_has("columns that nobody declared are passed over: noise");
    // The mean of 1001, 1002 and 1003, in every round the same.
    printed.out_has("1002 [1002, 1002]");
    assert_eq!(executions(&bench), 18);

    let again = bench.matrix(&["run", "kv.toml"]).code(0);
    assert_eq!((again.out.as_str(), executions(&bench)), ("nothing to do: 18 of 18 cells are done\n", 18));

    let checked = bench.matrix(&["check"]).code(0);
    checked.out_has("C1 (Fig. 1): supported");
    checked.out_has("C2: held").out_has("held in 54 rows");
    let csv = bench.read("plots/kv/scaling.csv");
    assert_eq!(csv.lines().next(), Some("engine,threads,value,low,high,rounds"));
    assert!(csv.contains("fast,4,102,102,102,3\n"), "{csv}");
    assert!(bench.read("plots/kv/scaling.svg").contains("Mean latency by threads"));

    bench.matrix(&["export", "--as", "csv", "all.csv"]).code(0);
    let all = bench.read("all.csv");
    assert_eq!(all.lines().next(), Some("engine,threads,round,origin,cell,latency_us,found"));
    assert_eq!(all.lines().count(), 55);
    assert!(all.lines().any(|line| line.starts_with("slow,2,3,local,") && line.ends_with(",501,true")), "{all}");
    bench.matrix(&["export", "--as", "gather", "folders"]).code(2).err_has("a form of post-notification's results");

    // The table is what the run printed.
    let table = bench.matrix(&["table"]).code(0);
    assert!(printed.out.starts_with(&table.out), "{printed:?}\n{table:?}");
    let json = bench.json(&["table", "kv.toml", "--filter", "threads = 4"]);
    assert_eq!((&json["cells_done"], &json["metrics"][0]["rounds"]), (&6.into(), &3.into()), "{json}");
    bench
        .matrix(&["check", "--origin", "nobody"])
        .code(2)
        .err_has("nobody measured no cell of kv")
        .err_has("who did: local");
    bench.matrix(&["verify"]).code(0);
}

#[test]
fn three_runners_execute_every_cell_of_a_program_once() {
    let bench = kv();
    let start = |_| {
        let mut command = bench.command(&["run", "kv.toml", "--format", "json"]);
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    let runners: Vec<_> = (0..3).map(start).collect();
    let mut done = 0;
    for runner in runners {
        let printed = Workbench::printed(runner.wait_with_output().unwrap()).code(0);
        done += printed.json()["done"].as_u64().unwrap();
    }
    assert_eq!((done, executions(&bench)), (18, 18));
    let status = bench.json(&["status", "kv.toml"]);
    assert_eq!((status["runs"].as_array().unwrap().len(), &status["runners"]), (1, &serde_json::json!([])), "{status}");
    let run = &status["progress"][0];
    assert_eq!(
        (&run["state"], &run["cells"], &run["left"], &run["in_flight"]),
        (&"finished".into(), &18.into(), &0.into(), &0.into())
    );
    bench.matrix(&["bundle", "create", "-o", "kv.tar.zst", "--origin", "lab"]).code(0);
    bench.matrix(&["verify", "kv.tar.zst"]).code(0);
    bench.matrix(&["verify"]).code(0);
}

#[test]
fn machines_of_which_one_cannot_run_all_cells_execute_every_cell_once() {
    // The first cell lasts until both have come.
    let wait = "[ -s \"$COUNT\" ] || until [ \"$(ls \"${COUNT%count}\"results/claims/*/runners | grep -c ^2)\" -ge 2 ]; do sleep 0.01; done\n";
    let require = "[site]\nlicence = \"none\"\n[[require]]\nwhere = \"engine = fast\"\nrun = [\"test\", \"-e\", \"{site.licence}\"]\n\
                   else = \"needs the licence\"\n[command]";
    let bench = with(&EXPERIMENT.replace("[command]", require), &BENCH.replace("echo run", &format!("{wait}echo run")));
    bench.write("site.toml", "licence = \"/\"\n");
    let start = |args: &[&str]| {
        let mut command = bench.command(&[&["run", "kv.toml", "--format", "json"], args].concat());
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    let mut done = 0;
    for runner in [start(&[]), start(&["--site", "site.toml"])] {
        let printed = Workbench::printed(runner.wait_with_output().unwrap()).code(0);
        done += printed.json()["done"].as_u64().unwrap();
    }
    assert_eq!((done, executions(&bench)), (18, 18));
    let status = bench.json(&["status", "kv.toml"]);
    assert_eq!(
        (status["runs"].as_array().unwrap().len(), &status["progress"][0]["state"]),
        (1, &"finished".into()),
        "{status}"
    );
    bench.matrix(&["bundle", "create", "-o", "kv.tar.zst", "--origin", "lab"]).code(0);
    bench.matrix(&["verify", "kv.tar.zst"]).code(0);
}

#[test]
fn a_subset_runs_first_and_the_rest_goes_on_from_it() {
    let bench = kv();
    bench.matrix(&["run", "kv.toml", "--subset", "small"]).code(0);
    assert_eq!(executions(&bench), 2);
    let text = bench.read("kv.toml").replace("rounds = 3", "rounds = 4");
    bench.write("kv.toml", &text);
    bench.matrix(&["run", "kv.toml"]).code(0);
    assert_eq!(executions(&bench), 24, "more rounds run only the new ones");
    bench.matrix(&["status", "kv.toml"]).code(0).out_has("24 cells = 24 done");
}

#[test]
fn what_the_machine_cannot_run_is_skipped_with_the_reason_and_tried_again() {
    let bench = kv();
    let text = bench.read("kv.toml");
    let require = |run: &str| {
        format!(
            "[[require]]\nwhere = \"threads >= 2\"\n{run}\nelse = \"needs the license\"\n[[require]]\nwhere = \"threads = 4\"\ncpus = 100000\nelse = \"needs many processors\"\n[command]"
        )
    };
    bench.write("kv.toml", &text.replace("[command]", &require("run = [\"test\", \"-e\", \"license\"]")));
    bench.matrix(&["run", "kv.toml"]).code(0).err_has("skipped: 12 cells: needs the license");
    assert_eq!(executions(&bench), 6);
    bench.write("license", "");
    bench.matrix(&["run", "kv.toml"]).code(0).err_has("skipped: 6 cells: needs many processors");
    assert_eq!(executions(&bench), 12);
    bench.matrix(&["status", "kv.toml"]).code(0).out_has("12 done").out_has("6 skipped");
    let bundle = ["bundle", "create", "kv.toml", "-o", "kv.tar.zst", "--allow-incomplete"];
    bench.matrix(&bundle).code(0).err_has("6 skipped");
}

#[test]
fn what_init_writes_can_be_planned() {
    let bench = kv();
    bench.matrix(&["init", "--workload", "command", "new.toml"]).code(0);
    bench.matrix(&["plan", "new.toml"]).code(0).out_has("30 cells = 0 done");
}

/// Each number is one that no other choice of rows, source, column or function gives.
#[test]
fn a_metric_is_over_its_own_rows_source_and_column() {
    let program = "#!/bin/sh\necho run >> \"$COUNT\"\ndir=$(dirname \"$3\")\n\
                   printf 'phase,size,latency_us\\nwarm,7,1000\\nsteady,1,10\\nsteady,5,20\\nsteady,5,60\\ncool,9,5000\\n' > \"$dir/ops.csv\"\n\
                   printf 'size = 400\\n' > \"$dir/stats.txt\"\n";
    let text = super::EXPERIMENT
        .replace("rows = \"csv:{out}/rows.csv\"", "rows = { ops = \"csv:{out}/ops.csv\", stats = \"kv:{out}/stats.txt\" }")
        .replace("[columns]", "[columns.stats]\nsize = { unit = \"B\", type = \"integer\" }\n\n[columns.ops]\nphase = { type = \"text\" }\nsize = { unit = \"1\", type = \"integer\" }");
    let (start, _) = text.split_once("found = {").unwrap();
    let metrics = [
        ("mean(latency_us)", "from = \"ops\"\nwhere = \"phase = steady\"", "30"),
        ("mean(latency_us)", "from = \"ops\"\nwhere = \"phase = steady and size = 5\"", "40"),
        ("mean(latency_us)", "from = \"ops\"", "1218"),
        ("sum(size)", "from = \"ops\"\nwhere = \"phase != warm\"", "20"),
        ("sum(size)", "from = \"stats\"", "400"),
        ("count(size)", "from = \"ops\"\nwhere = \"latency_us >= 20\"", "4"),
        ("sum(size) / max(latency_us)", "from = \"ops\"\nwhere = \"phase = steady\"", "0.1833"),
    ];
    let mut text = start.to_owned();
    for (number, (is, rest, _)) in metrics.iter().enumerate() {
        text.push_str(&format!("\n[[metric]]\nname = \"m{number}\"\nis = \"{is}\"\n{rest}\n"));
    }
    let bench = super::with(&text, program);
    bench.matrix(&["run", "kv.toml"]).code(0);
    bench.matrix(&["bundle", "create", "-o", "kv.tar.zst"]).code(0);
    bench.matrix(&["bundle", "extract", "kv.tar.zst", "-o", "bag"]).code(0);
    let table = bench.read("bag/data/tables/kv/metrics.csv");
    for (number, (is, rest, wanted)) in metrics.iter().enumerate() {
        let line = table.lines().find(|line| line.contains(&format!(",m{number},"))).unwrap();
        let value: f64 = line.split(',').nth(6).unwrap().parse().unwrap();
        let wanted: f64 = wanted.parse().unwrap();
        assert!((value - wanted).abs() < 0.001, "{is} {rest}: {line}");
    }
    let json = bench.json(&["export", "--as", "csv", "all.csv"]);
    let file = |name: &str, rows: u64| serde_json::json!({ "file": name, "rows": rows, "cells": 18 });
    assert_eq!(json["files"], serde_json::json!([file("all-ops.csv", 5 * 18), file("all-stats.csv", 18)]));
    assert_eq!(bench.read("all-ops.csv").lines().count(), 1 + 5 * 18);
}

#[test]
fn everything_that_the_manual_names_is_read() {
    let bench = super::with(include_str!("../../../workloads/command/src/everything.toml"), "");
    let planned = bench.json(&["plan", "kv.toml"]);
    // Two data sets, five rounds; lmdb with 8 threads is excluded, and a part that does not name `sync` takes its default.
    assert_eq!(planned["cells"].as_array().unwrap().len(), 2 * 5 * 3, "{planned}");
    assert_eq!(planned["not_randomised"][0], "kernel");
}

#[test]
fn several_experiments_are_checked_at_once() {
    let bench = kv();
    bench.matrix(&["run", "kv.toml"]).code(0);
    bench.write(
        "other.toml",
        &bench.read("kv.toml").replace("\"kv\"", "\"other\"").replace("at_most = 0.5", "at_most = 0.3"),
    );
    let checked = bench.matrix(&["check", "kv.toml", "other.toml"]).code(4);
    let at = |words: &str| checked.out.find(words).unwrap_or_else(|| panic!("{}", checked.out));
    assert!(
        at("kv (18 of 18") < at("C1 (Fig. 1): supported") && at("other (18 of 18") < at("C1 (Fig. 1): contradicted")
    );
    let json = bench.matrix(&["check", "kv.toml", "other.toml", "--format", "json"]).code(4).json();
    assert_eq!(json.as_array().map(Vec::len), Some(2), "{json}");
    assert!(bench.json(&["check", "kv.toml"])[0]["id"] == "C1");
}
