//! A session: a run begun or taken up again, up to what is said about it at the end.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use matrix_driver::{Cancel, Driver};
use matrix_plan::plan::Reason;
use matrix_plan::{Cell, CellKey, Filter, Plan, Platform};
use matrix_sim::SimDriver;
use matrix_store::fs::{Filesystem, RealFilesystem};
use matrix_store::{ErrorKind, Event, Journal, NewRun, Run, Store, StoreError, WritableStore, journal};

use super::execute::{Executor, Report};
use super::progress::{Progress, duration};
use super::provenance::provenance;
use super::signals;
use super::states;
use crate::exit::{Exit, Failure};
use crate::input::Input;
use crate::results::plan_of;
use crate::{live, output};

/// A run with cells to execute, what executes them, and the store that it writes.
pub(crate) struct Session {
    driver: Box<dyn Driver>,
    store: WritableStore,
    run: Run,
    journal: Journal,
    cells: Vec<Cell>,
}

/// Where a session writes.
pub(crate) struct Place<'a> {
    results: &'a Path,
    fs: Arc<dyn Filesystem>,
}

impl<'a> Place<'a> {
    /// The directory, on the real file system.
    pub(crate) fn new(results: &'a Path) -> Self {
        Self::on(results, Arc::new(RealFilesystem))
    }

    /// The directory, on this file system.
    pub(crate) fn on(results: &'a Path, fs: Arc<dyn Filesystem>) -> Self {
        Self { results, fs }
    }

    /// Opens the store for writing. A place that cannot hold a store is bad input, whatever the system calls it.
    fn open_for_writing(&self) -> Result<WritableStore, Failure> {
        let store = WritableStore::open_with(self.results, &holder(), Arc::clone(&self.fs));
        store.map_err(|error| match error.kind() {
            ErrorKind::Internal => Failure { exit: Exit::Usage, ..error.into() },
            _ => error.into(),
        })
    }
}

impl Session {
    /// Begins a run, unless there is nothing to do; then nothing is written.
    pub(crate) fn begin(
        place: &Place<'_>,
        input: &Input,
        filter: Option<&Filter>,
        fresh: bool,
        drivers: Drivers<'_>,
    ) -> Result<(Plan, Option<Self>), Failure> {
        let before = Store::open_if_present(place.results)?;
        let plan = states::plan(before.as_ref(), input, filter, fresh)?;
        if plan.to_run().next().is_none() {
            return Ok((plan, None));
        }
        // What cannot be driven leaves no trace in the store.
        let driver = drivers(input, &to_run(&plan, input))?;
        let store = place.open_for_writing()?;
        // Somebody else may have finished cells before the store was ours.
        let plan = states::plan(Some(&store), input, filter, fresh)?;
        let cells = to_run(&plan, input);
        if cells.is_empty() {
            return Ok((plan, None));
        }
        let text = serde_json::to_string(&plan).map_err(|error| Failure::new(Exit::Internal, error.to_string()))?;
        let (run, journal) = store.create_run(&NewRun {
            time: &Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string(),
            name: &input.experiment.name,
            experiment: input.text.as_bytes(),
            model: input.model.as_ref().map(|(_, text)| text.as_bytes()),
            plan: text.as_bytes(),
        })?;
        Ok((plan, Some(Self { driver, store, run, journal, cells })))
    }

    /// Takes up a run where it was left; `input` is what it was begun with. Nothing, if there is nothing left to do.
    pub(crate) fn resume(
        place: &Place<'_>,
        name: &str,
        input: &Input,
        drivers: Drivers<'_>,
    ) -> Result<Option<Self>, Failure> {
        let store = place.open_for_writing()?;
        let run = store.run(name)?;
        let left = left_of(&store, &run, &plan_of(&run)?)?;
        if left.is_empty() {
            return Ok(None);
        }
        let known: BTreeSet<CellKey> = input.cells.iter().map(|(_, cell)| cell.key).collect();
        if let Some(key) = left.iter().find(|key| !known.contains(key)) {
            return Err(Failure::usage(
                format!("run {name} planned cell {}, which its experiment no longer has in this version", key.short()),
                "another version of matrix planned the run: resume it with that one, or `matrix run` the experiment anew",
            ));
        }
        let left: BTreeSet<CellKey> = left.into_iter().collect();
        let cells: Vec<Cell> =
            input.cells.iter().filter(|(_, cell)| left.contains(&cell.key)).map(|(_, cell)| cell.clone()).collect();
        let driver = drivers(input, &cells)?;
        let journal = store.journal(&run);
        journal.append(&Event::Resumed)?;
        Ok(Some(Self { driver, store, run, journal, cells }))
    }

    /// Keeps only these cells to be executed.
    #[cfg(feature = "live")]
    pub(crate) fn retain(&mut self, keep: impl Fn(&CellKey) -> bool) {
        self.cells.retain(|cell| keep(&cell.key));
    }

    /// Number of cells that it will execute.
    pub(crate) fn len(&self) -> usize {
        self.cells.len()
    }

    /// Executes the cells to the end, or until it is interrupted; says what came of it, to the person and in the journal.
    pub(crate) fn execute(self, jobs: Option<NonZeroUsize>) -> Result<Exit, Failure> {
        let cancel = Cancel::default();
        signals::listen(&cancel)?;
        self.execute_until(jobs, &cancel)
    }

