//! Artificial delay against inconsistencies: SNS, antipode off.

use matrix_plan::NotificationStorage;

use super::pool::Pools;
use crate::tables::DelayRow;

/// One row per region pair, post storage and delay.
#[must_use]
pub fn delay(pools: &Pools<'_>) -> Vec<DelayRow> {
    pools
        .by_regions()
        .filter(|(axes, _)| axes.combination.notification_storage == NotificationStorage::Sns && !axes.antipode)
        .map(|(axes, pool)| DelayRow {
            regions: axes.combination.regions.clone(),
            post_storage: axes.combination.post_storage,
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
