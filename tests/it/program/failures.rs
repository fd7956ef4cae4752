//! What a program does wrong is a failure of its cell: never a 0, and nothing half-done.

use super::{EXPERIMENT, with};

/// What a run of a program of this body prints to standard error, and that it left no result.
fn failed(body: &str) -> String {
    let bench = with(EXPERIMENT, &format!("#!/bin/sh\nout=$3\n{body}\n"));
    let printed = bench.matrix(&["run", "kv.toml", "--filter", "engine = fast and threads = 1 and round = 1"]).code(3);
    let exported = bench.matrix(&["export", "--as", "csv", "all.csv"]);
    exported.code(0);
    assert_eq!(bench.read("all.csv").lines().count(), 1, "no rows come of a failure");
    printed.out_has("DNF");
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
fn a_program_that_is_not_there_is_refused_and_one_that_takes_too_long_fails() {
    let bench = with(&EXPERIMENT.replace("./bench", "./no-such-bench"), "");
    let one = ["--filter", "engine = fast and threads = 1 and round = 1"];
    let printed = bench.matrix(&[&["run", "kv.toml"][..], &one].concat()).code(2);
    printed.err_has("the program of `run` is not there").err_has("kv.toml:").err_has("no-such-bench");
    assert!(!bench.path("results").exists(), "nothing was begun");
    let bench = with(&EXPERIMENT.replace("inputs =", "timeout_s = 0.2\ninputs ="), "#!/bin/sh\nsleep 600\n");
    bench.matrix(&[&["run", "kv.toml"][..], &one].concat()).code(3).err_has("it took longer than it may");
}

#[test]
fn what_a_failure_printed_is_kept_and_a_retry_is_another_attempt() {
    let text = EXPERIMENT.replace("inputs =", "retries = 1\ninputs =");
    let bench = with(&text, "#!/bin/sh\necho out of luck >&2; echo hello; exit 1\n");
    bench.matrix(&["run", "kv.toml", "--subset", "small"]).code(3).err_has("tried again").err_has("out of luck");
    let plan = bench.json(&["plan", "kv.toml"]);
    let failed = |cell: &&serde_json::Value| cell["state"] == "failed";
    let key = plan["cells"].as_array().unwrap().iter().find(failed).unwrap()["key"].as_str().unwrap().to_owned();
    assert_eq!(bench.matrix(&["show", &key, "--stderr"]).code(0).out, "out of luck\n");
    assert_eq!(bench.matrix(&["show", &key, "--stdout"]).code(0).out, "hello\n");
    assert_eq!(bench.json(&["show", &key])["attempts"].as_array().unwrap().len(), 2);
}

#[test]
fn an_input_that_changes_while_the_cell_runs_has_its_result_refused() {
    let text = EXPERIMENT.replace("inputs = [\"bench\"]", "inputs = [\"bench\", \"data\"]");
    let program = "#!/bin/sh\nprintf 'latency_us,found\\n1,true\\n' > $3\necho more >> data\n";
    let bench = with(&text, program);
    bench.write("data", "first\n");
    let printed = bench.matrix(&["run", "kv.toml", "--subset", "small"]).code(3);
    printed.err_has("its input `data` changed while the cell ran");
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
    assert!(code == 3 && err.contains("service `db` was not ready after 0.3 s: 127.0.0.1:"), "{err}");
    let (code, err) = with_service(
        "[[command.service]]\nname = \"db\"\nrun = [\"sh\", \"-c\", \"echo up; sleep 600\"]\nready = \"line:up\"",
    );
    assert_eq!(code, 0, "{err}");
}

/// What a run of the small subset prints to standard error, of an experiment with this instead of `[columns]`.
fn failed_with(extra: &str, program: &str) -> String {
    let bench = with(&EXPERIMENT.replace("[columns]", &format!("{extra}\n[columns]")), program);
    let printed = bench.matrix(&["run", "kv.toml", "--subset", "small"]).code(3);
    bench.matrix(&["verify"]).code(0);
    printed.err
}

#[test]
fn a_port_that_is_taken_and_a_service_that_dies_meanwhile_fail_the_cell() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    // What listens there would answer in the service's stead, and be measured.
    for ready in [format!("tcp:{port}"), format!("http://127.0.0.1:{port}/health")] {
        let service = format!("[[command.service]]\nname = \"db\"\nrun = [\"sleep\", \"600\"]\nready = \"{ready}\"");
        let err = failed_with(&service, super::BENCH);
        assert!(err.contains("is taken: something else listens there"), "{err}");
    }
    // Also where the program does not notice.
    let service = "[[command.service]]\nname = \"db\"\nrun = [\"sh\", \"-c\", \"echo up; until [ -e gone ]; do :; done; echo lost >&2; exit 3\"]\nready = \"line:up\"";
    let err = failed_with(service, &format!("{}touch gone; sleep 600\n", super::BENCH));
    assert!(err.contains("service `db` ended while the program ran: it ended with exit code 3\n  lost"), "{err}");
}

