//! What executes a cell: the interface between who runs cells and who executes one. What a cell and a row are is the
//! workload's matter.

pub mod ignored;
mod reasons;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use matrix_core::CellKey;

pub use reasons::{Reason, Reasons, clean};

/// Takes the rows of an attempt, in any order.
pub trait RowSink<Row> {
    /// Takes one row.
    ///
    /// # Errors
    /// When the row could not be kept, for example because the disk is full.
    fn push(&mut self, row: Row) -> Result<(), SinkError>;
}

/// A row could not be kept.
#[derive(Debug, thiserror::Error)]
#[error("writing the trace: {0}")]
pub struct SinkError(#[source] pub std::io::Error);

/// A request to stop, shared by everyone who should hear it.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    stop: Arc<AtomicBool>,
    by_hand: Arc<AtomicBool>,
}

impl Cancel {
    /// Asks everyone to stop.
    pub fn cancel(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// The flag behind it, for a signal handler to raise.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// The flag that says besides that a person asked, at a terminal.
    #[must_use]
    pub fn flag_by_hand(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.by_hand)
    }

    /// Whether a stop was asked for.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether a person asked for it, at a terminal.
    #[must_use]
    pub fn is_by_hand(&self) -> bool {
        self.by_hand.load(Ordering::Relaxed)
    }
}

/// What an attempt reports besides its rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttemptDetails {
    /// Instant that the rows' times count from, in microseconds since the Unix epoch.
    pub epoch_us: i64,
    /// Bounds of the clocks of those who took the times, in microseconds, where they were probed.
    pub clock_bound_us: Option<i64>,
    /// What happened on the way and how often, for provenance: for example `throttled`, `duplicates` or `cold_starts`.
    pub notes: BTreeMap<String, u64>,
    /// Why requests failed, as far as somebody said.
    pub reasons: Reasons,
    /// Whether other work disturbed the host meanwhile, where it was watched: `quiet`, `disturbed: ...` or why that is not
    /// known.
    pub host: Option<String>,
}

/// Why an attempt failed, in the type of what failed: whoever knows the driver can look for it.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why an attempt has no result.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// It was asked to stop.
    #[error("interrupted")]
    Cancelled,
    /// The trace could not be written.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// A service restarted or changed during the attempt, which is no fault of the cell: its rows are discarded, and it can
    /// be tried again.
    #[error(transparent)]
    EnvironmentChanged(Cause),
    /// Every request so far failed, and the rest would fail, too: the attempt ended early.
    #[error("{error}")]
    Hopeless {
        /// What was seen.
        error: String,
        /// Why requests failed.
        reasons: Reasons,
    },
    /// The cell cannot be executed, or its execution broke.
    #[error(transparent)]
    Failed(Cause),
}

impl DriverError {
    /// An execution that broke because of `cause`.
    pub fn failed(cause: impl Into<Cause>) -> Self {
        Self::Failed(cause.into())
    }
}

/// Executes cells.
pub trait Driver<Cell, Row>: Sync {
    /// Executes one cell: every planned request becomes a row, the lost ones too.
    ///
    /// # Errors
    /// When it was asked to stop, the trace could not be written, or the execution broke.
    fn attempt(&self, cell: &Cell, rows: &mut dyn RowSink<Row>, cancel: &Cancel)
    -> Result<AttemptDetails, DriverError>;

    /// Names of what the cell needs for itself: cells that share a name do not run at the same time.
    fn resources(&self, cell: &Cell) -> Vec<String>;

    /// Versions of what it runs on, by name, for provenance; none where the cell's key says everything.
    fn services(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Whether concurrent cells would perturb each other's timings. If so, a run has one job unless the user asks for more.
    fn needs_exclusive_host(&self) -> bool {
        false
    }
}

/// The nonce of an attempt whose randomness is all its cell's: the first 16 digits of the cell's key.
#[must_use]
pub fn nonce_of(key: &CellKey) -> String {
    let mut nonce = key.to_string();
    nonce.truncate(16);
    nonce
}
