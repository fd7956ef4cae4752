//! Judges claims by traces.

use std::io::{self, Read};
use std::sync::Arc;

use matrix_plan::Axes;
use matrix_plan::claims::{Check, Claim, Evidence, RowEvidence, Verdict, judge_every_row, judge_metric};
use matrix_plan::stats::Replicates;

use super::result::{ClaimFinding, ClaimResult};
use crate::changes::{estimate, replicates};
use crate::error::LoadError;
use crate::load::{CellData, Keep, Loaded, Options, load};
use crate::nature::Nature;
use crate::traces::{CellMeta, Traces};

/// Judges claims by the traces of done cells, each of which is read at most once and only if a claim is about it.
/// `not_done` has the axes of every planned cell that is not done. Of `options` the columns to keep are not used.
///
/// # Errors
/// When a trace cannot be loaded.
pub fn evaluate<T: Traces + ?Sized>(
    claims: &[Claim],
    traces: &T,
    not_done: &[Axes],
    options: &Options,
) -> Result<Vec<ClaimResult>, LoadError> {
    let metrics = claims.iter().filter_map(|claim| match claim.check {
        Check::Metric { metric, .. } => Some(metric.column()),
        Check::EveryRowConsistent => None,
    });
    let keep = Keep::of(&metrics.collect::<Vec<_>>());
    let wanted = Subset::new(traces, |cell| claims.iter().any(|claim| claim.is_about(&cell.inputs.axes)));
    let loaded = load(&wanted, &Options { keep, ..*options })?;
    Ok(claims.iter().map(|claim| judge(claim, &loaded, not_done)).collect())
}

/// Some of the cells of others.
struct Subset<'a, T: ?Sized> {
    traces: &'a T,
    numbers: Vec<usize>,
    cells: Vec<Arc<CellMeta>>,
}

impl<'a, T: Traces + ?Sized> Subset<'a, T> {
    fn new(traces: &'a T, wanted: impl Fn(&CellMeta) -> bool) -> Self {
        let found = traces.cells().iter().enumerate().filter(|(_, cell)| wanted(cell));
        let (numbers, cells) = found.map(|(n, cell)| (n, Arc::clone(cell))).unzip();
        Self { traces, numbers, cells }
    }
}

impl<T: Traces + ?Sized> Traces for Subset<'_, T> {
    fn cells(&self) -> &[Arc<CellMeta>] {
        &self.cells
    }

    fn open(&self, n: usize) -> io::Result<Box<dyn Read + Send + '_>> {
        let number = self.numbers.get(n).ok_or(io::ErrorKind::NotFound)?;
        self.traces.open(*number)
    }
}

fn judge(claim: &Claim, loaded: &Loaded, not_done: &[Axes]) -> ClaimResult {
    let mut cells: Vec<&CellData> =
        loaded.cells().iter().filter(|cell| claim.is_about(&cell.meta.inputs.axes)).collect();
    cells.sort_by_key(|cell| (&cell.meta.inputs.axes, cell.meta.inputs.round, &cell.meta.origin, cell.meta.key));
    let missing = not_done.iter().filter(|axes| claim.is_about(axes)).count() as u64;
    let findings = match &claim.check {
        Check::EveryRowConsistent => vec![every_row(&cells, missing)],
        Check::Metric { metric, bound, pool } => {
            let judged = |(cells, missing_cells): (&[&CellData], u64)| {
                let estimate = estimate(*metric, cells);
                let sum = |of: fn(&CellData) -> u64| cells.iter().map(|cell| of(cell)).sum();
                let evidence = Evidence {
                    planned: sum(|cell| cell.totals.planned),
                    reads: sum(|cell| cell.totals.reads()),
                    missing_cells,
                };
                let judgement = judge_metric(*metric, bound, estimate.as_ref(), &evidence);
                ClaimFinding::new(cells, judgement, Some((*metric, estimate)))
            };
            samples(&cells, *pool, claim, not_done).into_iter().map(judged).collect()
        }
    };
    ClaimResult {
        id: claim.id.clone(),
        says: claim.says.clone(),
        source: claim.source.clone(),
        verdict: whole(&findings),
        nature: Nature::of(cells.iter().map(|cell| &*cell.meta)),
        missing_cells: missing,
        findings,
    }
}

/// The cells of a claim, divided into what is judged as one, each with the number of cells that are missing of it: all of
/// them with `pool`; of measured cells the rounds of a point; else each by itself.
fn samples<'a, 'c>(
    cells: &'a [&'c CellData],
    pool: bool,
    claim: &Claim,
    not_done: &[Axes],
) -> Vec<(&'a [&'c CellData], u64)> {
    let missing = |about: &dyn Fn(&Axes) -> bool| {
        not_done.iter().filter(|axes| claim.is_about(axes) && about(axes)).count() as u64
    };
    if pool {
        return vec![(cells, missing(&|_| true))];
    }
    let axes = |cell: &CellData| cell.meta.inputs.axes.clone();
    let by_point = replicates(cells.iter().copied()) == Replicates::Rounds;
    let mut samples: Vec<_> = cells
        .chunk_by(|one, next| by_point && axes(one) == axes(next))
        .map(|sample| (sample, if by_point { missing(&|of| sample.iter().any(|cell| axes(cell) == *of)) } else { 0 }))
        .collect();
    // Other cells that are not done have a finding of their own, so that the others do not make up for them.
    let others = missing(&|_| true) - samples.iter().map(|(_, missing)| missing).sum::<u64>();
    if others > 0 || cells.is_empty() {
        samples.push((&[], others));
    }
    samples
}

/// The worst of the verdicts.
fn whole(findings: &[ClaimFinding]) -> Verdict {
    findings.iter().map(|finding| finding.verdict).min().unwrap_or(Verdict::Inconclusive)
}

fn every_row(cells: &[&CellData], missing_cells: u64) -> ClaimFinding {
    let mut rows = RowEvidence { missing_cells, ..RowEvidence::default() };
    for CellData { totals, .. } in cells {
        rows.consistent += totals.reads() - totals.misses;
        rows.missed += totals.misses;
        rows.lost += totals.lost();
        rows.failed += totals.failed();
    }
    ClaimFinding::new(cells, judge_every_row(&rows), None)
}
