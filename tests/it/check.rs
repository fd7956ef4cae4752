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
    let bench = Workbench::ran();
    bench.matrix(&["check", "small.toml"]).code(0).out_has("held in 160 rows");
    let json = bench.json(&["check", "small.toml"]);
    assert_eq!(json["claims"][0]["verdict"], "held");
    assert_eq!(json["simulated"], true);
}

#[test]
fn one_counterexample_contradicts() {
    for claim in [WITHOUT_ANTIPODE, FAR_OFF] {
        let bench = Workbench::with(&format!("{SMALL}{claim}"));
        bench.matrix(&["run", "small.toml"]).code(0);
        bench.matrix(&["check", "small.toml"]).code(4).out_has("contradicted");
    }
}

#[test]
fn inconclusive_is_no_failure_unless_strict() {
    let bench = Workbench::with(&format!("{SMALL}{TOO_CLOSE_TO_CALL}"));
    bench.matrix(&["run", "small.toml"]).code(0);
    bench.matrix(&["check", "small.toml"]).code(0).out_has("inconclusive");
    bench.matrix(&["check", "small.toml", "--strict"]).code(4);
}

#[test]
fn of_several_origins_one_is_read_and_the_others_are_named() {
    let bench = Workbench::small();
    bench.matrix(&["run", "small.toml", "--results", "bobs", "--filter", "antipode=true"]).code(0);
    let of_bob = ["--results", "bobs", "--allow-incomplete", "--origin", "bob", "-o", "bob.tar.zst"];
    bench.matrix(&[&["bundle", "create"], &of_bob[..]].concat()).code(0);
    bench.matrix(&["run", "small.toml"]).code(0);
    bench.matrix(&["bundle", "create", "--origin", "alice", "-o", "alice.tar.zst"]).code(0);
    bench.matrix(&["bundle", "merge", "bob.tar.zst", "alice.tar.zst", "-o", "both.tar.zst"]).code(0);
    let note = "4 cells have results of several origins; read: alice; left out: bob";
    for command in ["check", "status", "plot"] {
        let printed = bench.matrix(&[command, "small.toml", "--results", "both.tar.zst"]).code(0);
        assert!(printed.err.contains(note), "{command}: {}", printed.err);
        let asked = bench.matrix(&[command, "small.toml", "--results", "both.tar.zst", "--origin", "bob"]).code(0);
        assert!(!asked.err.contains("several origins"), "{command}: {}", asked.err);
        let nobody = bench.matrix(&[command, "small.toml", "--results", "both.tar.zst", "--origin", "carol"]).code(2);
        assert!(nobody.err.contains("alice, bob"), "{command}: {}", nobody.err);
    }
    let json = |origin: &[&str]| {
        let args = [&["check", "small.toml", "--results", "both.tar.zst", "--format", "json"], origin].concat();
        let json = bench.matrix(&args).code(0).json();
        [&json["cells_done"], &json["origins"], &json["origins_left_out"]].map(ToString::to_string)
    };
    assert_eq!(json(&[]), ["12", r#"["alice"]"#, r#"["bob"]"#]);
    assert_eq!(json(&["--origin", "bob"]), ["4", r#"["bob"]"#, r#"["alice"]"#]);

    // What was measured here comes first, whatever the names.
    bench.matrix(&["run", "small.toml", "--results", "here"]).code(0);
    bench.matrix(&["bundle", "create", "--results", "here", "-o", "here.tar.zst"]).code(0);
    bench.matrix(&["bundle", "merge", "alice.tar.zst", "here.tar.zst", "-o", "ours.tar.zst"]).code(0);
    bench.matrix(&["check", "small.toml", "--results", "ours.tar.zst"]).code(0).err_has("read: local; left out: alice");
}
