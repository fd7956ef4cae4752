//! The host that measures: what disturbs it is told, and machines that are unlike are not compared.

use std::process::Command;

use super::{EXPERIMENT, executions, kv, with};
use crate::workbench::Load;

#[test]
fn work_beside_a_cell_is_told_everywhere_and_its_pair_runs_again() {
    // What ends sooner is not watched: how long the program takes is part of what is tested.
    let bench = with(EXPERIMENT, &format!("{}sleep 0.4\n", super::BENCH));
    let load = Load::begin();
    let printed = bench.matrix(&["run", "kv.toml", "--filter", "threads = 1"]).code(0);
    drop(load);
    printed.err_has("6 cells are disturbed");
    printed.out_has("6 cells were disturbed while they ran");
    let status = bench.json(&["status", "kv.toml"]);
    assert_eq!((&status["disturbed"], &status["not_watched"]), (&6.into(), &0.into()));
    let plan = bench.json(&["plan", "kv.toml"]);
    let done = plan["cells"].as_array().unwrap().iter().find(|cell| cell["state"] == "done").unwrap();
    let shown = bench.matrix(&["show", done["key"].as_str().unwrap()]).code(0);
    shown.out_has("host: disturbed: ").out_has("went to others");
    bench.matrix(&["check", "kv.toml"]).code(0).out_has("stands on 6 cells that other work disturbed");

    // The others are run in any case; of the done ones, those that were disturbed. Here that is all of them, and all but
    // these six are new.
    let before = executions(&bench);
    bench.matrix(&["run", "kv.toml", "--filter", "threads = 1 and round = 1", "--rerun-disturbed"]).code(0);
    assert_eq!(executions(&bench) - before, 2, "both sides of the pair");
    // What takes no time is not called quiet.
    let quick = kv();
    quick.matrix(&["run", "kv.toml", "--subset", "small"]).code(0);
    let status = quick.json(&["status", "kv.toml"]);
    let count = |what: &str| status[what].as_u64().unwrap();
    assert_eq!(count("disturbed") + count("not_watched"), 2, "{status}");
    if count("disturbed") > 0 {
        // A machine on which even this takes long.
        return;
    }
    quick.matrix(&["run", "kv.toml", "--subset", "small", "--rerun-disturbed"]).code(0).out_has("nothing to do");
}

#[test]
fn a_ratio_across_unlike_machines_is_inconclusive_unless_that_is_allowed() {
    let bench = kv();
    // With one processor it is another machine.
    let mut slow = Command::new("taskset");
    slow.args(["-c", "0", env!("CARGO_BIN_EXE_matrix"), "run", "kv.toml", "--filter", "engine = slow"]);
    assert!(slow.current_dir(bench.path("")).output().unwrap().status.success());
    let printed = bench.matrix(&["run", "kv.toml"]).code(0);
    if std::thread::available_parallelism().unwrap().get() == 1 {
        return;
    }
    printed.out_has("warning: results of 2 unlike machines");
    let checked = bench.matrix(&["check", "kv.toml"]).code(0);
    checked.out_has("C1 (Fig. 1): inconclusive");
    checked.out_has("results of 2 unlike machines: ");
    assert!(checked.out.contains("C2: held"), "what compares nothing stands: {}", checked.out);
    bench.write("mixed.toml", &EXPERIMENT.replace("[columns]", "[host]\nmixed = true\n\n[columns]"));
    bench.matrix(&["check", "mixed.toml"]).code(0).out_has("C1 (Fig. 1): supported");
}

#[test]
fn a_run_waits_for_its_turn_on_the_host_no_longer_than_it_may() {
    let bench = kv();
    bench.matrix(&["run", "kv.toml", "--subset", "small"]).code(0);
    let before = executions(&bench);
    // As another store's cell holds it.
    let lock = std::fs::File::open("/tmp/matrix-host.lock").unwrap();
    lock.lock().unwrap();
    let printed = bench.matrix(&["run", "kv.toml", "--max-time", "1"]).code(3);
    drop(lock);
    printed.err_has("waiting: another run measures on this host");
    printed.err_has("stopped with ");
    assert_eq!(executions(&bench), before);
}
