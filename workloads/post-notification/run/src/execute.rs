//! What a session executes a cell by: the driver. What happens goes to the observer, and is counted.

mod cell;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use matrix_app::Row;
use matrix_driver::{Cancel, Driver, Reason};
use matrix_plan::{Cell, CellKey};
use matrix_session::{Ended, Work};
use matrix_store::{Group, Provenance, StoreError};

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
    pub(crate) disturbed: usize,
}

/// Why a cell has no result.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    /// What broke.
    pub(crate) error: String,
    /// Whether a service restarted during the attempt, which is no fault of the cell.
    pub(crate) environment_changed: bool,
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

impl Work for Executor<'_> {
    type Cell = (u32, Cell);
    type Result = Done;
    type Failure = Broken;

    fn key_and_block(&self, (block, cell): &(u32, Cell)) -> (CellKey, u32) {
        (cell.key, *block)
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
    ) -> Result<Ended<Done, Broken>, StoreError> {
        self.observer.begin(place, format!("{} round {}", cell.axes(), cell.inputs.round));
        let result = self.tried(session, cell, group);
        self.observer.end(place, matches!(result, Ok(Ended::Done(_))));
        result
    }

    fn count(&self, (_, cell): &(u32, Cell), end: Result<Done, Broken>) {
        let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        let Done { reasons, throttled, disturbed } = match end {
            Ok(done) => done,
            Err(broken) => return results.failed.push((cell.clone(), broken)),
        };
        results.requests += cell.inputs.requests;
        results.throttled += throttled;
        results.disturbed += usize::from(disturbed);
        if !reasons.is_empty() {
            results.troubled.push((cell.clone(), reasons));
        }
    }

    fn note(&self, text: &str) {
        self.observer.note(format_args!("{text}"));
    }
}
