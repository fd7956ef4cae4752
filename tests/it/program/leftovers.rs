//! Nothing of a program is left: not after a time-out, not after an interruption, not after `kill -9`.

use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;

use super::{EXPERIMENT, with};
use crate::workbench::{Workbench, signal, until};

/// A program whose child leaves its session and whose grandchild outlives its parent; each writes its process id.
const STUBBORN: &str = r#"#!/bin/sh
echo $$ > "$PIDS/bench"
setsid sh -c 'echo $$ > "$PIDS/setsid"; trap "" TERM INT HUP; (echo $(exec sh -c "echo \$PPID") > "$PIDS/grandchild"; sleep 600) & sleep 600' &
sleep 600
"#;

fn stubborn(extra: &str) -> Workbench {
    let text = EXPERIMENT.replace("COUNT = \"{experiment}/count\"", "PIDS = \"{experiment}/pids\"");
    let bench = with(&text.replace("inputs =", &format!("{extra}inputs =")), STUBBORN);
    std::fs::create_dir(bench.path("pids")).unwrap();
    bench
}

/// For a test that would otherwise never end.
pub(super) const LIMIT: Duration = Duration::from_secs(300);

fn pids(bench: &Workbench) -> Vec<PathBuf> {
    let read = |name: &str| std::fs::read_to_string(bench.path("pids").join(name)).unwrap_or_default();
    let pids = ["bench", "setsid", "grandchild"].map(read).map(|text| text.trim().to_owned());
    pids.into_iter().filter(|pid| !pid.is_empty()).map(|pid| PathBuf::from(format!("/proc/{pid}"))).collect()
}

fn begin(bench: &Workbench) -> Child {
    let mut command = bench.command(&["run", "kv.toml", "--subset", "small", "--fail-fast"]);
    let child = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    until("all three processes run", LIMIT, || pids(bench).len() == 3);
    child
}

fn all_gone(bench: &Workbench) {
    until("nothing is left", LIMIT, || pids(bench).iter().all(|process| !process.exists()));
}

#[test]
fn a_time_out_ends_children_that_left_their_session() {
    let bench = stubborn("timeout_s = 1\n");
    bench.matrix(&["run", "kv.toml", "--subset", "small"]).code(3);
    all_gone(&bench);
}

#[test]
fn what_outlives_its_program_is_ended_with_it() {
    let bench = stubborn("");
    // It ends well, and what it started does not.
    let program = STUBBORN.replace(
        "\nsleep 600\n",
        "\nuntil [ -s \"$PIDS/grandchild\" ]; do sleep 0.05; done\nprintf 'latency_us,found\\n1,true\\n' > \"$3\"\n",
    );
    // And nothing lives when the next program begins.
    let program = program.replacen(
        '\n',
        "\nfor pid in $(cat \"$PIDS\"/* 2>/dev/null); do [ ! -d \"/proc/$pid\" ] || exit 9; done\nrm -f \"$PIDS\"/*\n",
        1,
    );
    super::executable(&bench, "bench", &program);
    bench.matrix(&["run", "kv.toml", "--subset", "small"]).code(0);
    assert_eq!(pids(&bench).len(), 3);
    all_gone(&bench);
}

