//! `matrix diff` of programs' results: which cells belong together, how every metric differs, and the claims side by side.

use std::collections::BTreeMap;
use std::path::Path;

use matrix_command::results::{self, Change, Loaded, Matched, changes, findings, matched};
use matrix_command_derived::{Chosen, newest};
use matrix_core::judge::{interval, number};
use matrix_core::key_diff::{differences, flat};
use matrix_core::series::Estimate;
use matrix_store::Store;
use serde::Serialize;

use crate::exit::{CommandResult, Exit, Failure};
use crate::output;

/// Parts of keys that a table names; JSON has all of them.
const PARTS_SHOWN: usize = 6;

#[derive(Serialize)]
pub(super) struct DiffJson {
    experiment: String,
    /// Cells with the very same result on both sides.
    identical: usize,
    /// Cells that were measured on both sides.
    same_key: usize,
    /// Cells of the same axes and round that mean something else: parts of their keys differ.
    same_axes: usize,
    only_in_a: usize,
    only_in_b: usize,
    /// Parts of keys that differ somewhere, with how many cells.
    differs: BTreeMap<String, usize>,
    changes: Vec<ChangeJson>,
    claims: Vec<ClaimJson>,
    disturbed: [usize; 2],
}

#[derive(Serialize)]
struct ChangeJson {
    axes: serde_json::Map<String, serde_json::Value>,
    metric: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    a: Option<IntervalJson>,
    b: Option<IntervalJson>,
    ratio: Option<IntervalJson>,
    difference: Option<IntervalJson>,
    /// Whether the interval of the ratio leaves out 1; null with fewer than three rounds on a side.
    apart: Option<bool>,
    /// Whether B is within the tolerance that was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    within: Option<bool>,
}

/// An estimate and its 95 % interval; an end that the rounds do not bound is null.
#[derive(Serialize)]
struct IntervalJson {
    value: f64,
    low: Option<f64>,
    high: Option<f64>,
    rounds: usize,
}

#[derive(Serialize)]
struct ClaimJson {
    id: String,
    a: Option<&'static str>,
    b: Option<&'static str>,
}

impl IntervalJson {
    fn new(estimate: Estimate) -> Self {
        let end = |end: f64| end.is_finite().then_some(end);
        Self { value: estimate.value, low: end(estimate.low), high: end(estimate.high), rounds: estimate.rounds }
    }
}

/// How two results are compared.
#[derive(Clone, Copy, Default)]
pub(crate) struct Comparing<'a> {
    /// Only these metrics; all if there are none.
    pub(crate) metrics: &'a [String],
    /// Whether every change is printed, not only marked ones.
    pub(crate) all: bool,
    /// Within how many per cent of A a metric of B is the same.
    pub(crate) tolerance: Option<f64>,
}

/// Compares two stores, if they hold programs' results.
pub(crate) fn diff(a: &Store, b: &Store, comparing: Comparing<'_>, json: bool) -> Result<Option<Exit>, Failure> {
    let is_program = |store: &Store| Ok::<_, Failure>(store.all_runs()?.len() > store.runs()?.len());
    match (is_program(a)?, is_program(b)?) {
        (false, false) => return Ok(None),
        (true, true) => {}
        _ => {
            return Err(Failure::usage(
                "one side has results of a program, the other of schema 1",
                "only results of the same kind can be compared",
            ));
        }
    }
    let (ours, theirs) = (experiments(a)?, experiments(b)?);
    let mut found = Vec::new();
    for (name, one) in &ours {
        let Some(other) = theirs.get(name) else {
            output::note(format_args!("only in A: experiment {name}"));
            continue;
        };
        let one = results::load(a, &one.experiment, &one.cells, None)?;
        let other = results::load(b, &other.experiment, &other.cells, None)?;
        found.push(compare(name, &one, &other, comparing)?);
    }
    for name in theirs.keys().filter(|name| !ours.contains_key(*name)) {
        output::note(format_args!("only in B: experiment {name}"));
    }
    if found.is_empty() {
        return Err(Failure::usage("the two have no experiment in common", "they are matched by their names"));
    }
    if json {
        output::json(&found)?;
    } else {
        for one in &found {
            print(one, comparing)?;
        }
    }
    Ok(Some(Exit::Ok))
}

/// The newest version of every experiment in a store.
fn experiments(store: &Store) -> Result<BTreeMap<String, Chosen>, Failure> {
    let found = Chosen::of_runs(store, &newest(store, None)?)?.into_iter();
    Ok(found.map(|chosen| (chosen.experiment.name.clone(), chosen)).collect())
}

