//! What a bundle of format 3 holds.

use std::collections::BTreeSet;

use matrix_core::{CellKey, CellState, Tally};
use matrix_store::{
    AttemptFile, AttemptId, Digest, GenericAttempt, GenericRecord, JournalEntry, JournalState, Origin, RecordFile,
    RunId, Sealed, Store, StoreError,
};
use serde::{Deserialize, Serialize};

use super::metadata::metadata;
use crate::error::BundleError;
use crate::extras::Extras;
use crate::item::{Content, Item, Items};
use crate::layout::BundlePath;
use crate::packed::Packed;
use crate::runs::packed_journal;
use crate::tree::tree_digest;

/// `left-out.json`: attempts that journals name and that are not in the bundle, because it is a selection.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LeftOut {
    pub(super) attempts: BTreeSet<AttemptId>,
}

/// A plan, as far as a bundle has to know it.
#[derive(Deserialize)]
struct Plan {
    experiment: String,
    cells: Vec<Planned>,
}

#[derive(Deserialize)]
struct Planned {
    key: CellKey,
    state: CellState,
}

/// What is selected of a store.
#[derive(Debug, Default)]
pub(super) struct Payload {
    pub(super) experiments: BTreeSet<String>,
    pub(super) items: Items<'static>,
    pub(super) tally: Tally,
    /// The same of those cells alone that were tried.
    pub(super) tried: Tally,
    pub(super) origins: BTreeSet<Origin>,
    pub(super) date: String,
    pub(super) records: u64,
    pub(super) attempts: u64,
    pub(super) objects: u64,
}

impl Payload {
    fn add(&mut self, path: String, bytes: Vec<u8>) {
        self.items.insert(path, Item::of(bytes));
    }

    fn object(&mut self, path: String, digest: Digest, size: u64) {
        self.items.insert(path, Item::object(digest, size));
    }

    /// The runs of these names, the records and attempts of their cells (of `only` these, if it names some), and the
    /// objects that those name.
    pub(super) fn gather(
        store: &Store,
        runs: &[RunId],
        origin: Option<&Origin>,
        only: Option<&BTreeSet<CellKey>>,
    ) -> Result<Self, BundleError> {
        let mut this = Self::default();
        let mut cells: BTreeSet<CellKey> = BTreeSet::new();
        let (mut failed, mut skipped, mut named) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for id in runs {
            let run = store.read_run(id.as_str(), |JournalEntry { event, .. }| {
                match event.cell_state() {
                    Some((key, JournalState::Failed)) => drop(failed.insert(key)),
                    Some((key, _)) => drop(failed.remove(&key)),
                    None => {}
                }
                named.extend(event.ended().map(|(id, _)| id.clone()));
            })?;
            let (experiment, plan) = (run.experiment()?, run.plan()?);
            let path = run.directory().join("plan.json");
            let read: Plan =
                serde_json::from_slice(&plan).map_err(|error| StoreError::Damaged { path, what: error.to_string() })?;
            this.experiments.insert(read.experiment);
            for cell in read.cells {
                cells.insert(cell.key);
                // As the newest run planned it.
                if cell.state == CellState::Skipped {
                    skipped.insert(cell.key)
                } else {
                    skipped.remove(&cell.key)
                };
            }
            let plan = Packed::of(&plan).map_err(BundleError::io("compressing a plan"))?;
            let journal = packed_journal(&run)?;
            this.add(BundlePath::Experiment(Digest::of(&experiment)).to_string(), experiment);
            this.items.insert(BundlePath::Plan(plan.digest()).to_string(), plan.into());
            this.items.insert(BundlePath::Journal(id.clone(), journal.digest()).to_string(), journal.into());
        }
        if let Some(only) = only {
            cells.retain(|key| only.contains(key));
        }
        let mut done = BTreeSet::new();
        for key in &cells {
            for from in store.origins(key)? {
                let Some(record) = store.record::<GenericRecord>(key, &from)? else { continue };
                done.insert(*key);
                this.record(renamed_record(record, origin)?)?;
            }
        }
        let tried = this.attempts(store, &cells, &named, origin)?;
        for key in &cells {
            let state = match (done.contains(key), failed.contains(key), skipped.contains(key)) {
                (true, ..) => CellState::Done,
                (_, true, _) => CellState::Failed,
                (_, _, true) => CellState::Skipped,
                _ => CellState::Pending,
            };
            this.tally.add(state);
            if tried.contains(key) {
                this.tried.add(state);
            }
        }
        if cells.is_empty() {
            return Err(BundleError::Empty);
        }
        Ok(this)
    }

