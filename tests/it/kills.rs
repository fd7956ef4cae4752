//! Interruptions: kill -9 and Ctrl-C at many moments; after `resume` the results are those of an undisturbed run. A moment is
//! told by how many files there are.

use std::process::{Child, Stdio};
use std::time::Duration;

use crate::workbench::{SMALL, Workbench, signal};

/// An experiment that runs for a while: enough cells and requests to be interrupted in the middle.
fn long() -> String {
    SMALL.replace("requests = 40", "requests = 1000").replace("rounds = 1", "rounds = 2")
}

fn undisturbed() -> Workbench {
    let bench = Workbench::with(&long());
    bench.matrix(&["run", "small.toml", "--jobs", "2"]).code(0);
    bench
}

/// Starts a command that nobody listens to.
fn start(bench: &Workbench, args: &[&str]) -> Child {
    bench.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Waits until there are so many files and folders, or the process has ended.
fn until(bench: &Workbench, folder: &str, files: usize, child: &mut Child) {
    while bench.count(folder) < files && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn killed_at_many_moments_and_resumed_the_results_are_the_same() {
    let reference = undisturbed();
    let (all, mut interrupted) = (reference.count("results"), 0);
    // `scripts/soak` has more.
    let kills = std::env::var("MATRIX_KILLS").map_or(8, |kills| kills.parse().unwrap());
    for kill in 0..kills {
        let bench = Workbench::with(&long());
        // From the first instants, where the run is being created, to the last ones, where it is being closed: half of the
        // moments are among the first dozen files.
        let early = kill % 2 == 0;
        let mut moment = if early { 12 * kill / kills } else { all * kill / kills };
        let mut first = true;
        loop {
            let args: &[&str] = if first { &["run", "small.toml", "--jobs", "2"] } else { &["resume", "--jobs", "2"] };
            let mut child = start(&bench, args);
            until(&bench, "results", moment, &mut child);
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
            moment = moment.max(bench.count("results")) + all / 4;
        }
        assert_eq!(bench.results(), reference.results(), "killed first with {moment} of {all} files");
        bench.matrix(&["verify"]).code(0);
        let left = bench.files("results").into_keys().filter(|path| path.starts_with("tmp")).count();
        assert_eq!(left, 0, "a finished run leaves nothing half-done behind");
    }
    assert!(interrupted > 3, "too few of the kills hit a running run: {interrupted}");
}

#[test]
fn an_interruption_saves_the_state_and_says_how_to_go_on() {
    let reference = undisturbed();
    let bench = Workbench::with(&long());
    let command = &mut bench.command(&["run", "small.toml", "--jobs", "2"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until(&bench, "results", reference.count("results") / 3, &mut child);
    signal(child.id(), "-INT");
    Workbench::printed(child.wait_with_output().unwrap()).code(130).err_has("matrix resume");

    bench.matrix(&["resume"]).code(0);
    assert_eq!(bench.results(), reference.results());
    // What a run that was killed at its very end left is removed too.
    bench.write("results/tmp/000000", "half an index");
    bench.matrix(&["resume"]).code(0).out_has("nothing to resume");
    assert!(bench.files("results/tmp").is_empty());
}

#[test]
fn an_export_that_is_interrupted_leaves_nothing_or_the_whole() {
    let bench = undisturbed();
    bench.matrix(&["export", "--as", "gather", "whole"]).code(0);
    let (all, whole) = (bench.count("whole"), bench.files("whole").len());
    let mut interrupted = 0;
    for moment in 1..8 {
        let mut child = start(&bench, &["export", "--as", "gather", "out"]);
        until(&bench, "out", all * moment / 8, &mut child);
        signal(child.id(), "-INT");
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
