//! A figure and the table that it is drawn from.

use matrix_analysis::tables::Source;
use matrix_analysis::{Pools, to_csv};
use matrix_presets::{Drawing, Figure, FigureError};

/// A figure's table as CSV, and the figure.
pub fn picture(figure: Figure, pools: &Pools<'_>, source: &Source) -> (String, Result<Drawing, FigureError>) {
    picture_against(figure, pools, None, source)
}

/// The same, with the authors' numbers in the figure where [`Figure::shows_authors`] says that they fit; the table is of one's
/// own alone.
pub fn picture_against(
    figure: Figure,
    pools: &Pools<'_>,
    authors: Option<&Pools<'_>>,
    source: &Source,
) -> (String, Result<Drawing, FigureError>) {
    match figure {
        Figure::ConsistencyWindow => {
            let rows = matrix_analysis::consistency_window(pools);
            let theirs = authors.map(matrix_analysis::consistency_window).unwrap_or_default();
            (to_csv(&rows, source), matrix_presets::consistency_window_against(&rows, &theirs, source))
        }
        Figure::DelayVsPerInconsistencies => {
            let rows = matrix_analysis::delay(pools);
            let theirs = authors.map(matrix_analysis::delay).unwrap_or_default();
            (to_csv(&rows, source), matrix_presets::delay_vs_per_inconsistencies_against(&rows, &theirs, source))
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
            let theirs = authors.map(matrix_analysis::visibility_latency).unwrap_or_default();
            (to_csv(&rows, source), matrix_presets::visibility_latency_against(&rows, &theirs, source))
        }
    }
}
