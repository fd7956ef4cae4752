//! Metrics of cells, and how they change from one sample to another.

use matrix_plan::claims::{Column, Metric};
use matrix_plan::stats::{Interval, difference};

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
    /// Whether the interval of the change leaves out 0; none where a sample shows nothing.
    #[must_use]
    pub fn excludes_zero(&self) -> Option<bool> {
        self.by.map(|by| by.low > 0.0 || by.high < 0.0)
    }

    /// Whether the intervals of the two samples have a value in common; none where a sample shows nothing.
    #[must_use]
    pub fn overlaps(&self) -> Option<bool> {
        let (from, to) = self.from.zip(self.to)?;
        Some(from.low <= to.high && to.low <= from.high)
    }
}

/// How every metric that was observed in either sample changes from the first to the second. Cells of a sample differ in
/// round or origin only; all columns must have been kept ([`Keep::EVERYTHING`](crate::Keep::EVERYTHING)).
#[must_use]
pub fn changes(from: &[&CellData], to: &[&CellData]) -> Vec<Change> {
    let change = |metric: Metric| {
        let (from, to) = (estimate(metric, from), estimate(metric, to));
        let by = from.zip(to).map(|(from, to)| difference(&from, &to));
        (from.is_some() || to.is_some()).then_some(Change { metric, from, to, by })
    };
    Metric::ALL.into_iter().filter_map(change).collect()
}

/// A metric of cells that are taken as one sample.
pub(crate) fn estimate(metric: Metric, cells: &[&CellData]) -> Option<Interval> {
    let columns = |column: Column| cells.iter().map(|cell| cell.column(column)).collect::<Vec<_>>();
    let observed = columns(metric.column());
    let observed: Vec<&[f64]> = observed.iter().map(Vec::as_slice).collect();
    if metric == Metric::InconsistencyPercent && cells.iter().any(|cell| cell.totals.lost() > 0) {
        let lost = columns(Column::Lost);
        let lost: Vec<&[f64]> = lost.iter().map(Vec::as_slice).collect();
        return metric.estimate(&observed, Some(&lost));
    }
    metric.estimate(&observed, None)
}
