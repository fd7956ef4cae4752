//! A session: a run begun or taken up again, up to what is said about it at the end.

mod left;
mod meaning;
mod places;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use matrix_core::{Again, CellKey, CellState, Reason};
use matrix_driver::Cancel;
use matrix_store::fs::RealFilesystem;
use matrix_store::{GenericRecord, NewRun, Origin, Provenance, Run, RunId, Store, StoreError, WritableStore};

pub use self::left::interrupted;
use self::left::left_cells;
use self::meaning::{fits, meaning, meaning_of_run};
pub use self::places::Places;
use super::execute::{Executor, Progress};
use super::plan::{PlanDocument, plan};
use super::{Input, Part, reread};
use crate::cells::Cell;
use crate::inputs::Digests;
use crate::supervise::Supervisors;

/// How a session is executed.
#[derive(Debug)]
pub struct Options {
    /// Cells at the same time.
    pub jobs: NonZeroUsize,
    /// Whether folders stay for looking.
    pub keep: bool,
    /// Whether the first failure ends the run.
    pub fail_fast: bool,
    /// How long the run may begin new cells.
    pub max_time: Option<Duration>,
    /// Whether to wait, at the end, for cells that other runners execute.
    pub wait: bool,
}

/// A run with cells to execute, and the store that it writes.
#[derive(Debug)]
pub struct Session {
    session: matrix_session::Session,
    cells: Vec<Cell>,
    /// The blocks of cells that are left besides, and that nobody can execute here.
    left_out: Vec<u32>,
}

/// The results of a session.
#[derive(Debug)]
pub struct Report {
    /// How many cells ended in which way.
    pub ran: matrix_session::Report,
    /// Cells that failed here, and why.
    pub failed: Vec<(Cell, String)>,
    /// Cells on whose host others worked meanwhile.
    pub disturbed: usize,
}

/// What a beginning came to.
#[derive(Debug)]
pub struct Begun {
    /// The plan.
    pub plan: PlanDocument,
    /// What is to be executed, if anything is.
    pub session: Option<Session>,
    /// Cells whose rows were read again.
    pub reread: usize,
    /// Cells whose rows could not be read again, and why.
    pub unreadable: Vec<(Cell, String)>,
    /// The run that saved the experiment's text, where nothing is to be executed and the newest run had another text.
    pub saved: Option<RunId>,
}

