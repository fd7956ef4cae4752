//! Judging claims by results.

use crate::stats::zero_failures_bound;
use crate::text::counted;

use crate::claims::{Bound, Claim, Statement};
use crate::relation::{Combine, Context, Group, Related, Relation};
use crate::series::{Estimate, Series};
use crate::value::{Value, canonical_number};

crate::named! {
    /// The verdict on a claim, the worst first.
    pub enum Verdict: name {
        /// The whole interval is on the wrong side, or a row is a counterexample.
        Contradicted = "contradicted",
        /// One measurement is on the wrong side.
        Unmet = "unmet (one run)",
        /// The mean of several rounds is on the wrong side, and no interval was asked for.
        MeanUnmet = "unmet (no interval)",
        /// The interval has both sides, or results are missing.
        Inconclusive = "inconclusive",
        /// One measurement is on the right side.
        Met = "met (one run)",
        /// The mean of several rounds is on the right side, and no interval was asked for.
        MeanMet = "met (no interval)",
        /// No row speaks against it.
        Held = "held",
        /// The whole interval is on the right side.
        Supported = "supported",
        /// Nothing here covers it.
        Uncovered = "uncovered",
    }
}

impl Verdict {
    /// Whether the claim holds; none where that is open.
    #[must_use]
    pub fn holds(self) -> Option<bool> {
        match self {
            Self::Supported | Self::Held | Self::Met | Self::MeanMet => Some(true),
            Self::Contradicted | Self::Unmet | Self::MeanUnmet => Some(false),
            Self::Inconclusive | Self::Uncovered => None,
        }
    }
}

/// A claim about one point, or one group of points.
#[derive(Clone, Debug, PartialEq)]
pub struct Detail {
    /// What it is about; empty for all.
    pub what: String,
    /// The verdict on it.
    pub verdict: Verdict,
    /// The numbers, in words.
    pub text: String,
    /// The number that was judged, with its interval; none where it was none.
    pub estimate: Option<Estimate>,
}

impl Detail {
    /// A note on everything that a claim is about, and no number.
    #[must_use]
    pub fn all(verdict: Verdict, text: String) -> Self {
        Self { what: String::new(), verdict, text, estimate: None }
    }
}

/// A claim with its verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The verdict: the worst of the details.
    pub verdict: Verdict,
    /// What it stands on.
    pub details: Vec<Detail>,
}

/// What a boolean column was in the rows of one cell.
#[derive(Clone, Debug, PartialEq)]
pub struct RowCheck {
    /// The cell's point.
    pub point: Vec<Value>,
    /// Rows, and rows in which it was not true; none where the cell has no result.
    pub rows: Option<(u64, u64)>,
}

fn worst(details: Vec<Detail>) -> Judged {
    let verdict = details.iter().map(|detail| detail.verdict).min().unwrap_or(Verdict::Inconclusive);
    Judged { verdict, details }
}

/// Judges a claim. `series` holds every point of the metric that it names, `rows` every cell where it is about rows.
#[must_use]
pub fn judge(claim: &Claim, series: &[Series], rows: &[RowCheck], context: &Context<'_>) -> Judged {
    let selected = |point: &[Value]| claim.selection.matches(point);
    match &claim.statement {
        Statement::Uncovered(why) => worst(vec![Detail::all(Verdict::Uncovered, why.clone())]),
        Statement::EveryRow { .. } => every_row(rows.iter().filter(|row| selected(&row.point))),
        Statement::Bound { bound, .. } => {
            let related = claim.relation.apply(series, &selected, context);
            let incomplete = series.iter().filter(|series| selected(&series.point) && series.missing > 0).count();
            let mut details: Vec<Detail> =
                related.iter().map(|related| bounded(related, *bound, "", claim, context)).collect();
            if incomplete > 0 {
                details.push(missing(incomplete));
            }
            worst(details)
        }
        Statement::BestOver { axis, .. } => best(claim, *axis, series, context),
        Statement::Trend { rises, along, .. } => trend(claim, *rises, *along, series, context),
    }
}

