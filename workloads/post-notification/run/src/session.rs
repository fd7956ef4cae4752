//! A session: a run begun or taken up again, up to what is said about it at the end.

mod access;
mod end;
mod left;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use matrix_app::Row;
use matrix_driver::{Cancel, Driver};
use matrix_plan::plan::Reason;
use matrix_plan::{Again, Cell, CellKey, Part, Plan};
use matrix_store::{Digest, Division, Event, Journal, NewRun, Run, Store, StoreError, WritableStore};

pub use self::access::{StoreAccess, sweep};
pub use self::end::SessionEnd;
use self::left::cells_left;
pub use self::left::{interrupted_runs, left_of};
use crate::error::{FailureKind, RunError};
use crate::execute::{Executor, Report};
use crate::input::Input;
use crate::observer::Observer;
use crate::provenance::Program;
use crate::results::plan_of;
use crate::states;
use crate::wording::duration;

/// A run with cells to execute, what executes them, and the store that it writes.
pub struct Session {
    program: Program,
    driver: Box<dyn Driver<Cell, Row>>,
    store: WritableStore,
    run: Run,
    journal: Journal,
    cells: Vec<Cell>,
    /// The number of the block of each cell of the experiment, where other runners may execute the same run.
    blocks: Option<BTreeMap<CellKey, u32>>,
    wait: bool,
}

/// Most claims that a run of simulated cells is divided by: a claim takes longer than a small cell.
const MOST_CLAIMS: u32 = 512;

impl Session {
    /// Begins a run, unless there is nothing to do; then nothing is written.
    ///
    /// # Errors
    /// The store cannot be read or written, or there is no driver for the cells.
    pub fn begin<E: From<RunError>>(
        access: &StoreAccess<'_>,
        input: &Input,
        part: &Part,
        again: &Again,
        drivers: Drivers<'_, E>,
    ) -> Result<(Plan, Option<Self>), E> {
        let plan = planned(access, input, part, again)?;
        if plan.to_run().next().is_none() {
            return Ok((plan, None));
        }
        // What cannot be driven leaves no trace in the store.
        let cells = to_run(&plan, input);
        let driver = drivers(input, &cells)?;
        let store = access.open(driver.as_ref())?;
        Ok(Self::begun(access, input, part, again, store, driver)?)
    }

    fn begun(
        access: &StoreAccess<'_>,
        input: &Input,
        part: &Part,
        again: &Again,
        store: WritableStore,
        driver: Box<dyn Driver<Cell, Row>>,
    ) -> Result<(Plan, Option<Self>), RunError> {
        // Somebody else may have finished cells before the store was ours.
        let plan = states::plan(Some(&store), input, part, again)?;
        let mut cells = to_run(&plan, input);
        if cells.is_empty() {
            return Ok((plan, None));
        }
        let text =
            serde_json::to_string(&plan).map_err(|error| RunError::new(FailureKind::Internal, error.to_string()))?;
        let new = NewRun {
            time: &Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string(),
            name: &input.experiment.name,
            experiment: input.text.as_bytes(),
            model: input.model.as_ref().map(|(_, text)| text.as_bytes()),
            plan: text.as_bytes(),
        };
        let (run, journal) = if store.is_joined() {
            let replaced: Vec<CellKey> =
                plan.cells.iter().filter(|cell| cell.reason == Reason::Fresh).map(|cell| cell.key).collect();
            let (run, journal, is_new) = store.join_run(&meaning(input, &plan, again), &new, &replaced)?;
            if !again.is_none() && !is_new {
                // What it replaces was fixed when it was made.
                cells = cells_left(&store, &run, input)?;
            }
            (run, journal)
        } else {
            store.create_run(&new)?
        };
        let blocks = store.is_joined().then(|| blocks(input));
        let program = access.program.clone();
        Ok((plan, Some(Self { program, driver, store, run, journal, cells, blocks, wait: true })))
    }

    /// Takes up a run where it was left; `input` is what it was begun with. Nothing, if there is nothing left to do.
    ///
    /// # Errors
    /// There is no such run, it cannot be resumed in this version, the store cannot be written, or there is no driver for the cells.
    pub fn resume<E: From<RunError>>(
        access: &StoreAccess<'_>,
        name: &str,
        input: &Input,
        drivers: Drivers<'_, E>,
    ) -> Result<Option<Self>, E> {
        let store = Store::open(access.results).map_err(RunError::from)?;
        let run = store.run(name).map_err(RunError::from)?;
        let before = cells_left(&store, &run, input)?;
        if before.is_empty() {
            return Ok(None);
        }
        let driver = drivers(input, &before)?;
        // What a run replaces without a generation, it writes over.
        let replaces = plan_of(&run)?.cells.iter().any(|cell| cell.reason == Reason::Fresh);
        let writes_over = replaces && run.generation().is_none();
        let store = if writes_over { access.open_for_writing()? } else { access.open(driver.as_ref())? };
        Ok(Self::resumed(access, name, input, store, driver)?)
    }

