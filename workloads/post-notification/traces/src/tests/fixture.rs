//! Small cells, rows, and a session that stands for a run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use matrix_driver::RowSink;
use matrix_plan::Cell;
use matrix_store::fs::{Filesystem, RealFilesystem};
use matrix_store::{AttemptId, Event, Execution, NewRun, Origin, Provenance, Store, StoreError, WritableStore};

use crate::{Attempt, Record, TraceInfo, TraceSink};

pub(super) use super::sample::{files, row, tempdir};

pub(super) const REQUESTS: u64 = 30;

pub(super) fn cell(delay_ms: u64) -> Cell {
    super::sample::cell(delay_ms, REQUESTS)
}

/// Writes the rows of a cell, the later ones of every five first.
pub(super) fn write_rows(store: &WritableStore, salt: u64, requests: u64) -> Result<TraceInfo, StoreError> {
    filled(store, salt, requests)?.finish()
}

fn filled(store: &WritableStore, salt: u64, requests: u64) -> Result<TraceSink, StoreError> {
    let mut sink = TraceSink::new(store, requests)?;
    for block in (0..requests).step_by(5) {
        for i in (block..requests.min(block + 5)).rev() {
            sink.push(row(salt, i)).map_err(StoreError::from_sink)?;
        }
    }
    Ok(sink)
}

pub(super) fn execution(store: &Store, cell: &Cell) -> Result<Execution, StoreError> {
    let mut number = 1;
    let id = loop {
        let id: AttemptId = format!("20261122T130000Z-{}-{number}", cell.key.short()).parse()?;
        if store.attempt::<Attempt>(&id)?.is_none() {
            break id;
        }
        number += 1;
    };
    Ok(Execution {
        id,
        key: cell.key,
        origin: Origin::default(),
        run: None,
        started: "2026-11-22T13:00:00Z".to_owned(),
        ended: "2026-11-22T13:00:01Z".to_owned(),
        provenance: Provenance { matrix: "0.1.0".to_owned(), cpus: Some(2), ..Provenance::default() }.into(),
    })
}

/// What a run does: takes up the last run, or makes one, and executes the cells that have no result.
pub(super) fn session(root: &Path, fs: Arc<dyn Filesystem>, cells: &[Cell]) -> Result<(), StoreError> {
    session_in_groups(root, fs, cells, None)
}

/// The same, with the results of so many cells in a group.
pub(super) fn session_in_groups(
    root: &Path,
    fs: Arc<dyn Filesystem>,
    cells: &[Cell],
    of: Option<usize>,
) -> Result<(), StoreError> {
    let store = WritableStore::open_with(root, "matrix test", fs)?;
    let journal = match store.runs()?.last() {
        Some(id) => {
            let run = store.run(id.as_str())?;
            run.plan()?;
            let journal = store.journal(&run);
            journal.append(&Event::Resumed)?;
            journal
        }
        None => {
            let new = NewRun {
                time: "20261122T130000Z",
                name: "test",
                experiment: b"schema = 1\nname = \"test\"\n",
                model: Some(b"# a model\n"),
                plan: b"{\"cells\":[]}\n",
            };
            store.create_run(&new)?.1
        }
    };
    let keys: Vec<_> = cells.iter().map(|cell| cell.key).collect();
    let found = store.lookup(&keys, &Origin::default())?;
    let mut group = store.group();
    for (cell, _) in cells.iter().zip(found).filter(|(_, found)| !found.is_done()) {
        let execution = execution(&store, cell)?;
        let attempt = execution.id.clone();
        journal.append(&Event::Started { attempt: attempt.clone(), cell: cell.key })?;
        let sink = filled(&store, cell.inputs.axes.delay_ms, REQUESTS)?;
        let object = if of.is_some() { sink.finish_in(&mut group)? } else { sink.finish()? };
        let told = matrix_driver::AttemptDetails {
            epoch_us: 1_633_046_400_000_000,
            ..matrix_driver::AttemptDetails::default()
        };
        let done = Attempt::done(execution, &told, object.digest)?;
        let record = Record::new(cell, Origin::default(), &object, false)?;
        let event = Event::Done { attempt, cell: cell.key };
        match of {
            None => {
                store.write_attempt(&done)?;
                store.write_record(&record)?;
                journal.append(&event)?;
            }
            Some(of) => {
                group.add(&done, &record, event)?;
                if group.len() == of {
                    store.commit(std::mem::replace(&mut group, store.group()), &journal)?;
                }
            }
        }
    }
    store.commit(group, &journal)?;
    journal.append(&Event::Finished)?;
    drop(journal);
    store.close()
}

/// A store with so many finished cells.
pub(super) fn finished(root: &Path, count: u64) -> Vec<Cell> {
    let cells: Vec<Cell> = (0..count).map(cell).collect();
    session(root, Arc::new(RealFilesystem), &cells).unwrap();
    cells
}

/// A cell tried twice without a result, noted in the journal of the only run: once it broke, once it ended early.
pub(super) fn tried_in_vain(root: &Path, cell: &Cell) {
    let store = Store::create_or_open_for_writing(root, "matrix test").unwrap();
    let run = store.run(store.runs().unwrap()[0].as_str()).unwrap();
    let journal = store.journal(&run);
    let failed =
        Attempt::failed(execution(&store, cell).unwrap(), &cell.inputs, "the storage \"broke\"".to_owned()).unwrap();
    store.write_attempt(&failed).unwrap();
    let error = "the storage \"broke\"".to_owned();
    journal.append(&Event::Failed { attempt: failed.id, cell: cell.key, error }).unwrap();
    let partial = Attempt::partial(execution(&store, cell).unwrap(), &cell.inputs, "interrupted".to_owned()).unwrap();
    store.write_attempt(&partial).unwrap();
    journal.append(&Event::Partial { attempt: partial.id, cell: cell.key }).unwrap();
    drop(journal);
    store.close().unwrap();
}

/// The objects and records of a store.
pub(super) fn results(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = files(root);
    found.retain(|path, _| path.starts_with("objects") || path.starts_with("cells"));
    found
}
