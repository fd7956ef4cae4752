//! Several runners on one store: they divide the cells, whatever happens to some of them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::workbench::{Printed, SMALL, Workbench, signal, walk};

/// Seconds after which others take a silent runner for dead.
const SOON: &str = "2";
const NEVER: &str = "3600";

/// Cells that take a while, and enough of them.
fn long() -> String {
    SMALL.replace("requests = 40", "requests = 2000").replace("rounds = 1", "rounds = 3")
}

/// For a test that would otherwise never end.
const LIMIT: Duration = Duration::from_secs(300);

/// A process that does not outlive the test.
struct Runner {
    child: Option<Child>,
    is_stopped: bool,
}

impl Runner {
    fn start(bench: &Workbench, seconds: &str, args: &[&str]) -> Self {
        let mut command = bench.command(&[&["run", "small.toml", "--jobs", "1"], args].concat());
        command.env("MATRIX_CLAIM_SECONDS", seconds).stdout(Stdio::null()).stderr(Stdio::piped());
        Self { child: Some(command.spawn().unwrap()), is_stopped: false }
    }

    fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    fn signal(&mut self, name: &str) {
        signal(self.id(), name);
        match name {
            "-STOP" => self.is_stopped = true,
            "-CONT" => self.is_stopped = false,
            _ => {}
        }
    }

