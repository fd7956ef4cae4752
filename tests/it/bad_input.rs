//! Bad input: each a clear error with file, line, column and the nearest valid spelling; nothing lost, nothing half-written.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use crate::workbench::{SMALL, Workbench, until};

/// Runs the small experiment with one thing changed: exit code 2, nothing written, and what was said.
#[track_caller]
fn refused(from: &str, to: &str) -> String {
    let changed = SMALL.replacen(from, to, 1);
    assert_ne!(changed, SMALL, "`{from}` is not in the experiment");
    let bench = Workbench::with(&changed);
    let printed = bench.matrix(&["run", "small.toml"]).code(2);
    assert!(!bench.path("results").exists(), "nothing was written");
    printed.err
}

#[test]
fn errors_name_the_file_the_line_and_the_fix() {
    let cases = [
        ("an unknown key", "requests = 40", "request = 40"),
        ("a misspelt value", "\"dynamo\"", "\"dynamoo\""),
        ("an empty axis", "delay_ms = [0]", "delay_ms = []"),
        ("an impossible region", "regions = [\"eu->us\"]", "regions = [\"eu->eu\"]"),
        ("an unknown region", "regions = [\"eu->us\"]", "regions = [\"eu->uss\"]"),
        ("a negative delay", "delay_ms = [0]", "delay_ms = [-1]"),
        ("a duplicate name", "name = \"delay\"", "name = \"baseline\""),
        ("a duplicate value", "delay_ms = [100, 200, 400, 800]", "delay_ms = [100, 200, 400, 100]"),
        ("no TOML", "seed = 7", "seed = = 7"),
        ("a newer schema", "schema = 1", "schema = 3"),
        ("a claim about nothing", "where = { antipode = true }", "where = { antipode = true, delay_ms = 3 }"),
    ];
    let said: Vec<String> =
        cases.iter().map(|(what, from, to)| format!("--- {what}\n{}", refused(from, to).trim_end())).collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_missing_experiment_and_a_missing_model_are_named() {
    let bench = Workbench::small();
    bench.matrix(&["run", "smal.toml"]).code(2).err_has("smal.toml");
    bench.matrix(&["run", "small.toml", "--set", "sim.model=\"nowhere.toml\""]).code(2).err_has("nowhere.toml");
    bench.write("model.toml", "schema = 1\nnonsense = 3\n");
    let printed = bench.matrix(&["run", "small.toml", "--set", "sim.model=\"model.toml\""]).code(2);
    printed.err_has("model.toml:2:1").err_has("unknown key `nonsense`");
    let model = include_str!("../../experiments/models/aws-2021.toml");
    bench.write("model.toml", &model.replacen("reference = ", "refrence = ", 1));
    let printed = bench.matrix(&["run", "small.toml", "--set", "sim.model=\"model.toml\""]).code(2);
    printed.err_has("did you mean `reference`?");
    assert!(!bench.path("results").exists(), "nothing was written");
}

#[test]
fn a_newer_store_is_refused_and_left_alone() {
    let bench = Workbench::ran();
    let text = bench.read("results/store.toml");
    bench.write("results/store.toml", &text.replace("schema = 1", "schema = 99"));
    let before = bench.files("results");
    for args in [["run", "small.toml"], ["plot", "small.toml"], ["status", "small.toml"]] {
        bench.matrix(&args).code(2).err_has("99");
    }
    assert_eq!(before, bench.files("results"));
}

#[test]
fn a_damaged_record_is_reported_and_nothing_is_built_on_it() {
    let bench = Workbench::ran();
    let record = bench.files("results").into_keys().find(|path| path.starts_with("cells")).unwrap();
    let path = bench.path("results").join(&record);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        &path,
        text.replace("\"planned\":40", "\"planned\":41").replace("\"planned\": 40", "\"planned\": 41"),
    )
    .unwrap();
    for args in [&["verify"][..], &["run", "small.toml"], &["plot", "small.toml"], &["check", "small.toml"]] {
        let printed = bench.matrix(args).code(5);
        let shown = printed.out + &printed.err;
        assert!(shown.contains(record.file_name().unwrap().to_str().unwrap()), "{args:?}: {shown}");
    }
}

#[test]
fn a_store_in_use_names_its_holder() {
    let bench = Workbench::with(&SMALL.replace("requests = 40", "requests = 200000"));
    let mut first = bench.command(&["run", "small.toml"]).stderr(std::process::Stdio::null()).spawn().unwrap();
    until("the run begins", Duration::from_secs(120), || bench.path("results/runs").exists());
    let printed = bench.matrix(&["gc"]);
    first.kill().unwrap();
    first.wait().unwrap();
    let printed = printed.code(6);
    printed.err_has(&first.id().to_string());
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    printed.err_has(&format!("on {}, since 20", host.trim()));
    // The lock died with its holder.
    bench.matrix(&["run", "small.toml", "--set", "requests=10"]).code(0);
}

#[test]
fn results_that_cannot_be_written_are_named() {
    let bench = Workbench::small();
    bench.write("results", "a file where a folder is needed");
    bench.matrix(&["run", "small.toml"]).code(2).err_has("results");
    std::fs::remove_file(bench.path("results")).unwrap();

    std::fs::create_dir(bench.path("closed")).unwrap();
    std::fs::set_permissions(bench.path("closed"), PermissionsExt::from_mode(0o555)).unwrap();
    // Root may write everywhere; /proc stays closed even to root.
    for results in ["closed/results", "/proc/results"] {
        let printed = bench.matrix(&["run", "small.toml", "--results", results]);
        let allowed_to_root = printed.code == 0 && results.starts_with("closed");
        assert!(allowed_to_root || (printed.code == 2 && printed.err.contains("results")), "{}", printed.err);
    }
}

#[test]
fn several_experiments_in_a_store_ask_for_a_choice() {
    let bench = Workbench::small();
    bench.write(
        "other.toml",
        &SMALL.replace("name = \"small\"", "name = \"other\"").replace("requests = 40", "requests = 30"),
    );
    bench.matrix(&["run", "small.toml"]).code(0);
    bench.matrix(&["plot"]).code(0);
    bench.matrix(&["run", "other.toml"]).code(0);
    for command in ["plot", "check", "status"] {
        let printed = bench.matrix(&[command]).code(2);
        assert!(printed.err.contains("small") && printed.err.contains("other"), "{command}: {}", printed.err);
    }
    bench.matrix(&["check", "other.toml"]).code(0);
    bench.matrix(&["check", "--run", "nothing"]).code(2);
}
