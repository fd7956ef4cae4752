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

/// How an attempt ended.
enum AttemptEnd {
    Done { disturbed: bool },
    Failed(String),
    Partial,
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

    fn key(&self, cell: &Cell) -> CellKey {
        cell.key
    }

    fn block(&self, cell: &Cell) -> u32 {
        cell.block
    }

    fn execute(
        &self,
        session: &matrix_session::Session,
        _: usize,
        cell: &Cell,
        _: &mut Group,
    ) -> Result<Ended<bool>, StoreError> {
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
        Ok(match self.tried(session, cell)? {
            AttemptEnd::Done { disturbed } => Ended::Done(disturbed),
            AttemptEnd::Partial => Ended::Partial,
            AttemptEnd::Failed(error) => {
                self.progress().failed.push((cell.clone(), error));
                Ended::Failed
            }
        })
    }

    fn done(&self, _: &Cell, disturbed: bool) {
        self.progress().disturbed += usize::from(disturbed);
    }

    fn is_over(&self) -> bool {
        let is_late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        is_late || self.fail_fast && !self.progress().failed.is_empty()
    }

    fn note(&self, text: &str) {
        (self.say)(text);
    }
}
