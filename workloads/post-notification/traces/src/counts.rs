//! What an attempt's rows add up to.

use matrix_app::Outcome;
use matrix_app::row::Row;
use serde::{Deserialize, Serialize};

/// How many rows there are of each sort. Rows of all outcomes add up to `planned`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Rows whose barrier gave up.
    pub barrier_timeout: u64,
    /// Rows whose evaluation never came.
    pub lost: u64,
    /// Reads that found no post.
    pub misses: u64,
    /// Rows whose reader read.
    pub ok: u64,
    /// All rows: one for each planned request.
    pub planned: u64,
    /// Rows whose reader failed.
    pub reader_error: u64,
    /// Rows that tell whether the read found the post.
    pub reads: u64,
    /// Rows whose writer failed.
    pub writer_error: u64,
}

impl Counts {
    /// Rows of one outcome.
    #[must_use]
    pub fn of(&self, outcome: Outcome) -> u64 {
        match outcome {
            Outcome::Ok => self.ok,
            Outcome::Lost => self.lost,
            Outcome::WriterError => self.writer_error,
            Outcome::ReaderError => self.reader_error,
            Outcome::BarrierTimeout => self.barrier_timeout,
        }
    }

    /// Rows that were observed to their end: read, or given up by the barrier. An attempt without any has failed.
    #[must_use]
    pub fn observed(&self) -> u64 {
        self.ok + self.barrier_timeout
    }

    pub(crate) fn add(&mut self, row: &Row) {
        self.planned += 1;
        *match row.outcome {
            Outcome::Ok => &mut self.ok,
            Outcome::Lost => &mut self.lost,
            Outcome::WriterError => &mut self.writer_error,
            Outcome::ReaderError => &mut self.reader_error,
            Outcome::BarrierTimeout => &mut self.barrier_timeout,
        } += 1;
        self.reads += u64::from(row.consistent_read.is_some());
        self.misses += u64::from(row.consistent_read == Some(false));
    }
}

/// Sums and extremes over rows, so that summaries need not read them. Times are microseconds since the attempt's epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceTotals {
    /// Questions that barriers asked.
    pub barrier_polls: u64,
    /// Time that readers spent in barriers, in microseconds.
    pub barrier_us: i64,
    /// When the first request was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_sent_us: Option<i64>,
    /// When the last reply reached its client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_reply_us: Option<i64>,
    /// When the last request was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sent_us: Option<i64>,
    /// Bytes of lineages in notifications.
    pub lineage_bytes: u64,
    /// Logical bytes of notifications.
    pub notification_bytes: u64,
    /// Logical bytes of posts.
    pub post_bytes: u64,
}

impl TraceTotals {
    pub(crate) fn add(&mut self, row: &Row) {
        self.barrier_polls = self.barrier_polls.saturating_add(row.barrier_polls.unwrap_or(0));
        self.barrier_us = self.barrier_us.saturating_add(row.barrier_us.unwrap_or(0));
        self.lineage_bytes = self.lineage_bytes.saturating_add(row.lineage_bytes.unwrap_or(0));
        self.notification_bytes = self.notification_bytes.saturating_add(row.notification_bytes.unwrap_or(0));
        self.post_bytes = self.post_bytes.saturating_add(row.post_bytes.unwrap_or(0));
        if let Some(sent) = row.client_sent_us {
            self.first_sent_us = Some(self.first_sent_us.map_or(sent, |first| first.min(sent)));
            self.last_sent_us = self.last_sent_us.max(Some(sent));
        }
        self.last_reply_us = self.last_reply_us.max(row.reply_us);
    }

    /// Time from the first request to the last reply, or to the last request where no replies were waited for, in
    /// microseconds.
    #[must_use]
    pub fn span_us(&self) -> Option<i64> {
        Some(self.last_reply_us.max(self.last_sent_us)? - self.first_sent_us?)
    }
}
