//! The cells of a run, divided between its runners.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use matrix_core::CellKey;

use super::claims::{End, Pending, Protocol, Turn};
use super::meeting::Meeting;
use crate::error::StoreError;
use crate::journal::JournalState;
use crate::names::RunId;
use crate::run::Run;
use crate::shared::Shared;
use crate::store::Store;
use crate::writable::WritableStore;

/// The cells of a run, divided between its runners: what is claimed at once is a batch. Threads may share it.
#[derive(Debug)]
pub struct Division {
    shared: Arc<Shared>,
    run: RunId,
    protocol: Mutex<Protocol>,
    keys: Vec<CellKey>,
    /// The batch of each cell, by the cell's place.
    batch_of: Vec<u32>,
    places: HashMap<u32, Vec<usize>>,
    /// The generation of the results that the run makes.
    least: u32,
    open: Mutex<BTreeMap<u32, Open>>,
}

/// A batch that this runner has claimed: how many of its cells have not ended, and whether one failed.
#[derive(Debug)]
struct Open {
    left: usize,
    failed: bool,
}

/// What a runner does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Share {
    /// Execute the cells at these places.
    Cells(Vec<usize>),
    /// Look again later. What others have claimed; nothing if only this runner has claims left.
    Wait(Vec<Pending>),
    /// Nothing is left.
    Over,
}

impl Division {
    /// Claims the next batch that has a cell without a result.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn next_share(&self, store: &Store) -> Result<Share, StoreError> {
        loop {
            let batch = match self.protocol().next(self.shared.as_ref())? {
                Turn::Over => return Ok(Share::Over),
                Turn::Wait(pending) => return Ok(Share::Wait(pending)),
                Turn::Take(batch) => batch,
            };
            let places = self.places.get(&batch).map(Vec::as_slice).unwrap_or_default();
            // Others may have finished some before their runner died.
            let done = self.done(store, places)?;
            let left: Vec<usize> = places.iter().zip(done).filter(|(_, done)| !done).map(|(place, _)| *place).collect();
            if left.is_empty() {
                self.end(batch, End::Done)?;
                continue;
            }
            let open = Open { left: left.len(), failed: false };
            self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(batch, open);
            return Ok(Share::Cells(left));
        }
    }

    /// Whether the cells at these places have a result of this run in the store, in the same order.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn done(&self, store: &Store, places: &[usize]) -> Result<Vec<bool>, StoreError> {
        let keys: Vec<CellKey> = places.iter().filter_map(|place| self.keys.get(*place).copied()).collect();
        store.done_since(&keys, self.least)
    }

    /// Says that the cell at this place has ended: its result is in the store, or it failed. With the last one, the batch has ended.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn ended(&self, place: usize, failed: bool) -> Result<(), StoreError> {
        let Some(&batch) = self.batch_of.get(place) else { return Ok(()) };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(found) = open.get_mut(&batch) else { return Ok(()) };
        found.left = found.left.saturating_sub(1);
        found.failed |= failed;
        if found.left > 0 {
            return Ok(());
        }
        let end = if found.failed { End::Failed } else { End::Done };
        open.remove(&batch);
        drop(open);
        self.end(batch, end)
    }

    /// Says how a batch ended. What is done of it is in the store by then.
    fn end(&self, batch: u32, end: End) -> Result<(), StoreError> {
        self.protocol().end(self.shared.as_ref(), batch, end)
    }

    /// Gives back what was not finished.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn release(&self) -> Result<(), StoreError> {
        self.protocol().release(self.shared.as_ref())
    }

    /// Whether other runners execute the run.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn has_others(&self) -> Result<bool, StoreError> {
        Meeting::of(self.shared.as_ref()).has_others(&self.run)
    }

    /// Removes the claims, and what leads other runners to the run, unless others execute it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn remove(self) -> Result<(), StoreError> {
        Meeting::of(self.shared.as_ref()).forget(&self.run)
    }

    fn protocol(&self) -> MutexGuard<'_, Protocol> {
        self.protocol.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WritableStore {
    /// Divides cells, given with the numbers of their batches in the order of running, with others that execute the same run. Batches that are
    /// `incomplete` have cells besides that only others can execute. Nothing where this process has the store alone.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn division(
        &self,
        run: &Run,
        cells: &[(CellKey, u32)],
        incomplete: BTreeSet<u32>,
    ) -> Result<Option<Division>, StoreError> {
        if !self.is_joined() {
            return Ok(None);
        }
        let (mut order, mut places) = (Vec::new(), HashMap::<u32, Vec<usize>>::new());
        for (place, (_, batch)) in cells.iter().enumerate() {
            let of_batch = places.entry(*batch).or_default();
            if of_batch.is_empty() {
                order.push(*batch);
            }
            of_batch.push(place);
        }
        let shared = Arc::clone(&self.shared);
        let claims = shared.layout.claims_of(run.id());
        let protocol = Protocol::new(shared.as_ref(), claims, &shared.runner_id(), order, incomplete)?;
        Ok(Some(Division {
            shared,
            run: run.id().clone(),
            protocol: Mutex::new(protocol),
            least: run.generation().unwrap_or_default(),
            keys: cells.iter().map(|(key, _)| *key).collect(),
            batch_of: cells.iter().map(|(_, batch)| *batch).collect(),
            places,
            open: Mutex::default(),
        }))
    }
}

