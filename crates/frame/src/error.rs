//! What can be wrong with rows.

/// Why rows could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// They are not rows of the declared columns.
    #[error("{0}")]
    Bad(String),
    /// They could not be read.
    #[error("reading rows: {0}")]
    Read(#[source] std::io::Error),
    /// They could not be written.
    #[error("writing rows: {0}")]
    Write(#[source] std::io::Error),
    /// Polars refused them.
    #[error("rows: {0}")]
    Polars(#[from] polars::prelude::PolarsError),
}
