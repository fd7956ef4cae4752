//! The results of judging claims: for programs (serde) and for people.

use matrix_plan::CellKey;
use matrix_plan::claims::{Judgement, Metric, Verdict};
use matrix_plan::printable::one_line;
use matrix_plan::stats::Interval;
use serde::Serialize;

use crate::load::CellData;
use crate::nature::Nature;

/// The verdict of the results on one claim.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClaimResult {
    /// Name of the claim.
    pub id: String,
    /// What it says, in words.
    pub says: String,
    /// Where it comes from.
    pub source: Option<String>,
    /// The verdict on the claim as a whole: contradicted if one finding contradicts it, else inconclusive if one is
    /// inconclusive.
    #[serde(serialize_with = "in_one_word")]
    pub verdict: Verdict,
    /// How the numbers behind it came about.
    #[serde(flatten)]
    pub nature: Nature,
    /// Cells that it is about and that are not done.
    pub missing_cells: u64,
    /// What was found: one finding for all cells where they are judged as one, else one per cell.
    pub findings: Vec<ClaimFinding>,
}

/// The verdict on a cell, or on cells judged as one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClaimFinding {
    /// The cells, by key; none where none is done.
    pub cells: Vec<CellKey>,
    /// The cells, in words.
    pub about: String,
    /// The verdict.
    #[serde(serialize_with = "in_one_word")]
    pub verdict: Verdict,
    /// The verdict and its reason, in words.
    pub text: String,
    /// The metric, if one was judged.
    pub metric: Option<&'static str>,
    /// Its unit.
    pub unit: Option<&'static str>,
    /// Its value; none where nothing was observed.
    pub value: Option<f64>,
    /// Lower end of its 95 % interval; none where the data cannot bound it.
    pub low: Option<f64>,
    /// Upper end of its 95 % interval; none where the data cannot bound it.
    pub high: Option<f64>,
}

impl ClaimResult {
    /// The verdict, and in brackets the origin of the numbers behind it, where that must be stated.
    #[must_use]
    pub fn verdict_and_nature(&self) -> String {
        let words = self.nature.words().join("; ");
        if words.is_empty() { self.verdict.name().to_owned() } else { format!("{} ({words})", self.verdict.name()) }
    }
}

fn in_one_word<S: serde::Serializer>(verdict: &Verdict, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(verdict.name())
}

impl ClaimFinding {
    pub(super) fn new(cells: &[&CellData], judgement: Judgement, metric: Option<(Metric, Option<Interval>)>) -> Self {
        let interval = metric.and_then(|(_, interval)| interval);
        let finite = |number: f64| number.is_finite().then_some(number);
        Self {
            about: match cells {
                [] => "cells that are not done".to_owned(),
                [cell] => cell.meta.name(),
                [first, others @ ..] => {
                    let axes = &first.meta.inputs.axes;
                    let same = others.iter().all(|cell| cell.meta.inputs.axes == *axes);
                    if same { format!("{axes}, {} rounds", cells.len()) } else { format!("{} cells", cells.len()) }
                }
            },
            cells: cells.iter().map(|cell| cell.meta.key).collect(),
            verdict: judgement.verdict,
            text: judgement.text,
            metric: metric.map(|(metric, _)| metric.as_str()),
            unit: metric.map(|(metric, _)| metric.unit()),
            value: interval.and_then(|interval| finite(interval.value)),
            low: interval.and_then(|interval| finite(interval.low)),
            high: interval.and_then(|interval| finite(interval.high)),
        }
    }
}

/// The results as a person reads them: a line per claim, and under it a line per finding that is not as claimed, or the
/// only one.
#[must_use]
pub fn claims_text(results: &[ClaimResult]) -> String {
    let mut text = String::new();
    for result in results {
        text.push_str(&format!("{}: {}\n  {}\n", result.id, result.verdict_and_nature(), one_line(&result.says)));
        let open = |finding: &&ClaimFinding| finding.verdict.holds() != Some(true) || result.findings.len() == 1;
        let shown: Vec<_> = result.findings.iter().filter(open).collect();
        for finding in &shown {
            text.push_str(&format!("  {}: {}\n", one_line(&finding.about), one_line(&finding.text)));
        }
        let others = result.findings.len() - shown.len();
        if others > 0 {
            text.push_str(&format!("  {others} cells as claimed\n"));
        }
    }
    text
}
