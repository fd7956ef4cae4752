//! Judges claims by traces.

use std::io::{self, Read};

use matrix_plan::Axes;
use matrix_plan::claims::{Check, Claim, RowEvidence, Verdict, judge_every_row, judge_metric};

use super::result::{ClaimFinding, ClaimResult};
use crate::changes::estimate;
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
    cells: Vec<CellMeta>,
}

impl<'a, T: Traces + ?Sized> Subset<'a, T> {
    fn new(traces: &'a T, wanted: impl Fn(&CellMeta) -> bool) -> Self {
        let found = traces.cells().iter().enumerate().filter(|(_, cell)| wanted(cell));
        let (numbers, cells) = found.map(|(n, cell)| (n, cell.clone())).unzip();
        Self { traces, numbers, cells }
    }
}

impl<T: Traces + ?Sized> Traces for Subset<'_, T> {
    fn cells(&self) -> &[CellMeta] {
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
            let judged = |cells: &[&CellData], missing| {
                let estimate = estimate(*metric, cells);
                let judgement = judge_metric(*metric, bound, estimate.as_ref(), missing);
                ClaimFinding::new(cells, judgement, Some((*metric, estimate)))
            };
            if *pool {
                vec![judged(&cells, missing)]
            } else {
                let mut findings: Vec<_> = cells.iter().map(|cell| judged(&[cell], 0)).collect();
                // Cells that are not done have a finding of their own, so that the others do not make up for them.
                if missing > 0 || cells.is_empty() {
                    findings.push(judged(&[], missing));
                }
                findings
            }
        }
    };
    ClaimResult {
        id: claim.id.clone(),
        says: claim.says.clone(),
        source: claim.source.clone(),
        verdict: whole(&findings),
        nature: Nature::of(cells.iter().map(|cell| &cell.meta)),
        missing_cells: missing,
        findings,
    }
}

/// The worst of the verdicts.
fn whole(findings: &[ClaimFinding]) -> Verdict {
    let severity = |verdict: &Verdict| match verdict {
        Verdict::Held { .. } => 0,
        Verdict::Supported => 1,
        Verdict::Inconclusive => 2,
        Verdict::Contradicted => 3,
    };
    let verdicts = findings.iter().map(|finding| finding.verdict);
    verdicts.max_by_key(severity).unwrap_or(Verdict::Inconclusive)
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
