//! Executing cells: workers take them from the schedule, and the result of each is in the store before the journal reports it.

mod cell;

use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use matrix_app::Row;
use matrix_driver::{Cancel, Driver, Reason};
use matrix_plan::Cell;
use matrix_store::{Division, Group, Journal, Pending, Provenance, RunId, Share, StoreError, WritableStore};

use self::cell::Ended;
use crate::observer::Observer;
use crate::schedule::{Next, Schedule};

/// What a run needs to execute its cells.
pub(crate) struct Executor<'a> {
    pub(crate) store: &'a WritableStore,
    pub(crate) journal: &'a Journal,
    pub(crate) run: &'a RunId,
    pub(crate) driver: &'a dyn Driver<Cell, Row>,
    pub(crate) provenance: &'a Arc<Provenance>,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) cancel: &'a Cancel,
    /// How the cells are divided between runners, where others may execute the same run; without it, all are executed here.
    pub(crate) division: Option<&'a Division>,
    /// Whether to wait for what others have claimed.
    pub(crate) wait: bool,
    /// Cells at the same time.
    pub(crate) jobs: NonZeroUsize,
}

/// How long a worker waits at first, and at most, before it looks again what others have claimed.
const LOOKS: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(1)];

/// How long results of small cells wait for others, to be synced together. A crash loses the cells of that time.
const GROUP_TIME: Duration = Duration::from_millis(200);

/// Most cells in a group: each has three files, which wait in one folder.
const GROUP_CELLS: usize = 1000;

/// A cell that has a result, which may be in a group that is not committed yet.
struct Finished<'a> {
    place: usize,
    cell: &'a Cell,
    reasons: Vec<Reason>,
    throttled: u64,
    disturbed: bool,
}

/// What workers have finished and nobody has committed yet.
struct Open<'a> {
    group: Group,
    finished: Vec<Finished<'a>>,
}

/// The results of the cells.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Cells that have a result now.
    pub(crate) done: u64,
    /// Requests of those cells.
    pub(crate) requests: u64,
    /// Cells that broke, and why.
    pub(crate) failed: Vec<(Cell, Broken)>,
    /// Cells that are done though some of their requests failed, and why these did.
    pub(crate) troubled: Vec<(Cell, Vec<Reason>)>,
    /// Invocations that a service throttled, and that were made again.
    pub(crate) throttled: u64,
    /// Cells on whose host others worked meanwhile.
    pub(crate) disturbed: u64,
    /// Cells that ended early.
    pub(crate) partial: u64,
    /// What others have claimed, where nobody waits for them.
    pub(crate) pending: Vec<Pending>,
    /// What made the whole run stop, if the store could not be written.
    pub(crate) broken: Option<StoreError>,
}

/// Why a cell has no result.
#[derive(Clone, Debug, Default)]
pub(crate) struct Broken {
    /// What broke.
    pub(crate) error: String,
    /// Why its requests failed, as far as somebody said.
    pub(crate) reasons: Vec<Reason>,
}

/// Stack of a worker: calls of services nest deeper than the usual 2 MiB hold where nothing is optimised. Memory is taken only as
/// far as it is used.
const STACK_BYTES: usize = 16 << 20;

struct Shared<'a> {
    schedule: Schedule,
    open: Open<'a>,
    report: Report,
    /// Whether somebody was told that others are waited for.
    waited: bool,
}

