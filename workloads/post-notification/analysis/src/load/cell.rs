//! What is kept of a cell: exact totals, and compact columns.

use std::sync::Arc;

use matrix_plan::claims::Column;

use super::totals::Totals;
use crate::traces::CellMeta;

/// Which columns are kept, beside the one that says what a read found (a byte a request).
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
    pub meta: Arc<CellMeta>,
    /// Sums over its rows.
    pub totals: Totals,
    pub(super) columns: Kept,
}

/// The columns that are kept; an empty one was not asked for. Of small cells there are many, so that each costs little.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    /// What the reader found.
    pub(super) findings: Vec<Finding>,
    /// `post_read_us - writer_start_us`, whether the reader read or not.
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
    fn get(self) -> Option<i64> {
        (self.0 != i64::MIN).then_some(self.0)
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
        self.columns.findings.iter().copied()
    }

    /// What the reader of each request found, with the window in microseconds where it read and both times are known.
    /// Empty unless windows were kept.
    pub fn windows(&self) -> impl Iterator<Item = (Finding, Option<i64>)> {
        self.findings().zip(&self.columns.window_us).map(|(finding, window)| match finding {
            Finding::Consistent | Finding::Missed => (finding, window.get()),
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
            Column::BarrierMs => self.columns.barrier_us.iter().map(|us| milliseconds(us.get())).collect(),
            Column::BarrierPolls => {
                let polls = self.columns.barrier_polls.iter();
                polls.map(|polls| polls.get().map_or(f64::NAN, |polls| polls as f64)).collect()
            }
            Column::CompletionGapS => self.gaps_s().collect(),
        }
    }
}
