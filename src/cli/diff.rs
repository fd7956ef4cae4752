//! `matrix diff`.

use std::path::PathBuf;

use clap::Args;
use matrix_analysis::Change;
use matrix_plan::claims::Metric;
use matrix_plan::{Axes, CellKey, Interval};
use matrix_run::diff::{Matching, Pair, compare, how, matching};
use matrix_run::key_diff::shown;
use matrix_run::results;
use matrix_store::{Record, Store};
use serde::Serialize;
use serde_json::Value;

use super::bundle::SizeArgs;
use super::{Format, FormatArgs};
use crate::exit::{CommandResult, Exit, Failure};
use crate::output;

/// Parts of keys that a table names; JSON has all of them.
const PARTS_SHOWN: usize = 6;

/// Compare two stores or bundles: cells only in one, and by how much each metric of the others differs
///
/// Results of the same cell are compared first. Of the rest, those that agree in axes and round are compared as having the
/// same axes, but another meaning: a model against another one, or a simulation against a measurement. A change is B less
/// A, with the 95 % interval of independent samples. Differences are no error.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// A store or bundle
    #[arg(value_name = "A")]
    a: PathBuf,
    /// Another one
    #[arg(value_name = "B")]
    b: PathBuf,
    /// Only this metric, as claims name it (may be repeated) [default: every one that was observed]
    #[arg(long = "metric", value_name = "M")]
    metrics: Vec<String>,
    #[command(flatten)]
    size: SizeArgs,
    #[command(flatten)]
    format: FormatArgs,
}

#[derive(Serialize)]
struct DiffJson {
    a: SideJson,
    b: SideJson,
    identical: usize,
    only_in_a: Vec<ResultJson>,
    only_in_b: Vec<ResultJson>,
    same_key: Vec<PairJson>,
    same_axes: Vec<PairJson>,
}

#[derive(Serialize)]
struct SideJson {
    #[serde(serialize_with = "output::lossy::path")]
    path: PathBuf,
    results: usize,
    simulated: usize,
}

#[derive(Serialize)]
struct ResultJson {
    key: CellKey,
    axes: Axes,
    round: u32,
    origin: String,
    how: &'static str,
}

#[derive(Serialize)]
struct PairJson {
    a: ResultJson,
    b: ResultJson,
    identical: bool,
    differs: Vec<PartJson>,
    changes: Vec<ChangeJson>,
}

/// A part of the key that differs.
#[derive(Serialize)]
struct PartJson {
    part: String,
    a: Option<Value>,
    b: Option<Value>,
}

#[derive(Serialize)]
struct ChangeJson {
    metric: &'static str,
    unit: &'static str,
    a: Option<IntervalJson>,
    b: Option<IntervalJson>,
    change: Option<IntervalJson>,
    excludes_zero: Option<bool>,
}

/// An estimate and its 95 % interval; an end that the data cannot bound is null.
#[derive(Serialize)]
struct IntervalJson {
    value: f64,
    low: Option<f64>,
    high: Option<f64>,
}

pub(crate) fn diff(args: DiffArgs) -> CommandResult {
    let wanted = args.metrics.iter().map(|name| metric(name)).collect::<Result<Vec<_>, _>>()?;
    let limits = args.size.limits();
    let (a, b) = (results::open_within(&args.a, limits)?, results::open_within(&args.b, limits)?);
    let (ours, theirs) = (records(&a)?, records(&b)?);
    let (side_a, side_b) = (SideJson::new(args.a, &ours), SideJson::new(args.b, &theirs));
    let Matching { same_key, same_axes, only_a, only_b } = matching(ours, theirs)?;
    let compared = |pairs: Vec<Pair>| -> Result<Vec<PairJson>, Failure> {
        let changes = compare(&a, &b, &pairs)?;
        Ok(pairs.into_iter().zip(changes).map(|(pair, changes)| PairJson::new(pair, changes, &wanted)).collect())
    };
    let found = DiffJson {
        a: side_a,
        b: side_b,
        identical: same_key.iter().filter(|pair| pair.is_identical()).count(),
        only_in_a: only_a.iter().map(ResultJson::new).collect(),
        only_in_b: only_b.iter().map(ResultJson::new).collect(),
        same_key: compared(same_key)?,
        same_axes: compared(same_axes)?,
    };
    match args.format.format {
        Format::Json => output::json(&found)?,
        Format::Table => table(&found)?,
    }
    Ok(Exit::Ok)
}

fn metric(name: &str) -> Result<Metric, Failure> {
    name.parse()
        .map_err(|error| Failure::usage(format!("{error}"), format!("the metrics are: {}", Metric::NAMES.join(", "))))
}

fn records(store: &Store) -> Result<Vec<Record>, Failure> {
    Ok(store.records()?.collect::<Result<_, _>>()?)
}

impl SideJson {
    fn new(path: PathBuf, records: &[Record]) -> Self {
        Self { path, results: records.len(), simulated: records.iter().filter(|record| record.simulated).count() }
    }

    fn describe(&self) -> String {
        let Self { path, results, simulated } = self;
        format!("{}: {results} results, {simulated} simulated, {} measured", output::path(path), results - simulated)
    }
}

impl ResultJson {
    fn new(record: &Record) -> Self {
        Self {
            key: record.key,
            axes: record.inputs.axes.clone(),
            round: record.inputs.round,
            origin: record.origin.to_string(),
            how: how(record),
        }
    }
}

