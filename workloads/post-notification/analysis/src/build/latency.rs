//! The consistency window of one cell in three numbers.

use matrix_plan::stats::nearest_rank;

use crate::load::CellData;

/// Mean and quantiles of a cell's consistency window, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct WindowSummary {
    /// Reads behind the numbers.
    pub reads: u64,
    /// Their mean.
    pub mean_ms: f64,
    /// Their median.
    pub p50_ms: f64,
    /// Their 99th percentile.
    pub p99_ms: f64,
}

/// The window of all reads of a cell, or only of those that found the post; none without a read.
#[must_use]
pub fn window_summary(cell: &CellData, consistent_only: bool) -> Option<WindowSummary> {
    let mut windows: Vec<i64> = cell.windows_where(false).collect();
    if !consistent_only {
        windows.extend(cell.windows_where(true));
    }
    windows.sort_unstable();
    let reads = windows.len() as u64;
    let sum: i128 = windows.iter().map(|us| i128::from(*us)).sum();
    let quantile = |p: f64| windows.get(nearest_rank(p, reads) as usize - 1).map(|us| *us as f64 / 1e3);
    if reads == 0 {
        return None;
    }
    Some(WindowSummary {
        reads,
        mean_ms: sum as f64 / reads as f64 / 1e3,
        p50_ms: quantile(0.5)?,
        p99_ms: quantile(0.99)?,
    })
}
