//! What is kept of a cell: exact totals, and compact columns.

use matrix_plan::claims::Column;
use polars::prelude::*;

use super::totals::Totals;
use crate::traces::CellMeta;

/// Which columns are kept, beside those that say what a read found (three bits a request).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// The consistency window: eight bytes a request.
    pub windows: bool,
    /// The ends of requests: eight bytes each.
    pub ends: bool,
    /// Time and questions of barriers: sixteen bytes a request.
    pub barriers: bool,
}

impl Keep {
    /// What the tables are made of.
    pub const TABLES: Self = Self { windows: true, ends: true, barriers: false };

    /// What every metric is made of.
    pub const EVERYTHING: Self = Self { windows: true, ends: true, barriers: true };

    /// What these columns are made of.
    #[must_use]
    pub fn of(columns: &[Column]) -> Self {
        let any = |wanted: &[Column]| columns.iter().any(|column| wanted.contains(column));
        Self {
            windows: any(&[Column::WindowMs, Column::ConsistentWindowMs]),
            ends: any(&[Column::CompletionGapS]),
            barriers: any(&[Column::BarrierMs, Column::BarrierPolls]),
        }
    }
}

/// A cell's trace, reduced to what tables and claims need. Columns have one value per planned request, in order of `i`.
#[derive(Clone, Debug)]
pub struct CellData {
    /// What was known of the cell before.
    pub meta: CellMeta,
    /// Sums over its rows.
    pub totals: Totals,
    pub(super) columns: Kept,
}

/// The columns that are kept; an empty one was not asked for.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// Where the reader read.
    pub(super) read: BooleanChunked,
    /// Where it read and missed the post.
    pub(super) missed: BooleanChunked,
    /// Where no evaluation came.
    pub(super) lost: BooleanChunked,
    /// `post_read_us - writer_start_us`, whether the reader read or not.
    pub(super) window_us: Int64Chunked,
    pub(super) barrier_us: Int64Chunked,
    pub(super) barrier_polls: UInt64Chunked,
    /// The known ends, in order of time.
    pub(super) ends_us: Vec<i64>,
    pub(super) first_sent_us: Option<i64>,
}

impl Default for Kept {
    fn default() -> Self {
        let name = PlSmallStr::from_static;
        Self {
            read: BooleanChunked::from_slice(name("read"), &[]),
            missed: BooleanChunked::from_slice(name("missed"), &[]),
            lost: BooleanChunked::from_slice(name("lost"), &[]),
            window_us: Int64Chunked::from_slice(name("window_us"), &[]),
            barrier_us: Int64Chunked::from_slice(name("barrier_us"), &[]),
            barrier_polls: UInt64Chunked::from_slice(name("barrier_polls"), &[]),
            ends_us: Vec::new(),
            first_sent_us: None,
        }
    }
}

/// What the reader of one request found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The post.
    Consistent,
    /// No post.
    Missed,
    /// Nothing is known: no evaluation came.
    Lost,
    /// It never read.
    Failed,
}

impl CellData {
    /// What the reader of each request found.
    pub fn findings(&self) -> impl Iterator<Item = Finding> {
        let Kept { read, missed, lost, .. } = &self.columns;
        read.iter().zip(missed.iter()).zip(lost.iter()).map(|((read, missed), lost)| match (read, missed, lost) {
            (_, Some(true), _) => Finding::Missed,
            (Some(true), _, _) => Finding::Consistent,
            (_, _, Some(true)) => Finding::Lost,
            _ => Finding::Failed,
        })
    }

    /// What the reader of each request found, with the window in microseconds where it read and both times are known.
    /// Empty unless windows were kept.
    pub fn windows(&self) -> impl Iterator<Item = (Finding, Option<i64>)> {
        self.findings().zip(self.columns.window_us.iter()).map(|(finding, window)| match finding {
            Finding::Consistent | Finding::Missed => (finding, window),
            Finding::Lost | Finding::Failed => (finding, None),
        })
    }

    /// Seconds between the ends of successive requests, in order of the ends, the first counted from the first request
    /// sent. Empty unless ends were kept, and where nobody knows when a request was sent.
    pub fn gaps_s(&self) -> impl Iterator<Item = f64> {
        let ends = if self.columns.first_sent_us.is_some() { self.columns.ends_us.as_slice() } else { &[] };
        let starts = self.columns.first_sent_us.into_iter().chain(ends.iter().copied());
        starts.zip(ends).map(|(start, end)| (end - start) as f64 / 1e6)
    }

    /// A column as claims are judged by: one value per request, NaN where there is none.
    #[must_use]
    pub fn column(&self, column: Column) -> Vec<f64> {
        let flags = |wanted| self.findings().map(|found| if found == wanted { 1.0 } else { 0.0 }).collect();
        let milliseconds = |us: Option<i64>| us.map_or(f64::NAN, |us| us as f64 / 1e3);
        match column {
            Column::WindowMs => self.windows().map(|(_, window)| milliseconds(window)).collect(),
            Column::ConsistentWindowMs => {
                let consistent =
                    |(finding, window): (_, Option<i64>)| window.filter(|_| finding == Finding::Consistent);
                self.windows().map(|window| milliseconds(consistent(window))).collect()
            }
            Column::Missed => flags(Finding::Missed),
            Column::Lost => flags(Finding::Lost),
            Column::Unread => self
                .findings()
                .map(|found| f64::from(u8::from(matches!(found, Finding::Lost | Finding::Failed))))
                .collect(),
            Column::BarrierMs => self.columns.barrier_us.iter().map(milliseconds).collect(),
            Column::BarrierPolls => {
                self.columns.barrier_polls.iter().map(|polls| polls.map_or(f64::NAN, |polls| polls as f64)).collect()
            }
            Column::CompletionGapS => self.gaps_s().collect(),
        }
    }
}
