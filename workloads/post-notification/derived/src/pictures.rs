//! A figure and the table that it is drawn from.

use std::thread;

use matrix_analysis::tables::Source;
use matrix_analysis::{Pools, to_csv};
use matrix_presets::{Drawing, Figure, FigureError};
use matrix_run::{FailureKind, RunError, with_causes};

/// A figure that there are data for: its table, and its drawing.
pub(crate) struct Picture {
    pub(crate) figure: Figure,
    pub(crate) csv: String,
    pub(crate) svg: String,
}

/// The figures that there are data for, with the authors' numbers where they fit.
pub(crate) fn pictures(
    pools: &Pools<'_>,
    authors: Option<&Pools<'_>>,
    source: &Source,
) -> Result<Vec<Picture>, RunError> {
    let drawn = each(&Figure::ALL, |figure| (figure, picture_against(figure, pools, authors, source)));
    let picture = |(figure, (csv, drawing)): (Figure, (String, Result<Drawing, FigureError>))| match drawing {
        Ok(drawing) => Some(Ok(Picture { figure, csv, svg: drawing.svg })),
        Err(FigureError::NoData { .. }) => None,
        Err(error) => Some(Err(RunError::new(FailureKind::Internal, format!("{figure}: {}", with_causes(&error))))),
    };
    drawn.into_iter().filter_map(picture).collect()
}

/// What is made of each figure, in their order, at the same time.
pub fn each<T: Send>(figures: &[Figure], make: impl Fn(Figure) -> T + Sync) -> Vec<T> {
    let make = &make;
    thread::scope(|scope| {
        let made: Vec<_> = figures.iter().map(|figure| scope.spawn(move || make(*figure))).collect();
        made.into_iter().map(|made| made.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

/// A figure's table as CSV, and the figure.
pub fn picture(figure: Figure, pools: &Pools<'_>, source: &Source) -> (String, Result<Drawing, FigureError>) {
    picture_against(figure, pools, None, source)
}

/// The same, with the authors' numbers in the figure where [`Figure::shows_authors`] says that they fit; the table is of one's
/// own alone.
fn picture_against(
    figure: Figure,
    pools: &Pools<'_>,
    authors: Option<&Pools<'_>>,
    source: &Source,
) -> (String, Result<Drawing, FigureError>) {
    match figure {
        Figure::ConsistencyWindow => {
            let rows = matrix_analysis::consistency_window(pools);
            let theirs = authors.map(matrix_analysis::consistency_window).unwrap_or_default();
            (to_csv(&rows, source), matrix_presets::consistency_window(&rows, &theirs, source))
        }
        Figure::DelayVsPerInconsistencies => {
            let rows = matrix_analysis::delay(pools);
            let theirs = authors.map(matrix_analysis::delay).unwrap_or_default();
            (to_csv(&rows, source), matrix_presets::delay_vs_per_inconsistencies(&rows, &theirs, source))
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
            (to_csv(&rows, source), matrix_presets::visibility_latency(&rows, &theirs, source))
        }
    }
}
