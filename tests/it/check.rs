//! Claims: verdicts and exit codes.

use crate::workbench::{SMALL, Workbench};

const WITHOUT_ANTIPODE: &str = r#"
[[claim]]
id = "no-misses-at-all"
says = "Even without antipode nobody misses a post"
where = { post_storage = "s3", antipode = false }
every_row = "consistent"
"#;

const FAR_OFF: &str = r#"
[[claim]]
id = "far-off"
says = "Redis needs an hour"
where = { post_storage = "redis", delay_ms = 0, antipode = false }
metric = "window_mean_ms"
at_least = 3600000
"#;

const TOO_CLOSE_TO_CALL: &str = r#"
[[claim]]
id = "close"
says = "Redis shows a post within a hair of 375 ms"
where = { post_storage = "redis", delay_ms = 0, antipode = false }
metric = "window_mean_ms"
within = { value = 375, percent = 4 }
"#;

#[test]
fn supported_claims_end_well() {
    let bench = Workbench::small();
    bench.matrix(&["run", "small.toml"]).code(0);
    let printed = bench.matrix(&["check", "small.toml"]).code(0);
    assert!(printed.out.contains("held in 160 rows"), "{}", printed.out);
    let json = bench.matrix(&["check", "small.toml", "--format", "json"]).code(0).json();
    assert_eq!(json["claims"][0]["verdict"], "held");
    assert_eq!(json["simulated"], true);
}

#[test]
fn one_counterexample_contradicts() {
    for claim in [WITHOUT_ANTIPODE, FAR_OFF] {
        let bench = Workbench::with(&format!("{SMALL}{claim}"));
        bench.matrix(&["run", "small.toml"]).code(0);
        let printed = bench.matrix(&["check", "small.toml"]).code(4);
        assert!(printed.out.contains("contradicted"), "{}", printed.out);
    }
}

#[test]
fn inconclusive_is_no_failure_unless_strict() {
    let bench = Workbench::with(&format!("{SMALL}{TOO_CLOSE_TO_CALL}"));
    bench.matrix(&["run", "small.toml"]).code(0);
    let printed = bench.matrix(&["check", "small.toml"]).code(0);
    assert!(printed.out.contains("inconclusive"), "{}", printed.out);
    bench.matrix(&["check", "small.toml", "--strict"]).code(4);
}

#[test]
fn claims_about_cells_that_were_not_run_are_inconclusive() {
    let bench = Workbench::small();
    bench.matrix(&["run", "small.toml", "--filter", "antipode=false"]).code(0);
    let printed = bench.matrix(&["check", "small.toml"]).code(0);
    assert!(printed.out.contains("inconclusive"), "{}", printed.out);
    bench.matrix(&["check", "small.toml", "--strict"]).code(4);
}
