//! Why traces could not be loaded.

use std::io;

use matrix_app::Outcome;
use matrix_app::row::RowError;
use matrix_frame::FrameError;
use polars::error::PolarsError;

/// A trace that could not be loaded.
#[derive(Debug, thiserror::Error)]
#[error("cell {cell}: {kind}")]
pub struct LoadError {
    /// The cell, as [`CellMeta::name`](crate::CellMeta::name) has it.
    pub cell: String,
    /// What is wrong with its trace.
    #[source]
    pub kind: LoadErrorKind,
}

/// What is wrong with a trace. Lines count from 1, the header being the first.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadErrorKind {
    /// The trace could not be opened.
    #[error("opening the trace: {0}")]
    Open(#[source] io::Error),
    /// The trace could not be read to its end.
    #[error("reading the trace at line {line}: {source}")]
    Read {
        /// The first line that was not read.
        line: u64,
        /// The error of the reader.
        source: io::Error,
    },
    /// The first line is not the header of a trace.
    #[error("line 1 is not the header of a trace: it begins `{0}`")]
    Header(String),
    /// A line is no row.
    #[error("line {line}: {source}")]
    Row {
        /// Number of the line.
        line: u64,
        /// What is wrong with it, and in which column.
        source: RowError,
    },
    /// A line is longer than a row can be.
    #[error("line {line} is longer than {limit} bytes")]
    LongLine {
        /// Number of the line.
        line: u64,
        /// Longest line that is read.
        limit: usize,
    },
    /// The last line has no end.
    #[error("line {line} breaks off: the trace is cut short")]
    CutShort {
        /// Number of the line.
        line: u64,
    },
    /// Rows are missing, doubled or out of order.
    #[error("line {line}: column `i` is {found} where row {expected} should stand")]
    Order {
        /// Number of the line.
        line: u64,
        /// The request whose row should stand there.
        expected: u64,
        /// The request whose row stands there.
        found: u64,
    },
    /// A request that ended well has no read.
    #[error("line {line}: column `consistent_read` is empty, but the outcome is `ok`")]
    NoRead {
        /// Number of the line.
        line: u64,
    },
    /// A number so large that sums would not be exact.
    #[error("line {line}: column `{column}` holds {value}, which is beyond any plausible value")]
    Implausible {
        /// Number of the line.
        line: u64,
        /// Name of the column.
        column: &'static str,
        /// The value.
        value: i128,
    },
    /// The trace has another number of rows than the cell has requests.
    #[error("the trace has {found} rows, but the cell has {planned} requests")]
    Rows {
        /// Requests of the cell.
        planned: u64,
        /// Rows of its trace.
        found: u64,
    },
    /// The record of the cell counts otherwise.
    #[error("the record counts {recorded} requests with outcome `{outcome}`, the trace has {found}")]
    Outcomes {
        /// The outcome.
        outcome: Outcome,
        /// Requests, by the record.
        recorded: u64,
        /// Requests, by the trace.
        found: u64,
    },
    /// Its rows are not those of a trace.
    #[error("{0}")]
    Frame(#[source] FrameError),
    /// Polars refused what the rules of traces allow.
    #[error("lines from {line}: {source}")]
    Polars {
        /// First line of the block at hand.
        line: u64,
        /// The error of Polars.
        source: PolarsError,
    },
}

/// Why rows could not be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A trace could not be read.
    #[error(transparent)]
    Trace(#[from] LoadError),
    /// They could not be written.
    #[error("writing the export: {0}")]
    Write(#[source] io::Error),
}