    fn resumed(
        access: &StoreAccess<'_>,
        name: &str,
        input: &Input,
        store: WritableStore,
        driver: Box<dyn Driver<Cell, Row>>,
    ) -> Result<Option<Self>, RunError> {
        let run = store.run(name)?;
        let cells = cells_left(&store, &run, input)?;
        if cells.is_empty() {
            return Ok(None);
        }
        let journal = if store.is_joined() { store.enter_run(&run)? } else { store.journal(&run) };
        journal.append(&Event::Resumed)?;
        let blocks = store.is_joined().then(|| blocks(input));
        Ok(Some(Self { program: access.program.clone(), driver, store, run, journal, cells, blocks, wait: true }))
    }

    /// Whether to wait, at the end, for cells that other runners execute. It does, unless this says otherwise.
    pub fn set_waiting(&mut self, wait: bool) {
        self.wait = wait;
    }

    /// How the cells are divided between this runner and others.
    fn division(&self) -> Result<Option<Division>, StoreError> {
        let Some(blocks) = &self.blocks else { return Ok(None) };
        let number = blocks.values().max().map_or(1, |last| last + 1);
        let at_once = number.div_ceil(MOST_CLAIMS);
        let batch = |cell: &Cell| blocks.get(&cell.key).copied().unwrap_or_default() / at_once;
        let cells: Vec<(CellKey, u32)> = self.cells.iter().map(|cell| (cell.key, batch(cell))).collect();
        self.store.division(&self.run, &cells)
    }

    /// Keeps only these cells to be executed.
    pub fn retain(&mut self, keep: impl Fn(&CellKey) -> bool) {
        self.cells.retain(|cell| keep(&cell.key));
    }

    /// Number of cells that it will execute.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Number of requests of those cells.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.cells.iter().map(|cell| cell.inputs.requests).sum()
    }

    /// Executes the cells to the end, or until `cancel` asks to stop; the journal and the observer get to know how that ended.
    ///
    /// # Errors
    /// The store cannot be written. What was done is kept.
    pub fn execute(
        self,
        jobs: Option<NonZeroUsize>,
        cancel: &Cancel,
        observer: &dyn Observer,
    ) -> Result<SessionEnd, RunError> {
        let division = self.division()?;
        let mut report = self.work(jobs, cancel, observer, division.as_ref());
        if let Some(division) = &division
            && let Err(error) = division.release()
        {
            report.broken.get_or_insert(error);
        }
        self.conclude(report, division, observer)
    }

    fn work(
        &self,
        jobs: Option<NonZeroUsize>,
        cancel: &Cancel,
        observer: &dyn Observer,
        division: Option<&Division>,
    ) -> Report {
        let driver = self.driver.as_ref();
        let processors = || std::thread::available_parallelism().ok().filter(|_| !driver.needs_exclusive_host());
        let jobs = jobs.or_else(processors).unwrap_or(NonZeroUsize::MIN);
        let executor = Executor {
            store: &self.store,
            journal: &self.journal,
            run: self.run.id(),
            driver,
            provenance: &Arc::new(self.program.provenance(driver.services())),
            observer,
            cancel,
            division,
            wait: self.wait,
            jobs,
        };
        let start = Instant::now();
        let report = executor.execute(&self.cells);
        observer.finish();
        let seconds = start.elapsed().as_secs_f64();
        let rate = if seconds > 0.0 { report.requests as f64 / seconds } else { 0.0 };
        let (done, planned, requests) = (report.done, self.cells.len(), report.requests);
        let took = duration(seconds);
        observer
            .note(format_args!("{done} of {planned} cells done in {took}: {requests} requests, {rate:.0} a second"));
        report
    }
}

/// The digest of what runners of one run have in common.
fn meaning(input: &Input, plan: &Plan, again: &Again) -> Digest {
    let model = input.model.as_ref().map(|(_, text)| text.as_str()).unwrap_or_default();
    let mut text = format!("{}\n{model}\n{:?} {:?} {}\n", input.text, plan.filter, plan.shard, again.name());
    for (_, cell) in &input.cells {
        text += &cell.key.to_string();
    }
    Digest::of(text.as_bytes())
}

/// The number of the block of each cell.
fn blocks(input: &Input) -> BTreeMap<CellKey, u32> {
    input.cells.iter().map(|(block, cell)| (cell.key, *block)).collect()
}

/// The plan, as the store stands that may be there.
fn planned(access: &StoreAccess<'_>, input: &Input, part: &Part, again: &Again) -> Result<Plan, RunError> {
    let store = Store::open_if_present(access.results)?;
    Ok(states::plan(store.as_ref(), input, part, again)?)
}

/// Makes what executes these cells of an experiment.
pub type Drivers<'a, E> = &'a dyn Fn(&Input, &[Cell]) -> Result<Box<dyn Driver<Cell, Row>>, E>;

/// The cells that a plan runs, in order.
pub fn to_run(plan: &Plan, input: &Input) -> Vec<Cell> {
    let planned = plan.cells.iter().zip(&input.cells);
    planned.filter(|(planned, _)| planned.reason.runs()).map(|(_, (_, cell))| cell.clone()).collect()
}
