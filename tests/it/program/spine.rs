//! From a file to rows, a metric, verdicts, a figure and an export; and that what is done stays done.

use super::{executions, kv};

#[test]
fn a_matrix_runs_once_is_judged_and_drawn() {
    let bench = kv();
    let printed = bench.matrix(&["plan", "kv.toml"]).code(0);
    assert!(printed.out.contains("18 cells = 0 done") && printed.out.contains("18 to run"), "{}", printed.out);
    let printed = bench.matrix(&["run", "kv.toml", "--plot"]).code(0);
    assert!(printed.out.contains("kv (18 of 18 cells done)"), "{}", printed.out);
    assert!(printed.err.contains("columns that nobody declared are passed over: noise"), "{}", printed.err);
    // The mean of 1001, 1002 and 1003, in every round the same.
    assert!(printed.out.contains("1002 [1002, 1002]"), "{}", printed.out);
    assert_eq!(executions(&bench), 18);

    let again = bench.matrix(&["run", "kv.toml"]).code(0);
    assert_eq!((again.out.as_str(), executions(&bench)), ("nothing to do: 18 of 18 cells are done\n", 18));

    let checked = bench.matrix(&["check"]).code(0);
    assert!(checked.out.contains("C1 (Fig. 1): supported"), "{}", checked.out);
    assert!(checked.out.contains("C2: held") && checked.out.contains("held in 54 rows"), "{}", checked.out);
    let csv = bench.read("plots/kv/scaling.csv");
    assert_eq!(csv.lines().next(), Some("engine,threads,value,low,high,rounds"));
    assert!(csv.contains("fast,4,102,102,102,3\n"), "{csv}");
    assert!(bench.read("plots/kv/scaling.svg").contains("Mean latency by threads"));

    bench.matrix(&["export", "--as", "csv", "all.csv"]).code(0);
    let all = bench.read("all.csv");
    assert_eq!(all.lines().next(), Some("engine,threads,round,origin,latency_us,found"));
    assert_eq!(all.lines().count(), 55);
    assert!(all.contains("\nslow,2,3,local,501,true\n"), "{all}");
    bench.matrix(&["verify"]).code(0);
}

#[test]
fn a_subset_runs_first_and_the_rest_goes_on_from_it() {
    let bench = kv();
    bench.matrix(&["run", "kv.toml", "--subset", "small"]).code(0);
    assert_eq!(executions(&bench), 2);
    let text = bench.read("kv.toml").replace("rounds = 3", "rounds = 4");
    bench.write("kv.toml", &text);
    bench.matrix(&["run", "kv.toml"]).code(0);
    assert_eq!(executions(&bench), 24, "more rounds run only the new ones");
    let status = bench.matrix(&["status", "kv.toml"]).code(0);
    assert!(status.out.contains("24 cells = 24 done"), "{}", status.out);
}

#[test]
fn a_claim_that_the_rows_speak_against_ends_with_4() {
    let bench = kv();
    bench.write("kv.toml", &bench.read("kv.toml").replace("at_most = 0.5", "at_most = 0.3"));
    bench.matrix(&["run", "kv.toml"]).code(0);
    let checked = bench.matrix(&["check", "kv.toml"]).code(4);
    assert!(checked.out.contains("C1 (Fig. 1): contradicted"), "{}", checked.out);
}

#[test]
fn what_the_machine_cannot_run_is_skipped_with_the_reason_and_tried_again() {
    let bench = kv();
    let text = bench.read("kv.toml");
    let require = |run: &str| {
        format!(
            "[[require]]\nwhere = \"threads >= 2\"\n{run}\nelse = \"needs the license\"\n[[require]]\nwhere = \"threads = 4\"\ncpus = 100000\nelse = \"needs many processors\"\n[command]"
        )
    };
    bench.write("kv.toml", &text.replace("[command]", &require("run = [\"test\", \"-e\", \"license\"]")));
    let printed = bench.matrix(&["run", "kv.toml"]).code(0);
    assert!(printed.err.contains("skipped: 12 cells: needs the license"), "{}", printed.err);
    assert_eq!(executions(&bench), 6);
    bench.write("license", "");
    let printed = bench.matrix(&["run", "kv.toml"]).code(0);
    assert!(printed.err.contains("skipped: 6 cells: needs many processors"), "{}", printed.err);
    assert_eq!(executions(&bench), 12);
}

#[test]
fn what_init_writes_can_be_planned() {
    let bench = kv();
    bench.matrix(&["init", "--workload", "command", "new.toml"]).code(0);
    let printed = bench.matrix(&["plan", "new.toml"]).code(0);
    assert!(printed.out.contains("30 cells = 0 done"), "{}", printed.out);
}
