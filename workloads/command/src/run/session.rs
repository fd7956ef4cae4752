//! A session: a run begun or taken up again, up to what is said about it at the end.

mod left;
mod places;

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use matrix_core::{Again, CellKey, Reason};
use matrix_driver::Cancel;
use matrix_store::fs::RealFilesystem;
use matrix_store::{
    Digest, Division, Event, GenericRecord, Journal, NewRun, Origin, Provenance, Run, RunId, Store, StoreError,
    WritableStore,
};

pub use self::left::interrupted;
use self::left::left_cells;
pub use self::places::Places;
use super::execute::{Executor, Report};
use super::plan::{PlanDocument, plan};
use super::{Input, Part, reread};
use crate::cells::Cell;
use crate::supervise::Supervisors;

/// Most claims that runners divide a run by: each is a file, and takes as long as a small cell.
const MOST_CLAIMS: u32 = 512;

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
    store: WritableStore,
    run: Run,
    journal: Journal,
    cells: Vec<Cell>,
    /// Cells of the run that are left, and that nobody can execute here.
    unprepared: usize,
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
}

impl Session {
    /// Begins a run, unless there is nothing to do; then nothing is written, but for rows that have to be read again.
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
        drop(before);
        if first.to_run().next().is_none() && stale.is_empty() {
            return Ok(Begun { plan: first, session: None, reread: 0, unreadable: Vec::new() });
        }
        let store = open(results, may_join(input), expires_after)?;
        let mut begun = Begun { plan: first, session: None, reread: 0, unreadable: Vec::new() };
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
        if cells.is_empty() {
            store.close()?;
            return Ok(begun);
        }
        let mut unprepared = 0;
        let text = serde_json::to_vec(&begun.plan)?;
        let new = NewRun {
            time: &Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string(),
            name: &input.experiment.name,
            experiment: input.text.as_bytes(),
            model: None,
            plan: &text,
        };
        let (run, journal, is_new) = if store.is_joined() {
            let planned = begun.plan.cells.iter();
            let replaced: Vec<CellKey> =
                planned.filter(|cell| cell.reason == Reason::Fresh).map(|cell| cell.key).collect();
            let (run, journal, is_new) = store.join_run(&meaning(input, &begun.plan, again), &new, &replaced)?;
            if !is_new && !again.is_none() {
                // What it replaces was fixed when it was made.
                (cells, unprepared) = left_cells(&store, &run, input, part)?;
            }
            (run, journal, is_new)
        } else {
            let (run, journal) = store.create_run(&new)?;
            (run, journal, true)
        };
        if is_new {
            Places::keep(&store, run.id(), file, input.site.as_deref())?;
        }
        begun.session = Some(Self { store, run, journal, cells, unprepared });
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
        // What a run replaces without a generation, it writes over.
        let replaces = |plan: PlanDocument| plan.cells.iter().any(|cell| cell.reason == Reason::Fresh);
        let writes_over = run.generation().is_none() && PlanDocument::of_run(&run)?.is_some_and(replaces);
        let store = open(results, may_join(input) && !writes_over, expires_after)?;
        let run = store.run(name)?;
        let (cells, unprepared) = left_cells(&store, &run, input, part)?;
        if cells.is_empty() {
            return Ok(None);
        }
        let journal = if store.is_joined() { store.enter_run(&run)? } else { store.journal(&run) };
        journal.append(&Event::Resumed)?;
        Ok(Some(Self { store, run, journal, cells, unprepared }))
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

    /// The run's name.
    #[must_use]
    pub fn id(&self) -> &RunId {
        self.run.id()
    }

    /// Executes the cells to the end, or until a stop is requested. Returns how that ended, also where the store could not be
    /// written: [`Report::broken`].
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
        // Of all cells of the experiment: every runner divides them in the same way, whatever it has left.
        let blocks = input.cells.iter().map(|cell| cell.block).max().map_or(1, |last| last + 1);
        let at_once = blocks.div_ceil(MOST_CLAIMS);
        let batches: Vec<(CellKey, u32)> = self.cells.iter().map(|cell| (cell.key, cell.block / at_once)).collect();
        let division = self.store.division(&self.run, &batches)?;
        let executor = Executor {
            input,
            store: &self.store,
            journal: &self.journal,
            run: self.run.id(),
            provenance,
            supervisors: &supervisors,
            cancel,
            keep: options.keep,
            fail_fast: options.fail_fast,
            deadline: options.max_time.and_then(|time| std::time::Instant::now().checked_add(time)),
            division: division.as_ref(),
            wait: options.wait,
            say,
            machine: matrix_host::machine(),
            digests: std::sync::Mutex::new(crate::inputs::Digests::with_cache()),
        };
        let mut report = executor.execute(&self.cells, options.jobs);
        report.left = self.cells.len().saturating_sub(report.done + report.failed.len()) + self.unprepared;
        report.failed_in_all = report.failed.len();
        // What was done is reported whatever fails now.
        if let Err(error) = self.end(division, &mut report) {
            report.broken.get_or_insert(error);
        }
        Ok(report)
    }

    /// Gives back what was claimed, counts what other runners did, and writes in the journal how it ended.
    fn end(self, division: Option<Division>, report: &mut Report) -> Result<(), StoreError> {
        if let Some(division) = &division {
            division.release()?;
            let keys: Vec<CellKey> = self.cells.iter().map(|cell| cell.key).collect();
            (report.left, report.failed_in_all) = self.store.left_and_failed(&self.run, &keys)?;
            report.others = keys.len().saturating_sub(report.done + report.left + report.failed_in_all);
            report.left += self.unprepared;
        }
        if report.broken.is_none() {
            let event = match (report.left, report.failed_in_all) {
                (1.., _) if !report.pending.is_empty() => None,
                (0, 0) => Some(Event::Finished),
                (0, _) => None,
                _ => Some(Event::Interrupted),
            };
            if let Some(event) = event {
                self.journal.append(&event)?;
            }
        }
        drop(self.journal);
        if let Some(division) = division
            && (report.left, report.failed_in_all) == (0, 0)
        {
            division.remove()?;
        }
        self.store.close()
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

/// The digest of what runners of one run have in common.
fn meaning(input: &Input, plan: &PlanDocument, again: &Again) -> Digest {
    let mut text = format!("{}\n{:?} {}\n", input.text, plan.filter, again.name());
    for cell in &plan.cells {
        text += &format!("{} {}\n", cell.key, matches!(cell.reason, Reason::Filtered | Reason::OtherShard));
    }
    Digest::of(text.as_bytes())
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
    let words: Vec<String> = std::env::args().skip(1).collect();
    format!("matrix {}", words.join(" "))
}
