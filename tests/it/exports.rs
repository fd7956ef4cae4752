//! All rows as one file, read by tools that know nothing of this project: `scripts/check-export`.

use std::process::Command;

use crate::workbench::{Printed, Workbench, ended, here};

fn check(bench: &Workbench, export: &str) -> Printed {
    let script = here().join("scripts/check-export");
    ended(Command::new(script).args([bench.path(export), bench.path("summary.csv")]))
}

/// The sweep of `experiments/sosp.toml`, run with fewer requests, with its summary.
fn swept() -> Workbench {
    let bench = Workbench::new();
    let sosp = here().join("experiments/sosp.toml").display().to_string();
    bench.matrix(&["run", &sosp, "--set", "requests=30"]).code(0);
    let summary = bench.matrix(&["table", "--format", "csv"]).code(0);
    bench.write("summary.csv", &summary.out);
    bench
}

#[test]
fn pandas_and_duckdb_compute_from_the_export_what_the_tables_say() {
    let bench = swept();
    let printed = bench.matrix(&["export", "--as", "csv", "all.csv"]).code(0);
    assert_eq!(printed.out, "all.csv: 9360 rows of 312 cells\n");
    let all = bench.read("all.csv");
    assert!(all.starts_with(
        "post_storage,notification_storage,regions,delay_ms,antipode,round,origin,cell,simulated,configured_lag,i,key,outcome,"
    ));
    let printed = check(&bench, "all.csv").code(0);
    assert_eq!(printed.out.matches("104 treatments, the same mean windows").count(), 2, "{}", printed.out);

    // One read more that missed its post is seen by both.
    let line = all.lines().find(|line| line.contains(",ok,")).unwrap();
    let mut fields: Vec<&str> = line.split(',').collect();
    let found = all.lines().next().unwrap().split(',').position(|name| name == "consistent_read").unwrap();
    fields[found] = if fields[found] == "1" { "0" } else { "1" };
    bench.write("changed.csv", &all.replacen(line, &fields.join(","), 1));
    check(&bench, "changed.csv").code(1).err_has("pandas: inconsistent of 1 treatments differs");

    let printed = bench.matrix(&["export", "--as", "csv", "--filter", "antipode=on and round=1", "on.csv"]).code(0);
    assert_eq!(printed.out, "on.csv: 720 rows of 24 cells\n");
    let json = bench.json(&["export", "--as", "csv", "--filter", "antipode=on and round=1", "on.csv"]);
    assert_eq!(json, serde_json::json!({ "files": [{ "file": "on.csv", "rows": 720, "cells": 24 }] }));
}

#[test]
#[cfg(not(feature = "parquet"))]
fn a_build_without_parquet_says_how_to_get_it() {
    let bench = Workbench::small();
    let printed = bench.matrix(&["export", "--as", "parquet", "all.parquet"]).code(2);
    let features = if cfg!(feature = "live") { "live,parquet" } else { "parquet" };
    printed.err_has(&format!("cargo build --release --features {features};"));
}

#[test]
#[cfg(feature = "parquet")]
fn parquet_holds_the_same_rows_with_their_types() {
    let bench = swept();
    bench.matrix(&["export", "--as", "parquet", "all.parquet"]).code(0);
    check(&bench, "all.parquet").code(0).out_has("columns, each of its type");
}
