//! What a session executes a cell by: the driver. What happens goes to the observer, and is counted.

mod cell;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use matrix_app::Row;
use matrix_driver::{Cancel, Driver, Reason};
use matrix_plan::{Cell, CellKey};
use matrix_session::{Ended, Work};
use matrix_store::{Group, Provenance, StoreError};

use self::cell::AttemptEnd;
use crate::observer::Observer;

/// What a run needs to execute its cells, and what came of them.
pub(crate) struct Executor<'a> {
    pub(crate) driver: &'a dyn Driver<Cell, Row>,
    pub(crate) provenance: Arc<Provenance>,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) cancel: &'a Cancel,
    /// Cells at the same time.
    pub(crate) jobs: NonZeroUsize,
    pub(crate) results: Mutex<Results>,
}

/// The results of the cells, as far as a session does not count them.
#[derive(Debug, Default)]
pub(crate) struct Results {
    /// Requests of cells that have a result now.
    pub(crate) requests: u64,
    /// Cells that broke, and why.
    pub(crate) failed: Vec<(Cell, Broken)>,
    /// Cells that are done though some of their requests failed, and why these did.
    pub(crate) troubled: Vec<(Cell, Vec<Reason>)>,
    /// Invocations that a service throttled, and that were made again.
    pub(crate) throttled: u64,
    /// Cells on whose host others worked meanwhile.
    pub(crate) disturbed: u64,
}

/// Why a cell has no result.
#[derive(Clone, Debug, Default)]
pub(crate) struct Broken {
    /// What broke.
    pub(crate) error: String,
    /// Why its requests failed, as far as somebody said.
    pub(crate) reasons: Vec<Reason>,
}

/// What is counted of a result: some requests may have failed for these reasons, so many invocations were throttled, and other work
/// may have disturbed the host.
pub(crate) struct Done {
    reasons: Vec<Reason>,
    throttled: u64,
    disturbed: bool,
}

impl Executor<'_> {
    fn results(&self) -> MutexGuard<'_, Results> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work for Executor<'_> {
    type Cell = (u32, Cell);
    type Result = Done;

    fn key(&self, (_, cell): &(u32, Cell)) -> CellKey {
        cell.key
    }

    fn block(&self, (block, _): &(u32, Cell)) -> u32 {
        *block
    }

    fn resources(&self, (_, cell): &(u32, Cell)) -> Vec<String> {
        self.driver.resources(cell)
    }

    fn execute(
        &self,
        session: &matrix_session::Session,
        place: usize,
        (_, cell): &(u32, Cell),
        group: &mut Group,
    ) -> Result<Ended<Done>, StoreError> {
        self.observer.begin(place, format!("{} round {}", cell.axes(), cell.inputs.round));
        let result = self.tried(session, cell, group);
        self.observer.end(place, matches!(result, Ok(AttemptEnd::Done(_))));
        let broken = match result? {
            AttemptEnd::Done(done) => return Ok(Ended::Done(done)),
            AttemptEnd::Partial => return Ok(Ended::Partial),
            AttemptEnd::Failed(broken) => broken,
            AttemptEnd::EnvironmentChanged(error) => Broken { error, reasons: Vec::new() },
        };
        self.results().failed.push((cell.clone(), broken));
        Ok(Ended::Failed)
    }

    fn done(&self, (_, cell): &(u32, Cell), Done { reasons, throttled, disturbed }: Done) {
        let mut results = self.results();
        results.requests += cell.inputs.requests;
        results.throttled += throttled;
        results.disturbed += u64::from(disturbed);
        if !reasons.is_empty() {
            results.troubled.push((cell.clone(), reasons));
        }
    }

    fn note(&self, text: &str) {
        self.observer.note(format_args!("{text}"));
    }
}