impl Executor<'_> {
    /// Executes the cells, in their order, by so many workers. Returns when all are done, or when everything has stopped
    /// because a stop was asked for or the store could not be written.
    pub(crate) fn execute(&self, cells: &[Cell]) -> Report {
        let here = if self.division.is_some() { &[] } else { cells };
        let waiting = here.iter().enumerate().map(|(place, cell)| (place, self.driver.resources(cell)));
        let shared = Mutex::new(Shared {
            schedule: Schedule::new(waiting),
            open: Open { group: self.store.group(), finished: Vec::new() },
            report: Report::default(),
            waited: false,
        });
        let released = Condvar::new();
        std::thread::scope(|scope| {
            let (opens, opened) = channel();
            for _ in 0..self.jobs.get().min(cells.len()) {
                let worker = Builder::new().name("matrix-worker".to_owned()).stack_size(STACK_BYTES);
                let theirs = opens.clone();
                let (shared, released) = (&shared, &released);
                // Where the system has no thread to give, this one does the work.
                if worker.spawn_scoped(scope, move || self.work(cells, shared, released, &theirs)).is_err() {
                    self.work(cells, shared, released, &opens);
                }
            }
            drop(opens);
            self.commit_in_time(&opened, &shared, &released);
        });
        self.commit(&shared, &released);
        shared.into_inner().unwrap_or_else(PoisonError::into_inner).report
    }

    /// Commits each group that is open for its time, until every worker has ended: the cell that a worker executes may take long.
    fn commit_in_time(&self, opened: &Receiver<()>, shared: &Mutex<Shared<'_>>, released: &Condvar) {
        while opened.recv().is_ok() {
            loop {
                match opened.recv_timeout(GROUP_TIME) {
                    // Somebody has committed it, and this is the next one.
                    Ok(()) => {}
                    Err(RecvTimeoutError::Timeout) => break self.commit(shared, released),
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        }
    }

    fn work<'a>(&self, cells: &'a [Cell], shared: &Mutex<Shared<'a>>, released: &Condvar, opens: &Sender<()>) {
        let lock = || -> MutexGuard<'_, Shared<'a>> { shared.lock().unwrap_or_else(PoisonError::into_inner) };
        let mut look = LOOKS[0];
        loop {
            let mut guard = lock();
            if self.cancel.is_cancelled() {
                guard.schedule.clear();
            }
            let place = match guard.schedule.next() {
                Next::Cell(place) => place,
                Next::Nothing => {
                    let is_open = !guard.open.finished.is_empty();
                    drop(guard);
                    let stopped = self.cancel.is_cancelled();
                    let share = self.division.filter(|_| !stopped).map(|division| division.next_share(self.store));
                    // A group spans claims. When nothing is left to claim, others may wait for what is in it.
                    if is_open && !matches!(share, Some(Ok(Share::Cells(_)))) {
                        self.commit(shared, released);
                        if !matches!(share, Some(Err(_))) {
                            continue;
                        }
                    }
                    match share {
                        Some(Ok(Share::Cells(places))) => {
                            look = LOOKS[0];
                            let mut guard = lock();
                            for place in places {
                                let resources = cells.get(place).map(|cell| self.driver.resources(cell));
                                guard.schedule.add(place, resources.unwrap_or_default());
                            }
                            drop(guard);
                            released.notify_all();
                        }
                        Some(Ok(Share::Wait(pending))) => {
                            if !self.waits(pending, shared) {
                                return;
                            }
                            drop(released.wait_timeout(lock(), look).unwrap_or_else(PoisonError::into_inner));
                            look = (look * 2).min(LOOKS[1]);
                        }
                        None | Some(Ok(Share::Over)) => {
                            released.notify_all();
                            return;
                        }
                        Some(Err(error)) => {
                            self.stop(error, shared);
                            return;
                        }
                    }
                    continue;
                }
                Next::Wait => {
                    drop(released.wait(guard).unwrap_or_else(PoisonError::into_inner));
                    continue;
                }
            };
            drop(guard);
            let Some(cell) = cells.get(place) else { return };

            self.observer.begin(place, format!("{} round {}", cell.axes(), cell.inputs.round));
            let mut group = self.store.group();
            let result = self.tried(cell, &mut group);
            self.observer.end(place, matches!(result, Ok(Ended::Done { .. })));

            let mut guard = lock();
            guard.schedule.release(&self.driver.resources(cell));
            let has_failed = matches!(result, Ok(Ended::Failed(_) | Ended::EnvironmentChanged(_)));
            let mut commits = false;
            match result {
                Ok(Ended::Done { reasons, throttled, disturbed }) => {
                    // What was measured is in the store, and waits for nothing.
                    commits = group.is_empty() || guard.open.finished.len() + 1 >= GROUP_CELLS;
                    if guard.open.finished.is_empty() {
                        // The receiver lives as long as the workers.
                        let _ = opens.send(());
                    }
                    guard.open.group.absorb(group);
                    guard.open.finished.push(Finished { place, cell, reasons, throttled, disturbed });
                }
                Ok(Ended::Failed(broken)) => guard.report.failed.push((cell.clone(), broken)),
                Ok(Ended::EnvironmentChanged(error)) => {
                    guard.report.failed.push((cell.clone(), Broken { error, reasons: Vec::new() }));
                }
                Ok(Ended::Partial) => guard.report.partial += 1,
                Err(error) => {
                    guard.report.partial += 1;
                    guard.report.broken.get_or_insert(error);
                    self.cancel.cancel();
                }
            }
            drop(guard);
            if has_failed {
                self.ended(place, true, shared);
            }
            released.notify_all();
            if commits {
                self.commit(shared, released);
            }
        }
    }

    /// Commits what workers have finished, and counts it.
    fn commit(&self, shared: &Mutex<Shared<'_>>, released: &Condvar) {
        let lock = || shared.lock().unwrap_or_else(PoisonError::into_inner);
        let Open { group, finished } =
            std::mem::replace(&mut lock().open, Open { group: self.store.group(), finished: Vec::new() });
        let committed = self.store.commit(group, self.journal);
        let mut guard = lock();
        let report = &mut guard.report;
        if let Err(error) = committed {
            report.partial += finished.len() as u64;
            report.broken.get_or_insert(error);
            self.cancel.cancel();
            return;
        }
        let mut ended = Vec::new();
        for Finished { place, cell, reasons, throttled, disturbed } in finished {
            report.throttled += throttled;
            report.disturbed += u64::from(disturbed);
            if !reasons.is_empty() {
                report.troubled.push((cell.clone(), reasons));
            }
            report.done += 1;
            report.requests += cell.inputs.requests;
            ended.push(place);
        }
        drop(guard);
        for place in ended {
            self.ended(place, false, shared);
        }
        released.notify_all();
    }

    /// Whether to wait for others. Says so once.
    fn waits(&self, pending: Vec<Pending>, shared: &Mutex<Shared<'_>>) -> bool {
        let mut guard = shared.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.is_empty() {
            return true;
        }
        if !self.wait {
            guard.report.pending = pending;
            return false;
        }
        if !std::mem::replace(&mut guard.waited, true) {
            self.observer.note(format_args!("waiting for what other runners execute (`--no-wait` ends now instead)"));
        }
        true
    }

    /// Lets other runners know that a cell has ended.
    fn ended(&self, place: usize, failed: bool, shared: &Mutex<Shared<'_>>) {
        if let Some(Err(error)) = self.division.map(|division| division.ended(place, failed)) {
            self.stop(error, shared);
        }
    }

    /// The store cannot be written: everything stops.
    fn stop(&self, error: StoreError, shared: &Mutex<Shared<'_>>) {
        shared.lock().unwrap_or_else(PoisonError::into_inner).report.broken.get_or_insert(error);
        self.cancel.cancel();
    }
}
