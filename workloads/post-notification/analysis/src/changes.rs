//! Metrics of cells, and how they change from one sample to another.

use std::collections::BTreeMap;

use matrix_app::Outcome;
use matrix_plan::claims::{Column, Metric};
use matrix_plan::stats::{Interval, Replicates, difference};

use crate::load::CellData;

/// A metric in two independent samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// The metric.
    pub metric: Metric,
    /// What it is in the first sample; none if nothing was observed there.
    pub from: Option<Interval>,
    /// What it is in the second sample.
    pub to: Option<Interval>,
    /// By how much it is larger in the second, with the interval of independent samples.
    pub by: Option<Interval>,
}

impl Change {
    /// Whether the interval of the change leaves out 0; none where a sample shows nothing, or there are too few measured
    /// rounds for an interval.
    #[must_use]
    pub fn excludes_zero(&self) -> Option<bool> {
        self.by.filter(Interval::is_bounded).map(|by| by.low > 0.0 || by.high < 0.0)
    }

    /// Whether the intervals of the two samples have a value in common; none where a sample shows nothing, or there are too
    /// few measured rounds for an interval.
    #[must_use]
    pub fn overlaps(&self) -> Option<bool> {
        let (from, to) = self.from.filter(Interval::is_bounded).zip(self.to.filter(Interval::is_bounded))?;
        Some(from.low <= to.high && to.low <= from.high)
    }
}

/// How every metric that was observed in either sample changes from the first to the second. Cells of a sample differ in
/// round or origin only; all columns must have been kept ([`Keep::EVERYTHING`](crate::Keep::EVERYTHING)).
#[must_use]
pub fn changes(from: &[&CellData], to: &[&CellData]) -> Vec<Change> {
    let change = |metric: Metric| {
        // Bounds around no estimate are no sample.
        let estimate = |cells| estimate(metric, cells).filter(|found| !found.value.is_nan());
        let (from, to) = (estimate(from), estimate(to));
        let by = from.zip(to).map(|(from, to)| difference(&from, &to));
        (from.is_some() || to.is_some()).then_some(Change { metric, from, to, by })
    };
    Metric::ALL.into_iter().filter_map(change).collect()
}

/// What shows how large the error of estimates from these cells is: rounds, as soon as one was measured.
pub(crate) fn replicates<'a>(cells: impl IntoIterator<Item = &'a CellData>) -> Replicates {
    let measured = cells.into_iter().any(|cell| !cell.meta.simulated);
    if measured { Replicates::Rounds } else { Replicates::Blocks }
}

/// A metric of cells that are taken as one sample.
pub(crate) fn estimate(metric: Metric, cells: &[&CellData]) -> Option<Interval> {
    let replicates = replicates(cells.iter().copied());
    let observed = columns(metric.column(), cells, replicates);
    let observed = slices(&observed);
    let failed = |cell: &&CellData| cell.totals.lost() + cell.totals.failed() > 0;
    let unread = match metric {
        Metric::InconsistencyPercent if cells.iter().any(failed) => Some(columns(Column::Unread, cells, replicates)),
        _ => None,
    };
    let unread = unread.as_deref().map(slices);
    let mut found = metric.estimate(&observed, unread.as_deref(), replicates)?;
    let gave_up = cells.iter().any(|cell| cell.totals.count(Outcome::BarrierTimeout) > 0);
    if gave_up && matches!(metric, Metric::BarrierMeanMs | Metric::BarrierPollsMean) {
        // Nobody knows how long a barrier that gave up would have waited.
        found.high = f64::INFINITY;
    }
    Some(found)
}

/// A column, once for each cell; of measured cells once for each round of each origin.
fn columns(column: Column, cells: &[&CellData], replicates: Replicates) -> Vec<Vec<f64>> {
    match replicates {
        Replicates::Blocks => cells.iter().map(|cell| cell.column(column)).collect(),
        Replicates::Rounds => {
            let mut rounds: BTreeMap<_, Vec<f64>> = BTreeMap::new();
            for cell in cells {
                let round = (cell.meta.inputs.round, cell.meta.origin.as_str());
                rounds.entry(round).or_default().extend(cell.column(column));
            }
            rounds.into_values().collect()
        }
    }
}

fn slices(columns: &[Vec<f64>]) -> Vec<&[f64]> {
    columns.iter().map(Vec::as_slice).collect()
}
