//! Means and rates.

use super::batches::{Batches, variance};
use super::interval::{Interval, Replicates};
use super::rounds;
use super::student::t_quantile;

/// The mean, with the interval of batch means: mean ± t(0.975, k - 1) x the standard error from k batches. `None` if
/// nothing was observed; with a single batch both ends are infinite, and with fewer than three where rounds are replicates.
#[must_use]
pub fn mean(batches: &Batches) -> Option<Interval> {
    if batches.layout().replicates() == Replicates::Rounds {
        return rounds::mean(batches);
    }
    let value = batches.mean()?;
    let parts = batches.filled();
    let variance = variance(parts, batches.residuals(value));
    let half = variance.map_or(f64::INFINITY, |variance| t_quantile(0.975, (parts - 1) as f64) * variance.sqrt());
    Some(Interval {
        value,
        low: value - half,
        high: value + half,
        observations: batches.observations(),
        effective: parts as f64,
        batches: parts,
        few_blocks: batches.layout().few_blocks(),
        replicates: Replicates::Blocks,
    })
}

/// Events per unit of time from the gaps between them: the reciprocal of the mean gap, with the reciprocals of its
/// interval's ends (which covers exactly when that of the mean does).
#[must_use]
pub fn rate(gaps: &Batches) -> Option<Interval> {
    if gaps.layout().replicates() == Replicates::Rounds {
        return rounds::rate(gaps);
    }
    let gap = mean(gaps).filter(|gap| gap.value > 0.0)?;
    let high = if gap.low > 0.0 { 1.0 / gap.low } else { f64::INFINITY };
    Some(Interval { value: 1.0 / gap.value, low: 1.0 / gap.high, high, ..gap })
}
