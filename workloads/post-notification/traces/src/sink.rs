//! Writing a trace: rows in, an object out.

use matrix_app::Row;
use matrix_app::row::HEADER;
use matrix_driver::{RowSink, SinkError};
use matrix_store::{Digest, Group, ObjectInfo, ObjectSink, StoreError, WritableStore};

use crate::counts::{Counts, TraceTotals};

/// A trace that is in the store, and what its rows add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceInfo {
    /// The SHA-256 of its uncompressed bytes: its object's name.
    pub digest: Digest,
    /// Uncompressed bytes.
    pub bytes: u64,
    /// Compressed bytes: the size of its file.
    pub compressed_bytes: u64,
    /// How many rows there are of each sort.
    pub counts: Counts,
    /// What the rows add up to.
    pub totals: TraceTotals,
}

impl TraceInfo {
    fn of(object: ObjectInfo, counts: Counts, totals: TraceTotals) -> Self {
        let ObjectInfo { digest, bytes, compressed_bytes } = object;
        Self { digest, bytes, compressed_bytes, counts, totals }
    }
}

/// Takes an attempt's rows in any order, and makes an object of them, in order of `i`, that is a trace.
#[derive(Debug)]
pub struct TraceSink {
    sink: ObjectSink,
    counts: Counts,
    totals: TraceTotals,
}

impl TraceSink {
    /// A sink for the rows of a cell with `planned` requests.
    ///
    /// # Errors
    /// When its file cannot be made.
    pub fn new(store: &WritableStore, planned: u64) -> Result<Self, StoreError> {
        let sink = store.sink(planned, HEADER)?;
        Ok(Self { sink, counts: Counts::default(), totals: TraceTotals::default() })
    }

    /// How many rows have come, of each sort.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Rows that wait for an earlier one.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.sink.waiting()
    }

    /// Makes the trace an object of the store.
    ///
    /// # Errors
    /// When a planned request has no row, or the object cannot be written; nothing is left then.
    pub fn finish(self) -> Result<TraceInfo, StoreError> {
        let Self { sink, counts, totals } = self;
        Ok(TraceInfo::of(sink.finish()?, counts, totals))
    }

    /// Makes the trace an object that is part of a group: it is in the store when the group is.
    ///
    /// # Errors
    /// As for [`finish`](Self::finish).
    pub fn finish_in(self, group: &mut Group) -> Result<TraceInfo, StoreError> {
        let Self { sink, counts, totals } = self;
        Ok(TraceInfo::of(sink.finish_in(group)?, counts, totals))
    }
}

impl RowSink<Row> for TraceSink {
    fn push(&mut self, row: Row) -> Result<(), SinkError> {
        self.sink.push(row.i, |line| row.write_csv(line)).map_err(StoreError::into_sink)?;
        self.counts.add(&row);
        self.totals.add(&row);
        Ok(())
    }
}
