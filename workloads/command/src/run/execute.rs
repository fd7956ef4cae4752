//! Executing cells: the result of each is in the store before the journal reports it.

mod cell;

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use matrix_driver::Cancel;
use matrix_store::{Division, Group, Journal, Pending, Provenance, RunId, Share, StoreError, WritableStore};

pub(super) use self::cell::cost_fields;
use super::Input;
use super::version::Versions;
use crate::cells::Cell;
use crate::inputs::Digests;
use crate::supervise::Supervisors;

/// What a run needs to execute its cells.
pub(super) struct Executor<'a> {
    pub(super) input: &'a Input,
    pub(super) store: &'a WritableStore,
    pub(super) journal: &'a Journal,
    pub(super) run: &'a RunId,
    pub(super) provenance: &'a Provenance,
    pub(super) supervisors: &'a Supervisors,
    pub(super) cancel: &'a Cancel,
    pub(super) keep: bool,
    pub(super) fail_fast: bool,
    pub(super) deadline: Option<std::time::Instant>,
    /// How the cells are divided between runners of one store; without it, all are executed here.
    pub(super) division: Option<&'a Division>,
    /// Whether to wait for what other runners have claimed.
    pub(super) wait: bool,
    pub(super) say: &'a (dyn Fn(&str) + Sync),
    /// What machine this is.
    pub(super) machine: String,
    /// Digests of inputs that are known, by stamp.
    pub(super) digests: Mutex<Digests>,
}

/// The results of the cells.
#[derive(Debug, Default)]
pub struct Report {
    /// Cells that have a result now.
    pub done: usize,
    /// Cells that failed, and why.
    pub failed: Vec<(Cell, String)>,
    /// Cells that ended early.
    pub partial: usize,
    /// Cells of the run that have no result and did not fail, here or elsewhere.
    pub left: usize,
    /// Cells that failed here or elsewhere.
    pub failed_in_all: usize,
    /// Cells that other runners executed.
    pub others: usize,
    /// What other runners have claimed, where nobody waits for them.
    pub pending: Vec<Pending>,
    /// Cells on whose host others worked meanwhile.
    pub disturbed: usize,
    /// What made the whole run stop, if the store could not be written.
    pub broken: Option<StoreError>,
}

enum Ended {
    Done { disturbed: bool },
    Failed(String),
    Partial,
}

struct Shared {
    /// The places of the cells to execute next.
    queue: VecDeque<usize>,
    begun: usize,
    waited: bool,
    report: Report,
    versions: Versions,
    told: std::collections::BTreeSet<String>,
    told_at: Option<std::time::Instant>,
}

/// Time between two looks at what other runners execute.
const LOOK: std::time::Duration = std::time::Duration::from_millis(100);

/// Time between two lines of progress.
const PROGRESS: std::time::Duration = std::time::Duration::from_secs(2);

impl Executor<'_> {
    /// Executes the cells, in their order, by so many workers.
    pub(super) fn execute(&self, cells: &[Cell], jobs: NonZeroUsize) -> Report {
        let shared = Mutex::new(Shared {
            queue: if self.division.is_some() { VecDeque::new() } else { (0..cells.len()).collect() },
            begun: 0,
            waited: false,
            report: Report::default(),
            versions: Versions::default(),
            told: std::collections::BTreeSet::new(),
            told_at: None,
        });
        std::thread::scope(|scope| {
            for _ in 1..jobs.get().min(cells.len()) {
                scope.spawn(|| self.work(cells, jobs, &shared));
            }
            self.work(cells, jobs, &shared);
        });
        shared.into_inner().unwrap_or_else(PoisonError::into_inner).report
    }

    fn work(&self, cells: &[Cell], jobs: NonZeroUsize, shared: &Mutex<Shared>) {
        let lock = || -> MutexGuard<'_, Shared> { shared.lock().unwrap_or_else(PoisonError::into_inner) };
        loop {
            let mut guard = lock();
            let late = self.deadline.is_some_and(|deadline| std::time::Instant::now() >= deadline);
            if self.cancel.is_cancelled() || late || self.fail_fast && !guard.report.failed.is_empty() {
                return;
            }
            let Some(place) = guard.queue.pop_front() else {
                drop(guard);
                match self.more(shared) {
                    Ok(true) => continue,
                    Ok(false) => return,
                    Err(error) => return self.stop(error, shared),
                }
            };
            let Some(cell) = cells.get(place) else { return };
            guard.begun += 1;
            let number = guard.begun;
            // Not a line for each of ten thousand cells that take no time.
            let now = std::time::Instant::now();
            let due = guard.told_at.is_none_or(|last| now.duration_since(last) >= PROGRESS);
            if due {
                guard.told_at = Some(now);
            }
            drop(guard);
            let shown = format!("{} round {}", self.input.experiment.axes.show(&cell.point), cell.round);
            if due {
                (self.say)(&format!("{number}/{} {shown}", cells.len()));
            }
            let mut group = self.store.group();
            match self.tried(cell, jobs, shared, &mut group) {
                // What was measured waits for nothing.
                Ok(Ended::Done { disturbed }) => self.commit(group, place, disturbed, shared),
                Ok(Ended::Failed(error)) => {
                    lock().report.failed.push((cell.clone(), error));
                    self.ended(place, true, shared);
                }
                Ok(Ended::Partial) => lock().report.partial += 1,
                Err(error) => {
                    lock().report.partial += 1;
                    self.stop(error, shared);
                }
            }
        }
    }

    /// Puts the result of a cell into the store, and counts it.
    fn commit(&self, group: Group, place: usize, disturbed: bool, shared: &Mutex<Shared>) {
        let committed = self.store.commit(group, self.journal);
        let mut guard = shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = committed {
            guard.report.partial += 1;
            drop(guard);
            return self.stop(error, shared);
        }
        guard.report.done += 1;
        guard.report.disturbed += usize::from(disturbed);
        drop(guard);
        self.ended(place, false, shared);
    }

    /// Lets other runners know that a cell has ended.
    fn ended(&self, place: usize, failed: bool, shared: &Mutex<Shared>) {
        if let Some(Err(error)) = self.division.map(|division| division.ended(place, failed)) {
            self.stop(error, shared);
        }
    }

    /// Claims cells to execute, or waits a while for what others execute. Whether to go on.
    fn more(&self, shared: &Mutex<Shared>) -> Result<bool, StoreError> {
        let Some(division) = self.division else { return Ok(false) };
        let share = division.next_share(self.store)?;
        let mut guard = shared.lock().unwrap_or_else(PoisonError::into_inner);
        match share {
            Share::Cells(places) => guard.queue.extend(places),
            Share::Over => return Ok(false),
            Share::Wait(pending) => {
                if !pending.is_empty() && !self.wait {
                    guard.report.pending = pending;
                    return Ok(false);
                }
                if !pending.is_empty() && !std::mem::replace(&mut guard.waited, true) {
                    (self.say)("waiting for what other runners execute (`--no-wait` ends now instead)");
                }
                drop(guard);
                std::thread::sleep(LOOK);
            }
        }
        Ok(true)
    }

    /// The store cannot be written: everything stops.
    fn stop(&self, error: StoreError, shared: &Mutex<Shared>) {
        shared.lock().unwrap_or_else(PoisonError::into_inner).report.broken.get_or_insert(error);
        self.cancel.cancel();
    }
}