#[test]
fn an_interruption_ends_everything_and_what_is_left_is_resumed() {
    let bench = stubborn("");
    let mut child = begin(&bench);
    signal(child.id(), "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    all_gone(&bench);
    bench.matrix(&["status", "kv.toml"]).code(0).out_has("1 partial");
}

#[test]
fn a_killed_run_leaves_nothing_and_is_resumed() {
    let bench = stubborn("");
    let mut child = begin(&bench);
    signal(child.id(), "-KILL");
    child.wait().unwrap();
    all_gone(&bench);
    bench.matrix(&["verify"]).code(0);
    std::fs::remove_dir_all(bench.path("pids")).unwrap();
    std::fs::create_dir(bench.path("pids")).unwrap();
    let mut resumed = bench.command(&["resume"]).spawn().unwrap();
    until("the program runs again", LIMIT, || pids(&bench).len() == 3);
    signal(resumed.id(), "-KILL");
    resumed.wait().unwrap();
    all_gone(&bench);
}

#[test]
fn a_killed_supervisor_leaves_nothing_and_its_cell_has_failed() {
    let bench = stubborn("");
    let child = begin(&bench);
    let stat = std::fs::read_to_string(pids(&bench)[0].join("stat")).unwrap();
    let supervisor = stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().nth(1).unwrap().to_owned();
    assert_ne!(supervisor, child.id().to_string());
    signal(&supervisor, "-KILL");
    let ended = Workbench::printed(child.wait_with_output().unwrap());
    assert_eq!(ended.code, 3, "{}", ended.err);
    all_gone(&bench);
    bench.matrix(&["status", "kv.toml"]).code(0);
}

#[test]
fn what_a_run_and_its_supervisor_leave_that_are_both_killed_is_ended_by_the_next_run() {
    let bench = stubborn("");
    let mut child = begin(&bench);
    let group = std::fs::read_to_string(pids(&bench)[0].join("cgroup")).unwrap();
    let Some((_, supervisor)) =
        group.lines().find(|line| line.starts_with("0::")).unwrap().split_once("/matrix-supervisor-")
    else {
        // This user may make no control group: then nothing knows what two killed processes left.
        signal(child.id(), "-KILL");
        child.wait().unwrap();
        return all_gone(&bench);
    };
    // The runner first, stopped, so that it does not see the supervisor go.
    for process in [child.id().to_string(), supervisor.to_owned()] {
        signal(&process, "-STOP");
    }
    for process in [supervisor.to_owned(), child.id().to_string()] {
        signal(&process, "-KILL");
    }
    child.wait().unwrap();
    assert!(pids(&bench).iter().any(|process| runs(process)), "they outlive both");
    std::fs::write(bench.path("bench"), super::BENCH.replace("$COUNT", "$PIDS/count")).unwrap();
    bench.matrix(&["run", "kv.toml", "--subset", "small"]).code(0);
    assert!(!pids(&bench).iter().any(|process| runs(process)));
}

/// Whether a process has not ended, though nobody may have asked yet how it did.
fn runs(process: &std::path::Path) -> bool {
    std::fs::read(process.join("cmdline")).is_ok_and(|words| !words.is_empty())
}

/// A program with a child that leaves its session and outlives it; every process writes its id before anything else.
pub(super) const QUICK: &str = r#"#!/bin/sh
echo $$ >> "$PIDS/all"
setsid sh -c 'trap "" TERM INT HUP; echo $$ >> "$PIDS/all"; sleep 600' &
[ "$2" = slow ] && sleep 0.1
if mkdir "$PIDS/late" 2>/dev/null; then sleep 600; fi
printf 'latency_us,found\n%s,true\n' "$1" > "$3"
"#;

/// A server that ends when it is asked to, and whose child does not.
pub(super) const SERVER: &str = r#"
[[command.service]]
name = "db"
run = ["sh", "-c", "echo $$ >> $PIDS/all; setsid sh -c 'trap \"\" TERM; echo $$ >> $PIDS/all; sleep 600' & echo up; sleep 600 & wait"]
ready = "line:up"

[columns]"#;

/// Whether a process of this folder lives, by its environment: a number may be another's by now.
pub(super) fn lives(bench: &Workbench, pid: &str) -> bool {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    String::from_utf8_lossy(&environment).contains(bench.path("pids").to_str().unwrap())
}

#[test]
fn killed_interrupted_and_timed_out_at_any_moment_nothing_is_left_and_every_cell_is_done_once() {
    let text = EXPERIMENT.replace("COUNT = \"{experiment}/count\"", "PIDS = \"{experiment}/pids\"");
    let text =
        text.replace("[columns]", SERVER).replace("threads = { from = 1, to = 4, factor = 2 }", "threads = [1, 2]");
    let text = text.replace("inputs =", "timeout_s = 1\ninputs =");
    let bench = with(&text, QUICK);
    std::fs::create_dir(bench.path("pids")).unwrap();
    let none_left = |bench: &Workbench| {
        let all = std::fs::read_to_string(bench.path("pids/all")).unwrap_or_default();
        until("nothing is left", LIMIT, || all.split_whitespace().all(|pid| !lives(bench, pid)));
    };
    // A moment is told by how many files there are and processes have begun, since the one before.
    let there = |bench: &Workbench| {
        let begun = std::fs::read_to_string(bench.path("pids/all")).unwrap_or_default();
        bench.count("results") + begun.lines().count()
    };
    // The moments are of a linear congruential generator: others every time would be a test that cannot be repeated.
    let mut state = 20_261_128_u64;
    let (mut rounds, mut interrupted) = (0, 0);
    loop {
        let has_run = bench.path("results/runs").is_dir();
        // `resume` needs a run whose beginning was not interrupted; `run` goes on as well.
        let args: &[&str] = if has_run && rounds % 2 == 1 { &["resume"] } else { &["run", "kv.toml"] };
        let mut command = bench.command(args);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let before = there(&bench);
        let mut child = command.spawn().unwrap();
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let moment = before + (state >> 58) as usize;
        while there(&bench) < moment && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        if child.try_wait().unwrap().is_none() {
            let name = if rounds % 3 == 0 { "-INT" } else { "-KILL" };
            // It may end just now.
            let _ = std::process::Command::new("kill").args([name, &child.id().to_string()]).status();
            interrupted += 1;
        }
        child.wait().unwrap();
        none_left(&bench);
        rounds += 1;
        // Every third time, the next attempt takes longer than it may, unless it is ended before that.
        if rounds % 3 == 0 {
            let _ = std::fs::remove_dir(bench.path("pids/late"));
        }
        let done = bench.matrix(&["status", "kv.toml", "--format", "json"]);
        if rounds >= 6 && (done.code != 0 || done.json()["tally"]["done"] == 12 || rounds > 40) {
            break;
        }
    }
    assert!(interrupted > 0);
    let _ = std::fs::remove_dir(bench.path("pids/late"));
    // One that runs to its end, with a time-out in it if there is anything left to run.
    bench.matrix(&["run", "kv.toml", "--fresh", "--filter", "threads = 1 and round = 1"]).code(3);
    none_left(&bench);
    // On a machine that is busy enough, any attempt may take too long.
    let is_whole = || bench.matrix(&["run", "kv.toml"]).code == 0;
    assert!((0..5).any(|_| is_whole()));
    none_left(&bench);
    bench.matrix(&["verify"]).code(0);
    // Nothing is to be done, and no cell was done twice: each has one record, and journals say so at most once. (A kill
    // between the record and the journal's line leaves the record, which is what counts.)
    let plan = bench.json(&["plan", "kv.toml"]);
    let journals = crate::workbench::walk(&bench.path("results/runs"));
    let journals = journals.iter().filter(|path| path.ends_with("journal.jsonl"));
    let journals: String = journals.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    for cell in plan["cells"].as_array().unwrap() {
        assert_eq!(cell["state"], "done");
        let key = cell["key"].as_str().unwrap();
        assert_eq!(bench.json(&["show", key])["records"].as_array().unwrap().len(), 1);
        let done = journals.lines().filter(|line| line.contains("\"done\"") && line.contains(key)).count();
        // Those that ran once more because that was asked for are done again.
        let again = cell["axes"]["threads"] == 1 && cell["round"] == 1;
        assert!(done <= 1 + usize::from(again), "{journals}");
    }
    assert!(journals.contains("\"done\""), "{journals}");
}
