//! Executing cells: workers take them from the schedule, and the result of each is in the store before the journal reports it.

use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use matrix_core::CellKey;
use matrix_driver::Cancel;
use matrix_store::{Division, Group, Pending, Share, StoreError};

use crate::schedule::{Next, Schedule};
use crate::session::{Report, Session};

/// What a workload brings to have its cells executed. Workers call it from their threads.
pub trait Work: Sync {
    /// A cell.
    type Cell: Sync;
    /// What there is to count of a result.
    type Result: Send;
    /// Why a cell has none.
    type Failure: Send;

    /// The key of a cell, and the number of its block, from 0: runners claim whole blocks.
    fn key_and_block(&self, cell: &Self::Cell) -> (CellKey, u32);

    /// Names of what a cell needs for itself: cells that share a name do not run at the same time.
    fn resources(&self, cell: &Self::Cell) -> Vec<String> {
        let _ = cell;
        Vec::new()
    }

    /// Executes the cell at this place of those to execute, and keeps its attempt. A result is in the group, where it waits for others
    /// to be committed with, or in the store when this returns: that is for what was measured.
    ///
    /// # Errors
    /// When the store cannot be read or written; then the whole run stops.
    fn execute(
        &self,
        session: &Session,
        place: usize,
        cell: &Self::Cell,
        group: &mut Group,
    ) -> Result<Ended<Self::Result, Self::Failure>, StoreError>;

    /// Counts a result, which is in the store now, or a failure.
    fn count(&self, cell: &Self::Cell, end: Result<Self::Result, Self::Failure>);

    /// Whether no further cell is to begin, though nobody cancelled the run.
    fn is_over(&self) -> bool {
        false
    }

    /// Tells the person something, once.
    fn note(&self, text: &str);
}

/// How a cell ended.
#[derive(Debug)]
pub enum Ended<R, F> {
    /// With a result.
    Done(R),
    /// Without one: it broke.
    Failed(F),
    /// It was interrupted.
    Partial,
}

/// How cells are executed.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Cells at the same time.
    pub jobs: NonZeroUsize,
    /// Whether to wait, at the end, for cells that other runners execute.
    pub wait: bool,
    /// Asks to stop.
    pub cancel: &'a Cancel,
}

/// How long a worker waits at first, and at most, before it looks again what others have claimed.
const LOOKS: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(1)];

/// How long results of small cells wait for others, to be synced together. A crash loses the cells of that time.
const GROUP_TIME: Duration = Duration::from_millis(200);

/// Most cells in a group: each has three files, which wait in one folder.
const GROUP_CELLS: usize = 1000;

/// Stack of a worker: calls of services nest deeper than the usual 2 MiB hold where nothing is optimised. Memory is taken only as
/// far as it is used.
const STACK_BYTES: usize = 16 << 20;

/// Those who execute the cells of a session.
pub(crate) struct Workers<'a, W: Work> {
    session: &'a Session,
    work: &'a W,
    cells: &'a [W::Cell],
    /// How the cells are divided between runners, where others may execute the same run; without it, all are executed here.
    division: Option<&'a Division>,
    options: Options<'a>,
    state: Mutex<State<W::Result>>,
    /// Something that a worker may wait for has changed.
    released: Condvar,
}

struct State<R> {
    schedule: Schedule,
    open: Open<R>,
    report: Report,
    /// Whether somebody was told that others are waited for.
    waited: bool,
}

/// What workers have finished and nobody has committed yet: the places of the cells, and what is to be counted of them.
struct Open<R> {
    group: Group,
    finished: Vec<(usize, R)>,
}

impl<'a, W: Work> Workers<'a, W> {
    pub(crate) fn new(
        session: &'a Session,
        work: &'a W,
        cells: &'a [W::Cell],
        division: Option<&'a Division>,
        options: Options<'a>,
    ) -> Self {
        let here = if division.is_some() { &[] } else { cells };
        let schedule = Schedule::new(here.iter().map(|cell| work.resources(cell)).enumerate());
        let open = Open { group: session.store().group(), finished: Vec::new() };
        let state = Mutex::new(State { schedule, open, report: Report::default(), waited: false });
        Self { session, work, cells, division, options, state, released: Condvar::new() }
    }

