//! Replay: simulated cells to the byte, measured ones by their intervals.

use matrix_app::Row;
use matrix_driver::RowSink;
use matrix_plan::plan::PlannedCell;
use matrix_plan::{Cell, CellInputs, Plan, Platform};
use matrix_store::{Event, Execution, NewRun, Origin, Provenance, Store};
use matrix_traces::{Attempt, Record};

use crate::workbench::{SMALL, Workbench};

/// A store in `name` whose run has the cells of `results` as if they had been measured on local services, every read
/// `later_us` later where `of` says so.
fn measured(bench: &Workbench, name: &str, time: &str, later_us: impl Fn(&CellInputs) -> i64) {
    let from = Store::open(&bench.path("results")).unwrap();
    let plan: Plan =
        serde_json::from_slice(&from.run(from.runs().unwrap()[0].as_str()).unwrap().plan().unwrap()).unwrap();
    let local = |record: &Record| Cell::new(CellInputs { platform: Platform::Local, ..record.inputs.clone() }).unwrap();
    let key_of = |cell: &PlannedCell| {
        let record = from.record::<Record>(&cell.key, &Origin::default()).unwrap().unwrap();
        PlannedCell { key: local(&record).key, ..cell.clone() }
    };
    let plan = Plan { platform: Platform::Local, cells: plan.cells.iter().map(key_of).collect(), ..plan };
    let store = Store::create_or_open_for_writing(&bench.path(name), "test").unwrap();
    let experiment = bench.read("small.toml").replace("requests = 40", "platform = \"local\"\nrequests = 40");
    let (run, journal) = store
        .create_run(&NewRun {
            time,
            name: "small",
            experiment: experiment.as_bytes(),
            model: None,
            plan: &serde_json::to_vec(&plan).unwrap(),
        })
        .unwrap();
    for record in from.records::<Record>().unwrap() {
        let record = record.unwrap();
        let cell = local(&record);
        let trace = bench.matrix(&["show", &record.key.to_string(), "--trace"]).code(0).out;
        let mut sink = matrix_traces::TraceSink::new(&store, cell.inputs.requests).unwrap();
        for line in trace.lines().skip(1) {
            let mut row = Row::parse_csv(line).unwrap();
            row.post_read_us = row.post_read_us.map(|at| at + later_us(&cell.inputs));
            sink.push(row).unwrap();
        }
        let object = sink.finish().unwrap();
        let provenance = Provenance { matrix: "0.1.0".to_owned(), ..Provenance::default() };
        let execution = Execution::begin(cell.key, run.id(), provenance.into()).unwrap().end();
        let attempt = execution.id.clone();
        let told = matrix_driver::AttemptDetails::default();
        store.write_attempt(&Attempt::done(execution, &told, object.digest).unwrap()).unwrap();
        store.write_record(&Record::new(&cell, Origin::default(), &object, false).unwrap()).unwrap();
        journal.append(&Event::Done { attempt, cell: cell.key }).unwrap();
    }
    journal.append(&Event::Finished).unwrap();
    drop(journal);
    store.close().unwrap();
}

/// How many measured cells stand so.
fn count(json: &serde_json::Value, status: &str) -> usize {
    json["measured"].as_array().unwrap().iter().filter(|cell| cell["status"] == status).count()
}

#[test]
fn measured_cells_are_compared_with_a_fresh_measurement() {
    // An interval of measured cells takes three rounds.
    let bench = Workbench::with(&SMALL.replace("rounds = 1", "rounds = 3"));
    bench.matrix(&["run", "small.toml"]).code(0);
    measured(&bench, "ours", "20261122T130000Z", |_| 0);
    bench.matrix(&["bundle", "create", "--results", "ours", "-o", "ours.tar.zst"]).code(0);
    bench.matrix(&["verify", "ours.tar.zst"]).code(0);

    // Nothing to compare with: how to measure again, with files that the bundle has.
    let text = bench.matrix(&["bundle", "replay", "ours.tar.zst"]).code(0).out;
    assert!(text.contains("0 of 0 simulated cells are identical"), "{text}");
    assert_eq!(text.matches("measured: not replayed").count(), 36, "{text}");
    let command = text.lines().find(|line| line.contains("matrix run")).unwrap();
    let experiment = command.split_whitespace().nth(2).unwrap();
    bench.matrix(&["bundle", "extract", "ours.tar.zst", "-o", "bag"]).code(0);
    assert!(bench.read(experiment).contains("platform = \"local\""), "{command}");

    // A measurement that differs by little, one that differs by much for the cells with antipode, and the very same.
    measured(&bench, "near", "20261122T140000Z", |_| 7);
    let replay = |against| ["bundle", "replay", "ours.tar.zst", "--against", against, "--format", "json"];
    let json = bench.matrix(&replay("near")).code(0).json();
    assert_eq!((count(&json, "overlaps"), json["measured"].as_array().unwrap().len()), (36, 36), "{json}");
    measured(&bench, "far", "20261122T150000Z", |inputs| if inputs.axes.antipode { 60_000_000 } else { 0 });
    let json = bench.matrix(&replay("far")).code(0).json();
    assert_eq!((count(&json, "apart"), count(&json, "same_measurement")), (12, 24), "{json}");
    let json = bench.matrix(&replay("results")).code(0).json();
    assert_eq!(count(&json, "not_measured_again"), 36, "a simulation is no fresh measurement");
    let text = bench.matrix(&["bundle", "replay", "ours.tar.zst", "--against", "far"]).code(0);
    text.out_has("measured: apart").out_has("window_mean_ms");
    text.out_has("in 0 every metric's 95 % intervals overlap, in 12 some do not, 24 were not compared");
    bench.matrix(&["bundle", "replay", "ours.tar.zst", "--against", "nowhere"]).code(2);
}

#[test]
fn one_measured_round_is_not_compared() {
    let bench = Workbench::ran();
    measured(&bench, "ours", "20261122T130000Z", |_| 0);
    measured(&bench, "far", "20261122T150000Z", |_| 60_000_000);
    bench.matrix(&["bundle", "create", "--results", "ours", "-o", "ours.tar.zst"]).code(0);
    let replay = ["bundle", "replay", "ours.tar.zst", "--against", "far", "--format", "json"];
    let json = bench.matrix(&replay).code(0).json();
    assert_eq!(count(&json, "not_replayed"), 12, "drift could not be told from a difference: {json}");
}

#[test]
fn imported_cells_are_not_taken_for_simulations_of_ours() {
    let bench = Workbench::ran();
    bench.matrix(&["export", "--as", "gather", "original"]).code(0);
    bench.matrix(&["import", "original/gather", "--results", "imported"]).code(0);
    bench.matrix(&["bundle", "create", "--results", "imported", "-o", "imported.tar.zst"]).code(0);
    // They have their tables and figures all the same.
    bench.matrix(&["verify", "imported.tar.zst"]).code(0);
    bench.matrix(&["bundle", "extract", "imported.tar.zst", "-o", "bag"]).code(0);
    // A head, and a line for each of the twelve cells.
    assert_eq!(bench.read("bag/data/tables/imported/summary.csv").lines().count(), 13);
    assert!(bench.path("bag/data/figures/imported/consistency_window.svg").exists());
    let text = bench.matrix(&["bundle", "replay", "imported.tar.zst"]).code(0).out;
    assert_eq!(text.matches("imported: not replayed").count(), 12, "{text}");
    assert!(!text.contains("matrix run"), "nobody knows how to measure them again: {text}");
    assert_eq!(bench.json(&["bundle", "replay", "imported.tar.zst"])["simulated"].as_array().unwrap().len(), 0);
}
