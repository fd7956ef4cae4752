//! Claims as the page shows them, and how they compare with the authors'.

use matrix_analysis::ClaimResult;
use matrix_report::page::{ClaimView, plain};

/// Findings that one claim lists.
const MOST: usize = 12;

/// A claim, and beside it what the authors' results say about it.
pub(super) fn view(claim: &ClaimResult, authors: Option<&ClaimResult>) -> ClaimView {
    ClaimView {
        id: plain(&claim.id),
        says: plain(&claim.says),
        source: claim.source.as_deref().map(plain).unwrap_or_default(),
        verdict: claim.verdict.name().to_owned(),
        nature: plain(&claim.nature.words().join("; ")),
        found: findings(claim),
        authors: authors.map(|authors| format!("{}: {}", authors.verdict.name(), findings(authors).join("; "))),
        comparison: authors.map(|authors| compare(claim, authors)),
    }
}

/// The findings that are not as claimed, or the only one; how many others there are.
pub(crate) fn findings(claim: &ClaimResult) -> Vec<String> {
    let only = claim.findings.len() == 1;
    let shown: Vec<_> = claim.findings.iter().filter(|finding| only || finding.verdict.holds() != Some(true)).collect();
    let mut lines: Vec<String> =
        shown.iter().take(MOST).map(|finding| plain(&format!("{}: {}", finding.about, finding.text))).collect();
    if shown.len() > MOST {
        lines.push(format!("{} more findings that are not as claimed", shown.len() - MOST));
    }
    let others = claim.findings.len() - shown.len();
    if others > 0 {
        lines.push(format!("{others} cells as claimed"));
    }
    if claim.missing_cells > 0 {
        lines.push(format!("{} cells that it is about are not done", claim.missing_cells));
    }
    lines
}

/// How a claim compares with the authors': `reproduced` where both hold and what was measured agrees (their 95 % intervals
/// overlap, or no interval is involved); `same direction` where both hold and an interval does not overlap; `differs` where
/// only one holds or one is contradicted; `undecided` where either is inconclusive.
fn compare(ours: &ClaimResult, authors: &ClaimResult) -> &'static str {
    match (ours.verdict.holds(), authors.verdict.holds()) {
        (None, _) | (_, None) => "undecided",
        (Some(true), Some(true)) => {
            let overlaps = |(a, b): (&matrix_analysis::ClaimFinding, &matrix_analysis::ClaimFinding)| {
                let ends = |finding: &matrix_analysis::ClaimFinding| {
                    finding
                        .value
                        .map(|_| (finding.low.unwrap_or(f64::NEG_INFINITY), finding.high.unwrap_or(f64::INFINITY)))
                };
                ends(a).zip(ends(b)).is_none_or(|(a, b)| a.0 <= b.1 && b.0 <= a.1)
            };
            let pairs = ours.findings.iter().filter_map(|finding| {
                Some((finding, authors.findings.iter().find(|other| other.about == finding.about)?))
            });
            if pairs.into_iter().all(overlaps) { "reproduced" } else { "same direction" }
        }
        _ => "differs",
    }
}
