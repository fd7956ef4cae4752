//! The tables behind summary and figures. Latencies are in milliseconds, fractions between 0 and 1; a number that
//! nothing was observed of is NaN.

use matrix_plan::stats::{Interval, Layout, MIN_ROUNDS, Replicates};
use matrix_plan::{NotificationStorage, PostStorage, RegionPair};
use serde::Serialize;

use crate::nature::Nature;

/// Where the numbers of a table come from, which it must state.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Source {
    /// Name of the experiment.
    pub experiment: String,
    /// How the numbers came about.
    #[serde(flatten)]
    pub nature: Nature,
    /// Cells planned.
    pub planned: u64,
    /// Cells done; the numbers come from these.
    pub done: u64,
}

impl Source {
    /// Cells planned but not done.
    #[must_use]
    pub fn incomplete(&self) -> u64 {
        self.planned.saturating_sub(self.done)
    }
}

/// An estimate and its 95 % interval. An end that the data cannot bound is infinite; where there is no interval both are NaN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Estimate {
    /// What is known when nothing was observed: NaN throughout.
    pub const UNKNOWN: Self = Self { value: f64::NAN, low: f64::NAN, high: f64::NAN };
}

impl From<Interval> for Estimate {
    fn from(interval: Interval) -> Self {
        let end = |end| if interval.is_bounded() { end } else { f64::NAN };
        Self { value: interval.value, low: end(interval.low), high: end(interval.high) }
    }
}

impl From<Option<Interval>> for Estimate {
    fn from(interval: Option<Interval>) -> Self {
        interval.map_or(Self::UNKNOWN, Self::from)
    }
}

/// What stands behind an interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Basis {
    /// Rounds; those of several origins add up.
    pub rounds: u64,
    /// What the interval comes from.
    pub replicates: Replicates,
}

impl Basis {
    /// Why there is no interval, in the few words that stand in its place; none where there is one.
    #[must_use]
    pub fn lack(&self) -> Option<String> {
        let few = self.replicates == Replicates::Rounds && self.rounds < MIN_ROUNDS as u64;
        few.then(|| if self.rounds == 1 { "1 round".to_owned() } else { format!("{} rounds", self.rounds) })
    }

    /// What the interval comes from, in one word: `blocks`, `rounds` or `none`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self.replicates {
            _ if self.lack().is_some() => "none",
            Replicates::Blocks => "blocks",
            Replicates::Rounds => "rounds",
        }
    }

    /// Whether blocks stand for so few rounds that they say little about how rounds differ.
    #[must_use]
    pub fn few_blocks(&self) -> bool {
        self.replicates == Replicates::Blocks && self.rounds < Layout::MANY_ROUNDS as u64
    }
}

/// One line of the consistency window: one post storage in one region pair, with one notification storage, at delay 0.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowRow {
    /// Region pair: with the notification storage, one panel each.
    pub regions: RegionPair,
    /// Post storage: one line each.
    pub post_storage: PostStorage,
    /// What carried notifications.
    pub notification_storage: NotificationStorage,
    /// Reads with antipode off.
    pub original_reads: u64,
    /// Median window without antipode, failed reads included.
    pub original_p50_ms: f64,
    /// Share of inconsistencies without antipode.
    pub missed: Estimate,
    /// What stands behind its interval.
    pub basis: Basis,
    /// Reads with antipode on; 0 when it was not run.
    pub antipode_reads: u64,
    /// Median window with antipode.
    pub antipode_p50_ms: Option<f64>,
    /// The extra: the median with antipode on less that with antipode off.
    pub extra_ms: Option<f64>,
}

/// One point of delay against inconsistencies: antipode off.
#[derive(Clone, Debug, PartialEq)]
pub struct DelayRow {
    /// Region pair: with the notification storage, one panel each.
    pub regions: RegionPair,
    /// Post storage: one line each.
    pub post_storage: PostStorage,
    /// What carried notifications.
    pub notification_storage: NotificationStorage,
    /// Artificial delay.
    pub delay_ms: u64,
    /// Planned requests.
    pub planned: u64,
    /// Reads that missed the post.
    pub misses: u64,
    /// Requests whose evaluation never came.
    pub lost: u64,
    /// Requests that ended in an error or at the barrier's deadline.
    pub failed: u64,
    /// Share of inconsistencies.
    pub inconsistent: Estimate,
    /// What stands behind its interval.
    pub basis: Basis,
}

/// Whether a storage keeps posts or carries notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StorageKind {
    /// Keeps posts.
    Post,
    /// Carries notifications.
    Notification,
}

