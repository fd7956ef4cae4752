//! From a store to an inventory.

use std::collections::BTreeSet;

use matrix_bundle::{BundleError, Conflict, Extras, Packed, packed_journal};
use matrix_plan::plan::{PlannedCell, Reason};
use matrix_plan::{CellKey, Plan};
use matrix_store::generic::is_generic;
use matrix_store::{
    AttemptFile, AttemptId, Digest, Origin, Received, RecordFile, Run, RunDocuments, Sealed, Store, StoreError,
    parallel,
};
use matrix_traces::{Attempt, Record};

use super::{Inventory, MissingAttempt, Selection, tree_digest};

/// Records or attempts that are read at a time.
const AT_A_TIME: usize = 4096;

impl Inventory {
    /// Gathers what is selected of a store. What was measured here (origin `local`) is said to be of `origin`, if one is
    /// given: so that those who merge bundles can tell whose results are whose. What came with a bundle was not measured
    /// here, and stays what it was.
    ///
    /// # Errors
    /// When nothing is selected, something of it is damaged, or `origin` has another result of a cell already.
    pub fn gather(store: &Store, selection: &Selection, origin: Option<&Origin>) -> Result<Self, BundleError> {
        let mut this = Self::default();
        let ((cells, attempts), runs) =
            parallel::beside(|| (store.cells(), store.attempts()), || this.runs(store, selection));
        runs?;
        let received = store.received()?;
        let renaming = origin.map(|origin| Renaming { origin: origin.clone(), received: &received });
        this.results(store, &cells?, selection, renaming.as_ref())?;
        if this.cells.is_empty() {
            return Err(BundleError::Empty);
        }
        let cells = &this.cells;
        let read = |id: &AttemptId| {
            let attempt = store.attempt::<Attempt>(id)?.filter(|attempt| cells.contains(&attempt.key));
            match (attempt, &renaming) {
                (Some(attempt), Some(renaming))
                    if attempt.origin.is_local() && !renaming.received.attempts.contains(id) =>
                {
                    attempt.with_origin(renaming.origin.clone()).map(Some)
                }
                (attempt, _) => Ok(attempt),
            }
        };
        let mut found = Vec::new();
        parallel::in_order(&attempts?, AT_A_TIME, read, |attempt| {
            found.extend(attempt?.map(|attempt| (attempt.id.clone(), attempt)));
            Ok::<_, BundleError>(())
        })?;
        this.attempts = found.into_iter().collect();
        this.leave_out(store, &received.left_out)?;
        Ok(this)
    }

    /// Names the attempts that the journals tell of and that were left out, here or before.
    fn leave_out(&mut self, store: &Store, before: &BTreeSet<AttemptId>) -> Result<(), BundleError> {
        for MissingAttempt { id, cell, journal: (run, _) } in &self.facts()?.missing_attempts {
            if self.cells.contains(cell) && !before.contains(id) {
                let path = store.run_documents(run.as_str())?.directory().join("journal.jsonl");
                let what = format!("its attempt {id} is missing: `matrix verify` lists what is wrong");
                return Err(StoreError::Damaged { path, what }.into());
            }
            self.left_out.insert(id.clone());
        }
        Ok(())
    }

    /// Adds what its maker says besides: the source, and who the origin is.
    pub(crate) fn add(&mut self, extras: &Extras, identify: Option<&str>, origin: Option<&Origin>) {
        if !extras.source.is_empty() {
            self.sources.insert(tree_digest(&extras.source), extras.source.clone());
        }
        if let Some(name) = identify {
            self.agents.entry(origin.cloned().unwrap_or_default()).or_default().insert(name.to_owned());
        }
    }

    /// Adds the runs that are selected.
    fn runs(&mut self, store: &Store, selection: &Selection) -> Result<(), BundleError> {
        let names = match &selection.run {
            Some(name) => vec![name.clone()],
            None => store.runs()?.iter().map(ToString::to_string).collect(),
        };
        for name in names {
            let documents = store.run_documents(&name)?;
            let (run, plan) = parallel::beside(|| store.run(&name), || plan_of(&documents));
            let run = run?;
            if let Some((bytes, plan)) = plan? {
                self.run(&run, &bytes, plan, selection)?;
            }
        }
        Ok(())
    }

