//! Claims as the page shows them, and how they compare with the authors'.

use matrix_analysis::{ClaimFinding, ClaimResult};
use matrix_report::page::{ClaimView, comparison, plain};

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

/// How a claim compares with the authors', by the intervals of what was found.
fn compare(ours: &ClaimResult, authors: &ClaimResult) -> &'static str {
    let ends = |finding: &ClaimFinding| {
        finding.value.map(|_| (finding.low.unwrap_or(f64::NEG_INFINITY), finding.high.unwrap_or(f64::INFINITY)))
    };
    let overlaps = |ours: &ClaimFinding| {
        let other = authors.findings.iter().find(|other| other.about == ours.about);
        ends(ours).zip(other.and_then(ends)).is_none_or(|(a, b)| a.0 <= b.1 && b.0 <= a.1)
    };
    comparison(ours.verdict.holds(), authors.verdict.holds(), || ours.findings.iter().all(overlaps))
}
