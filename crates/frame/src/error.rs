//! What can be wrong with rows.

/// Why rows could not be read or written. Rows count from 1, the header is none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The first line is not the header of the declared columns: how it begins.
    #[error("its columns are not those of the experiment")]
    Header(String),
    /// A row has more or fewer fields than there are columns.
    #[error("row {row}: {found} fields instead of {expected}")]
    Fields {
        /// The row.
        row: u64,
        /// Its fields.
        found: usize,
        /// The columns.
        expected: usize,
    },
    /// A row of plain text has a character that such text does not have.
    #[error("row {row}: it has a character that is not printable ASCII")]
    Character {
        /// The row.
        row: u64,
    },
    /// The last row has no end.
    #[error("row {row}: it is cut short")]
    CutShort {
        /// The row.
        row: u64,
    },
    /// A row is longer than any is read.
    #[error("row {row}: it is longer than {} MiB", limit >> 20)]
    LongRow {
        /// The row.
        row: u64,
        /// The longest that is read, in bytes.
        limit: usize,
    },
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

impl FrameError {
    /// Whether what was read are not rows of the declared columns.
    #[must_use]
    pub fn is_of_rows(&self) -> bool {
        match self {
            Self::Header(_)
            | Self::Fields { .. }
            | Self::Character { .. }
            | Self::CutShort { .. }
            | Self::LongRow { .. }
            | Self::Bad(_) => true,
            Self::Read(_) | Self::Write(_) | Self::Polars(_) => false,
        }
    }
}