fn missing(points: usize) -> Detail {
    let text = format!("{points} {} not have all rounds", if points == 1 { "point does" } else { "points do" });
    Detail::all(Verdict::Inconclusive, text)
}

fn every_row<'r>(rows: impl Iterator<Item = &'r RowCheck>) -> Judged {
    let (mut cells, mut unknown, mut total, mut wrong) = (0, 0, 0u64, 0u64);
    for row in rows {
        cells += 1;
        match row.rows {
            Some((count, failures)) => {
                total += count;
                wrong += failures;
            }
            None => unknown += 1,
        }
    }
    let (verdict, text) = match (wrong, unknown) {
        (0, 0) if total > 0 => {
            let bound = 100.0 * zero_failures_bound(total);
            (Verdict::Held, format!("{}: held in {total} rows, 95 % bound {} %", counted(cells, "cell"), number(bound)))
        }
        (0, _) => (Verdict::Inconclusive, format!("{unknown} of {cells} cells have no result")),
        _ => (Verdict::Contradicted, format!("{wrong} of {total} rows speak against it")),
    };
    worst(vec![Detail::all(verdict, text)])
}

/// What a group is, of what not every group has.
#[must_use]
pub fn show(group: &Group, context: &Context<'_>) -> String {
    let parts = context.axes.axes.iter().zip(group);
    let parts = parts.filter_map(|(axis, value)| Some(format!("{}={}", axis.name, value.as_ref()?)));
    parts.collect::<Vec<_>>().join(" ")
}

/// `widened` is said of the interval.
fn bounded(related: &Related, bound: Bound, widened: &str, claim: &Claim, context: &Context<'_>) -> Detail {
    let what = show(&related.group, context);
    let Some(estimate) = related.estimate else {
        let text = related.why.clone().unwrap_or_else(|| "no result".to_owned());
        return Detail { what, verdict: Verdict::Inconclusive, text, estimate: None };
    };
    let text = match (&related.why, claim.point) {
        (_, true) if estimate.rounds > 1 => {
            format!("{} (mean of {} rounds, no interval), {}", number(estimate.value), estimate.rounds, words(bound))
        }
        (_, true) => format!("{}, {}", number(estimate.value), words(bound)),
        (Some(why), _) => format!("{} ({why}), {}", number(estimate.value), words(bound)),
        (None, _) => format!("{}{widened}, {}", interval(&estimate), words(bound)),
    };
    let verdict = if claim.point { of_point(&estimate, bound) } else { of_interval(&estimate, bound) };
    Detail { what, verdict, text, estimate: Some(estimate) }
}

fn of_point(&Estimate { value, rounds, .. }: &Estimate, bound: Bound) -> Verdict {
    let met = match bound {
        Bound::AtMost(most) => value <= most,
        Bound::AtLeast(least) => value >= least,
        Bound::Within(low, high) => value >= low && value <= high,
    };
    match (met, rounds > 1) {
        (true, false) => Verdict::Met,
        (true, true) => Verdict::MeanMet,
        (false, false) => Verdict::Unmet,
        (false, true) => Verdict::MeanUnmet,
    }
}

fn of_interval(estimate: &Estimate, bound: Bound) -> Verdict {
    let (low, high) = match bound {
        Bound::AtMost(most) => (f64::NEG_INFINITY, most),
        Bound::AtLeast(least) => (least, f64::INFINITY),
        Bound::Within(low, high) => (low, high),
    };
    if estimate.low >= low && estimate.high <= high && estimate.low.is_finite() && estimate.high.is_finite() {
        Verdict::Supported
    } else if estimate.low > high || estimate.high < low {
        Verdict::Contradicted
    } else {
        Verdict::Inconclusive
    }
}

/// What is said of the intervals of `count` numbers that are widened, so that all of them hold together.
fn together(count: usize, what: &str) -> String {
    if count > 1 { format!(" (95 % over {count} {what} together)") } else { String::new() }
}

