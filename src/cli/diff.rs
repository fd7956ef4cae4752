//! `matrix diff`.

use std::path::PathBuf;

use clap::Args;
use matrix_analysis::Change;
use matrix_plan::claims::Metric;
use matrix_plan::{Axes, CellKey, Interval};
use matrix_report::Column;
use matrix_run::diff::{Matching, Pair, compare, how, matching};
use matrix_run::key_diff::shown;
use matrix_run::results;
use matrix_store::Store;
use matrix_traces::Record;
use serde::Serialize;
use serde_json::Value;

use super::bundle::SizeArgs;
use super::plan::on_off;
use super::{Format, FormatArgs};
use crate::exit::{CommandResult, Exit, Failure};
use crate::output;
use crate::program;

/// Parts of keys that a table names; JSON has all of them.
const PARTS_SHOWN: usize = 6;

/// Compare two stores or bundles: cells only in one, and by how much each metric of the others differs
///
/// Results of the same cell are compared first. Of the rest, those that agree in axes and round are compared as having the
/// same axes, but another meaning: a model against another one, or a simulation against a measurement. A change is B less
/// A, with the 95 % interval of independent samples; it is marked where that interval leaves out 0. Differences are no error.
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
    /// Every metric of every point, not only what is marked; JSON always has all
    #[arg(long)]
    all: bool,
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
    let limits = args.size.limits();
    let (a, b) = (results::open_within(&args.a, limits)?, results::open_within(&args.b, limits)?);
    let comparing = program::Comparing { metrics: &args.metrics, all: args.all, tolerance: None };
    if let Some(exit) = program::diff(&a, &b, comparing, args.format.format == Format::Json)? {
        return Ok(exit);
    }
    let wanted = args.metrics.iter().map(|name| metric(name)).collect::<Result<Vec<_>, _>>()?;
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
        Format::Table => table(&found, args.all)?,
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

impl PairJson {
    /// Who measured the two results, and how.
    fn origins(&self) -> String {
        let Self { a, b, .. } = self;
        format!("{} ({}) / {} ({})", a.origin, a.how, b.origin, b.how)
    }

    /// The parts of the keys that differ.
    fn parts(&self) -> String {
        let part = |part: &PartJson| format!("{} {} / {}", part.part, shown(part.a.as_ref()), shown(part.b.as_ref()));
        let mut named: Vec<String> = self.differs.iter().take(PARTS_SHOWN).map(part).collect();
        if self.differs.len() > PARTS_SHOWN {
            named.push(format!("and {} more parts", self.differs.len() - PARTS_SHOWN));
        }
        format!("the keys differ in: {}", named.join("; "))
    }
}

impl ChangeJson {
    /// Whether the interval of the change leaves out 0.
    fn is_marked(&self) -> bool {
        self.excludes_zero == Some(true)
    }

    /// The metric and its two values.
    fn short(&self) -> String {
        let [a, b] = [&self.a, &self.b].map(|estimate| numbers(estimate.as_ref(), false).0);
        format!("{} {a} -> {b}", self.metric)
    }

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

/// Marked changes that a row names.
const CHANGES_SHOWN: usize = 3;
/// Results of one side that are listed, without `--all`.
const ONLY_SHOWN: usize = 10;

fn table(found: &DiffJson, all: bool) -> Result<(), Failure> {
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
    let changes = || same_key.iter().chain(same_axes).flat_map(|pair| &pair.changes);
    let clear = changes().filter(|change| change.is_marked()).count();
    let judged = changes().filter(|change| change.excludes_zero.is_some()).count();
    if judged > 0 {
        output::line(format_args!(
            "{clear} of {judged} changes are marked: their interval leaves out 0. Where nothing differs, at most about 5 % would be.\n\
             Intervals are of single cells, so they say little about how rounds differ."
        ))?;
    }
    kinds("Same cell, different results", same_key)?;
    kinds("Same axes and round, other meaning", same_axes)?;
    only("A", only_in_a, all)?;
    only("B", only_in_b, all)?;
    if all {
        pairs("Same cell", same_key)?;
        return pairs("Same axes and round, other meaning", same_axes);
    }
    let marked: Vec<&PairJson> =
        same_key.iter().chain(same_axes).filter(|pair| pair.changes.iter().any(ChangeJson::is_marked)).collect();
    if !marked.is_empty() {
        output::line(format_args!("\nPoints with marked changes, A -> B\n{}", points(&marked)))?;
    }
    if judged > 0 {
        output::line("\n`--all` lists every metric of every point, with its intervals")?;
    }
    Ok(())
}

/// How many pairs differ in which parts of their keys, and where they come from.
fn kinds(title: &str, pairs: &[PairJson]) -> Result<(), Failure> {
    let mut kinds: Vec<(String, usize)> = Vec::new();
    for pair in pairs.iter().filter(|pair| !pair.identical || !pair.differs.is_empty()) {
        let differs = if pair.differs.is_empty() { String::new() } else { format!("; {}", pair.parts()) };
        let kind = format!("{}{differs}", pair.origins());
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => kinds.push((kind, 1)),
        }
    }
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (index, (kind, count)) in kinds.iter().take(ONLY_SHOWN).enumerate() {
        let title = if index == 0 { format!("\n{title}\n") } else { String::new() };
        output::line(format_args!("{title}  {count} of {}: {kind}", pairs.len()))?;
    }
    if let Some(more) = kinds.len().checked_sub(ONLY_SHOWN).filter(|more| *more > 0) {
        output::line(format_args!("  and {more} more kinds of difference (--all)"))?;
    }
    Ok(())
}