/// Compares two results of one experiment.
pub(super) fn compare(
    name: &str,
    a: &Loaded<'_>,
    b: &Loaded<'_>,
    comparing: Comparing<'_>,
) -> Result<DiffJson, Failure> {
    for metric in comparing.metrics {
        let known: Vec<&str> = a.experiment.metrics.iter().map(|metric| metric.name.as_str()).collect();
        if !known.contains(&metric.as_str()) {
            return Err(Failure::usage(
                format!("no metric `{metric}`"),
                format!("the metrics are: {}", known.join(", ")),
            ));
        }
    }
    let Matched { identical, same_key, same_axes, only_a, only_b } = matched(a, b);
    let mut differs: BTreeMap<String, usize> = BTreeMap::new();
    for (one, other) in &same_axes {
        for difference in differences(&flat(one.inputs.clone()), &flat(other.inputs.clone())) {
            *differs.entry(difference.part).or_default() += 1;
        }
    }
    let wanted = |change: &Change| comparing.metrics.is_empty() || comparing.metrics.contains(&change.metric);
    let changes = changes(a, b).into_iter().filter(wanted).map(|change| {
        let apart = change.is_apart();
        let within = comparing.tolerance.map(|percent| change.share().is_some_and(|share| share * 100.0 <= percent));
        let Change { axes, metric, unit, a, b, ratio, difference } = change;
        let [a, b, ratio, difference] = [a, b, ratio, difference].map(|estimate| estimate.map(IntervalJson::new));
        ChangeJson { axes, metric, unit, a, b, ratio, difference, apart, within }
    });
    let verdicts = |loaded: &Loaded<'_>| -> Vec<(String, &'static str)> {
        findings(loaded).iter().map(|finding| (finding.claim.id.clone(), finding.judged.verdict.name())).collect()
    };
    let (ours, theirs) = (verdicts(a), verdicts(b));
    let of = |verdicts: &[(String, &'static str)], id: &str| {
        verdicts.iter().find(|(known, _)| known == id).map(|(_, verdict)| *verdict)
    };
    let mut ids: Vec<&String> = ours.iter().map(|(id, _)| id).collect();
    ids.extend(theirs.iter().map(|(id, _)| id).filter(|id| of(&ours, id).is_none()));
    let claims = ids.into_iter().map(|id| ClaimJson { id: id.clone(), a: of(&ours, id), b: of(&theirs, id) });
    Ok(DiffJson {
        experiment: name.to_owned(),
        identical,
        same_key,
        same_axes: same_axes.len(),
        only_in_a: only_a,
        only_in_b: only_b,
        differs,
        changes: changes.collect(),
        claims: claims.collect(),
        disturbed: [a.disturbed().count(), b.disturbed().count()],
    })
}

fn shown(estimate: Option<&IntervalJson>) -> String {
    let Some(found) = estimate else { return "DNF".to_owned() };
    let (low, high) = (found.low.unwrap_or(f64::NEG_INFINITY), found.high.unwrap_or(f64::INFINITY));
    interval(&Estimate { value: found.value, low, high, rounds: found.rounds })
}

/// Prints what was found.
pub(super) fn print(found: &DiffJson, comparing: Comparing<'_>) -> Result<(), Failure> {
    let DiffJson { experiment, identical, same_key, same_axes, only_in_a, only_in_b, .. } = found;
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
        output::line(format_args!("disturbed while they ran: {a} cells of A, {b} of B"))?;
    }
    let is_marked = |change: &&ChangeJson| comparing.all || change.apart != Some(false) || change.within == Some(false);
    let (shown_changes, hidden): (Vec<&ChangeJson>, Vec<&ChangeJson>) = found.changes.iter().partition(is_marked);
    let count = |wanted: Option<bool>| found.changes.iter().filter(|change| change.apart == wanted).count();
    output::line(format_args!(
        "{} metrics of points: {} changed, {} show no change, {} have too few rounds to tell",
        found.changes.len(),
        count(Some(true)),
        count(Some(false)),
        count(None)
    ))?;
    if !shown_changes.is_empty() {
        let axes: Vec<&String> = shown_changes.iter().take(1).flat_map(|change| change.axes.keys()).collect();
        let mut heads: Vec<&str> = axes.iter().map(|axis| axis.as_str()).collect();
        heads.extend(["metric", "A (95 %)", "B (95 %)", "B / A (95 %)", ""]);
        let right: Vec<usize> = (heads.len() - 4..heads.len() - 1).collect();
        let mut table = output::table(&heads, &right);
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
            line.extend([shown(change.a.as_ref()), shown(change.b.as_ref())]);
            line.push(match (&change.ratio, &change.difference) {
                (Some(ratio), _) => shown(Some(ratio)),
                (None, Some(difference)) => format!("{} apart", shown(Some(difference))),
                (None, None) => "-".to_owned(),
            });
            line.push(mark.to_owned());
            table.add_row(line);
        }
        output::line(table.trim_fmt())?;
    }
    if !hidden.is_empty() {
        output::line(format_args!("{} more show no change: --all lists them", hidden.len()))?;
    }
    if let Some(percent) = comparing.tolerance {
        let within = found.changes.iter().filter(|change| change.within == Some(true)).count();
        output::line(format_args!("within {} %: {within} of {}", number(percent), found.changes.len()))?;
    }
    if !found.claims.is_empty() {
        let mut table = output::table(&["claim", "A", "B"], &[]);
        for claim in &found.claims {
            table.add_row([claim.id.as_str(), claim.a.unwrap_or("-"), claim.b.unwrap_or("-")]);
        }
        output::line("")?;
        output::line(table.trim_fmt())?;
    }
    Ok(())
}

/// Compares a store with the results at a path.
pub(super) fn of_paths(a: &Store, b: &Path, comparing: Comparing<'_>, json: bool) -> CommandResult {
    let b = matrix_run::results::open_within(b, matrix_bundle::Limits::default())?;
    Ok(diff(a, &b, comparing, json)?.unwrap_or(Exit::Ok))
}
