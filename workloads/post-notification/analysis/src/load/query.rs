//! One query for each block of a trace: by Polars, from tidy rows to sums and to the few columns that are kept. The
//! traces of small cells, of which there are many, are one block together.
//!
//! Whole numbers are summed exactly, so that neither blocks nor threads change a byte of what is made of them.

use std::ops::Range;
use std::sync::Arc;

use matrix_app::Outcome;
use matrix_app::row::HEADER;
use matrix_frame::{Block, FrameError, exact_sum};
use matrix_plan::Invocation;
use polars::prelude::*;

use super::cell::{CellData, Finding, Keep, Kept, Known};
use super::totals::{Ended, Objects, Totals};
use crate::traces::CellMeta;

/// Times lie within this many microseconds of the epoch (285 years; the wire formats have the same bound), and sizes
/// and counts are below it. Whole numbers of this size are exact in an `f64`, and differences of two do not overflow.
pub(super) const PLAUSIBLE: i64 = 9_000_000_000_000_000;

/// The columns that tables are made of. The others are not even converted.
const USED: [(&str, DataType); 11] = [
    ("i", DataType::UInt64),
    ("outcome", DataType::String),
    ("client_sent_us", DataType::Int64),
    ("writer_start_us", DataType::Int64),
    ("reply_us", DataType::Int64),
    ("barrier_us", DataType::Int64),
    ("barrier_polls", DataType::UInt64),
    ("post_read_us", DataType::Int64),
    ("consistent_read", DataType::UInt32),
    ("notification_bytes", DataType::UInt64),
    ("post_bytes", DataType::UInt64),
];

/// The columns of every trace.
pub(super) fn schema() -> Schema {
    let dtype = |name: &str| USED.iter().find(|(used, _)| *used == name).map(|(_, dtype)| dtype.clone());
    HEADER.split(',').map(|name| Field::new(name.into(), dtype(name).unwrap_or(DataType::String))).collect()
}

/// Whether tables are made of a column.
pub(super) fn is_used(name: &str) -> bool {
    USED.iter().any(|(used, _)| *used == name)
}

/// The rows of a block, of one trace or of several: checked, and reduced to what sums and kept columns are made of.
pub(super) struct Rows {
    /// Where each outcome was, of those that occur.
    outcomes: Vec<(Outcome, BooleanChunked)>,
    /// What each reader found.
    findings: Vec<Finding>,
    sent_us: Int64Chunked,
    /// When the writer answered with something else than an error: one is soon answered, that is no throughput.
    answer_us: Int64Chunked,
    /// When the reader had read.
    read_us: Int64Chunked,
    /// From the writer's start until the reader had read.
    window_us: Int64Chunked,
    barrier_us: Int64Chunked,
    barrier_polls: UInt64Chunked,
    post_bytes: UInt64Chunked,
    notification_bytes: UInt64Chunked,
}

impl Rows {
    /// Those of a block whose rows should be about these requests: `i` is theirs, outcomes are known, every `ok` has
    /// its read, and numbers are plausible.
    pub(super) fn of(block: &Block, requests: impl Iterator<Item = u64>) -> Result<Self, FrameError> {
        let i = block.frame.column("i")?.u64()?;
        if !i.cont_slice().is_ok_and(|i| i.iter().copied().eq(requests.take(block.rows))) {
            return Err(refused());
        }
        let outcomes = outcomes(block.frame.column("outcome")?.str()?)?;
        let time = |name| whole::<Int64Type>(block, name, -PLAUSIBLE + 1..PLAUSIBLE);
        let count = |name| whole::<UInt64Type>(block, name, 0..PLAUSIBLE as u64);
        let (mut answer_us, mut read_us) = (time("reply_us")?, time("post_read_us")?);
        for (outcome, rows) in &outcomes {
            if *outcome != Outcome::Ok {
                read_us = read_us.set(rows, None)?;
            }
            if *outcome == Outcome::WriterError {
                answer_us = answer_us.set(rows, None)?;
            }
        }
        Ok(Self {
            findings: findings(&outcomes, &whole(block, "consistent_read", 0..2)?)?,
            outcomes,
            sent_us: time("client_sent_us")?,
            answer_us,
            window_us: &read_us - &time("writer_start_us")?,
            read_us,
            barrier_us: time("barrier_us")?,
            barrier_polls: count("barrier_polls")?,
            post_bytes: count("post_bytes")?,
            notification_bytes: count("notification_bytes")?,
        })
    }

    /// The rows at these places.
    pub(super) fn part(&self, places: Range<usize>) -> Self {
        let (start, length) = (places.start as i64, places.len());
        Self {
            outcomes: self.outcomes.iter().map(|(outcome, rows)| (*outcome, rows.slice(start, length))).collect(),
            findings: self.findings[places].to_vec(),
            sent_us: self.sent_us.slice(start, length),
            answer_us: self.answer_us.slice(start, length),
            read_us: self.read_us.slice(start, length),
            window_us: self.window_us.slice(start, length),
            barrier_us: self.barrier_us.slice(start, length),
            barrier_polls: self.barrier_polls.slice(start, length),
            post_bytes: self.post_bytes.slice(start, length),
            notification_bytes: self.notification_bytes.slice(start, length),
        }
    }
}