#[test]
fn gigabytes_of_output_fail_the_cell_and_are_not_kept() {
    // Files with holes: nothing of them is on the disk.
    let err = failed_with("", "#!/bin/sh\ntruncate -s 9G $3\n");
    assert!(err.contains("rows: `out/rows.csv` has 9663676416 bytes: more than 8 GiB are not read"), "{err}");
    let err = failed_with("", "#!/bin/sh\ntruncate -s 9G /proc/self/fd/1; exec sleep 600\n");
    assert!(err.contains("it printed more than 8 GiB"), "{err}");
    // What no rows are read from is kept in part, and says so.
    let bench = with(EXPERIMENT, &format!("{}head -c 20000000 /dev/zero\n", super::BENCH));
    bench.matrix(&["run", "kv.toml", "--subset", "small"]).code(0);
    let plan = bench.json(&["plan", "kv.toml"]);
    let done = plan["cells"].as_array().unwrap().iter().find(|cell| cell["state"] == "done").unwrap();
    let printed = bench.matrix(&["show", done["key"].as_str().unwrap(), "--stdout"]).code(0);
    assert_eq!(printed.out.len(), 16 << 20);
    printed.err_has("the first 16777216 of 20000000 bytes were kept");
}

#[test]
fn an_argument_list_that_is_too_long_says_so() {
    let text =
        EXPERIMENT.replace("\"{out}/rows.csv\"]", &format!("\"{{out}}/rows.csv\", \"{}\"]", "x".repeat(200_000)));
    let printed = with(&text, super::BENCH).matrix(&["run", "kv.toml", "--subset", "small"]).code(3);
    printed.err_has("`./bench`: the list of its arguments is too long for the system");
}

#[test]
fn what_a_program_leaves_poses_as_no_line_of_ours_and_files_without_end_are_counted() {
    let program = "#!/bin/sh\ncd \"$(dirname \"$3\")\"\nprintf 'latency_us,found,\\033[2J\\n1,true,0\\n' > rows.csv\n\
                   : > \"$(printf 'x\\nresult by \\033[31mroot')\"\nln -s /etc/passwd link; mkfifo pipe\nseq 10050 | xargs touch\n";
    let bench = with(EXPERIMENT, program);
    bench.matrix(&["run", "kv.toml", "--subset", "small"]).code(0);
    let plan = bench.json(&["plan", "kv.toml"]);
    let done = plan["cells"].as_array().unwrap().iter().find(|cell| cell["state"] == "done").unwrap();
    let shown = bench.matrix(&["show", done["key"].as_str().unwrap()]).code(0).out;
    assert_eq!(shown.lines().filter(|line| line.starts_with("result by ")).count(), 1, "{shown}");
    assert!(!shown.contains('\u{1b}') && !shown.contains("out/link") && !shown.contains("out/pipe"), "{shown}");
    assert!(shown.contains("files not kept: ") && shown.contains("left out/rows.csv: "), "{shown}");
    bench.matrix(&["verify"]).code(0);
    bench.matrix(&["bundle", "create", "-o", "kv.tar.zst", "--allow-incomplete"]).code(0);
    bench.matrix(&["verify", "kv.tar.zst"]).code(0);
}
