//! Judging claims.

use matrix_core::judge::Verdict;

use super::claim::Bound;
use super::metric::Metric;
use crate::stats::{Interval, MIN_ROUNDS, Replicates, zero_failures_bound};

/// A verdict and the reason for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The verdict and its reason, in words.
    pub text: String,
}

/// The rows of all cells that an `every_row` claim is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowEvidence {
    /// Consistent reads.
    pub consistent: u64,
    /// Reads that missed the post.
    pub missed: u64,
    /// Requests whose evaluation never came.
    pub lost: u64,
    /// Requests without a read: an error, or a barrier that gave up.
    pub failed: u64,
    /// Cells that are not done.
    pub missing_cells: u64,
}

/// Judges whether every row is consistent. A row without a read shows nothing, so the claim is then not held.
#[must_use]
pub fn judge_every_row(rows: &RowEvidence) -> Judgement {
    let all = rows.consistent + rows.missed + rows.lost + rows.failed;
    if rows.missed > 0 {
        let text = format!("contradicted: {} of {all} rows are inconsistent", rows.missed);
        return Judgement { verdict: Verdict::Contradicted, text };
    }
    let mut open = Vec::new();
    if rows.lost > 0 {
        open.push(format!("{} of {all} rows are lost", rows.lost));
    }
    if rows.failed > 0 {
        open.push(format!("{} of {all} rows have no read", rows.failed));
    }
    open.extend(missing(rows.missing_cells));
    if all == 0 {
        open.push("there are no rows".to_owned());
    }
    if open.is_empty() {
        let bound = zero_failures_bound(all);
        let text = format!("held in {all} rows, 95 % bound {}", share(bound));
        return Judgement { verdict: Verdict::Held, text };
    }
    if rows.lost + rows.failed > 0 {
        open.push("every row needs a read: `matrix run --fresh` tries again".to_owned());
    }
    Judgement { verdict: Verdict::Inconclusive, text: format!("inconclusive: {}", open.join("; ")) }
}

/// What stands behind an estimate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Requests of the cells that are done.
    pub planned: u64,
    /// Those whose reader read, whatever it found.
    pub reads: u64,
    /// Cells that the claim is about and that are not done.
    pub missing_cells: u64,
}

/// Judges a metric by its 95 % interval. Where cells are not done it is judged by the others, but not supported. What was
/// not observed supports nothing: without a read, with fewer reads than requests without one where only reads tell of the
/// metric, and with fewer measured rounds than an interval needs, the verdict is open.
#[must_use]
pub fn judge_metric(metric: Metric, bound: &Bound, estimate: Option<&Interval>, evidence: &Evidence) -> Judgement {
    let wanted = wanted(metric, bound);
    let Evidence { planned, reads, missing_cells } = *evidence;
    let open = |why: String| {
        let why: Vec<String> = std::iter::once(why).chain(missing(missing_cells)).collect();
        let text = format!("inconclusive: {}; wanted {wanted}", why.join("; "));
        Judgement { verdict: Verdict::Inconclusive, text }
    };
    let Some(estimate) = estimate.filter(|_| reads > 0) else {
        return open(match planned {
            0 => "nothing was observed".to_owned(),
            _ if reads > 0 => format!("nothing was observed of it in {planned} requests"),
            _ => format!("nothing was observed: none of {planned} requests has a read"),
        });
    };
    if metric.is_of_reads() && reads < planned - reads {
        return open(format!("too little was observed: only {reads} of {planned} requests have a read"));
    }
    let value = format!("{} {}", number(estimate.value), metric.unit());
    if !estimate.is_bounded() {
        let rounds = match estimate.batches {
            1 => "1 measured round".to_owned(),
            rounds => format!("{rounds} measured rounds"),
        };
        return open(format!(
            "{value} in {rounds}, where {MIN_ROUNDS} are needed to tell an effect from drift (`rounds = {MIN_ROUNDS}`)"
        ));
    }
    let (least, most) = bound.range();
    let verdict = if estimate.low > most || estimate.high < least {
        Verdict::Contradicted
    } else if estimate.low >= least && estimate.high <= most && missing_cells == 0 {
        Verdict::Supported
    } else {
        Verdict::Inconclusive
    };
    let mut text = format!(
        "{}: {value} (95 % {} to {}), wanted {wanted}",
        verdict.name(),
        number(estimate.low),
        number(estimate.high),
    );
    if let Some(missing) = missing(missing_cells) {
        text += &format!("; {missing}");
    } else if verdict == Verdict::Inconclusive {
        text += match estimate.replicates {
            Replicates::Blocks => "; more requests narrow the interval",
            Replicates::Rounds => "; more rounds narrow the interval",
        };
    }
    if estimate.few_blocks {
        text += "; few blocks";
    }
    Judgement { verdict, text }
}

fn missing(cells: u64) -> Option<String> {
    match cells {
        0 => None,
        1 => Some("1 cell is not done: `matrix run` executes it".to_owned()),
        _ => Some(format!("{cells} cells are not done: `matrix run` executes them")),
    }
}

fn wanted(metric: Metric, bound: &Bound) -> String {
    let unit = metric.unit();
    match *bound {
        Bound::AtMost(most) => format!("at most {} {unit}", number(most)),
        Bound::AtLeast(least) => format!("at least {} {unit}", number(least)),
        Bound::Within { value, percent } => format!("within {percent} % of {} {unit}", number(value)),
    }
}

/// A number with two decimals, more where it is small.
fn number(number: f64) -> String {
    match number.abs() {
        _ if number == f64::INFINITY => "unbounded".to_owned(),
        _ if number == f64::NEG_INFINITY => "unbounded".to_owned(),
        size if size == 0.0 || size >= 0.1 => format!("{number:.2}"),
        _ => format!("{number:.5}"),
    }
}

/// A share in percent, with as many decimals as it needs.
fn share(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        _ if percent >= 0.1 => format!("{percent:.2} %"),
        _ if percent >= 0.001 => format!("{percent:.4} %"),
        _ => format!("{percent:.7} %"),
    }
}
