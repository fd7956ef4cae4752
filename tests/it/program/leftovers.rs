//! Nothing of a program is left: not after a time-out, not after an interruption, not after `kill -9`.

use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

use super::{EXPERIMENT, with};
use crate::workbench::Workbench;

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

/// Waits until something is so; the limit is for a test that would otherwise never end.
fn wait(what: &str, is: impl Fn() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn pids(bench: &Workbench) -> Vec<PathBuf> {
    let read = |name: &str| std::fs::read_to_string(bench.path("pids").join(name)).unwrap_or_default();
    let pids = ["bench", "setsid", "grandchild"].map(read).map(|text| text.trim().to_owned());
    pids.into_iter().filter(|pid| !pid.is_empty()).map(|pid| PathBuf::from(format!("/proc/{pid}"))).collect()
}

fn begin(bench: &Workbench) -> Child {
    let child = bench.command(&["run", "kv.toml", "--subset", "small"]).spawn().unwrap();
    wait("all three processes run", || pids(bench).len() == 3);
    child
}

fn all_gone(bench: &Workbench) {
    wait("nothing is left", || pids(bench).iter().all(|process| !process.exists()));
}

fn signal(child: &Child, name: &str) {
    assert!(std::process::Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn a_time_out_ends_children_that_left_their_session() {
    let bench = stubborn("timeout_s = 1\n");
    bench.matrix(&["run", "kv.toml", "--subset", "small"]).code(3);
    all_gone(&bench);
}

#[test]
fn an_interruption_ends_everything_and_what_is_left_is_resumed() {
    let bench = stubborn("");
    let mut child = begin(&bench);
    signal(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    all_gone(&bench);
    let status = bench.matrix(&["status", "kv.toml"]).code(0);
    assert!(status.out.contains("1 partial"), "{}", status.out);
}

#[test]
fn a_killed_run_leaves_nothing_and_is_resumed() {
    let bench = stubborn("");
    let mut child = begin(&bench);
    signal(&child, "-KILL");
    child.wait().unwrap();
    all_gone(&bench);
    bench.matrix(&["verify"]).code(0);
    std::fs::remove_dir_all(bench.path("pids")).unwrap();
    std::fs::create_dir(bench.path("pids")).unwrap();
    let mut resumed = bench.command(&["resume"]).spawn().unwrap();
    wait("the program runs again", || pids(&bench).len() == 3);
    signal(&resumed, "-KILL");
    resumed.wait().unwrap();
    all_gone(&bench);
}