    /// The same, until `cancel` asks to stop.
    pub(super) fn execute_until(self, jobs: Option<NonZeroUsize>, cancel: &Cancel) -> Result<Exit, Failure> {
        let report = self.work(jobs, cancel);
        self.conclude(report)
    }

    fn work(&self, jobs: Option<NonZeroUsize>, cancel: &Cancel) -> Report {
        let driver = self.driver.as_ref();
        let requests = self.cells.iter().map(|cell| cell.inputs.requests).sum();
        let progress = Progress::new(self.cells.len() as u64, requests);
        let processors = || std::thread::available_parallelism().ok().filter(|_| !driver.measures());
        let jobs = jobs.or_else(processors).unwrap_or(NonZeroUsize::MIN);
        let executor = Executor {
            store: &self.store,
            journal: &self.journal,
            run: self.run.id(),
            driver,
            provenance: &provenance(driver.services()),
            progress: &progress,
            cancel,
        };
        let start = Instant::now();
        let report = executor.execute(&self.cells, jobs);
        progress.finish();
        let seconds = start.elapsed().as_secs_f64();
        let rate = if seconds > 0.0 { report.requests as f64 / seconds } else { 0.0 };
        let (done, planned, requests) = (report.done, self.cells.len(), report.requests);
        let took = duration(seconds);
        output::note(format_args!("{done} of {planned} cells done in {took}: {requests} requests, {rate:.0} a second"));
        report
    }

    fn conclude(self, report: Report) -> Result<Exit, Failure> {
        let resume = output::resume(self.run.id().as_str(), self.store.path());
        for (cell, error) in &report.failed {
            let (key, axes, round) = (cell.key.short(), cell.axes(), cell.inputs.round);
            output::note(format_args!("failed: {key} ({axes} round {round}): {error}"));
        }
        if let Some(error) = report.broken {
            let exit = if error.kind() == ErrorKind::Integrity { Exit::Integrity } else { Exit::Cells };
            let partial = report.partial;
            output::note(format_args!(
                "the run stopped: {partial} cells are partial, what was done is kept. When the cause is mended: {resume}"
            ));
            return Err(Failure { exit, ..error.into() });
        }
        let left = self.cells.len() - report.failed.len() - usize::try_from(report.done).unwrap_or(usize::MAX);
        let (exit, event) = match (left, report.failed.len()) {
            (0, 0) => (Exit::Ok, Some(Event::Finished)),
            (0, failed) => {
                output::note(format_args!("{failed} cells failed. To try them again: {resume}"));
                (Exit::Cells, None)
            }
            (left, _) => {
                output::note(format_args!(
                    "interrupted with {left} cells left; what was done is saved. To go on: {resume}"
                ));
                (Exit::Interrupted, Some(Event::Interrupted))
            }
        };
        if let Some(event) = event {
            self.journal.append(&event)?;
        }
        drop(self.journal);
        self.store.close()?;
        Ok(exit)
    }
}

/// Makes what executes these cells of an experiment.
pub(crate) type Drivers<'a> = &'a dyn Fn(&Input, &[Cell]) -> Result<Box<dyn Driver>, Failure>;

/// What executes an experiment's cells: by its platform.
pub(crate) fn driver(input: &Input, cells: &[Cell]) -> Result<Box<dyn Driver>, Failure> {
    match (input.experiment.platform, &input.model) {
        (Platform::Sim, Some((model, _))) => Ok(Box::new(SimDriver::new(model.clone()))),
        (Platform::Sim, None) => Err(Failure::new(Exit::Internal, "the experiment has no model")),
        (Platform::Local | Platform::Aws, _) => live::driver(input, cells),
    }
}

/// The cells that a plan runs, in order.
pub(crate) fn to_run(plan: &Plan, input: &Input) -> Vec<Cell> {
    let planned = plan.cells.iter().zip(&input.cells);
    planned.filter(|(planned, _)| planned.reason.runs()).map(|(_, (_, cell))| cell.clone()).collect()
}

/// Who writes, as others are told.
fn holder() -> String {
    let words: Vec<String> = std::env::args().skip(1).collect();
    format!("matrix {}", words.join(" "))
}

/// The cells left to do of a run: those that it was to execute and that have no result yet.
pub(crate) fn left_of(store: &Store, run: &Run, plan: &Plan) -> Result<Vec<CellKey>, StoreError> {
    let states = run.journal().cell_states();
    let (fresh, others): (Vec<_>, Vec<_>) = plan.to_run().partition(|cell| cell.reason == Reason::Fresh);
    let fresh = fresh.into_iter().map(|cell| cell.key).filter(|key| states.get(key) != Some(&journal::CellState::Done));
    let keys: Vec<CellKey> = others.into_iter().map(|cell| cell.key).collect();
    let done = store.done(&keys)?;
    let missing = keys.iter().zip(done).filter(|(_, done)| !done).map(|(key, _)| *key);
    Ok(fresh.chain(missing).collect())
}

/// The runs that were begun and not finished, and that have cells left to do: the oldest first.
pub(crate) fn interrupted_runs(store: &Store) -> Result<Vec<Run>, Failure> {
    let mut found = Vec::new();
    for id in store.runs()? {
        let run = store.run(id.as_str())?;
        if !run.journal().is_finished() && !left_of(store, &run, &plan_of(&run)?)?.is_empty() {
            found.push(run);
        }
    }
    Ok(found)
}
