//! Running: idempotence, what a change runs again, the same bytes whatever the circumstances.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::workbench::{Workbench, ended};

#[test]
fn a_second_run_runs_nothing_writes_nothing_and_says_so() {
    let bench = Workbench::ran();
    let before = (bench.files("results"), bench.times("results"));
    bench.matrix(&["run", "small.toml"]).code(0).out_has("nothing to do");
    assert_eq!(before, (bench.files("results"), bench.times("results")));
}

#[test]
fn the_same_bytes_with_one_job_and_eight_in_any_order_and_locale() {
    let one = Workbench::small();
    one.matrix(&["run", "small.toml", "--jobs", "1"]).code(0);
    let eight = Workbench::small();
    ended(
        eight.command(&["run", "small.toml", "--jobs", "8"]).env("LC_ALL", "de_DE.UTF-8").env("TZ", "Asia/Singapore"),
    )
    .code(0);
    assert_eq!(one.results(), eight.results());

    let parts = Workbench::small();
    parts.matrix(&["run", "small.toml", "--filter", "antipode=true"]).code(0);
    parts.matrix(&["run", "small.toml", "--filter", "not post_storage=redis"]).code(0);
    parts.matrix(&["run", "small.toml"]).code(0);
    assert_eq!(one.results(), parts.results());
}

#[test]
fn a_filtered_run_skips_the_rest_and_the_books_balance() {
    let bench = Workbench::small();
    bench.matrix(&["run", "small.toml", "--filter", "post_storage=s3 and delay_ms<1000"]).code(0);
    let status = bench.json(&["status", "small.toml"]);
    let tally = &status["experiment"]["tally"];
    let count = |state: &str| tally[state].as_u64().unwrap();
    assert_eq!(count("done"), 2);
    assert_eq!(count("done") + count("failed") + count("partial") + count("skipped") + count("pending"), 12);
    assert_eq!(count("planned"), 12);
}

#[test]
fn fresh_runs_everything_again_to_the_same_bytes() {
    let bench = Workbench::ran();
    let (before, records) = (bench.results(), bench.files("results/cells"));
    bench.matrix(&["run", "small.toml", "--fresh"]).code(0).out_lacks("nothing to do");
    // Another generation of each record stands beside the one before it, until that is collected.
    let later: BTreeMap<PathBuf, Vec<u8>> =
        records.iter().map(|(path, bytes)| (path.with_extension("1.json"), bytes.clone())).collect();
    let mut after = bench.results();
    after.retain(|path, _| !before.contains_key(path));
    assert!(after.into_iter().eq(later.iter().map(|(path, bytes)| (Path::new("cells").join(path), bytes.clone()))));
    bench.matrix(&["gc"]).code(0);
    assert_eq!(bench.files("results/cells"), later);
    assert!(bench.matrix(&["run", "small.toml"]).code(0).out.contains("nothing to do"));
    bench.matrix(&["verify"]).code(0);
}

#[test]
fn scripts_read_the_summary_of_a_run_as_json() {
    let bench = Workbench::small();
    let run = bench.json(&["run", "small.toml", "--plot"]);
    assert_eq!((&run["simulated"], &run["planned"], &run["done"]), (&true.into(), &run["ran"], &run["ran"]));
    let figures = run["figures"].as_array().unwrap();
    assert!(!figures.is_empty() && figures.iter().all(|figure| bench.path(figure.as_str().unwrap()).is_file()));
    for row in run["summary"].as_array().unwrap() {
        assert!(row["off"]["planned"].as_u64().unwrap() > 0, "{row}");
        assert!(row["on"].is_null() || row["on"]["misses"] == 0, "{row}");
    }
    let mut again = bench.json(&["run", "small.toml", "--plot"]);
    assert_eq!(std::mem::replace(&mut again["ran"], run["ran"].clone()), 0);
    assert_eq!(again, run);
    let resumed = bench.json(&["resume"]);
    assert_eq!(resumed["ran"], 0);
}

#[test]
fn a_combination_runs_from_flags_alone() {
    let bench = Workbench::new();
    let cell = "post_storage=redis,notification_storage=sns,regions=eu->us,delay_ms=10,requests=20";
    bench.matrix(&["run", "--cell", cell]).code(0).out_has("redis");
    assert!(bench.matrix(&["run", "--cell", cell]).code(0).out.contains("nothing to do"));
}
