//! The command on real services: the testbed, a run with its interruptions, and the phases by hand. A server that is not
//! installed fails these tests with the command that installs it.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::services::on_services;
use crate::workbench::{Load, Workbench, ended, signal};

/// Two deployments, with and without antipode; posts and lags are small.
fn local() -> String {
    on_services("small", "local", &[("pairs", r#"["redis", "dynamo"]"#, "sns")])
        + r#"
[[claim]]
id = "configured-lag-shows"
says = "Without antipode every reader is earlier than the configured lag"
where = { post_storage = "dynamo", antipode = false }
metric = "inconsistency_percent"
at_least = 50
"#
}

/// Ends the testbed of a test, whatever became of the test.
struct Ended<'a>(&'a Workbench);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let ended = self.0.matrix(&["testbed", "down"]);
        if !std::thread::panicking() {
            ended.code(0);
        }
    }
}

#[test]
fn a_killed_run_is_resumed_and_its_testbed_goes_with_it() {
    let bench = Workbench::with_testbed(&local());
    let _ended = Ended(&bench);
    let mut child = bench.command(&["run", "small.toml"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // Killed when the first cell is done: others are left.
    let deadline = Instant::now() + Duration::from_secs(600);
    while bench.results().keys().filter(|path| path.starts_with("cells")).count() == 0 {
        assert!(Instant::now() < deadline && child.try_wait().unwrap().is_none(), "no cell was done");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = bench.results();
    while bench.matrix(&["testbed", "status"]).code != 2 {
        assert!(Instant::now() < deadline, "the testbed outlives its run");
        std::thread::sleep(Duration::from_millis(100));
    }

    bench.matrix(&["resume"]).code(0).out_has("configured lag: dynamo");
    let after = bench.results();
    assert!(before.iter().all(|(path, bytes)| after.get(path) == Some(bytes)), "what was done is kept");
    let status = bench.json(&["status"]);
    assert_eq!(status["experiment"]["tally"]["done"], 4, "{status}");
    bench.matrix(&["verify"]).code(0);
    let verdicts = bench.matrix(&["check"]).code(0).out;
    // One measured round cannot tell an effect from drift, whatever it shows.
    assert!(verdicts.contains("1 held, 1 inconclusive") && verdicts.contains("100.00 %"), "{verdicts}");
    bench.matrix(&["run", "small.toml"]).code(0).out_has("nothing to do");

    // Attempts say what they ran on, and name no secret.
    let attempts: String =
        bench.files("results/attempts").values().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
    for known in ["mariadb", "redis", "ministack", "clock_bound_us"] {
        assert!(attempts.contains(known), "{attempts}");
    }
    assert!(!attempts.contains("password") && !attempts.contains("127.0.0."), "{attempts}");
}

/// Kills a server of the testbed that a run uses.
fn kill(bench: &Workbench, part: &str) {
    let status = bench.json(&["testbed", "status"]);
    let parts = status["parts"].as_array().unwrap();
    let pid = parts.iter().find(|it| it["name"] == part).unwrap()["pid"].to_string();
    signal(pid, "-KILL");
}

/// Begins a run, and does something once its results satisfy a condition.
fn run_and(bench: &Workbench, when: impl Fn() -> bool, then: impl FnOnce()) -> crate::workbench::Printed {
    let mut run = bench.command(&["run", "small.toml"]);
    let mut child = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(600);
    while !when() {
        assert!(Instant::now() < deadline && child.try_wait().unwrap().is_none(), "the moment never came");
        std::thread::sleep(Duration::from_millis(20));
    }
    then();
    Workbench::printed(child.wait_with_output().unwrap())
}

fn done(bench: &Workbench) -> u64 {
    let status = bench.matrix(&["status", "--format", "json"]).json();
    status["experiment"]["tally"]["done"].as_u64().unwrap()
}

#[test]
fn a_cell_whose_testbed_breaks_meanwhile_is_done_again() {
    // One cell that takes long enough to break into.
    let whole = local();
    let (text, _claims) = whole.split_once("[[claim]]").unwrap();
    let text = text.replace("requests = 12", "requests = 1000");
    let text = text.replace("[\"redis\", \"dynamo\"]", "[\"redis\"]").replace("[false, true]", "[true]");
    let bench = Workbench::with_testbed(&text.replace("payload = 20000", "payload = 200"));
    let _ended = Ended(&bench);
    let state = bench.path("state").display().to_string();
    let is_at_work = || {
        // The attempt has begun,
        let files = bench.files("results");
        let journals = files.iter().filter(|(path, _)| path.ends_with("journal.jsonl"));
        if !journals.map(|(_, bytes)| String::from_utf8_lossy(bytes)).any(|text| text.contains("started")) {
            return false;
        }
        // and a function of this testbed: its code is unpacked where the testbed's data are.
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        processes.map(|it| it.path()).any(|process| {
            let read =
                |name| String::from_utf8_lossy(&std::fs::read(process.join(name)).unwrap_or_default()).into_owned();
            read("cmdline").contains("ministack-provided-code") && read("environ").contains(&state)
        })
    };
    let broken = run_and(&bench, is_at_work, || kill(&bench, "ministack"));
    let said = &broken.err;
    assert_eq!(broken.code, 3, "{said}");
    assert!(said.contains("the results of this attempt are not kept"), "{said}");
    assert!(said.contains("ministack ended by itself") && said.contains("matrix resume"), "{said}");
    assert_eq!(done(&bench), 0);
    bench.matrix(&["resume"]).code(0);
    assert_eq!(done(&bench), 1);
}

#[test]
fn a_server_that_ended_is_started_again_for_the_cells_that_are_left() {
    let bench = Workbench::with_testbed(&local());
    let _ended = Ended(&bench);
    let one_done = || bench.results().keys().any(|path| path.starts_with("cells"));
    let ran = run_and(&bench, one_done, || kill(&bench, "redis-us"));
    ran.err_has("redis-us ended by itself").err_has("started again");
    // It may have been in the middle of a cell, which is then tried again.
    let ran = ran.code(0);
    assert_eq!(done(&bench), 4, "{}", ran.err);
    bench.matrix(&["verify"]).code(0);
}

#[test]
fn the_phases_by_hand_do_what_a_run_does_and_can_be_done_again() {
    let bench = Workbench::with_testbed(&local());
    let _ended = Ended(&bench);
    let only = ["small.toml", "--only", "dynamo"];
    let phase = |phase: &str, more: &[&str]| {
        let args: Vec<&str> = ["live", phase].iter().chain(&only).chain(more).copied().collect();
        bench.command(&args)
    };
    let live = |name: &str, more: &[&str]| ended(&mut phase(name, more));
    // Whoever needs the functions' packages now fails.
    let without_packages = |name: &str, more: &[&str]| ended(phase(name, more).env("MATRIX_FUNCTIONS", "nowhere"));
    without_packages("build", &[]).code(2);
    assert!(live("build", &[]).code(0).out.contains("built"));
    live("build", &[]).code(0).out_has("unchanged");
    assert!(live("gather", &[]).code(0).out.contains("nothing to gather"));
    live("run", &[]).code(0);
    live("run", &[]).code(0);
    assert!(bench.results().is_empty(), "nothing is a result before it is gathered");
    let gathered = without_packages("gather", &[]).code(0).out;
    assert!(gathered.contains(": 0 lost, 0 failed"), "the second cell left the first's evaluations alone: {gathered}");
    assert_eq!(bench.results().keys().filter(|path| path.starts_with("cells")).count(), 2);
    for (path, bytes) in bench.files("results/attempts") {
        let attempt = String::from_utf8_lossy(&bytes).into_owned();
        assert!(attempt.contains("writer.zip") && attempt.contains("mariadb"), "{}: {attempt}", path.display());
    }
    assert!(live("run", &[]).code(0).out.contains("nothing to run"));
    without_packages("clean", &[]).code(0);
    without_packages("clean", &["--strong"]).code(0);
    without_packages("clean", &["--strong"]).code(0);
    let status = bench.json(&["testbed", "status"]);
    assert_eq!(status["kept"], true, "{status}");
    bench.write("other.toml", &local().replace("delay_ms = 30", "delay_ms = 31"));
    bench.matrix(&["live", "build", "other.toml"]).code(2).err_has("matrix testbed down");
    let nothing = bench.matrix(&["live", "build", "small.toml", "--only", "s3"]).code(2);
    nothing.err_has("none of the experiment's cells");
}

#[test]
fn what_was_sent_is_kept_for_its_testbed_and_its_store_only() {
    let bench = Workbench::with_testbed(&local());
    let _ended = Ended(&bench);
    let live = |phase: &str, more: &[&str]| {
        let only = ["small.toml", "--filter", "post_storage=redis and antipode=true"];
        let args: Vec<&str> = ["live", phase].iter().chain(&only).chain(more).copied().collect();
        bench.matrix(&args)
    };
    assert!(live("run", &[]).code(0).out.starts_with("ran "));
    assert!(live("run", &[]).code(0).out.starts_with("kept "));
    assert!(live("run", &["--results", "others"]).code(0).out.starts_with("ran "));
    let gathered = live("gather", &[]).code(0).out;
    assert!(gathered.contains("12 requests: 0 lost, 0 failed"), "the other store's run left it alone: {gathered}");

    live("clean", &["--results", "others"]).code(0).err_has("what was sent and not gathered is discarded");
    assert!(live("gather", &["--results", "others"]).code(0).out.contains("nothing to gather"));

    assert!(live("run", &["--results", "others"]).code(0).out.starts_with("ran "));
    bench.matrix(&["testbed", "down"]).code(0);
    assert!(live("gather", &["--results", "others"]).code(0).out.contains("nothing to gather"));
    let again = live("run", &["--results", "others"]).code(0);
    assert!(again.out.starts_with("ran "), "{}", again.out);
    live("gather", &["--results", "others"]).code(0).out_has("12 requests: 0 lost, 0 failed");
}

#[test]
fn packages_that_would_not_run_are_refused_by_name() {
    let bench = Workbench::with_testbed(&local());
    std::fs::create_dir(bench.path("functions")).unwrap();
    bench.write("functions/writer.zip", "no archive");
    let refused =
        ended(bench.command(&["live", "build", "small.toml"]).env("MATRIX_FUNCTIONS", bench.path("functions"))).code(2);
    refused.err_has("functions/writer.zip").err_has("bootstrap");
}

#[test]
fn a_missing_server_is_named_with_the_command_that_installs_it() {
    let bench = Workbench::with_testbed(&local());
    // No environment of the emulator here.
    let printed = ended(bench.command(&["testbed", "up"]).env("XDG_DATA_HOME", bench.path("nothing"))).code(2);
    printed.err_has("MiniStack").err_has("matrix testbed install");
}

#[test]
fn work_beside_local_cells_is_told_and_they_run_again_when_that_is_asked_for() {
    let bench = Workbench::with_testbed(&local().replace("[\"redis\", \"dynamo\"]", "[\"dynamo\"]"));
    let _ended = Ended(&bench);
    let load = Load::begin();
    let ran = bench.matrix(&["run", "small.toml", "--plot"]).code(0);
    drop(load);
    ran.err_has("2 cells are disturbed");
    ran.out_has("disturbed by other work: 2 cells");
    let status = bench.json(&["status"]);
    let experiment = &status["experiment"];
    assert_eq!((&experiment["disturbed"], &experiment["not_watched"]), (&2.into(), &0.into()));
    bench.matrix(&["check"]).code(0).out_has("disturbed by other work: 1 cell");
    bench.matrix(&["run", "small.toml", "--rerun-disturbed"]).code(0);
    assert_eq!(bench.files("results/attempts").len(), 4, "both ran again");
    bench.matrix(&["verify"]).code(0);
    let bundle = bench.path("small.tar.zst").display().to_string();
    bench.matrix(&["bundle", "create", "-o", &bundle]).code(0);
    bench.matrix(&["verify", &bundle]).code(0);
}
