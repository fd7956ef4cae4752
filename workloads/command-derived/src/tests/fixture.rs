//! A store of a program's results, none of which was measured.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use matrix_command::run::{Input, Part, PlanDocument, plan};
use matrix_command::{Cell, WORKLOAD, cells};
use matrix_core::{Again, Shard};
use matrix_store::{
    Digest, Event, Execution, GenericAttempt, GenericEnd, GenericRecord, NewRecord, NewRun, Origin, Provenance,
    RowsRef, Store,
};

/// Two engines, three numbers of threads and three rounds: 18 cells.
pub(super) const EXPERIMENT: &str = r#"
schema = 2
name = "kv"
workload = "command"
rounds = 3
seed = 7
paired = "engine"

[axes]
engine = ["slow", "fast"]
threads = [1, 2, 4]

[command]
run = ["./bench", "{threads}", "{engine}", "{out}/rows.csv"]
rows = "csv:{out}/rows.csv"

[columns]
latency_us = { unit = "us", type = "integer" }

[[metric]]
name = "mean_latency"
is = "mean(latency_us)"
better = "lower"

[[claim]]
id = "C1"
says = "The fast engine takes less than half the time"
metric = "mean_latency"
ratio_to = { engine = "slow" }
at_most = 0.5

[[figure]]
name = "scaling"
kind = "line"
x = "threads"
y = "mean_latency"
series = "engine"
"#;

/// What a cell's one row says: the fast engine is `times` as fast as the slow one. None leaves the cell undone.
pub(super) fn faster(times: i64) -> impl Fn(&Cell) -> Option<i64> {
    move |cell| {
        let base = if cell.point[0].to_string() == "fast" { 1200 / times } else { 1200 };
        let threads: i64 = cell.point[1].to_string().parse().unwrap();
        Some(base / threads + i64::from(cell.round))
    }
}

/// A store with a run of an experiment of this text, or of a shard of it.
pub(super) fn store(place: &Path, text: &str, shard: Option<Shard>, latency: impl Fn(&Cell) -> Option<i64>) -> Store {
    forged(place, text, shard, latency, &|_, _| ())
}

/// The same of a run that saved another plan and text.
pub(super) fn forged(
    place: &Path,
    text: &str,
    shard: Option<Shard>,
    latency: impl Fn(&Cell) -> Option<i64>,
    forge: &dyn Fn(&mut PlanDocument, &mut String),
) -> Store {
    let input = Input::new("kv.toml", text.to_owned(), Path::new("."), None).unwrap();
    let part = Part::new(&input, None, shard, &|_| true).unwrap();
    let (mut plan, mut text) = (plan(None, &input, &part, &Again::None).unwrap(), text.to_owned());
    forge(&mut plan, &mut text);
    let plan = serde_json::to_vec(&plan).unwrap();
    let store = Store::create_or_open_for_writing(place, "a test").unwrap();
    let (name, experiment) = (&input.experiment.name, text.as_bytes());
    let new = NewRun { time: "20201122T130000Z", name, experiment, model: None, plan: &plan };
    let (run, journal) = store.create_run(&new).unwrap();
    for cell in input.cells.iter().filter(|cell| part.has(cell)) {
        let Some(latency) = latency(cell) else { continue };
        let rows = format!("latency_us\n{latency}\n");
        let sha256 = Digest::of(rows.as_bytes());
        store.keep_object(&sha256, &mut rows.as_bytes()).unwrap();
        let execution = Execution::begin(cell.key, run.id(), Arc::new(Provenance::default())).unwrap();
        let attempt = execution.id.clone();
        journal.append(&Event::Started { attempt: attempt.clone(), cell: cell.key }).unwrap();
        let new = NewRecord {
            workload: WORKLOAD.to_owned(),
            inputs: cell.inputs.clone(),
            key: cell.key,
            costs: BTreeMap::from([("run.wall_us".to_owned(), latency)]),
            outputs: BTreeMap::new(),
            reading: cells::reading(&input.experiment).unwrap(),
            rows: BTreeMap::from([("rows".to_owned(), RowsRef { bytes: rows.len() as u64, rows: 1, sha256 })]),
        };
        let ended = GenericAttempt::new(execution.end(), GenericEnd::Done, BTreeMap::new(), BTreeMap::new()).unwrap();
        store.write_attempt(&ended).unwrap();
        store.write_record(&GenericRecord::new(new, Origin::default()).unwrap()).unwrap();
        journal.append(&Event::Done { attempt, cell: cell.key }).unwrap();
    }
    drop((run, journal));
    store.close().unwrap();
    Store::open(place).unwrap()
}