/// Bytes that one storage keeps or carries, with and without antipode, at delay 0.
#[derive(Clone, Debug, PartialEq)]
pub struct OverheadRow {
    /// What the storage does.
    pub kind: StorageKind,
    /// Name of the storage.
    pub storage: String,
    /// Objects behind the baseline.
    pub baseline_objects: u64,
    /// Total logical bytes without antipode.
    pub baseline_total_bytes: u64,
    /// Average logical bytes per object without antipode.
    pub baseline_average_bytes: f64,
    /// Objects behind the antipode figures.
    pub antipode_objects: u64,
    /// Total logical bytes with antipode.
    pub antipode_total_bytes: u64,
    /// Average logical bytes per object with antipode.
    pub antipode_average_bytes: f64,
    /// Difference of the averages, in bytes.
    pub overhead_bytes: f64,
    /// Difference of the averages, in percent of the baseline.
    pub overhead_percent: f64,
}

/// One field of the post storage x notification storage table at delay 0, in one region pair.
#[derive(Clone, Debug, PartialEq)]
pub struct InconsistencyRow {
    /// Region pair: one panel each.
    pub regions: RegionPair,
    /// Where posts lived.
    pub post_storage: PostStorage,
    /// What carried notifications.
    pub notification_storage: NotificationStorage,
    /// Whether the reader waited in the barrier.
    pub antipode: bool,
    /// Planned requests.
    pub planned: u64,
    /// Reads that missed the post.
    pub misses: u64,
    /// Requests whose evaluation never came.
    pub lost: u64,
    /// Requests that ended in an error or at the barrier's deadline.
    pub failed: u64,
    /// Share of inconsistencies.
    pub inconsistent: Estimate,
    /// What stands behind its interval.
    pub basis: Basis,
}

/// One cumulative distribution of the window, at delay 0.
#[derive(Clone, Debug, PartialEq)]
pub struct LatencyCurve {
    /// Region pair: with the notification storage, one row of panels each.
    pub regions: RegionPair,
    /// Post storage: one column of panels each.
    pub post_storage: PostStorage,
    /// What carried notifications.
    pub notification_storage: NotificationStorage,
    /// Whether the reader waited in the barrier.
    pub antipode: bool,
    /// Whether only consistent reads are counted.
    pub consistent_only: bool,
    /// Reads behind the curve.
    pub reads: u64,
    /// The curve: window in milliseconds at rising shares of the reads (at most a few hundred points).
    pub points: Vec<CurvePoint>,
}

/// A point of a cumulative distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// Share of the reads whose window is at most `window_ms`.
    pub share: f64,
    /// Window.
    pub window_ms: f64,
}

/// What one treatment (antipode off or on) of a combination at one delay showed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TreatmentRow {
    /// Planned requests of the done cells.
    pub planned: u64,
    /// Rounds behind it; those of several origins add up.
    pub rounds: u64,
    /// What intervals come from.
    pub replicates: Replicates,
    /// Reads.
    pub reads: u64,
    /// Reads that missed the post.
    pub misses: u64,
    /// Requests whose evaluation never came.
    pub lost: u64,
    /// Requests that ended in an error or at the barrier's deadline.
    pub failed: u64,
    /// Share of inconsistencies; where requests have no read its interval covers the bounds
    /// misses/planned .. (misses + lost + failed)/planned. Unknown without a read.
    pub inconsistent: Estimate,
    /// Mean window, failed reads included.
    pub window_mean_ms: Estimate,
    /// Median window by nearest rank, failed reads included.
    pub window_p50_ms: f64,
    /// 99th percentile of the window by nearest rank, failed reads included.
    pub window_p99_ms: f64,
    /// Requests a second, from the first request sent to the last answer of a writer that did not fail; unknown without a
    /// read.
    pub throughput_per_s: f64,
    /// Seconds that readers spent in the barrier, all requests together.
    pub barrier_s: f64,
    /// Polls of barriers, all requests together.
    pub barrier_polls: u64,
}

impl TreatmentRow {
    /// What stands behind its intervals.
    #[must_use]
    pub fn basis(&self) -> Basis {
        Basis { rounds: self.rounds, replicates: self.replicates }
    }
}

/// One line of the closing summary.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SummaryRow {
    /// Where posts lived.
    pub post_storage: PostStorage,
    /// What carried notifications.
    pub notification_storage: NotificationStorage,
    /// Region pair.
    pub regions: RegionPair,
    /// Artificial delay.
    pub delay_ms: u64,
    /// Whether the replication lag of the post storage was configured, not native.
    pub configured_lag: bool,
    /// Whether the replication lag of the notification storage was configured, not native.
    pub configured_notification_lag: bool,
    /// Whether the simulator's model had no data for the region pair.
    pub extrapolated: bool,
    /// Antipode off, if it ran.
    pub off: Option<TreatmentRow>,
    /// Antipode on, if it ran.
    pub on: Option<TreatmentRow>,
    /// Change of throughput that antipode brought, in percent of the original's, from the rounds that ran with both.
    pub throughput_change_percent: Option<Estimate>,
}
