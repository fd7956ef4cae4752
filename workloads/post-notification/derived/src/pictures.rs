//! A figure and the table that it is drawn from.

use matrix_analysis::tables::Source;
use matrix_analysis::{Pools, to_csv};
use matrix_presets::{Drawing, Figure, FigureError};

/// A figure's table as CSV, and the figure.
pub fn picture(figure: Figure, pools: &Pools<'_>, source: &Source) -> (String, Result<Drawing, FigureError>) {
    match figure {
        Figure::ConsistencyWindow => {
            let rows = matrix_analysis::consistency_window(pools);
            (to_csv(&rows, source), matrix_presets::consistency_window(&rows, source))
        }
        Figure::DelayVsPerInconsistencies => {
            let rows = matrix_analysis::delay(pools);
            (to_csv(&rows, source), matrix_presets::delay_vs_per_inconsistencies(&rows, source))
        }
        Figure::StorageOverhead => {
            let rows = matrix_analysis::storage_overhead(pools);
            (to_csv(&rows, source), matrix_presets::storage_overhead(&rows, source))
        }
        Figure::Inconsistencies => {
            let rows = matrix_analysis::inconsistencies(pools);
            (to_csv(&rows, source), matrix_presets::inconsistencies(&rows, source))
        }
        Figure::VisibilityLatency => {
            let rows = matrix_analysis::visibility_latency(pools);
            (to_csv(&rows, source), matrix_presets::visibility_latency(&rows, source))
        }
    }
}
