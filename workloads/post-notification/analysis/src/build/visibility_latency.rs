//! Cumulative distributions of the window, at delay 0.

use super::pool::Pools;
use crate::tables::{CurvePoint, LatencyCurve};

/// Most points of a curve.
const POINTS: u64 = 100;

/// Two curves per region pair, post storage, notification storage and treatment: all reads, and the consistent ones only. A curve without a
/// read is left out.
#[must_use]
pub fn visibility_latency(pools: &Pools<'_>) -> Vec<LatencyCurve> {
    let mut curves = Vec::new();
    for (axes, pool) in pools.by_regions().filter(|(axes, _)| axes.delay_ms == 0) {
        for (consistent_only, sorted) in [(false, pool.sorted_windows()), (true, pool.consistent_windows())] {
            if !sorted.is_empty() {
                curves.push(LatencyCurve {
                    regions: axes.combination.regions.clone(),
                    post_storage: axes.combination.post_storage,
                    notification_storage: axes.combination.notification_storage,
                    antipode: axes.antipode,
                    consistent_only,
                    reads: sorted.len() as u64,
                    points: points(sorted),
                });
            }
        }
    }
    curves
}

/// The distribution at the smallest window and at evenly spaced ranks up to the largest.
fn points(sorted: &[i64]) -> Vec<CurvePoint> {
    let n = sorted.len() as u64;
    let steps = (POINTS - 1).min(n - 1);
    let ranks = (0..=steps).map(|step| if steps == 0 { n } else { 1 + (step * (n - 1)).div_ceil(steps) });
    let point = |rank: u64| {
        let window_ms = sorted.get(rank as usize - 1).map(|&us| us as f64 / 1e3)?;
        Some(CurvePoint { share: rank as f64 / n as f64, window_ms })
    };
    ranks.filter_map(point).collect()
}