    /// Executes the cells, in their order. Returns when all are done, or when everything has stopped because a stop was asked for or the
    /// store could not be written.
    pub(crate) fn execute(self) -> Report {
        std::thread::scope(|scope| {
            let (opens, opened) = channel();
            for _ in 0..self.options.jobs.get().min(self.cells.len()) {
                let worker = Builder::new().name("matrix-worker".to_owned()).stack_size(STACK_BYTES);
                let (this, theirs) = (&self, opens.clone());
                // Where the system has no thread to give, this one does the work.
                if worker.spawn_scoped(scope, move || this.work(&theirs)).is_err() {
                    self.work(&opens);
                }
            }
            drop(opens);
            self.commit_in_time(&opened);
        });
        self.commit();
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).report
    }

    /// Commits each group that has been open for its time, until every worker has ended: what a worker executes next may take long.
    fn commit_in_time(&self, opened: &Receiver<()>) {
        while opened.recv().is_ok() {
            loop {
                match opened.recv_timeout(GROUP_TIME) {
                    // A worker has committed it, and this is the next one.
                    Ok(()) => {}
                    Err(RecvTimeoutError::Timeout) => break self.commit(),
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        }
    }

    fn work(&self, opens: &Sender<()>) {
        while let Some((place, cell)) = self.next() {
            let mut group = self.session.store().group();
            let ended = self.work.execute(self.session, place, cell, &mut group);
            self.lock().schedule.release(&self.work.resources(cell));
            match ended {
                Ok(Ended::Done(result)) if group.is_empty() => self.done(vec![(place, result)]),
                Ok(Ended::Done(result)) => self.keep(group, (place, result), opens),
                Ok(Ended::Failed(failure)) => {
                    self.work.count(cell, Err(failure));
                    self.lock().report.failed += 1;
                    self.ended(place, true);
                }
                Ok(Ended::Partial) => self.lock().report.partial += 1,
                Err(error) => {
                    self.lock().report.partial += 1;
                    self.stop(error);
                }
            }
            self.released.notify_all();
        }
    }

    /// The next cell to execute, claimed if others may execute it; nothing if none is left or everything stops.
    fn next(&self) -> Option<(usize, &'a W::Cell)> {
        let mut look = LOOKS[0];
        loop {
            let mut state = self.lock();
            let stops = self.options.cancel.is_cancelled() || self.work.is_over();
            if stops {
                state.schedule.clear();
            }
            match state.schedule.next() {
                Next::Cell(place) => return self.cells.get(place).map(|cell| (place, cell)),
                Next::Wait => {
                    drop(self.released.wait(state).unwrap_or_else(PoisonError::into_inner));
                    continue;
                }
                Next::Nothing => {}
            }
            let is_open = !state.open.finished.is_empty();
            drop(state);
            let share = match self.division.filter(|_| !stops) {
                Some(division) => division.next_share(self.session.store()).map_err(|error| self.stop(error)).ok()?,
                None => Share::Over,
            };
            match share {
                Share::Cells(places) => {
                    let mut state = self.lock();
                    for (place, cell) in places.into_iter().filter_map(|place| Some((place, self.cells.get(place)?))) {
                        state.schedule.add(place, self.work.resources(cell));
                    }
                    self.released.notify_all();
                }
                // A group spans claims. When nothing is left to claim, others may wait for what is in it.
                Share::Wait(_) | Share::Over if is_open => self.commit(),
                Share::Wait(pending) => {
                    if !self.waits(pending) {
                        return None;
                    }
                    let waited = self.released.wait_timeout(self.lock(), look);
                    drop(waited.unwrap_or_else(PoisonError::into_inner));
                    look = (look * 2).min(LOOKS[1]);
                }
                Share::Over => {
                    self.released.notify_all();
                    return None;
                }
            }
        }
    }

    /// Adds a result to the open group.
    fn keep(&self, group: Group, finished: (usize, W::Result), opens: &Sender<()>) {
        let mut state = self.lock();
        if state.open.finished.is_empty() {
            // The receiver lives as long as the workers.
            let _ = opens.send(());
        }
        state.open.group.absorb(group);
        state.open.finished.push(finished);
        let is_full = state.open.finished.len() >= GROUP_CELLS;
        drop(state);
        if is_full {
            self.commit();
        }
    }

    /// Commits the open group, and counts what was in it.
    fn commit(&self) {
        let new = Open { group: self.session.store().group(), finished: Vec::new() };
        let Open { group, finished } = std::mem::replace(&mut self.lock().open, new);
        match self.session.store().commit(group, self.session.journal()) {
            Ok(()) => self.done(finished),
            Err(error) => {
                self.stop(error);
                // Some may be in the store: what failed may have come after them.
                let places: Vec<usize> = finished.iter().map(|(place, _)| *place).collect();
                let done = self.division.and_then(|division| division.done(self.session.store(), &places).ok());
                let mut done = done.unwrap_or_default().into_iter();
                let (kept, lost): (Vec<_>, Vec<_>) = finished.into_iter().partition(|_| done.next() == Some(true));
                self.lock().report.partial += lost.len();
                self.done(kept);
            }
        }
    }

    /// Counts results that are in the store.
    fn done(&self, finished: Vec<(usize, W::Result)>) {
        self.lock().report.done += finished.len();
        for (place, result) in finished {
            if let Some(cell) = self.cells.get(place) {
                self.work.count(cell, Ok(result));
            }
            self.ended(place, false);
        }
        self.released.notify_all();
    }

    /// Whether to wait for others. Says so once.
    fn waits(&self, pending: Vec<Pending>) -> bool {
        let mut state = self.lock();
        if pending.is_empty() {
            return true;
        }
        if !self.options.wait {
            state.report.pending = pending;
            return false;
        }
        if !std::mem::replace(&mut state.waited, true) {
            self.work.note("waiting for what other runners execute (`--no-wait` ends now instead)");
        }
        true
    }

    /// Lets other runners know that a cell has ended.
    fn ended(&self, place: usize, failed: bool) {
        if let Some(Err(error)) = self.division.map(|division| division.ended(place, failed)) {
            self.stop(error);
        }
    }

    /// The store cannot be written: everything stops.
    fn stop(&self, error: StoreError) {
        self.lock().report.broken.get_or_insert(error);
        self.options.cancel.cancel();
    }

    fn lock(&self) -> MutexGuard<'_, State<W::Result>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