/// Where each outcome was, of those that occur. No other one is known.
fn outcomes(column: &StringChunked) -> Result<Vec<(Outcome, BooleanChunked)>, FrameError> {
    let mut left = column.len();
    let mut found = Vec::new();
    for outcome in Outcome::ALL {
        if left > 0 {
            let rows = column.equal(outcome.as_str());
            let count = rows.sum().unwrap_or_default() as usize;
            left -= count;
            if count > 0 {
                found.push((outcome, rows));
            }
        }
    }
    if left == 0 { Ok(found) } else { Err(refused()) }
}

/// What each reader found, by outcomes and `consistent_read`.
fn findings(outcomes: &[(Outcome, BooleanChunked)], consistent: &UInt32Chunked) -> Result<Vec<Finding>, FrameError> {
    let mut findings = vec![Finding::Failed; consistent.len()];
    for (outcome, rows) in outcomes {
        let places = findings.iter_mut().zip(rows.iter()).zip(consistent.iter());
        let here = places.filter(|((_, here), _)| *here == Some(true)).map(|((finding, _), found)| (finding, found));
        match outcome {
            Outcome::Ok => {
                for (finding, found) in here {
                    *finding = match found {
                        Some(0) => Finding::Missed,
                        Some(_) => Finding::Consistent,
                        None => return Err(refused()),
                    };
                }
            }
            Outcome::Lost => here.for_each(|(finding, _)| *finding = Finding::Lost),
            Outcome::WriterError | Outcome::ReaderError | Outcome::BarrierTimeout => {}
        }
    }
    Ok(findings)
}

/// The sums and columns of one trace's rows so far.
pub(super) struct Query {
    pub(super) totals: Totals,
    kept: Kept,
    keep: Keep,
    /// Whether a request ends with the writer's answer; else with the reader's read.
    waits: bool,
    last_end: Option<i64>,
}

impl Query {
    /// No rows yet of a trace of `meta`.
    pub(super) fn new(meta: &CellMeta, keep: Keep) -> Self {
        Self {
            totals: Totals::default(),
            kept: Kept::with_capacity(meta.inputs.requests, keep),
            keep,
            waits: meta.inputs.invocation == Invocation::RequestResponse,
            last_end: None,
        }
    }

    /// Adds the next rows.
    pub(super) fn add(&mut self, rows: Rows) {
        let totals = &mut self.totals;
        for (outcome, here) in &rows.outcomes {
            totals.outcomes.add(*outcome, here.sum().unwrap_or_default().into());
        }
        let missed = rows.findings.iter().filter(|finding| **finding == Finding::Missed);
        totals.misses += missed.count() as u64;
        totals.planned += rows.findings.len() as u64;
        totals.barrier_us += exact_sum(&rows.barrier_us);
        totals.barrier_polls += exact_sum(&rows.barrier_polls);
        totals.posts.add(objects(&rows.post_bytes));
        totals.notifications.add(objects(&rows.notification_bytes));
        let end_us = if self.waits { rows.answer_us } else { rows.read_us };
        totals.ended.requests += (end_us.len() - end_us.null_count()) as u64;
        self.last_end = self.last_end.max(end_us.max());

        let kept = &mut self.kept;
        kept.first_sent_us = kept.first_sent_us.into_iter().chain(rows.sent_us.min()).min();
        if self.keep.ends {
            kept.ends_us.extend(end_us.iter().flatten());
        }
        if self.keep.windows {
            kept.window_us.extend(rows.window_us.iter().map(Known::from));
        }
        if self.keep.barriers {
            kept.barrier_us.extend(rows.barrier_us.iter().map(Known::from));
            // What is plausible is less than what an `i64` holds.
            kept.barrier_polls.extend(rows.barrier_polls.iter().map(|polls| Known::from(polls.map(|n| n as i64))));
        }
        kept.findings.extend(rows.findings);
    }

    /// The cell whose blocks these were.
    pub(super) fn finish(mut self, meta: Arc<CellMeta>) -> CellData {
        if let (Some(first), Some(last)) = (self.kept.first_sent_us, self.last_end) {
            self.totals.ended.span_us = i128::from(last) - i128::from(first);
        } else {
            self.totals.ended = Ended::default();
        }
        // What is stated stands for the objects of all results.
        let reads = self.totals.reads();
        for (objects, stated) in
            [(&mut self.totals.posts, meta.stated.posts), (&mut self.totals.notifications, meta.stated.notifications)]
        {
            if let Some(bytes) = stated.filter(|_| objects.count == 0) {
                *objects = Objects { count: reads, bytes: bytes.into() };
            }
        }
        self.kept.finish();
        CellData { meta, totals: self.totals, columns: self.kept }
    }
}

/// A column of whole numbers within these bounds.
fn whole<T: PolarsNumericType>(
    block: &Block,
    name: &str,
    bounds: Range<T::Native>,
) -> Result<ChunkedArray<T>, FrameError>
where
    ChunkedArray<T>: ChunkAgg<T::Native>,
{
    let column: &ChunkedArray<T> = block.frame.column(name)?.as_materialized_series().unpack()?;
    let within = column.min().into_iter().chain(column.max()).all(|value| bounds.contains(&value));
    if within { Ok(column.clone()) } else { Err(refused()) }
}

/// A row breaks a rule of traces; which one is found out by [`diagnose`](super::diagnose).
fn refused() -> FrameError {
    FrameError::Bad("a row was refused".to_owned())
}

fn objects(column: &UInt64Chunked) -> Objects {
    Objects { count: (column.len() - column.null_count()) as u64, bytes: exact_sum(column) }
}
