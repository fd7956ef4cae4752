//! What a session executes a cell by: the program of an experiment. What happens is said and counted.

mod cell;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use matrix_core::CellKey;
use matrix_driver::Cancel;
use matrix_session::{Ended, Work};
use matrix_store::{Group, Provenance, StoreError};

pub(super) use self::cell::cost_fields;
use super::Input;
use super::version::Versions;
use crate::cells::Cell;
use crate::inputs::Digests;
use crate::supervise::Supervisors;

/// What a run needs to execute its cells, and what came of them.
pub(super) struct Executor<'a> {
    pub(super) input: &'a Input,
    /// How many cells are to be executed.
    pub(super) cells: usize,
    pub(super) provenance: &'a Provenance,
    pub(super) supervisors: &'a Supervisors,
    pub(super) cancel: &'a Cancel,
    /// Cells at the same time.
    pub(super) jobs: NonZeroUsize,
    pub(super) keep: bool,
    pub(super) fail_fast: bool,
    pub(super) deadline: Option<Instant>,
    pub(super) say: &'a (dyn Fn(&str) + Sync),
    /// What machine this is.
    pub(super) machine: String,
    /// Digests of inputs that are known, by stamp.
    pub(super) digests: Mutex<Digests>,
    pub(super) versions: Mutex<Versions>,
    pub(super) progress: Mutex<Progress>,
}

/// How far a run is, and what was said of it.
#[derive(Debug, Default)]
pub(super) struct Progress {
    begun: usize,
    /// Cells that failed, and why.
    pub(super) failed: Vec<(Cell, String)>,
    /// Cells on whose host others worked meanwhile.
    pub(super) disturbed: usize,
    told: BTreeSet<String>,
    told_at: Option<Instant>,
}

/// Time between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(2);

impl Executor<'_> {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work for Executor<'_> {
    type Cell = Cell;
    /// Whether the host was disturbed.
    type Result = bool;
    type Failure = String;

    fn key_and_block(&self, cell: &Cell) -> (CellKey, u32) {
        (cell.key, cell.block)
    }

    fn execute(
        &self,
        session: &matrix_session::Session,
        _: usize,
        cell: &Cell,
        _: &mut Group,
    ) -> Result<Ended<bool, String>, StoreError> {
        let mut progress = self.progress();
        progress.begun += 1;
        // Not a line for each of ten thousand cells that take no time.
        let now = Instant::now();
        if progress.told_at.is_none_or(|last| now.duration_since(last) >= PROGRESS) {
            progress.told_at = Some(now);
            let shown = self.input.experiment.axes.show(&cell.point);
            (self.say)(&format!("{}/{} {shown} round {}", progress.begun, self.cells, cell.round));
        }
        drop(progress);
        self.tried(session, cell)
    }

    fn count(&self, cell: &Cell, end: Result<bool, String>) {
        let mut progress = self.progress();
        match end {
            Ok(disturbed) => progress.disturbed += usize::from(disturbed),
            Err(error) => progress.failed.push((cell.clone(), error)),
        }
    }

    fn is_over(&self) -> bool {
        let is_late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        is_late || self.fail_fast && !self.progress().failed.is_empty()
    }

    fn note(&self, text: &str) {
        (self.say)(text);
    }
}
