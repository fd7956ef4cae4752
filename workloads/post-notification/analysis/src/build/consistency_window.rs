//! The consistency window with antipode off and on, at delay 0.

use matrix_plan::Axes;

use super::pool::{Pool, Pools};
use crate::tables::WindowRow;

/// One row per region pair, post storage and notification storage that was measured with antipode off.
#[must_use]
pub fn consistency_window(pools: &Pools<'_>) -> Vec<WindowRow> {
    let originals = pools.by_regions().filter(|(axes, _)| axes.delay_ms == 0 && !axes.antipode);
    originals.filter_map(|(axes, original)| row(pools, axes, original)).collect()
}

/// `None` without a read with antipode off.
fn row(pools: &Pools<'_>, axes: &Axes, original: &Pool<'_>) -> Option<WindowRow> {
    let original_p50_ms = original.window_quantile_ms(0.5)?;
    let antipode = pools.get(&Axes { antipode: true, ..axes.clone() });
    let antipode_p50_ms = antipode.and_then(|pool| pool.window_quantile_ms(0.5));
    Some(WindowRow {
        regions: axes.combination.regions.clone(),
        post_storage: axes.combination.post_storage,
        notification_storage: axes.combination.notification_storage,
        original_reads: original.totals().reads(),
        original_p50_ms,
        missed: original.inconsistent(),
        basis: original.basis(),
        antipode_reads: antipode.map_or(0, |pool| pool.totals().reads()),
        antipode_p50_ms,
        extra_ms: antipode_p50_ms.map(|antipode| antipode - original_p50_ms),
    })
}
