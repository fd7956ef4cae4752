//! The metrics that a claim can bound.

use std::str::FromStr;

use crate::axes::UnknownName;
use crate::stats::{self, Batches, Interval, Replicates};

matrix_core::named! {
    /// A quantity of one cell or of pooled cells.
    pub enum Metric: as_str {
        /// Mean consistency window of all reads, in milliseconds.
        WindowMeanMs = "window_mean_ms",
        /// Median consistency window of all reads, in milliseconds.
        WindowP50Ms = "window_p50_ms",
        /// 90th percentile of the consistency window of all reads, in milliseconds.
        WindowP90Ms = "window_p90_ms",
        /// 99th percentile of the consistency window of all reads, in milliseconds.
        WindowP99Ms = "window_p99_ms",
        /// Mean consistency window of the consistent reads, in milliseconds.
        ConsistentWindowMeanMs = "consistent_window_mean_ms",
        /// Median consistency window of the consistent reads, in milliseconds.
        ConsistentWindowP50Ms = "consistent_window_p50_ms",
        /// Inconsistencies among planned requests, in percent. Requests without a read widen its interval.
        InconsistencyPercent = "inconsistency_percent",
        /// Requests among the planned ones whose evaluation never came, in percent.
        LostPercent = "lost_percent",
        /// Mean time in the barrier, in milliseconds.
        BarrierMeanMs = "barrier_mean_ms",
        /// Mean number of polls of a barrier.
        BarrierPollsMean = "barrier_polls_mean",
        /// Requests a second, from the first request sent to the last answer of a writer that did not fail.
        ThroughputPerS = "throughput_per_s",
    }
}

/// What is observed of each planned request for a metric, one value per request in order of `i`; NaN where the request
/// has no such value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// The consistency window in milliseconds, of requests whose reader read.
    WindowMs,
    /// The consistency window in milliseconds, of requests whose reader found the post.
    ConsistentWindowMs,
    /// 1 where the reader missed the post, else 0; of every planned request.
    Missed,
    /// 1 where no evaluation came, else 0; of every planned request.
    Lost,
    /// 1 where there was no read (an error, a barrier that gave up, or no evaluation), else 0; of every planned request.
    Unread,
    /// Time in the barrier in milliseconds, of requests that went through it.
    BarrierMs,
    /// Polls of the barrier, of requests that went through it.
    BarrierPolls,
    /// Seconds between the ends of successive requests, in order of the ends, the first counted from the first request
    /// sent: so many values as ends, and their sum is the length of the round.
    CompletionGapS,
}

enum Statistic {
    Mean,
    Quantile(f64),
    Percent,
    Rate,
}

impl Metric {
    /// The unit, as written after a number.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::InconsistencyPercent | Self::LostPercent => "%",
            Self::BarrierPollsMean => "polls",
            Self::ThroughputPerS => "/s",
            _ => "ms",
        }
    }

    /// What must be observed for it.
    #[must_use]
    pub fn column(self) -> Column {
        match self {
            Self::WindowMeanMs | Self::WindowP50Ms | Self::WindowP90Ms | Self::WindowP99Ms => Column::WindowMs,
            Self::ConsistentWindowMeanMs | Self::ConsistentWindowP50Ms => Column::ConsistentWindowMs,
            Self::InconsistencyPercent => Column::Missed,
            Self::LostPercent => Column::Lost,
            Self::BarrierMeanMs => Column::BarrierMs,
            Self::BarrierPollsMean => Column::BarrierPolls,
            Self::ThroughputPerS => Column::CompletionGapS,
        }
    }

    fn statistic(self) -> Statistic {
        match self {
            Self::WindowMeanMs | Self::ConsistentWindowMeanMs | Self::BarrierMeanMs | Self::BarrierPollsMean => {
                Statistic::Mean
            }
            Self::WindowP50Ms | Self::ConsistentWindowP50Ms => Statistic::Quantile(0.5),
            Self::WindowP90Ms => Statistic::Quantile(0.9),
            Self::WindowP99Ms => Statistic::Quantile(0.99),
            Self::InconsistencyPercent | Self::LostPercent => Statistic::Percent,
            Self::ThroughputPerS => Statistic::Rate,
        }
    }

    /// Whether only reads tell of it, so that it says nothing of the requests without one.
    #[must_use]
    pub fn is_of_reads(self) -> bool {
        !matches!(self, Self::InconsistencyPercent | Self::LostPercent)
    }

    /// The metric with its interval, from its column in each round. `unread` is [`Column::Unread`] of the same rounds: it
    /// widens the share of inconsistencies and is not needed for another metric. `replicates` says what shows how large
    /// the error is. `None` if nothing was observed.
    #[must_use]
    pub fn estimate(self, rounds: &[&[f64]], unread: Option<&[&[f64]]>, replicates: Replicates) -> Option<Interval> {
        let batches = |rounds| Batches::of(rounds, replicates);
        match self.statistic() {
            Statistic::Mean => stats::mean(&batches(rounds)),
            Statistic::Quantile(p) => stats::quantile(rounds, p, replicates),
            Statistic::Rate => stats::rate(&batches(rounds)),
            Statistic::Percent => {
                let observed = batches(rounds);
                let share = match unread {
                    Some(unread) if self == Self::InconsistencyPercent => {
                        stats::proportion_of_planned(&observed, &batches(unread))
                    }
                    _ => stats::proportion(&observed),
                };
                share.map(|share| share.scaled(100.0))
            }
        }
    }
}

impl FromStr for Metric {
    type Err = UnknownName;
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.into_iter().find(|metric| metric.as_str() == text);
        found.ok_or_else(|| UnknownName { what: "metric", text: text.to_owned(), known: &Self::NAMES })
    }
}
