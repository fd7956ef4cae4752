//! Joining a run, and leaving it.

use std::sync::atomic::Ordering;

use matrix_core::{CellKey, Reason};

use super::board::Board;
use super::meeting::{Found, Meeting};
use crate::digest::Digest;
use crate::error::StoreError;
use crate::journal::Journal;
use crate::names::RunId;
use crate::run::{NewRun, Run};
use crate::shared::Shared;
use crate::writable::WritableStore;

impl<'a> Meeting<'a, Shared> {
    /// The meeting of the runners of this store.
    pub(super) fn of(shared: &'a Shared) -> Self {
        Self { board: shared, claims: shared.layout.claims(), me: shared.runner_id() }
    }
}

impl WritableStore {
    /// Joins the run of this meaning that other runners execute just now, or makes one. `meaning` is the digest of what runners of one run
    /// have in common, and `fits` says of a run whether it has the rest. What is `planned` may replace results: with what generation is fixed
    /// when the run is made, for whoever joins it, and one that was not brought to its end is gone on with. Whether the run was made here.
    ///
    /// # Errors
    /// When runners may not share the store, or it cannot be read or written.
    pub fn join_run(
        &self,
        meaning: &Digest,
        new: &NewRun<'_>,
        planned: &[(CellKey, Reason)],
        fits: &dyn Fn(&Run) -> Result<bool, StoreError>,
    ) -> Result<(Run, Journal, bool), StoreError> {
        let shared = self.shared.as_ref();
        shared.begin()?;
        if self.has_company()? {
            self.must_be_shareable()?;
        }
        let may_join = |id: &RunId| {
            if !shared.layout.run(id).exists() {
                return Ok(None);
            }
            let run = self.run(id.as_str())?;
            Ok(Some(self.goes_on(&run, meaning, planned)? && fits(&run)?))
        };
        match Meeting::of(shared).find(meaning, || self.free_id(new), may_join)? {
            Found::Existing(id) => {
                let (run, journal) = self.enter_run(self.run(id.as_str())?, meaning)?;
                Ok((run, journal, false))
            }
            Found::New(id) => {
                let (run, journal) = self.make(id, new, planned)?;
                self.replace_in(&run)?;
                Ok((run, journal, true))
            }
        }
    }

    /// Makes a run whose name this runner has.
    fn make(&self, id: RunId, new: &NewRun<'_>, planned: &[(CellKey, Reason)]) -> Result<(Run, Journal), StoreError> {
        let replaced = planned.iter().filter(|(_, reason)| *reason == Reason::Fresh).map(|(key, _)| *key);
        let generation = match replaced.collect::<Vec<_>>().as_slice() {
            [] => None,
            replaced => {
                self.keep_generations()?;
                Some(self.generation_after(replaced)?)
            }
        };
        self.create_run_as(id, new, generation)
    }

    /// Lets what is written from now on replace what the run replaces.
    fn replace_in(&self, run: &Run) -> Result<(), StoreError> {
        self.look_for_generations()?;
        self.shared.least.store(run.generation().unwrap_or_default(), Ordering::Relaxed);
        Ok(())
    }

    /// Takes up a run that exists, with the digest of all that its runners have in common, by which others find it. Where never more than
    /// one runner at a time was at work in the store, this one goes on with the run's journal; else it has a journal of its own.
    ///
    /// # Errors
    /// When runners may not share the store, or it cannot be read or written.
    pub fn enter_run(&self, run: Run, meaning: &Digest) -> Result<(Run, Journal), StoreError> {
        let meeting = Meeting::of(self.shared.as_ref());
        self.shared.begin()?;
        meeting.enter(run.id())?;
        self.replace_in(&run)?;
        meeting.lead_to(run.id(), meaning)?;
        // Of two that come at the same time, each has given its sign by now, so one of them sees the other at least.
        if self.has_company()? {
            self.must_be_shareable()?;
        } else if !self.has_generations() {
            // Whoever wrote the journal before may have done so since it was read.
            let run = self.run(run.id().as_str())?;
            let journal = self.journal(&run);
            return Ok((run, journal));
        }
        let journal = self.own_journal(&run)?;
        Ok((run, journal))
    }

    /// Whether another runner may be at work in the store.
    fn has_company(&self) -> Result<bool, StoreError> {
        let signs = self.shared.list(&self.shared.layout.runners())?;
        let runners = signs.iter().filter_map(|name| name.strip_suffix(".json").map(str::to_owned));
        Meeting::of(self.shared.as_ref()).is_anybody_there(runners)
    }

    /// Whether a run of this meaning is to be joined: others execute it; or it makes results anew, and nobody tried all of what is planned.
    fn goes_on(&self, run: &Run, meaning: &Digest, planned: &[(CellKey, Reason)]) -> Result<bool, StoreError> {
        let has_left = || {
            let keys: Vec<CellKey> = planned.iter().filter(|(_, reason)| reason.runs()).map(|(key, _)| *key).collect();
            let is_anew = planned.iter().any(|(_, reason)| *reason == Reason::Fresh);
            Ok(is_anew && self.left_and_failed(run, &keys)?.0 > 0)
        };
        Meeting::of(self.shared.as_ref()).goes_on(run.id(), meaning, run.journal().is_finished, has_left)
    }

    /// Whether other processes may write the store at the same time.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        self.shared.runner.is_some()
    }
}

#[cfg(test)]
mod tests;