    /// Kills it, and waits for its end.
    fn kill(&mut self) {
        let child = self.child.as_mut().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Stops it, and waits until it has stopped: the signal is not yet there when it is sent.
    fn stop(&mut self) {
        self.signal("-STOP");
        let stat = format!("/proc/{}/stat", self.id());
        let has_stopped = |stat: String| stat.contains(") T ") || stat.contains(") Z ");
        while !has_stopped(std::fs::read_to_string(&stat).unwrap()) {
            std::thread::yield_now();
        }
    }

    /// How many cells it has claimed that have not ended: in flight, or in the group that is open. A block is a pair of cells, and claimed alone.
    fn claimed(&self, bench: &Workbench) -> usize {
        let me = format!("-{}-", self.id());
        let claims = bench.files("results/claims");
        let is_mine =
            |claim: &&PathBuf| claim.extension().is_none() && String::from_utf8_lossy(&claims[*claim]).contains(&me);
        let has_ended = |claim: &PathBuf| {
            ["done", "failed", "released"].iter().any(|end| claims.contains_key(&claim.with_extension(end)))
        };
        2 * claims.keys().filter(is_mine).filter(|claim| !has_ended(claim)).count()
    }

    fn has_ended(&mut self) -> bool {
        self.child.as_mut().unwrap().try_wait().unwrap().is_some()
    }

    fn works(&mut self) -> bool {
        !self.is_stopped && !self.has_ended()
    }

    fn printed(mut self) -> Printed {
        Workbench::printed(self.child.take().unwrap().wait_with_output().unwrap())
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

/// Waits until there are so many files in a folder, one of the runners has ended, or none is left that works.
fn until(bench: &Workbench, folder: &str, files: usize, runners: &mut [Runner], one: usize) {
    let begun = Instant::now();
    while bench.count(folder) < files && !runners[one].has_ended() && runners.iter_mut().any(Runner::works) {
        assert!(begun.elapsed() < LIMIT, "not within {LIMIT:?}: {files} files in {folder}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Stops a runner while it has claimed what is not done: between two claims, it goes on for a while. `record` is the name of the records
/// that it makes.
fn stop_within_a_claim(bench: &Workbench, runner: &mut Runner, record: &str) {
    let named = |folder: &str, is: &dyn Fn(&str) -> bool| {
        let paths = walk(&bench.path(folder));
        let is_named = |path: &&std::path::PathBuf| path.is_file() && is(&path.file_name().unwrap().to_string_lossy());
        paths.iter().filter(is_named).count()
    };
    // A block is a pair of cells, and claimed alone.
    let is_claimed = || {
        2 * named("results/claims", &|name| name.parse::<u32>().is_ok())
            > named("results/cells", &|name| name == record)
    };
    for files in bench.count("results/cells").. {
        until(bench, "results/cells", files, std::slice::from_mut(runner), 0);
        assert!(!runner.has_ended(), "it ended before it was stopped");
        runner.stop();
        if is_claimed() {
            return;
        }
        runner.signal("-CONT");
    }
}

fn attempts(bench: &Workbench) -> Vec<serde_json::Value> {
    bench.files("results/attempts").values().map(|attempt| serde_json::from_slice(attempt).unwrap()).collect()
}

fn has_record(bench: &Workbench, attempt: &serde_json::Value) -> bool {
    bench.path("results/cells").join(attempt["key"].as_str().unwrap()).join("local.json").exists()
}

fn reference() -> Workbench {
    let bench = Workbench::with(&long());
    bench.matrix(&["run", "small.toml"]).code(0);
    bench
}

#[test]
fn four_runners_at_once_execute_every_cell_once_in_one_run() {
    let (reference, bench) = (reference(), Workbench::with(&long()));
    let runners: Vec<Runner> = (0..4).map(|_| Runner::start(&bench, SOON, &[])).collect();
    for runner in runners {
        runner.printed().code(0);
    }
    assert_eq!(bench.results(), reference.results());
    assert_eq!(bench.count("results/attempts"), reference.count("results/attempts"), "no cell was executed twice");
    let status = bench.json(&["status"]);
    assert_eq!(status["runs"].as_array().unwrap().len(), 1, "{status}");
    assert_eq!(status["runs"][0]["state"], "finished", "{status}");
    bench.matrix(&["verify"]).code(0);
    // Its journals are one in a bundle.
    bench.matrix(&["bundle", "create", "-o", "all.tar.zst", "--origin", "lab"]).code(0);
    bench.matrix(&["verify", "all.tar.zst"]).code(0);
    for folder in ["results/tmp", "results/claims", "results/runners"] {
        assert!(bench.files(folder).is_empty(), "{folder}");
    }
}

#[test]
fn runners_that_are_killed_and_stopped_leave_the_results_of_one_that_was_not() {
    let reference = reference();
    let rounds = std::env::var("MATRIX_KILLS").map_or(2, |kills| kills.parse().unwrap());
    let mut disturbed = 0;
    for round in 0..rounds {
        let bench = Workbench::with(&long());
        // Most attempts beyond one for each cell: a killed runner left those whose records it did not come to make, and a stopped one will keep
        // one of each cell that it has claimed, which others execute meanwhile. Nobody executes a cell that has a record.
        let mut again = 0;
        let mut runners: Vec<Runner> = (0..4).map(|_| Runner::start(&bench, SOON, &[])).collect();
        // Whoever is killed before others have joined it leaves a run that nobody executes.
        let is_joined = |path: &&PathBuf| path.iter().any(|part| part == "runners");
        crate::workbench::until("all have joined one run", LIMIT, || {
            bench.files("results/claims").keys().filter(is_joined).count() == 4
                || runners.iter_mut().any(Runner::has_ended)
        });
        for step in 0..8usize {
            let (victim, files) = ((step * 3 + round) % 4, bench.count("results"));
            until(&bench, "results", files + 4 + step, &mut runners, victim);
            if runners[victim].has_ended() {
                continue;
            }
            disturbed += 1;
            if step % 3 == 1 {
                runners[victim].stop();
                again += runners[victim].claimed(&bench);
                continue;
            }
            runners[victim].kill();
            again += attempts(&bench).iter().filter(|attempt| !has_record(&bench, attempt)).count();
            runners[victim] = Runner::start(&bench, SOON, &[]);
        }
        // Those that were stopped, and taken for dead, go on.
        for runner in &mut runners {
            if !runner.has_ended() {
                runner.signal("-CONT");
            }
        }
        for runner in runners {
            runner.printed().code(0);
        }
        bench.matrix(&["run", "small.toml"]).code(0).out_has("nothing to do");
        assert_eq!(bench.results(), reference.results());
        let (attempts, cells) = (attempts(&bench), reference.files("results/cells").len());
        let runs: BTreeSet<String> = attempts.iter().map(|attempt| attempt["run"].to_string()).collect();
        assert_eq!(runs.len(), 1, "{runs:?}");
        let attempts = attempts.len();
        assert!(attempts <= cells + again, "{attempts} attempts of {cells} cells, where {again} may be executed again");
        bench.matrix(&["verify"]).code(0);
    }
    assert!(disturbed > 3, "only {disturbed} were disturbed");
}

#[test]
fn runners_that_replace_every_result_do_so_once() {
    let (reference, bench) = (reference(), Workbench::with(&long()));
    bench.matrix(&["run", "small.toml"]).code(0);
    let (cells, attempts) = (reference.count("results/cells"), bench.count("results/attempts"));
    // One that is stopped within its work is taken for dead, and comes back when the others have replaced everything.
    let mut first = Runner::start(&bench, SOON, &["--fresh"]);
    until(&bench, "results/cells", cells + 1, std::slice::from_mut(&mut first), 0);
    stop_within_a_claim(&bench, &mut first, "local.1.json");
    let others: Vec<Runner> = (0..2).map(|_| Runner::start(&bench, SOON, &["--fresh"])).collect();
    for runner in others {
        runner.printed().code(0);
    }
    first.signal("-CONT");
    first.printed().code(0);
    let status = bench.json(&["status"]);
    assert_eq!(status["runs"].as_array().unwrap().len(), 2, "{status}");
    let again = bench.count("results/attempts") - attempts;
    assert!((36..2 * 36).contains(&again), "{again} attempts, of 36 cells");
    let note = bench.matrix(&["verify"]).code(0);
    assert!(note.out.contains("36 records were replaced by later ones"), "{}{}", note.out, note.err);
    bench.matrix(&["bundle", "create", "-o", "all.tar.zst", "--origin", "lab"]).code(0);
    bench.matrix(&["verify", "all.tar.zst"]).code(0);
    bench.matrix(&["gc"]).code(0);
    let later = |path: &std::path::Path| path.with_extension("1.json");
    let expected = reference.files("results/cells").into_iter().map(|(path, bytes)| (later(&path), bytes));
    assert!(bench.files("results/cells").into_iter().eq(expected), "each was replaced once");
    assert_eq!(bench.files("results/objects"), reference.files("results/objects"));
    bench.matrix(&["verify"]).code(0);
}

#[test]
fn what_a_runner_has_claimed_is_waited_for_shown_and_given_back() {
    let (reference, bench) = (reference(), Workbench::with(&long()));
    let mut first = Runner::start(&bench, NEVER, &[]);
    until(&bench, "results/cells", 2, std::slice::from_mut(&mut first), 0);
    stop_within_a_claim(&bench, &mut first, "local.json");

    let pending = Runner::start(&bench, NEVER, &["--no-wait"]);
    pending.printed().code(3).err_has("pending: ").err_has("claims of other runners: claim ");
    let status = bench.json(&["status"]);
    let run = &status["runs"][0];
    assert_eq!((&run["state"], &run["runners"][0]["pid"]), (&"running".into(), &first.id().into()), "{status}");
    assert!(run["runners"][0]["host"].is_null(), "{status}");
    bench.matrix(&["gc"]).code(6).err_has(&first.id().to_string());

    let waiting = Runner::start(&bench, NEVER, &[]);
    first.signal("-TERM");
    first.signal("-CONT");
    let given_back = first.printed();
    assert!([0, 130].contains(&given_back.code), "{}", given_back.err);
    waiting.printed().code(0);
    assert_eq!(bench.results(), reference.results());
    bench.matrix(&["verify"]).code(0);
    bench.matrix(&["gc"]).code(0);
}

#[test]
fn a_run_that_replaces_results_goes_on_after_a_kill_and_begins_anew_after_ctrl_c() {
    let bench = Workbench::with(&long());
    let stopped = |args: &[&str], signal: &str| {
        let mut runner = Runner::start(&bench, SOON, args);
        until(&bench, "results/cells", bench.count("results/cells") + 1, std::slice::from_mut(&mut runner), 0);
        runner.signal(signal);
        runner.printed()
    };
    // One runner after the other: the store stays one that every version reads.
    stopped(&[], "-INT").code(130).err_has("matrix resume");
    bench.matrix(&["resume"]).code(0);
    assert!(bench.read("results/store.toml").ends_with("schema = 1\n"));
    let journals = walk(&bench.path("results/runs")).into_iter().filter(|path| path.ends_with("journal.jsonl"));
    assert_eq!(journals.count(), 1);

    let runs = || bench.json(&["status"])["runs"].as_array().unwrap().len();
    for (signal, then) in [("-KILL", 2), ("-TERM", 3), ("-INT", 5)] {
        stopped(&["--fresh"], signal);
        let again = Runner::start(&bench, SOON, &["--fresh"]).printed().code(0);
        assert_eq!(
            (runs(), again.err.contains("goes on with run")),
            (then, signal != "-INT"),
            "{signal}: {}",
            again.err
        );
    }
    bench.matrix(&["verify"]).code(0);
}
