//! A session: a run begun or taken up again, up to what is said about it at the end.

mod access;
mod end;
mod left;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use matrix_app::Row;
use matrix_driver::{Cancel, Driver};
use matrix_plan::plan::Reason;
use matrix_plan::{Again, Cell, CellKey, CellState, Part, Plan};
use matrix_session::{Options, SessionEnd};
use matrix_store::{Digest, NewRun, RunId, Store, WritableStore};

pub use self::access::{StoreAccess, sweep};
use self::end::conclude;
use self::left::cells_left;
pub use self::left::{interrupted_runs, left_of};
use crate::error::{FailureKind, RunError};
use crate::execute::Executor;
use crate::input::Input;
use crate::observer::Observer;
use crate::provenance::Program;
use crate::results::plan_of;
use crate::states;
use crate::wording::{self, duration};

/// A run with cells to execute, what executes them, and the store that it writes.
pub struct Session {
    program: Program,
    driver: Box<dyn Driver<Cell, Row>>,
    session: matrix_session::Session,
    /// The cells to execute, with the numbers of their blocks.
    cells: Vec<(u32, Cell)>,
    /// Number of blocks of the experiment.
    blocks: u32,
    wait: bool,
}

/// What a beginning came to.
pub struct Begun {
    /// The plan.
    pub plan: Plan,
    /// What is to be executed, if anything is.
    pub session: Option<Session>,
    /// The run that saved the experiment's text, where nothing is to be executed and the newest run had another text.
    pub saved: Option<RunId>,
}

impl Session {
    /// Begins a run, unless there is nothing to do; then nothing is written, but for a run without cells to execute where the
    /// experiment's text is not the one that its newest run saved: claims and figures are read from there.
    ///
    /// # Errors
    /// The store cannot be read or written, or there is no driver for the cells.
    pub fn begin<E: From<RunError>>(
        access: &StoreAccess<'_>,
        input: &Input,
        part: &Part,
        again: &Again,
        drivers: Drivers<'_, E>,
    ) -> Result<Begun, E> {
        let store = Store::open_if_present(access.results).map_err(RunError::from)?;
        let plan = states::plan(store.as_ref(), input, part, again).map_err(RunError::from)?;
        if plan.to_run().next().is_none() {
            let is_saved = store.map_or(Ok(true), |store| is_saved(&store, input, &plan))?;
            let saved = if is_saved { None } else { Some(save(access.join()?, input, &plan, again)?) };
            return Ok(Begun { plan, session: None, saved });
        }
        drop(store);
        // What cannot be driven leaves no trace in the store.
        let driver = drivers(input, &to_run(&plan, input))?;
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
    ) -> Result<Begun, RunError> {
        // Somebody else may have finished cells before the store was ours.
        let plan = states::plan(Some(&store), input, part, again)?;
        let mut cells: Vec<(u32, Cell)> = planned_to_run(&plan, input).cloned().collect();
        if cells.is_empty() {
            return Ok(Begun { plan, session: None, saved: None });
        }
        let session = new_session(store, input, &plan, again)?;
        if !again.is_none() && !session.is_new() {
            // What it replaces was fixed when it was made.
            cells = cells_left(session.store(), session.run(), input)?;
        }
        Ok(Begun { plan, session: Some(Self::of(access, input, session, cells, driver)), saved: None })
    }

    fn of(
        access: &StoreAccess<'_>,
        input: &Input,
        session: matrix_session::Session,
        cells: Vec<(u32, Cell)>,
        driver: Box<dyn Driver<Cell, Row>>,
    ) -> Self {
        let blocks = input.cells.iter().map(|(block, _)| block + 1).max().unwrap_or(1);
        Self { program: access.program.clone(), driver, session, cells, blocks, wait: true }
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
        let before: Vec<Cell> = before.into_iter().map(|(_, cell)| cell).collect();
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
        let plan = plan_of(&run)?;
        let again = Again::name_in_plan(plan.fresh, plan.cells.iter().map(|cell| cell.reason));
        let session = matrix_session::Session::resume(store, run, &meaning(input, &plan, again))?;
        Ok(Some(Self::of(access, input, session, cells, driver)))
    }

    /// Whether to wait, at the end, for cells that other runners execute. It does, unless this says otherwise.
    pub fn set_waiting(&mut self, wait: bool) {
        self.wait = wait;
    }