    /// Adds a run, whose plan has these bytes, if it is selected.
    fn run(&mut self, run: &Run, bytes: &[u8], plan: Plan, selection: &Selection) -> Result<(), BundleError> {
        if !selection.experiments.is_empty() && !selection.experiments.contains(&plan.experiment) {
            return Ok(());
        }
        let (experiment, model) = (run.experiment()?, run.model()?);
        let is_selected = |cell: &PlannedCell| {
            // What another shard has is no part of this bundle, unless it is done here all the same.
            cell.reason != Reason::OtherShard
                && selection.filter.as_ref().is_none_or(|filter| filter.matches(&cell.axes, cell.round))
        };
        // The plan is large, and no longer needed once the keys are taken.
        self.cells.append(&mut plan.cells.into_iter().filter(is_selected).map(|cell| cell.key).collect());
        let (packed, journal) = parallel::beside(|| Packed::of(bytes), || packed_journal(run));
        let (packed, journal) = (packed.map_err(BundleError::io("compressing a plan"))?, journal?);
        self.plans.insert(packed.digest(), packed);
        self.journals.insert((run.id().clone(), journal.digest()), journal);
        self.experiments.insert(Digest::of(&experiment), experiment);
        if let Some(model) = model {
            self.models.insert(Digest::of(&model), model);
        }
        Ok(())
    }

    fn results(
        &mut self,
        store: &Store,
        found: &[(CellKey, Vec<Origin>)],
        selection: &Selection,
        renaming: Option<&Renaming<'_>>,
    ) -> Result<(), BundleError> {
        let names: Vec<(CellKey, &Origin)> =
            found.iter().flat_map(|(key, from)| from.iter().map(|from| (*key, from))).collect();
        let planned_only = selection.run.is_some() || !selection.experiments.is_empty();
        let (mut records, mut conflicts) = (Vec::<((CellKey, Origin), Record)>::new(), Vec::new());
        let read = |(key, from): &(CellKey, &Origin)| store.record::<Record>(key, from);
        parallel::in_order(&names, AT_A_TIME, read, |record| {
            let Some(record) = record? else { return Ok(()) };
            let (key, inputs) = (record.key, &record.inputs);
            let matches = |filter: &matrix_plan::Filter| filter.matches(&inputs.axes, inputs.round);
            if planned_only && !self.cells.contains(&key) || !selection.filter.as_ref().is_none_or(matches) {
                return Ok(());
            }
            self.cells.insert(key);
            let record = match renaming {
                Some(renaming) if renaming.is_ours(&record) => record.with_origin(renaming.origin.clone())?,
                _ => record,
            };
            // Those of a cell come together.
            let of_cell = records.iter().rev().take_while(|((of, _), _)| *of == key);
            match of_cell.map(|(_, other)| other).find(|other| other.origin == record.origin) {
                None => records.push(((key, record.origin.clone()), record)),
                Some(other) if *other != record => {
                    let mut objects = vec![other.object.sha256, record.object.sha256];
                    objects.sort();
                    conflicts.push(Conflict::Results { key, origin: record.origin, objects });
                }
                Some(_) => {}
            }
            Ok::<_, BundleError>(())
        })?;
        self.records = records.into_iter().collect();
        if conflicts.is_empty() { Ok(()) } else { Err(BundleError::Conflicts(conflicts)) }
    }
}

/// The plan of a run and its bytes; nothing of a program's run.
fn plan_of(run: &RunDocuments) -> Result<Option<(Vec<u8>, Plan)>, StoreError> {
    let bytes = run.plan()?;
    if is_generic(&bytes) {
        return Ok(None);
    }
    let path = run.directory().join("plan.json");
    let plan = Plan::parse(&bytes).map_err(|error| StoreError::Damaged { path, what: error.to_string() })?;
    Ok(Some((bytes, plan)))
}

/// Under which origin to publish what was measured here, and what was not measured here.
struct Renaming<'a> {
    origin: Origin,
    received: &'a Received,
}

impl Renaming<'_> {
    fn is_ours(&self, record: &Record) -> bool {
        let received = |digest| self.received.records.contains(&digest);
        record.origin.is_local() && !record.digest().is_some_and(received)
    }
}