impl Store {
    /// How many of these cells of a run have no result and did not fail, and how many failed, whoever executed them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn left_and_failed(&self, run: &Run, keys: &[CellKey]) -> Result<(usize, usize), StoreError> {
        let done = self.done_since(keys, run.generation().unwrap_or_default())?;
        let missing: Vec<&CellKey> = keys.iter().zip(done).filter(|(_, done)| !done).map(|(key, _)| key).collect();
        if missing.is_empty() {
            return Ok((0, 0));
        }
        let run = self.run(run.id().as_str())?;
        let has_failed = |key: &&&CellKey| run.journal().undone.get(**key) == Some(&JournalState::Failed);
        let failed = missing.iter().filter(has_failed).count();
        Ok((missing.len() - failed, failed))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::NewRun;
    use crate::digest::Digest;
    use crate::fs::RealFilesystem;

    #[test]
    fn a_result_that_is_gone_from_a_done_block_is_made_again_when_its_runner_has_gone() {
        let folder = tempfile::tempdir().unwrap();
        let join = || WritableStore::join_with(folder.path(), "test", Arc::new(RealFilesystem), None).unwrap();
        let cells: [(CellKey, u32); 1] = [("ab".repeat(32).parse().unwrap(), 0)];
        let first = join();
        let new = NewRun { time: "20261122T130000Z", name: "test", experiment: b"", model: None, plan: b"{}" };
        let (run, _, _) = first.join_run(&Digest::of(b"test"), &new, &[], &|_| Ok(true)).unwrap();
        let next = |store: &WritableStore| {
            let division = store.division(&run, &cells, BTreeSet::new()).unwrap().unwrap();
            let share = division.next_share(store).unwrap();
            (division, share)
        };
        let (division, share) = next(&first);
        assert_eq!(share, Share::Cells(vec![0]));
        // It says that its result is in the store, where there is none.
        division.ended(0, false).unwrap();
        let (second, third) = (join(), join());
        assert_eq!(next(&second).1, Share::Over);
        drop((first, division));
        let (division, share) = next(&second);
        assert_eq!(share, Share::Cells(vec![0]));
        let (other, share) = next(&third);
        assert!(matches!(share, Share::Wait(_)), "{share:?}");
        // What is done meanwhile is done for whoever was there.
        division.ended(0, false).unwrap();
        assert_eq!(other.next_share(&third).unwrap(), Share::Over);
    }

    #[test]
    fn a_batch_that_a_runner_cannot_finish_is_left_to_those_who_can() {
        let folder = tempfile::tempdir().unwrap();
        let join = || WritableStore::join_with(folder.path(), "test", Arc::new(RealFilesystem), None).unwrap();
        let cells: [(CellKey, u32); 2] = ["ab", "cd"].map(|byte| (byte.repeat(32).parse().unwrap(), 0));
        let (first, second, third) = (join(), join(), join());
        let new = NewRun { time: "20261122T130000Z", name: "test", experiment: b"", model: None, plan: b"{}" };
        let (run, _, _) = first.join_run(&Digest::of(b"test"), &new, &[], &|_| Ok(true)).unwrap();
        let whole = first.division(&run, &cells, BTreeSet::new()).unwrap().unwrap();
        // They cannot execute the second cell.
        for (store, failed) in [(&second, false), (&third, true)] {
            let part = store.division(&run, &cells[..1], BTreeSet::from([0])).unwrap().unwrap();
            assert_eq!(part.next_share(store).unwrap(), Share::Cells(vec![0]));
            part.ended(0, failed).unwrap();
            assert_eq!(part.next_share(store).unwrap(), Share::Over);
        }
        assert_eq!(whole.next_share(&first).unwrap(), Share::Cells(vec![0, 1]));
        whole.ended(0, false).unwrap();
        whole.ended(1, false).unwrap();
        assert_eq!(whole.next_share(&first).unwrap(), Share::Over);
    }
}