/// One line for each point, with its marked changes.
fn points(pairs: &[&PairJson]) -> String {
    let columns = [
        Column::left("post"),
        Column::left("notified\nby"),
        Column::left("regions").folded("regions"),
        Column::right("delay\nms").folded("delay in ms"),
        Column::left("antipode").folded("antipode"),
        Column::right("round").folded("round"),
        Column::left("marked changes"),
    ];
    let line = |pair: &&PairJson| {
        let Axes { combination, delay_ms, antipode } = &pair.a.axes;
        let marked: Vec<&ChangeJson> = pair.changes.iter().filter(|change| change.is_marked()).collect();
        let mut named: Vec<String> = marked.iter().take(CHANGES_SHOWN).map(|change| change.short()).collect();
        if marked.len() > CHANGES_SHOWN {
            named.push(format!("and {} more", marked.len() - CHANGES_SHOWN));
        }
        vec![
            combination.post_storage.to_string(),
            combination.notification_storage.to_string(),
            combination.regions.to_string(),
            delay_ms.to_string(),
            on_off(*antipode).to_owned(),
            pair.a.round.to_string(),
            named.join(", "),
        ]
    };
    matrix_report::fitted(&columns, pairs.iter().map(line).collect(), output::width())
}

fn only(side: &str, results: &[ResultJson], all: bool) -> Result<(), Failure> {
    if results.is_empty() {
        return Ok(());
    }
    let shown = if all { results.len() } else { ONLY_SHOWN };
    let mut table = output::table(&["cell", "axes", "round", "origin", "how"], &[2]);
    for result in results.iter().take(shown) {
        let [axes, round] = [result.axes.to_string(), result.round.to_string()];
        table.add_row([result.key.short(), axes, round, result.origin.clone(), result.how.to_owned()]);
    }
    output::line(format_args!("\nOnly in {side}\n{}", table.trim_fmt()))?;
    match results.len().checked_sub(shown).filter(|more| *more > 0) {
        Some(more) => output::line(format_args!(" and {more} more (--all)")),
        None => Ok(()),
    }
}

fn pairs(title: &str, pairs: &[PairJson]) -> Result<(), Failure> {
    let different: Vec<&PairJson> = pairs.iter().filter(|pair| !pair.identical || !pair.differs.is_empty()).collect();
    if !different.is_empty() {
        output::line(format_args!("\n{title}"))?;
    }
    for pair in different {
        let PairJson { a, b, identical, differs, changes } = pair;
        let keys = if a.key == b.key { a.key.short() } else { format!("{} / {}", a.key.short(), b.key.short()) };
        output::line(format_args!("\n{} round {}: {keys}: {}", a.axes, a.round, pair.origins()))?;
        if !differs.is_empty() {
            output::line(pair.parts())?;
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
            let mark = if change.is_marked() { "*" } else { "" };
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