/// The selected value of the axis against every rival: each ratio's interval allows for how many rivals there are.
fn best(claim: &Claim, axis: usize, series: &[Series], context: &Context<'_>) -> Judged {
    let selected = |point: &[Value]| claim.selection.matches(point);
    let Some(axis_of) = context.axes.axes.get(axis) else { return worst(Vec::new()) };
    let rivals = axis_of.values.len().saturating_sub(1).max(1);
    let context = &Context { alpha: context.alpha / rivals as f64, ..*context };
    let mut details = Vec::new();
    for rival in &axis_of.values {
        let mut ratio_to = vec![None; context.axes.axes.len()];
        ratio_to[axis] = Some(vec![rival.clone()]);
        let relation = Relation { ratio_to: Some(ratio_to), over: claim.relation.over.clone() };
        let chosen = |point: &[Value]| selected(point) && point.get(axis) != Some(rival);
        for related in relation.apply(series, &chosen, context) {
            let what = format!("{} against {}={rival}", show(&related.group, context), axis_of.name);
            let bound = if context.higher_is_better == Some(false) { Bound::AtMost(1.0) } else { Bound::AtLeast(1.0) };
            let detail = bounded(&related, bound, &together(rivals, "rivals"), claim, context);
            details.push(Detail { what, ..detail });
        }
    }
    worst(details)
}

/// Each step along the axis: the ratio's interval allows for how many steps there are.
fn trend(claim: &Claim, rises: bool, along: usize, series: &[Series], context: &Context<'_>) -> Judged {
    let selected = |point: &[Value]| claim.selection.matches(point);
    let Some(axis) = context.axes.axes.get(along) else { return worst(Vec::new()) };
    let present = |value: &&Value| series.iter().any(|s| selected(&s.point) && s.point.get(along) == Some(*value));
    let mut values: Vec<&Value> = axis.values.iter().filter(present).collect();
    values.sort();
    let steps = values.len().saturating_sub(1).max(1);
    let context = &Context { alpha: context.alpha / steps as f64, ..*context };
    let mut details = Vec::new();
    for step in values.windows(2) {
        let mut ratio_to = vec![None; context.axes.axes.len()];
        ratio_to[along] = Some(vec![step[0].clone()]);
        let relation = Relation { ratio_to: Some(ratio_to), over: claim.relation.over.clone() };
        let chosen = |point: &[Value]| selected(point) && point.get(along) == Some(step[1]);
        for related in relation.apply(series, &chosen, context) {
            let bound = if rises { Bound::AtLeast(1.0) } else { Bound::AtMost(1.0) };
            let detail = bounded(&related, bound, &together(steps, "steps"), claim, context);
            details.push(Detail { what: format!("{} after {}={}", detail.what, axis.name, step[0]), ..detail });
        }
    }
    worst(details)
}

/// The bound in words.
#[must_use]
pub fn words(bound: Bound) -> String {
    match bound {
        Bound::AtMost(most) => format!("claimed at most {}", canonical_number(most)),
        Bound::AtLeast(least) => format!("claimed at least {}", canonical_number(least)),
        Bound::Within(low, high) => format!("claimed {} to {}", number(low), number(high)),
    }
}

/// An estimate with its interval, to four digits.
#[must_use]
pub fn interval(estimate: &Estimate) -> String {
    if !estimate.is_bounded() {
        return number(estimate.value);
    }
    format!("{} [{}, {}]", number(estimate.value), number(estimate.low), number(estimate.high))
}

/// A number to four digits, without an exponent where that is readable.
#[must_use]
pub fn number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { "0".to_owned() } else { value.to_string() };
    }
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    canonical_number(rounded)
}

/// `over` in words.
#[must_use]
pub fn combined_name(how: Combine) -> &'static str {
    match how {
        Combine::Geomean => "geometric mean",
        Combine::Max => "maximum",
        Combine::Min => "minimum",
        Combine::Best => "best",
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