impl PairJson {
    fn new(pair: Pair, changes: Vec<Change>, wanted: &[Metric]) -> Self {
        let changes = changes.into_iter().filter(|change| wanted.is_empty() || wanted.contains(&change.metric));
        Self {
            a: ResultJson::new(&pair.a),
            b: ResultJson::new(&pair.b),
            identical: pair.is_identical(),
            differs: pair
                .differs
                .into_iter()
                .map(|part| PartJson { part: part.part, a: part.done, b: part.here })
                .collect(),
            changes: changes.map(ChangeJson::new).collect(),
        }
    }
}

impl ChangeJson {
    fn new(change: Change) -> Self {
        Self {
            metric: change.metric.as_str(),
            unit: change.metric.unit(),
            a: change.from.map(IntervalJson::new),
            b: change.to.map(IntervalJson::new),
            change: change.by.map(IntervalJson::new),
            excludes_zero: change.excludes_zero(),
        }
    }
}

impl IntervalJson {
    fn new(interval: Interval) -> Self {
        let finite = |end: f64| end.is_finite().then_some(end);
        Self { value: interval.value, low: finite(interval.low), high: finite(interval.high) }
    }
}

fn table(found: &DiffJson) -> Result<(), Failure> {
    let DiffJson { a, b, identical, only_in_a, only_in_b, same_key, same_axes } = found;
    output::line(format_args!("A  {}\nB  {}", a.describe(), b.describe()))?;
    output::line(format_args!(
        "{} results of the same cells: {identical} identical, {} different; {} with the same axes, other meaning; {} only in A, \
         {} only in B",
        same_key.len(),
        same_key.len() - identical,
        same_axes.len(),
        only_in_a.len(),
        only_in_b.len()
    ))?;
    only("A", only_in_a)?;
    only("B", only_in_b)?;
    pairs("Same cell", same_key)?;
    pairs("Same axes and round, other meaning", same_axes)?;
    let changes = || same_key.iter().chain(same_axes).flat_map(|pair| &pair.changes);
    let clear = changes().filter(|change| change.excludes_zero == Some(true)).count();
    let judged = changes().filter(|change| change.excludes_zero.is_some()).count();
    if judged > 0 {
        output::line(format_args!(
            "\n{clear} of {judged} changes have an interval that leaves out 0 (marked *); where nothing differs, at most about 5 % would. \
             Intervals\nare of single cells, so they say little about how rounds differ."
        ))?;
    }
    Ok(())
}

fn only(side: &str, results: &[ResultJson]) -> Result<(), Failure> {
    if results.is_empty() {
        return Ok(());
    }
    let mut table = output::table(&["cell", "axes", "round", "origin", "how"], &[2]);
    for result in results {
        let [axes, round] = [result.axes.to_string(), result.round.to_string()];
        table.add_row([result.key.short(), axes, round, result.origin.clone(), result.how.to_owned()]);
    }
    output::line(format_args!("\nOnly in {side}\n{}", table.trim_fmt()))
}

fn pairs(title: &str, pairs: &[PairJson]) -> Result<(), Failure> {
    let different: Vec<&PairJson> = pairs.iter().filter(|pair| !pair.identical || !pair.differs.is_empty()).collect();
    if !different.is_empty() {
        output::line(format_args!("\n{title}"))?;
    }
    for pair in different {
        let PairJson { a, b, identical, differs, changes } = pair;
        let keys = if a.key == b.key { a.key.short() } else { format!("{} / {}", a.key.short(), b.key.short()) };
        let origins = format!("{} ({}) / {} ({})", a.origin, a.how, b.origin, b.how);
        output::line(format_args!("\n{} round {}: {keys}: {origins}", a.axes, a.round))?;
        if !differs.is_empty() {
            let part =
                |part: &PartJson| format!("{} {} / {}", part.part, shown(part.a.as_ref()), shown(part.b.as_ref()));
            let mut named: Vec<String> = differs.iter().take(PARTS_SHOWN).map(part).collect();
            if differs.len() > PARTS_SHOWN {
                named.push(format!("and {} more parts", differs.len() - PARTS_SHOWN));
            }
            output::line(format_args!("the keys differ in: {}", named.join("; ")))?;
        }
        if *identical {
            output::line("identical to the byte all the same")?;
            continue;
        }
        let mut table =
            output::table(&["metric", "unit", "A", "(95 %)", "B", "(95 %)", "change", "(95 %)", ""], &[2, 4, 6]);
        for change in changes {
            let [(a, of_a), (b, of_b)] = [&change.a, &change.b].map(|estimate| numbers(estimate.as_ref(), false));
            let (by, of_by) = numbers(change.change.as_ref(), true);
            let mark = if change.excludes_zero == Some(true) { "*" } else { "" };
            let [metric, unit, mark] = [change.metric, change.unit, mark].map(str::to_owned);
            table.add_row([metric, unit, a, of_a, b, of_b, by, of_by, mark]);
        }
        output::line(table.trim_fmt())?;
    }
    Ok(())
}

/// An estimate and its interval as a person reads them.
fn numbers(estimate: Option<&IntervalJson>, signed: bool) -> (String, String) {
    let Some(IntervalJson { value, low, high }) = estimate else { return ("-".to_owned(), String::new()) };
    let number = |number: f64| if signed { format!("{number:+.2}") } else { format!("{number:.2}") };
    let end = |end: &Option<f64>| end.unwrap_or(f64::INFINITY);
    if low.is_none() && high.is_none() {
        // One batch, or fewer than three measured rounds.
        return (number(*value), "no interval".to_owned());
    }
    (number(*value), output::interval(end(low), end(high), number))
}
