//! Interruptions: kill -9 and Ctrl-C at many moments; after `resume` the results are those of an undisturbed run.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::workbench::{SMALL, Workbench};

/// An experiment that runs for a while: enough cells and requests to be interrupted in the middle.
fn long() -> String {
    SMALL.replace("requests = 40", "requests = 3000").replace("rounds = 1", "rounds = 2")
}

fn undisturbed() -> (Workbench, Duration) {
    let bench = Workbench::with(&long());
    let start = Instant::now();
    bench.matrix(&["run", "small.toml", "--jobs", "2"]).code(0);
    (bench, start.elapsed())
}

#[test]
fn killed_at_many_moments_and_resumed_the_results_are_the_same() {
    let (reference, duration) = undisturbed();
    let mut interrupted = 0;
    for kill in 0..12u32 {
        let bench = Workbench::with(&long());
        // From the first instants, where the run is being created, to the last ones, where it is being closed.
        let mut moment = duration * kill / 11;
        let mut first = true;
        loop {
            let args: &[&str] = if first { &["run", "small.toml", "--jobs", "2"] } else { &["resume", "--jobs", "2"] };
            let mut child = bench.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(moment);
            child.kill().unwrap();
            let ended = child.wait().unwrap();
            if first {
                // The file may change or vanish: resume goes by what the run saved.
                bench.write("small.toml", "not an experiment any more");
            }
            first = false;
            if ended.success() {
                break;
            }
            let resumable = bench.matrix(&["status", "--format", "json"]);
            if resumable.code == 2 {
                // Killed before there was a run: nothing was saved, and nothing is half there.
                assert!(bench.results().is_empty());
                bench.write("small.toml", &long());
                first = true;
            } else {
                interrupted += 1;
            }
            moment += duration / 7;
        }
        assert_eq!(bench.results(), reference.results(), "killed first at {kill}/11 of the run");
        bench.matrix(&["verify"]).code(0);
        let left = bench.files("results").into_keys().filter(|path| path.starts_with("tmp")).count();
        assert_eq!(left, 0, "a finished run leaves nothing half-done behind");
    }
    assert!(interrupted > 3, "too few of the kills hit a running run: {interrupted}");
}

#[test]
fn an_interruption_saves_the_state_and_says_how_to_go_on() {
    let (reference, duration) = undisturbed();
    let bench = Workbench::with(&long());
    let child = bench
        .command(&["run", "small.toml", "--jobs", "2"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(duration / 3);
    let interrupt = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let printed = Workbench::printed(child.wait_with_output().unwrap()).code(130);
    assert!(printed.err.contains("matrix resume"), "{}", printed.err);

    bench.matrix(&["resume"]).code(0);
    assert_eq!(bench.results(), reference.results());
    let nothing = bench.matrix(&["resume"]).code(0);
    assert!(nothing.out.contains("nothing to resume"), "{}", nothing.out);
}

#[test]
fn an_export_that_is_interrupted_leaves_nothing_or_the_whole() {
    let (bench, _) = undisturbed();
    let start = Instant::now();
    bench.matrix(&["export", "--as", "gather", "whole"]).code(0);
    let (duration, whole) = (start.elapsed(), bench.files("whole").len());
    let mut interrupted = 0;
    for moment in 1..10_u32 {
        let mut child = bench
            .command(&["export", "--as", "gather", "out"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(duration * moment / 10);
        std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        let code = child.wait().unwrap().code();
        let left = if bench.path("out").exists() { bench.files("out").len() } else { 0 };
        // Before the first instruction of ours the signal ends the process itself; after the last file all of it is there.
        let is_right = match code {
            Some(0) => left == whole,
            Some(130) => left == whole || left == 0,
            _ => left == 0,
        };
        assert!(is_right, "{code:?}: {left} of {whole} files, at {moment}");
        interrupted += u32::from(code == Some(130));
        let _ = std::fs::remove_dir_all(bench.path("out"));
    }
    assert!(interrupted > 0, "none was interrupted in the middle");
}
