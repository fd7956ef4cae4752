//! What a program does wrong is a failure of its cell: never a 0, and nothing half-done.

use super::{EXPERIMENT, with};

/// What a run of a program of this body prints to standard error, and that it left no result.
fn failed(body: &str) -> String {
    let bench = with(EXPERIMENT, &format!("#!/bin/sh\nout=$3\n{body}\n"));
    let printed = bench.matrix(&["run", "kv.toml", "--filter", "engine = fast and threads = 1 and round = 1"]).code(3);
    let exported = bench.matrix(&["export", "--as", "csv", "all.csv"]);
    exported.code(0);
    assert_eq!(bench.read("all.csv").lines().count(), 1, "no rows come of a failure");
    assert!(printed.out.contains("DNF"), "{}", printed.out);
    bench.matrix(&["verify"]).code(0);
    let start = printed.err.find("failed: ").unwrap_or_else(|| panic!("{}", printed.err));
    let lines: Vec<&str> = printed.err[start..].lines().take_while(|line| !line.contains("cells failed")).collect();
    // The key is not what this is about.
    lines.join("\n").replacen(&printed.err[start + 8..start + 20], "KEY", 1)
}

#[test]
fn each_failure_says_what_is_wrong() {
    let shown = [
        "echo broken pipe dream >&2; exit 3",
        "kill -9 $$",
        "true",
        ": > $out",
        "echo latency_us,found > $out",
        "printf 'latency,found\\n1,true\\n' > $out",
        "printf 'latency_us,found\\nnan,true\\n' > $out",
        "printf 'latency_us,found\\n,true\\n' > $out",
        "printf 'latency_us,found\\n1\\n' > $out",
    ]
    .map(failed);
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn a_program_that_is_not_there_and_one_that_takes_too_long_fail() {
    let bench = with(&EXPERIMENT.replace("./bench", "./no-such-bench"), "");
    let one = ["--filter", "engine = fast and threads = 1 and round = 1"];
    let printed = bench.matrix(&[&["run", "kv.toml"][..], &one].concat()).code(3);
    assert!(printed.err.contains("`./no-such-bench` cannot be started: No such file"), "{}", printed.err);
    let bench = with(&EXPERIMENT.replace("inputs =", "timeout_s = 0.2\ninputs ="), "#!/bin/sh\nsleep 600\n");
    let printed = bench.matrix(&[&["run", "kv.toml"][..], &one].concat()).code(3);
    assert!(printed.err.contains("it took longer than it may"), "{}", printed.err);
}

#[test]
fn what_a_failure_printed_is_kept_and_a_retry_is_another_attempt() {
    let text = EXPERIMENT.replace("inputs =", "retries = 1\ninputs =");
    let bench = with(&text, "#!/bin/sh\necho out of luck >&2; echo hello; exit 1\n");
    let printed = bench.matrix(&["run", "kv.toml", "--subset", "small"]).code(3);
    assert!(printed.err.contains("tried again") && printed.err.contains("out of luck"), "{}", printed.err);
    let plan = bench.matrix(&["plan", "kv.toml", "--format", "json"]).code(0).json();
    let failed = |cell: &&serde_json::Value| cell["state"] == "failed";
    let key = plan["cells"].as_array().unwrap().iter().find(failed).unwrap()["key"].as_str().unwrap().to_owned();
    assert_eq!(bench.matrix(&["show", &key, "--stderr"]).code(0).out, "out of luck\n");
    assert_eq!(bench.matrix(&["show", &key, "--stdout"]).code(0).out, "hello\n");
    let shown = bench.matrix(&["show", &key, "--format", "json"]).code(0).json();
    assert_eq!(shown["attempts"].as_array().unwrap().len(), 2);
}

#[test]
fn an_input_that_changes_while_the_cell_runs_has_its_result_refused() {
    let text = EXPERIMENT.replace("inputs = [\"bench\"]", "inputs = [\"bench\", \"data\"]");
    let program = "#!/bin/sh\nprintf 'latency_us,found\\n1,true\\n' > $3\necho more >> data\n";
    let bench = with(&text, program);
    bench.write("data", "first\n");
    let printed = bench.matrix(&["run", "kv.toml", "--subset", "small"]).code(3);
    assert!(printed.err.contains("its input `data` changed while the cell ran"), "{}", printed.err);
}

#[test]
fn services_that_are_not_there_when_they_are_needed_fail_the_cell() {
    let with_service = |service: &str| {
        let text = EXPERIMENT.replace("[columns]", &format!("{service}\n[columns]"));
        let bench = with(&text, super::BENCH);
        let printed = bench.matrix(&["run", "kv.toml", "--subset", "small"]);
        (printed.code, printed.err)
    };
    let (code, err) = with_service(
        "[[command.service]]\nname = \"db\"\nrun = [\"sh\", \"-c\", \"echo no disk >&2; exit 7\"]\nready = \"line:up\"",
    );
    assert!(
        code == 3 && err.contains("service `db` ended before it was ready: it ended with exit code 7\n  no disk"),
        "{err}"
    );
    let (code, err) = with_service(
        "[[command.service]]\nname = \"db\"\nrun = [\"sleep\", \"600\"]\nready = \"tcp:{port:db}\"\nready_s = 0.3",
    );
    assert!(code == 3 && err.contains("service `db` was not ready after 0.3 s"), "{err}");
    let (code, err) = with_service(
        "[[command.service]]\nname = \"db\"\nrun = [\"sh\", \"-c\", \"echo up; sleep 600\"]\nready = \"line:up\"",
    );
    assert_eq!(code, 0, "{err}");
}