    /// Keeps only these cells to be executed.
    pub fn retain(&mut self, keep: impl Fn(&CellKey) -> bool) {
        self.cells.retain(|(_, cell)| keep(&cell.key));
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

    /// Whether its run was made by it, and not by another runner or an earlier command.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.session.is_new()
    }

    /// The run's name.
    #[must_use]
    pub fn run(&self) -> &RunId {
        self.session.run().id()
    }

    /// Number of requests of those cells.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.cells.iter().map(|(_, cell)| cell.inputs.requests).sum()
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
        let driver = self.driver.as_ref();
        let processors = || std::thread::available_parallelism().ok().filter(|_| !driver.needs_exclusive_host());
        let jobs = jobs.or_else(processors).unwrap_or(NonZeroUsize::MIN);
        let provenance = Arc::new(self.program.provenance(driver.services()));
        let executor = Executor { driver, provenance, observer, cancel, jobs, results: Mutex::default() };
        let resume = wording::resume(self.session.run().id().as_str(), self.session.store().path());
        let start = Instant::now();
        let options = Options { jobs, wait: self.wait, cancel };
        let report = self.session.execute(&executor, &self.cells, self.blocks, &[], options)?;
        observer.finish();
        let results = executor.results.into_inner().unwrap_or_else(PoisonError::into_inner);
        let seconds = start.elapsed().as_secs_f64();
        let rate = if seconds > 0.0 { results.requests as f64 / seconds } else { 0.0 };
        let requests = results.requests;
        observer.note(format_args!(
            "{} of {} cells done in {}: {requests} requests, {rate:.0} a second",
            report.done,
            self.cells.len(),
            duration(seconds)
        ));
        conclude(report, &results, &resume, observer)
    }
}

/// The digest of what runners of one run have in common.
fn meaning(input: &Input, plan: &Plan, again: &str) -> Digest {
    let model = input.model.as_ref().map(|(_, text)| text.as_str()).unwrap_or_default();
    let mut text = format!("{}\n{model}\n{:?} {:?} {again}\n", input.text, plan.filter, plan.shard);
    for (_, cell) in &input.cells {
        text += &cell.key.to_string();
    }
    Digest::of(text.as_bytes())
}

/// Makes a run of a plan, or joins one of the same.
fn new_session(
    store: WritableStore,
    input: &Input,
    plan: &Plan,
    again: &Again,
) -> Result<matrix_session::Session, RunError> {
    let text = serde_json::to_string(plan).map_err(|error| RunError::new(FailureKind::Internal, error.to_string()))?;
    let new = NewRun {
        time: &Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string(),
        name: &input.experiment.name,
        experiment: input.text.as_bytes(),
        model: input.model.as_ref().map(|(_, text)| text.as_bytes()),
        plan: text.as_bytes(),
    };
    let planned = plan.cells.iter().map(|cell| (cell.key, cell.reason));
    Ok(matrix_session::Session::begin(store, &new, &meaning(input, plan, again.name()), planned, &|_| Ok(true))?)
}

/// Saves an experiment's text as a run that executes nothing.
fn save(store: WritableStore, input: &Input, plan: &Plan, again: &Again) -> Result<RunId, RunError> {
    let session = new_session(store, input, plan, again)?;
    let id = session.run().id().clone();
    session.finish()?;
    Ok(id)
}

/// Whether the newest run of an experiment saved this text of it, or the experiment has no result that it would be read for.
fn is_saved(store: &Store, input: &Input, plan: &Plan) -> Result<bool, RunError> {
    if !plan.cells.iter().any(|cell| cell.state == CellState::Done) {
        return Ok(true);
    }
    matrix_session::is_saved(store, &store.runs()?, &input.text, |run| {
        Ok(plan_of(run)?.experiment == input.experiment.name)
    })
}

/// Makes what executes these cells of an experiment.
pub type Drivers<'a, E> = &'a dyn Fn(&Input, &[Cell]) -> Result<Box<dyn Driver<Cell, Row>>, E>;

/// The cells that a plan runs, in order.
pub fn to_run(plan: &Plan, input: &Input) -> Vec<Cell> {
    planned_to_run(plan, input).map(|(_, cell)| cell.clone()).collect()
}

/// The same with the numbers of their blocks.
fn planned_to_run<'i>(plan: &'i Plan, input: &'i Input) -> impl Iterator<Item = &'i (u32, Cell)> {
    let planned = plan.cells.iter().zip(&input.cells);
    planned.filter(|(planned, _)| planned.reason.runs()).map(|(_, cell)| cell)
}
