//! What an attempt is made of, in which order, and what ends a run early.

use super::{EXPERIMENT, executable, executions, kv, with};
use crate::workbench::Workbench;

const LIFE: &str = r#"
schema = 2
name = "life"
workload = "command"

[axes]
ends = ["well", "badly"]

[command]
setup = [["./note", "setup"], ["./note", "setup again"]]
run = ["./bench", "{ends}", "{scratch}"]
teardown = [["./note", "teardown"]]
version = ["cat", "version"]
warmup = 2
env = { NOTES = "{experiment}/notes" }

[[command.service]]
name = "db"
run = ["./serve", "{scratch}/stopped"]
ready = "line:up and ready"
stop = ["sh", "-c", "./note stop; touch $0", "{scratch}/stopped"]

[[command.service]]
name = "trailer"
run = ["./trail", "{scratch}/over"]
until = "exit"

[[metric]]
name = "memory"
is = "service.db.max_rss_bytes"

[[figure]]
name = "memory"
kind = "bars"
x = "ends"
y = "memory"
"#;

fn life() -> Workbench {
    let bench = with(LIFE, "#!/bin/sh\n./note \"run $1\"\n: > \"$2/over\"\ntest \"$1\" = well\n");
    executable(&bench, "note", "#!/bin/sh\necho \"$1\" >> \"$NOTES\"\n");
    let until = "until [ -e \"$1\" ]; do sleep 0.01; done\n./note";
    executable(&bench, "serve", &format!("#!/bin/sh\n./note serve; printf 'up '; echo 'and ready'\n{until} served\n"));
    executable(&bench, "trail", &format!("#!/bin/sh\n{until} trailer\n"));
    bench.write("version", "bench 1.0\n");
    bench
}