impl Session {
    /// Begins a run, unless there is nothing to do; then nothing is written, but for rows that have to be read again, and a run
    /// without cells to execute where the experiment's text is not the one that its newest run saved: what is read without a
    /// file has to be read as the experiment says now.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn begin(
        results: &Path,
        input: &Input,
        file: Option<&Path>,
        part: &Part,
        again: &Again,
        expires_after: Option<Duration>,
    ) -> Result<Begun, StoreError> {
        let before = Store::open_if_present(results)?;
        let first = plan(before.as_ref(), input, part, again)?;
        let stale = match &before {
            Some(store) if *again != Again::All => stale(store, input, part)?,
            _ => Vec::new(),
        };
        let is_nothing = first.to_run().next().is_none() && stale.is_empty();
        let writes_nothing = is_nothing && before.as_ref().map_or(Ok(true), |store| is_saved(store, input, &first))?;
        drop(before);
        let mut begun = Begun { plan: first, session: None, reread: 0, unreadable: Vec::new(), saved: None };
        if writes_nothing {
            return Ok(begun);
        }
        let store = open(results, may_join(input), expires_after)?;
        for (cell, origin) in stale {
            let Some(record) = store.record::<GenericRecord>(&cell.key, &origin)? else { continue };
            match reread(&store, input, &cell, &record)? {
                Ok(true) => begun.reread += 1,
                Ok(false) => {}
                Err(why) => begun.unreadable.push((cell, why)),
            }
        }
        // Somebody else may have finished cells before the store was ours.
        begun.plan = plan(Some(&store), input, part, again)?;
        let mut cells: Vec<Cell> = begun
            .plan
            .cells
            .iter()
            .zip(&input.cells)
            .filter(|(planned, _)| planned.reason.runs())
            .map(|(_, cell)| cell.clone())
            .collect();
        let is_nothing = cells.is_empty();
        if is_nothing && is_saved(&store, input, &begun.plan)? {
            store.close()?;
            return Ok(begun);
        }
        let text = serde_json::to_vec(&begun.plan)?;
        let new = NewRun {
            time: &Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string(),
            name: &input.experiment.name,
            experiment: input.text.as_bytes(),
            model: None,
            plan: &text,
        };
        let meaning = meaning(input, part, again);
        let fits = |run: &Run| fits(run, input, part);
        let session = matrix_session::Session::begin(store, &new, &meaning, begun.plan.planned(), &fits)?;
        drop(text);
        if session.is_new() {
            Places::keep(session.store(), session.run().id(), file, input.site.as_deref())?;
        } else {
            // What it replaces was fixed when it was made, and others may have done some of it.
            let left: BTreeSet<CellKey> =
                session.store().left_of(session.run(), begun.plan.planned())?.into_iter().collect();
            cells.retain(|cell| left.contains(&cell.key));
        }
        if is_nothing {
            begun.saved = Some(session.run().id().clone());
            session.finish()?;
            return Ok(begun);
        }
        let left_out = input.cells.iter().filter(|cell| part.lacks(cell)).map(|cell| cell.block).collect();
        begun.session = Some(Self { session, cells, left_out });
        Ok(begun)
    }

    /// Takes up a run where it was left; `input` is what it was begun with, and `part` what of it can be executed here. Nothing, if
    /// nothing of that is left to do.
    ///
    /// # Errors
    /// When the store cannot be read or written, or the run's cells are no longer those of its experiment.
    pub fn resume(
        results: &Path,
        name: &str,
        input: &Input,
        part: &Part,
        expires_after: Option<Duration>,
    ) -> Result<Option<Self>, StoreError> {
        let before = Store::open(results)?;
        let run = before.run(name)?;
        let Some(plan) = PlanDocument::of_run(&run)? else { return Ok(None) };
        // What a run replaces without a generation, it writes over.
        let replaces = plan.cells.iter().any(|cell| cell.reason == Reason::Fresh);
        let store = open(results, may_join(input) && !(replaces && run.generation().is_none()), expires_after)?;
        let run = store.run(name)?;
        let (cells, left_out) = left_cells(&store, &run, &plan, input, part)?;
        if cells.is_empty() {
            return Ok(None);
        }
        let session = matrix_session::Session::resume(store, run, &meaning_of_run(input, &plan))?;
        Ok(Some(Self { session, cells, left_out }))
    }

    /// How many cells it will execute.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether there is nothing to execute.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Whether the run was made here.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.session.is_new()
    }

    /// The run's name.
    #[must_use]
    pub fn id(&self) -> &RunId {
        self.session.run().id()
    }

    /// Executes the cells to the end, or until a stop is requested. Returns how that ended, also where the store could not be
    /// written.
    ///
    /// # Errors
    /// When the store cannot be read before anything was executed.
    pub fn execute(
        self,
        input: &Input,
        options: &Options,
        provenance: &Provenance,
        cancel: &Cancel,
        say: &(dyn Fn(&str) + Sync),
    ) -> Result<Report, StoreError> {
        let supervisors =
            Supervisors::new().map_err(|error| StoreError::io("reading", Path::new("/proc/self/exe"), error))?;
        // After what killed supervisors left has been ended.
        crate::attempt::remove_orphans(&input.here);
        let executor = Executor {
            input,
            cells: self.cells.len(),
            provenance,
            supervisors: &supervisors,
            cancel,
            jobs: options.jobs,
            keep: options.keep,
            fail_fast: options.fail_fast,
            deadline: options.max_time.and_then(|time| Instant::now().checked_add(time)),
            say,
            machine: matrix_host::machine(),
            digests: Mutex::new(Digests::with_cache()),
            versions: Mutex::default(),
            progress: Mutex::default(),
        };
        let blocks = input.cells.iter().map(|cell| cell.block + 1).max().unwrap_or(1);
        let how = matrix_session::Options { jobs: options.jobs, wait: options.wait, cancel };
        let report = self.session.execute(&executor, &self.cells, blocks, &self.left_out, how)?;
        let Progress { failed, disturbed, .. } = executor.progress.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Report { ran: report, failed, disturbed })
    }
}

/// Opens the store to execute cells, together with others or alone.
fn open(results: &Path, may_join: bool, expires_after: Option<Duration>) -> Result<WritableStore, StoreError> {
    if may_join {
        return WritableStore::join_with(results, &holder(), Arc::new(RealFilesystem), expires_after);
    }
    Store::create_or_open_for_writing(results, &holder())
}

/// Whether several runners may execute the experiment: services on another host would serve two of them at a time, unless
/// each runner has a host of its own.
fn may_join(input: &Input) -> bool {
    let mut hosts = input.experiment.command.services.iter().filter_map(|service| service.on.as_ref());
    hosts.all(|host| input.here.own_hosts.contains(host))
}

/// Whether the newest run of an experiment saved this text of it, or the experiment has no result that it would be read for.
fn is_saved(store: &Store, input: &Input, plan: &PlanDocument) -> Result<bool, StoreError> {
    if !plan.cells.iter().any(|cell| cell.state == CellState::Done) {
        return Ok(true);
    }
    let is_of = |plan: PlanDocument| plan.experiment == input.experiment.name;
    matrix_session::is_saved(store, &store.all_runs()?, &input.text, |run| {
        Ok(PlanDocument::of_run(run)?.is_some_and(is_of))
    })
}

/// Done cells whose rows were read in another way than the experiment says now.
fn stale(store: &Store, input: &Input, part: &Part) -> Result<Vec<(Cell, Origin)>, StoreError> {
    let reading = crate::cells::reading(&input.experiment)?;
    let mut stale = Vec::new();
    for cell in input.cells.iter().filter(|cell| part.has(cell)) {
        for origin in store.origins(&cell.key)? {
            if let Some(record) = store.record::<GenericRecord>(&cell.key, &origin)?
                && record.reading != reading
            {
                stale.push((cell.clone(), origin));
            }
        }
    }
    Ok(stale)
}

/// Who writes, as others are told.
fn holder() -> String {
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    format!("matrix {}", words.collect::<Vec<_>>().join(" "))
}
