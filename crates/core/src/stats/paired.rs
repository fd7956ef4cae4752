//! Differences between the two sides of a pair.

use super::batches::{Batches, variance};
use super::interval::{Interval, Replicates};
use super::rounds;
use super::student::t_quantile;

/// The mean of `on` less the mean of `off`, by matching batches: the two sides of a block run next to each other and
/// share their draws, so what moves both cancels within each batch. `None` when a side has no observation or the two are
/// not divided alike; with a single batch both ends are infinite.
#[must_use]
pub fn paired_difference(off: &Batches, on: &Batches) -> Option<Interval> {
    let (mean_off, mean_on) = (off.mean()?, on.mean()?);
    if off.layout() != on.layout() {
        return None;
    }
    if off.layout().replicates() == Replicates::Rounds {
        return rounds::paired_difference(off, on);
    }
    let value = mean_on - mean_off;
    let parts = off.filled().min(on.filled());
    let residuals = on.residuals(mean_on).zip(off.residuals(mean_off)).map(|(on, off)| on - off);
    let half = variance(parts, residuals)
        .map_or(f64::INFINITY, |variance| t_quantile(0.975, (parts - 1) as f64) * variance.sqrt());
    Some(Interval {
        value,
        low: value - half,
        high: value + half,
        observations: off.observations().min(on.observations()),
        effective: parts as f64,
        batches: parts,
        few_blocks: off.layout().few_blocks(),
        replicates: Replicates::Blocks,
    })
}
