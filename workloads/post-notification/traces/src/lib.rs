//! The files of post-notification in a store: records and attempts of schemas 1 and 2, and traces, whose rows are requests.

pub mod attempt;
pub mod counts;
pub mod record;
pub mod rows;
pub mod sink;

#[cfg(test)]
mod tests;

use std::path::Path;

use matrix_store::{ObjectReader, Report, Store, StoreError, TraceRead, Traces, VerifyOptions};

pub use attempt::{Attempt, Reason};
pub use counts::{Counts, TraceTotals};
pub use record::Record;
pub use sink::{TraceInfo, TraceSink};

/// How the store reads the files of post-notification.
#[derive(Clone, Copy, Debug)]
pub struct PostNotification;

impl Traces for PostNotification {
    type Record = Record;
    type Attempt = Attempt;
    type Sums = (Counts, TraceTotals);

    fn sums(record: &Record) -> Self::Sums {
        (record.counts, record.totals)
    }

    fn read(path: &Path, object: ObjectReader) -> Result<TraceRead<Self::Sums>, StoreError> {
        rows::read(path, object)
    }
}

/// Checks everything in a store: see [`Store::verify`].
///
/// # Errors
/// When a directory cannot be read. What is wrong with a file is in the report.
pub fn verify(store: &Store, options: VerifyOptions) -> Result<Report, StoreError> {
    store.verify::<PostNotification>(options)
}