#[test]
fn an_attempt_has_its_parts_in_order_and_the_teardown_always_runs() {
    let bench = life();
    bench.matrix(&["run", "kv.toml", "--filter", "ends = well"]).code(0);
    let parts = |run: &[&'static str]| -> Vec<&'static str> {
        let begin = ["setup", "setup again", "serve"];
        begin.into_iter().chain(run.iter().copied()).chain(["stop", "served", "teardown"]).collect()
    };
    // The trailer ends when it has seen the first run, and is waited for before the teardown.
    let noted = || {
        let notes = bench.read("notes");
        let lines: Vec<String> = notes.lines().map(str::to_owned).collect();
        assert_eq!((notes.matches("trailer").count(), notes.ends_with("teardown\n")), (1, true), "{notes}");
        lines.into_iter().filter(|line| line != "trailer").collect::<Vec<_>>()
    };
    assert_eq!(noted(), parts(&["run well"; 3]), "two of them warm up");
    let plan = bench.json(&["plan", "kv.toml"]);
    let done = plan["cells"].as_array().unwrap().iter().find(|cell| cell["state"] == "done").unwrap();
    let shown = bench.json(&["show", done["key"].as_str().unwrap()]);
    for cost in ["wall_us", "user_us", "system_us", "max_rss_bytes", "exit"] {
        for of in ["run", "service.db", "service.trailer"] {
            assert!(shown["records"][0]["costs"][format!("{of}.{cost}")].is_u64(), "{of}.{cost}: {shown}");
        }
    }
    // The first warm-up fails.
    bench.write("notes", "");
    bench.matrix(&["run", "kv.toml"]).code(3).err_has("warmup: it ended with exit code 1");
    assert_eq!(noted(), parts(&["run badly"]));
    // Nor does anything stay undone where the setup itself fails.
    bench.write("notes", "");
    executable(&bench, "note", "#!/bin/sh\necho \"$1\" >> \"$NOTES\"\ntest \"$1\" != setup\n");
    bench.matrix(&["run", "kv.toml"]).code(3).err_has("setup: it ended with exit code 1");
    assert_eq!(bench.read("notes"), "setup\nteardown\n");
}

#[test]
fn a_service_that_should_end_by_itself_and_does_not_is_ended() {
    let bench = life();
    bench.write("kv.toml", &bench.read("kv.toml").replace("warmup = 2\n", "warmup = 0\ntimeout_s = 1\n"));
    // Nothing tells the trailer to end.
    executable(&bench, "bench", "#!/bin/sh\ntest \"$1\" = well\n");
    let failed = bench.matrix(&["run", "kv.toml"]).code(3);
    failed.err_has("service `trailer` did not end within `timeout_s`");
    failed.err_has("the program: it ended with exit code 1");
    assert_eq!(bench.read("notes").matches("teardown").count(), 2);
}

#[test]
fn two_versions_of_a_program_in_one_table_are_told() {
    let bench = life();
    let text = bench.read("kv.toml").replace("\"badly\"", "\"well too\"");
    bench.write("kv.toml", &text);
    executable(&bench, "bench", "#!/bin/sh\n: > \"$2/over\"\n");
    let one = bench.matrix(&["run", "kv.toml", "--filter", "ends = well"]).code(0);
    one.out_lacks("versions");
    bench.write("version", "bench 2.0 \u{1b}[31m\n");
    let both = bench.matrix(&["run", "kv.toml", "--plot"]).code(0);
    both.out_has("bench 1.0").out_has("bench 2.0");
    assert!(!both.out.contains('\u{1b}'), "nothing that a program says acts on a terminal");
    assert!(bench.read("plots/life/memory.svg").contains("2 versions of one program"));
}

#[test]
fn a_run_ends_early_where_that_is_asked_for_and_goes_on_later() {
    let bench = kv();
    let late = bench.matrix(&["run", "kv.toml", "--max-time", "0"]);
    assert_eq!((late.code, executions(&bench)), (3, 0), "{}", late.err);
    late.err_has("matrix resume");
    executable(&bench, "bench", "#!/bin/sh\necho run >> \"$COUNT\"\nexit 1\n");
    let text = EXPERIMENT.replace("inputs = [\"bench\"]\n", "");
    bench.write("kv.toml", &text);
    let failed = bench.matrix(&["run", "kv.toml", "--fail-fast"]);
    assert_eq!(executions(&bench), 1, "{}", failed.err);
    executable(&bench, "bench", super::BENCH);
    bench.matrix(&["run", "kv.toml"]).code(0);
    assert_eq!(executions(&bench), 19);
}

#[test]
fn a_place_for_attempts_that_is_not_there_is_named_before_anything_runs() {
    let mut bench = kv();
    bench.set("TMPDIR", "nowhere");
    bench.matrix(&["run", "kv.toml"]).code(2).err_has("TMPDIR names nowhere, which is not there");
    assert_eq!(executions(&bench), 0);
    assert!(!bench.path("nowhere").exists() && !bench.path("results").exists());
}

#[test]
fn one_cell_runs_and_leaves_its_folders_to_look_at() {
    let bench = kv();
    let text = EXPERIMENT.replace("[[metric]]", "[site]\nscratch = \"places\"\n\n[[metric]]");
    bench.write("kv.toml", &text);
    let plan = bench.json(&["plan", "kv.toml"]);
    let key = plan["cells"][3]["key"].as_str().unwrap();
    bench.matrix(&["run", "kv.toml", "--one", &key[..9]]).code(0);
    assert_eq!((executions(&bench), bench.files("places").len()), (1, 0), "nothing stays");
    let kept = bench.matrix(&["run", "kv.toml", "--one", &key[..9], "--keep"]).code(0);
    assert_eq!(executions(&bench), 2);
    let files = bench.files("places");
    let rows = files.keys().find(|path| path.ends_with("out/rows.csv")).unwrap();
    kept.err_has(rows.components().next().unwrap().as_os_str().to_str().unwrap());
    bench.matrix(&["run", "kv.toml", "--one", "0000"]).code(2).err_has("no cell's key begins so");
}
