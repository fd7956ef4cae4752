//! `matrix diff` of programs' results, printed.

use matrix_command_derived::compare::{Bounded, CompareOptions, Comparison, MetricChange, compare};
use matrix_core::judge::{interval, number};
use matrix_core::series::Estimate;
use matrix_core::text::counted;
use matrix_store::Store;

use crate::exit::Failure;
use crate::output;

/// Parts of keys that a table names; JSON has all of them.
const PARTS_SHOWN: usize = 6;

/// How two results are compared and shown.
#[derive(Clone, Copy, Default)]
pub(crate) struct Comparing<'a> {
    /// Only these metrics; all if there are none.
    pub(crate) metrics: &'a [String],
    /// Whether every change is printed, not only marked ones.
    pub(crate) all: bool,
    /// Whether points that only one side has run are printed.
    pub(crate) one_sided: bool,
    /// Within how many per cent of A a metric of B is the same.
    pub(crate) tolerance: Option<f64>,
}

/// Compares the programs' results of two stores. Experiments that only one of them has are noted.
pub(crate) fn compared(a: &Store, b: &Store, comparing: Comparing<'_>) -> Result<Vec<Comparison>, Failure> {
    let Comparing { metrics, tolerance, .. } = comparing;
    let found = compare(a, b, CompareOptions { metrics, tolerance })?;
    for (side, names) in [("A", &found.only_a), ("B", &found.only_b)] {
        for name in names {
            output::note(format_args!("only in {side}: experiment {name}"));
        }
    }
    Ok(found.experiments)
}

/// Prints comparisons, of which there is at least one, as a list in JSON, or as tables.
pub(crate) fn print(found: &[Comparison], comparing: Comparing<'_>, json: bool) -> Result<(), Failure> {
    if found.is_empty() {
        return Err(Failure::usage("the two have no experiment in common", "they are matched by their names"));
    }
    if json {
        return output::json(&found);
    }
    found.iter().try_for_each(|one| table(one, comparing))
}

fn shown(estimate: Option<&Bounded>, tried: bool) -> String {
    let Some(found) = estimate else { return if tried { "DNF" } else { "-" }.to_owned() };
    let (low, high) = (found.low.unwrap_or(f64::NEG_INFINITY), found.high.unwrap_or(f64::INFINITY));
    interval(&Estimate { value: found.value, low, high, rounds: found.rounds })
}

fn table(found: &Comparison, comparing: Comparing<'_>) -> Result<(), Failure> {
    let Comparison { experiment, identical, same_key, same_axes, only_in_a, only_in_b, .. } = found;
    output::line(format_args!(
        "{experiment}: {identical} results are the very same, {same_key} cells were measured on both sides, {same_axes} have the same axes but \
         another key; {only_in_a} results only in A, {only_in_b} only in B"
    ))?;
    for (part, cells) in found.differs.iter().take(PARTS_SHOWN) {
        output::line(format_args!("  the keys differ in {part} ({cells} cells)"))?;
    }
    if found.differs.len() > PARTS_SHOWN {
        output::line(format_args!("  and in {} parts more: --format json", found.differs.len() - PARTS_SHOWN))?;
    }
    if let [a, b] = found.disturbed
        && a + b > 0
    {
        output::line(format_args!("disturbed while they ran: {} of A, {b} of B", counted(a, "cell")))?;
    }
    let (both, one_sided): (Vec<&MetricChange>, Vec<&MetricChange>) =
        found.changes.iter().partition(|change| change.tried == [true; 2]);
    let is_marked =
        |change: &MetricChange| comparing.all || change.apart != Some(false) || change.within == Some(false);
    let (mut shown_changes, hidden): (Vec<&MetricChange>, Vec<&MetricChange>) =
        both.iter().partition(|change| is_marked(change));
    let count = |wanted: Option<bool>| both.iter().filter(|change| change.apart == wanted).count();
    output::line(format_args!(
        "{} of points: {} changed, {} show no change, {} have too few rounds to tell",
        counted(both.len(), "metric"),
        count(Some(true)),
        count(Some(false)),
        count(None)
    ))?;
    if comparing.one_sided {
        shown_changes.extend(&one_sided);
    }
    if !shown_changes.is_empty() {
        let axes: Vec<&String> = shown_changes.iter().take(1).flat_map(|change| change.axes.keys()).collect();
        let mut heads: Vec<&str> = axes.iter().map(|axis| axis.as_str()).collect();
        heads.extend(["metric", "A (95 %)", "B (95 %)", "B / A (95 %)", ""]);
        let right: Vec<usize> = (heads.len() - 4..heads.len() - 1).collect();
        let mut rows = output::table(&heads, &right);
        for change in &shown_changes {
            let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let mut line: Vec<String> =
                axes.iter().map(|axis| change.axes.get(*axis).map_or_else(String::new, text)).collect();
            let unit = change.unit.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default();
            let mark = match (change.apart, change.within) {
                (_, Some(false)) => "beyond the tolerance",
                (Some(true), _) => "*",
                _ => "",
            };
            line.push(format!("{}{unit}", change.metric));
            let [of_a, of_b] = change.tried;
            line.extend([shown(change.a.as_ref(), of_a), shown(change.b.as_ref(), of_b)]);
            line.push(match (&change.ratio, &change.difference) {
                (Some(ratio), _) => shown(Some(ratio), true),
                (None, Some(difference)) => format!("{} apart", shown(Some(difference), true)),
                (None, None) => "-".to_owned(),
            });
            line.push(mark.to_owned());
            rows.add_row(line);
        }
        output::line(rows.trim_fmt())?;
    }
    if !hidden.is_empty() {
        output::line(format_args!("{} more show no change: --all lists them", hidden.len()))?;
    }
    if !one_sided.is_empty() && !comparing.one_sided {
        let more = counted(one_sided.len(), "metric");
        output::line(format_args!("{more} of points that one side has not run: `matrix diff --all` lists them"))?;
    }
    if let Some(percent) = comparing.tolerance {
        let within = both.iter().filter(|change| change.within == Some(true)).count();
        output::line(format_args!("within {} %: {within} of {}", number(percent), both.len()))?;
    }
    if !found.claims.is_empty() {
        let mut rows = output::table(&["claim", "A", "B"], &[]);
        for claim in &found.claims {
            rows.add_row([claim.id.as_str(), claim.a.unwrap_or("-"), claim.b.unwrap_or("-")]);
        }
        output::line("")?;
        output::line(rows.trim_fmt())?;
    }
    if found.claims_not_covered > 0 {
        let claims = counted(found.claims_not_covered, "claim");
        output::line(format_args!("{claims} not compared: a side has not run every point of the other's"))?;
    }
    Ok(())
}
