//! What is kept of a cell: exact totals, and compact columns.

use std::ops::Range;
use std::sync::Arc;

use matrix_plan::claims::Column;

use super::totals::Totals;
use crate::traces::CellMeta;

/// Which columns are kept, beside the one of what each read found (a byte a request).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// The consistency window: eight bytes a request.
    pub windows: bool,
    /// The ends of requests: eight bytes each.
    pub ends: bool,
    /// Time and polls of barriers: sixteen bytes a request.
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
    pub meta: Arc<CellMeta>,
    /// Sums over its rows.
    pub totals: Totals,
    pub(super) columns: Kept,
}

/// The columns that are kept; an empty one was not requested. Of small cells there are many, so that each costs little.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    /// What the reader found.
    pub(super) findings: Vec<Finding>,
    /// `post_read_us - writer_start_us` where the reader read.
    pub(super) window_us: Vec<Known>,
    pub(super) barrier_us: Vec<Known>,
    pub(super) barrier_polls: Vec<Known>,
    /// The known ends, in order of time.
    pub(super) ends_us: Vec<i64>,
    pub(super) first_sent_us: Option<i64>,
}

/// A plausible number, or none, in eight bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known(i64);

impl From<Option<i64>> for Known {
    fn from(number: Option<i64>) -> Self {
        Self(number.unwrap_or(i64::MIN))
    }
}

impl Known {
    pub(super) fn get(self) -> Option<i64> {
        (self.0 != i64::MIN).then_some(self.0)
    }
}

/// Requests up to which memory is reserved before any row is there: how many there are, only the rows tell.
const MOST_RESERVED: u64 = 1 << 20;

impl Kept {
    /// No values yet of so many requests: memory that grows with them would be filled and copied again and again.
    pub(super) fn with_capacity(requests: u64, keep: Keep) -> Self {
        let of = |is_kept: bool| if is_kept { requests.min(MOST_RESERVED) as usize } else { 0 };
        Self {
            findings: Vec::with_capacity(of(true)),
            window_us: Vec::with_capacity(of(keep.windows)),
            barrier_us: Vec::with_capacity(of(keep.barriers)),
            barrier_polls: Vec::with_capacity(of(keep.barriers)),
            ends_us: Vec::with_capacity(of(keep.ends)),
            first_sent_us: None,
        }
    }

    /// Puts ends in order, and gives back what memory is left.
    pub(super) fn finish(&mut self) {
        self.ends_us.sort_unstable();
        self.ends_us.shrink_to_fit();
        self.findings.shrink_to_fit();
        for column in [&mut self.window_us, &mut self.barrier_us, &mut self.barrier_polls] {
            column.shrink_to_fit();
        }
    }
}

/// What the reader of one request found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The post.
    Consistent,
    /// No post.
    Missed,
    /// Nothing is known: no evaluation came.
    Lost,
    /// It never read.
    Failed,
}

impl Finding {
    /// Whether the reader never read, as far as is known.
    pub(crate) fn is_unread(self) -> bool {
        matches!(self, Self::Lost | Self::Failed)
    }
}

impl CellData {
    /// What the readers of these requests found, as far as there are so many.
    pub(crate) fn findings(&self, requests: &Range<u64>) -> &[Finding] {
        part(&self.columns.findings, requests)
    }

    /// The known windows of these requests in microseconds, in their order. None unless windows were kept.
    pub(crate) fn windows(&self, requests: &Range<u64>) -> impl Iterator<Item = i64> {
        part(&self.columns.window_us, requests).iter().filter_map(|window| window.get())
    }

    /// The known windows in microseconds, in no order: of the reads that missed the post, or of those that found it.
    pub(crate) fn windows_where(&self, missed: bool) -> impl Iterator<Item = i64> {
        let wanted = if missed { Finding::Missed } else { Finding::Consistent };
        let windows = self.columns.findings.iter().zip(&self.columns.window_us);
        windows.filter(move |(finding, _)| **finding == wanted).filter_map(|(_, window)| window.get())
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
        let Kept { findings, window_us, barrier_us, barrier_polls, .. } = &self.columns;
        let flags =
            |wanted: fn(Finding) -> bool| findings.iter().map(|found| f64::from(u8::from(wanted(*found)))).collect();
        let milliseconds = |us: Option<i64>| us.map_or(f64::NAN, |us| us as f64 / 1e3);
        match column {
            Column::WindowMs => window_us.iter().map(|us| milliseconds(us.get())).collect(),
            Column::ConsistentWindowMs => {
                let consistent = |(finding, window): (&Finding, &Known)| {
                    milliseconds(window.get().filter(|_| *finding == Finding::Consistent))
                };
                findings.iter().zip(window_us).map(consistent).collect()
            }
            Column::Missed => flags(|found| found == Finding::Missed),
            Column::Lost => flags(|found| found == Finding::Lost),
            Column::Unread => flags(Finding::is_unread),
            Column::BarrierMs => barrier_us.iter().map(|us| milliseconds(us.get())).collect(),
            Column::BarrierPolls => {
                barrier_polls.iter().map(|polls| polls.get().map_or(f64::NAN, |polls| polls as f64)).collect()
            }
            Column::CompletionGapS => self.gaps_s().collect(),
        }
    }
}

/// The part of a column that is about these requests, as far as there are so many.
fn part<'a, T>(column: &'a [T], requests: &Range<u64>) -> &'a [T] {
    let [start, end] = [requests.start, requests.end].map(|at| at.min(column.len() as u64) as usize);
    &column[start..end]
}
