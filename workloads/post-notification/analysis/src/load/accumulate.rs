//! Takes the blocks of one trace together.

use std::sync::Arc;

use matrix_app::{Outcome, Row};
use matrix_plan::Invocation;
use polars::prelude::*;

use super::cell::{CellData, Finding, Keep, Kept, Known};
use super::parse::{Columns, Refused};
use super::totals::{Ended, Objects, Totals};
use crate::traces::CellMeta;

/// Where the rows of a block ended in some way.
struct Outcomes {
    lost: BooleanChunked,
    /// Nothing where every row is `ok`.
    writer_failed: Option<BooleanChunked>,
}

/// The blocks of one trace so far.
pub(super) struct Accumulator {
    pub(super) totals: Totals,
    kept: Kept,
    keep: Keep,
    waits: bool,
    last_end: Option<i64>,
}

impl Accumulator {
    /// No blocks yet of a trace of `meta`.
    pub(super) fn new(meta: &CellMeta, keep: Keep) -> Self {
        Self {
            totals: Totals::default(),
            kept: Kept::default(),
            keep,
            waits: meta.inputs.invocation == Invocation::RequestResponse,
            last_end: None,
        }
    }

    /// Adds the next block.
    pub(super) fn add(&mut self, block: Columns) -> Result<(), Refused> {
        let Outcomes { lost, writer_failed } = self.count_outcomes(&block)?;
        let missed = &block.ok & &block.missed;
        let totals = &mut self.totals;
        totals.misses += u64::from(missed.sum().unwrap_or_default());
        totals.barrier_us += block.barrier_us.iter().flatten().map(i128::from).sum::<i128>();
        totals.barrier_polls += block.barrier_polls.iter().flatten().map(i128::from).sum::<i128>();
        totals.posts.add(objects(&block.post_bytes));
        totals.notifications.add(objects(&block.notification_bytes));

        let kept = &mut self.kept;
        let end_us = match (self.waits, writer_failed) {
            (false, _) => block.post_read_us.filter(&block.ok)?,
            (true, None) => block.reply_us,
            // An error is soon answered: that is no throughput.
            (true, Some(failed)) => block.reply_us.filter(&!failed)?,
        };
        totals.ended.requests += (end_us.len() - end_us.null_count()) as u64;
        self.last_end = self.last_end.max(end_us.max());
        kept.first_sent_us = kept.first_sent_us.into_iter().chain(block.client_sent_us.min()).min();
        if self.keep.ends {
            kept.ends_us.extend(end_us.iter().flatten());
        }
        if self.keep.windows {
            kept.window_us.extend(block.window_us.iter().map(Known::from));
        }
        if self.keep.barriers {
            kept.barrier_us.extend(block.barrier_us.iter().map(Known::from));
            // What is plausible is less than what an `i64` holds.
            kept.barrier_polls.extend(block.barrier_polls.iter().map(|polls| Known::from(polls.map(|n| n as i64))));
        }
        let findings = block.ok.iter().zip(missed.iter()).zip(lost.iter());
        kept.findings.extend(findings.map(|((read, missed), lost)| match (read, missed, lost) {
            (_, Some(true), _) => Finding::Missed,
            (Some(true), _, _) => Finding::Consistent,
            (_, _, Some(true)) => Finding::Lost,
            _ => Finding::Failed,
        }));
        Ok(())
    }

    /// Adds one row, in which every number is plausible.
    pub(super) fn add_row(&mut self, row: &Row) {
        let totals = &mut self.totals;
        let finding = match (row.outcome, row.consistent_read) {
            (Outcome::Ok, Some(false)) => Finding::Missed,
            (Outcome::Ok, _) => Finding::Consistent,
            (Outcome::Lost, _) => Finding::Lost,
            _ => Finding::Failed,
        };
        totals.planned += 1;
        *totals.outcomes.entry(row.outcome).or_default() += 1;
        totals.misses += u64::from(finding == Finding::Missed);
        totals.barrier_us += row.barrier_us.map_or(0, i128::from);
        totals.barrier_polls += row.barrier_polls.map_or(0, i128::from);
        for (objects, bytes) in
            [(&mut totals.posts, row.post_bytes), (&mut totals.notifications, row.notification_bytes)]
        {
            objects.add(Objects { count: u64::from(bytes.is_some()), bytes: bytes.map_or(0, i128::from) });
        }
        let end_us = if self.waits {
            row.reply_us.filter(|_| row.outcome != Outcome::WriterError)
        } else {
            row.post_read_us.filter(|_| row.outcome == Outcome::Ok)
        };
        totals.ended.requests += u64::from(end_us.is_some());
        self.last_end = self.last_end.max(end_us);
        let kept = &mut self.kept;
        kept.first_sent_us = kept.first_sent_us.into_iter().chain(row.client_sent_us).min();
        if self.keep.ends {
            kept.ends_us.extend(end_us);
        }
        if self.keep.windows {
            let window = row.post_read_us.zip(row.writer_start_us).map(|(end, start)| end - start);
            kept.window_us.push(window.into());
        }
        if self.keep.barriers {
            kept.barrier_us.push(row.barrier_us.into());
            kept.barrier_polls.push(row.barrier_polls.map(|polls| polls as i64).into());
        }
        kept.findings.push(finding);
    }

    /// Counts rows by outcome.
    fn count_outcomes(&mut self, block: &Columns) -> Result<Outcomes, Refused> {
        let rows = block.outcome.len() as u64;
        let mut known = 0;
        let mut count = |outcome: Outcome, rows: &BooleanChunked| {
            let found = u64::from(rows.sum().unwrap_or_default());
            if found > 0 {
                *self.totals.outcomes.entry(outcome).or_default() += found;
            }
            known += found;
            known
        };
        if count(Outcome::Ok, &block.ok) == rows {
            self.totals.planned += rows;
            let lost = BooleanChunked::full(PlSmallStr::from_static("lost"), false, block.outcome.len());
            return Ok(Outcomes { lost, writer_failed: None });
        }
        let lost = block.outcome.equal(Outcome::Lost.as_str());
        count(Outcome::Lost, &lost);
        let writer_failed = block.outcome.equal(Outcome::WriterError.as_str());
        count(Outcome::WriterError, &writer_failed);
        for outcome in [Outcome::ReaderError, Outcome::BarrierTimeout] {
            count(outcome, &block.outcome.equal(outcome.as_str()));
        }
        if known != rows {
            return Err(Refused::Rule);
        }
        self.totals.planned += rows;
        Ok(Outcomes { lost, writer_failed: Some(writer_failed) })
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
        let kept = &mut self.kept;
        kept.ends_us.sort_unstable();
        kept.ends_us.shrink_to_fit();
        kept.findings.shrink_to_fit();
        for column in [&mut kept.window_us, &mut kept.barrier_us, &mut kept.barrier_polls] {
            column.shrink_to_fit();
        }
        CellData { meta, totals: self.totals, columns: self.kept }
    }
}

fn objects(column: &UInt64Chunked) -> Objects {
    Objects { count: (column.len() - column.null_count()) as u64, bytes: column.iter().flatten().map(i128::from).sum() }
}
