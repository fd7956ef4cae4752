//! Artificial delay against inconsistencies: antipode off.

use super::pool::Pools;
use crate::tables::DelayRow;

/// One row per region pair, post storage, notification storage and delay.
#[must_use]
pub fn delay(pools: &Pools<'_>) -> Vec<DelayRow> {
    pools
        .by_regions()
        .filter(|(axes, _)| !axes.antipode)
        .map(|(axes, pool)| DelayRow {
            regions: axes.combination.regions.clone(),
            post_storage: axes.combination.post_storage,
            notification_storage: axes.combination.notification_storage,
            delay_ms: axes.delay_ms,
            planned: pool.totals().planned,
            misses: pool.totals().misses,
            lost: pool.totals().lost(),
            failed: pool.totals().failed(),
            inconsistent: pool.inconsistent(),
            basis: pool.basis(),
        })
        .collect()
}
