//! Small stores, and bundles of them.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

use matrix_bundle::{BundleError, BundleInfo, BundleReader, Limits};
use matrix_driver::RowSink;
use matrix_plan::plan::{PlannedCell, Reason};
use matrix_plan::{Cell, CellState, Plan, Platform};
use matrix_store::{Event, Execution, NewRun, Origin, Provenance, Store, WritableStore};
use matrix_traces::{Attempt, Record, TraceInfo, TraceSink};

use super::sample::row;
pub(super) use super::sample::{files, tempdir};
use crate::{CreateOptions, Selection, create};
use matrix_bundle::Extras;

pub(super) const REQUESTS: u64 = 20;

pub(super) fn cell(delay_ms: u64) -> Cell {
    super::sample::cell(delay_ms, REQUESTS)
}

/// What becomes of a cell.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    /// It is done, with rows that follow from a number.
    Done(u64),
    /// Its attempt breaks.
    Failed,
    /// Its attempt ends early.
    Partial,
    /// Nothing happens.
    Pending,
}

/// A run: when it was made, and what becomes of the cells, which differ in delay.
#[derive(Clone, Debug)]
pub(super) struct TestRun {
    pub(super) hour: u32,
    pub(super) name: &'static str,
    pub(super) cells: Vec<(u64, Fate)>,
    pub(super) origin: &'static str,
}

impl TestRun {
    pub(super) fn new(cells: &[(u64, Fate)]) -> Self {
        Self { hour: 13, name: "test", cells: cells.to_vec(), origin: "local" }
    }
}

fn write_rows(store: &WritableStore, salt: u64) -> TraceInfo {
    let mut sink = TraceSink::new(store, REQUESTS).unwrap();
    (0..REQUESTS).for_each(|i| sink.push(row(salt, i)).unwrap());
    sink.finish().unwrap()
}

fn plan(run: &TestRun) -> Plan {
    let planned = |&(delay, _): &(u64, Fate)| {
        let cell = cell(delay);
        let (axes, round) = (cell.axes().clone(), cell.inputs.round);
        PlannedCell { key: cell.key, axes, round, block: 0, state: CellState::Pending, reason: Reason::Pending }
    };
    Plan {
        schema: 1,
        experiment: run.name.to_owned(),
        platform: Platform::Sim,
        seed: "2023".to_owned(),
        filter: None,
        shard: None,
        fresh: false,
        warnings: Vec::new(),
        cells: run.cells.iter().map(planned).collect(),
    }
}

/// Makes a run in a store, which is made first if there is none.
pub(super) fn execute(root: &Path, run: &TestRun) {
    let store = Store::create_or_open_for_writing(root, "test").unwrap();
    let time = format!("20261122T{:02}0000Z", run.hour);
    let experiment = format!("schema = 1\nname = \"{}\"\n", run.name);
    let plan = serde_json::to_vec(&plan(run)).unwrap();
    let new = NewRun {
        time: &time,
        name: run.name,
        experiment: experiment.as_bytes(),
        model: Some(b"# a model\n"),
        plan: &plan,
    };
    let (made, journal) = store.create_run(&new).unwrap();
    let origin: Origin = run.origin.parse().unwrap();
    for &(delay, fate) in &run.cells {
        let cell = cell(delay);
        let id: matrix_store::AttemptId = format!("{time}-{}-{}", run.origin, cell.key.short()).parse().unwrap();
        let execution = Execution {
            id: id.clone(),
            key: cell.key,
            origin: origin.clone(),
            run: Some(made.id().clone()),
            started: format!("2026-11-22T{:02}:00:00.000Z", run.hour),
            ended: format!("2026-11-22T{:02}:00:01.000Z", run.hour),
            provenance: Provenance { matrix: "0.1.0".to_owned(), cpus: Some(2), ..Provenance::default() }.into(),
        };
        let (attempt, key) = (id, cell.key);
        let event = match fate {
            Fate::Pending => continue,
            Fate::Done(salt) => {
                let object = write_rows(&store, salt);
                let told = matrix_driver::AttemptDetails {
                    epoch_us: 1_633_046_400_000_000,
                    ..matrix_driver::AttemptDetails::default()
                };
                store.write_attempt(&Attempt::done(execution, &told, object.digest).unwrap()).unwrap();
                store.write_record(&Record::new(&cell, origin.clone(), &object, false).unwrap()).unwrap();
                Event::Done { attempt, cell: key }
            }
            Fate::Failed => {
                let error = "the storage \"broke\"".to_owned();
                store.write_attempt(&Attempt::failed(execution, &cell.inputs, error.clone()).unwrap()).unwrap();
                Event::Failed { attempt, cell: key, error }
            }
            Fate::Partial => {
                store
                    .write_attempt(&Attempt::partial(execution, &cell.inputs, "interrupted".to_owned()).unwrap())
                    .unwrap();
                Event::Partial { attempt, cell: key }
            }
        };
        journal.append(&event).unwrap();
    }
    drop(journal);
    store.close().unwrap();
}

pub(super) fn store(run: &TestRun) -> (tempfile::TempDir, Store) {
    let directory = tempdir();
    let root = directory.path().join("results");
    execute(&root, run);
    let store = Store::open(&root).unwrap();
    (directory, store)
}

/// What a command would derive from results, small but dependent on them.
pub(super) fn extras(store: &Store) -> Extras {
    let keys: Vec<String> = store.cells().unwrap().iter().map(|(key, _)| key.short()).collect();
    Extras {
        readme: b"# Results\n".to_vec(),
        license: b"MIT OR Apache-2.0\n".to_vec(),
        citation: b"cff-version: 1.2.0\ntitle: Results\nmessage: Cite it.\nauthors:\n  - name: The authors\n".to_vec(),
        tables: BTreeMap::from([("cells.csv".to_owned(), (keys.join("\n") + "\n").into_bytes())]),
        figures: BTreeMap::from([("test/window.svg".to_owned(), b"<svg/>\n".to_vec())]),
        report: b"<!DOCTYPE html>\n".to_vec(),
        binary: None,
        cells: Vec::new(),
        source: BTreeMap::from([
            ("Cargo.lock".to_owned(), b"version = 4\n".to_vec()),
            (".cargo/config.toml".to_owned(), b"[build]\n".to_vec()),
            ("src/main.rs".to_owned(), b"fn main() {}\n".to_vec()),
        ]),
    }
}

pub(super) fn options() -> CreateOptions {
    CreateOptions { allow_incomplete: true, ..CreateOptions::default() }
}

/// A bundle of a whole store.
pub(super) fn bundle_of(store: &Store) -> (Vec<u8>, BundleInfo) {
    let mut bytes = Vec::new();
    let info = create(store, &Selection::default(), &extras(store), &options(), &mut bytes).unwrap();
    (bytes, info)
}

/// A bundle of a run.
pub(super) fn bundle(run: &TestRun) -> Vec<u8> {
    bundle_of(&store(run).1).0
}

pub(super) fn reader(bytes: &[u8]) -> Result<BundleReader, BundleError> {
    BundleReader::new(Cursor::new(bytes.to_vec()), Limits::default())
}

/// What a bundle decompresses to.
pub(super) fn archive(bundle: &[u8]) -> Vec<u8> {
    zstd::decode_all(bundle).unwrap()
}

/// Compresses an archive as bundles are.
pub(super) fn compress(archive: &[u8]) -> Vec<u8> {
    let mut encoder = matrix_bundle::compress::compressor(Vec::new(), 1).unwrap();
    std::io::Write::write_all(&mut encoder, archive).unwrap();
    matrix_bundle::compress::finish(encoder).unwrap().0
}