    fn record(&mut self, record: GenericRecord) -> Result<(), BundleError> {
        for rows in record.rows.values() {
            self.object(BundlePath::Object(rows.sha256).to_string(), rows.sha256, rows.bytes);
        }
        for output in record.outputs.values() {
            self.object(BundlePath::Output(output.sha256).to_string(), output.sha256, output.bytes);
        }
        self.records += 1;
        self.origins.insert(record.origin.clone());
        self.add(BundlePath::Record(record.key, record.origin.clone()).to_string(), record.to_bytes()?);
        Ok(())
    }

    /// Takes the attempts at these cells; the cells that there is one of.
    fn attempts(
        &mut self,
        store: &Store,
        cells: &BTreeSet<CellKey>,
        named: &BTreeSet<AttemptId>,
        origin: Option<&Origin>,
    ) -> Result<BTreeSet<CellKey>, BundleError> {
        let mut tried = BTreeSet::new();
        let mut left: BTreeSet<AttemptId> = named.clone();
        let received = store.received()?.left_out;
        let mut left_out: BTreeSet<AttemptId> = named.intersection(&received).cloned().collect();
        for id in store.attempts()? {
            let Some(attempt) = store.attempt::<GenericAttempt>(&id)? else { continue };
            if !cells.contains(&attempt.key) {
                if left.remove(&id) {
                    left_out.insert(id);
                }
                continue;
            }
            left.remove(&id);
            left_out.remove(&id);
            // Attempts of runs that are not in the bundle are left out, but for those that gave the results.
            self.date = self.date.clone().max(attempt.ended.chars().take(10).collect());
            for output in attempt.outputs.values() {
                self.object(BundlePath::Output(output.sha256).to_string(), output.sha256, output.bytes);
            }
            self.attempts += 1;
            tried.insert(attempt.key);
            let attempt = renamed_attempt(attempt, origin)?;
            self.add(BundlePath::Attempt(id.clone()).to_string(), attempt.to_bytes()?);
        }
        left.retain(|id| !left_out.contains(id));
        if let Some(id) = left.first() {
            let what = format!("the attempt {id} is missing that a journal names: `matrix verify` lists what is wrong");
            return Err(StoreError::Damaged { path: store.path().join("attempts"), what }.into());
        }
        if !left_out.is_empty() {
            let text = serde_json::to_vec(&LeftOut { attempts: left_out }).map_err(StoreError::from)?;
            self.add(BundlePath::LeftOut.to_string(), text);
        }
        self.objects = self.items.values().filter(|item| matches!(item.content, Content::Object)).count() as u64;
        Ok(tried)
    }

    pub(super) fn extras(&mut self, extras: &Extras, identify: Option<&str>) {
        self.items.extend(extras.items());
        self.add(BundlePath::Cells.to_string(), extras.cells.clone());
        if !extras.source.is_empty() {
            let tree = tree_digest(&extras.source);
            for (name, bytes) in &extras.source {
                self.add(BundlePath::Source(tree, name.clone()).to_string(), bytes.clone());
            }
        }
        let files = self.items.iter().map(|(path, item)| (path.as_str(), item.size));
        let metadata = metadata(&self.experiments, &self.date, files, identify);
        self.add(BundlePath::Metadata.to_string(), metadata);
    }
}

fn renamed_record(record: GenericRecord, origin: Option<&Origin>) -> Result<GenericRecord, StoreError> {
    match origin {
        Some(origin) if record.origin.is_local() => record.with_origin(origin.clone()),
        _ => Ok(record),
    }
}

fn renamed_attempt(attempt: GenericAttempt, origin: Option<&Origin>) -> Result<GenericAttempt, StoreError> {
    match origin {
        Some(origin) if attempt.origin.is_local() => attempt.with_origin(origin.clone()),
        _ => Ok(attempt),
    }
}
