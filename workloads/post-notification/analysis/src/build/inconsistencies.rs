//! Inconsistencies by pair of storages: delay 0.

use super::pool::Pools;
use crate::tables::InconsistencyRow;

/// One row per region pair, post storage, notification storage and treatment.
#[must_use]
pub fn inconsistencies(pools: &Pools<'_>) -> Vec<InconsistencyRow> {
    pools
        .by_regions()
        .filter(|(axes, _)| axes.delay_ms == 0)
        .map(|(axes, pool)| InconsistencyRow {
            regions: axes.combination.regions.clone(),
            post_storage: axes.combination.post_storage,
            notification_storage: axes.combination.notification_storage,
            antipode: axes.antipode,
            planned: pool.totals().planned,
            misses: pool.totals().misses,
            lost: pool.totals().lost(),
            failed: pool.totals().failed(),
            inconsistent: pool.inconsistent(),
            basis: pool.basis(),
        })
        .collect()
}
