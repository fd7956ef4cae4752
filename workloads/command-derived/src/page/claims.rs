//! Claims, and how they compare with the authors'.

use matrix_command::results::{Finding, Loaded, findings};
use matrix_core::judge::{Detail, Judged};
use matrix_report::page::{ClaimView, comparison, plain};

use crate::appendix;

pub(super) fn claims(loaded: &Loaded<'_>, their: Option<&Loaded<'_>>) -> Vec<ClaimView> {
    let theirs = their.map(findings).unwrap_or_default();
    let view = |finding: &Finding<'_>| {
        let authors = theirs.iter().find(|other| other.claim.id == finding.claim.id);
        let uncovered = match &finding.claim.statement {
            matrix_core::claims::Statement::Uncovered(why) => vec![format!("not covered: {}", plain(why))],
            _ => appendix::numbers(finding).iter().map(|line| plain(line)).collect(),
        };
        ClaimView {
            id: plain(&finding.claim.id),
            says: plain(&finding.claim.says),
            source: finding.claim.paper.as_deref().map(plain).unwrap_or_default(),
            verdict: finding.judged.verdict.name().to_owned(),
            nature: if finding.disturbed > 0 { "disturbed".to_owned() } else { String::new() },
            found: uncovered,
            authors: authors.map(|other| {
                plain(&format!("{}: {}", other.judged.verdict.name(), appendix::numbers(other).join("; ")))
            }),
            comparison: authors.map(|other| compare(&finding.judged, &other.judged)),
        }
    };
    findings(loaded).iter().map(view).collect()
}

/// How a claim compares with the authors', by the intervals of the numbers that were judged.
fn compare(ours: &Judged, theirs: &Judged) -> &'static str {
    let overlap = |ours: &Detail| {
        let other = theirs.details.iter().find(|other| other.what == ours.what && other.estimate.is_some());
        ours.estimate
            .zip(other.and_then(|other| other.estimate))
            .is_none_or(|(a, b)| a.low <= b.high && b.low <= a.high)
    };
    comparison(ours.verdict.holds(), theirs.verdict.holds(), || ours.details.iter().all(overlap))
}
