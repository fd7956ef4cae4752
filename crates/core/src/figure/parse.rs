//! Reads `[[figure]]`.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::problem::Problem;

use super::spec::{Across, FigureKind, FigureSpec, KEYS, KINDS};
use crate::claims::{self, Known, Selection};
use crate::read::{self, Reading, Table};
use crate::relation::Relation;
use crate::value::Value;

/// Reads every `[[figure]]`.
pub fn parse(root: &Table<'_>, known: &Known<'_>, problems: &mut Vec<Problem>) -> Vec<FigureSpec> {
    let tables = read::tables(root, "figure", "[[figure]]", KEYS, problems);
    let mut figures: Vec<FigureSpec> = Vec::new();
    for table in tables {
        let Some(figure) = figure(&table, known, problems) else { continue };
        if figures.iter().any(|other| other.name == figure.name) {
            let problem = Problem::new(format!("two figures are called `{}`", figure.name)).at(table.span());
            problems.push(problem.label("taken by an earlier one"));
        }
        figures.push(figure);
    }
    figures
}

fn figure(table: &Table<'_>, known: &Known<'_>, problems: &mut Vec<Problem>) -> Option<FigureSpec> {
    let name = table.require("name", "name = \"scaling\"", problems);
    let name = name.and_then(|value| read::slug(value, "a figure's name", problems));
    let paper = table.get("paper").and_then(|value| read::words(value, "`paper`", problems));
    let kind = kind(table, problems)?;
    let y = match (kind, table.get("y")) {
        (FigureKind::Ecdf, Some(value)) => {
            let problem = Problem::new("an ecdf has no `y`").at(value.span());
            problems.push(problem.label("its other axis is the share of values").help("name the column as `x`"));
            return None;
        }
        (FigureKind::Ecdf, None) => Some(None),
        _ => claims::metric(table, "y", known, problems).map(Some),
    };
    let x = across(table, kind, y.flatten(), known, problems);
    let series = claims::axis(table, "series", known.axes, problems);
    let panel = claims::axis(table, "panel", known.axes, problems);
    for (needed, what) in
        [(kind == FigureKind::Heat, "a heat map"), (kind == FigureKind::Bars { stack: true }, "`stack`")]
    {
        if needed && table.get("series").is_none() {
            let problem = Problem::new(format!("{what} needs `series`")).at(table.span());
            problems.push(problem.label("name the axis of its parts"));
            return None;
        }
    }
    let selection = match table.get("where") {
        Some(value) => Selection::parse(value, known.source, known.axes, problems)?,
        None => Selection::All,
    };
    let mut log = (false, false);
    if let Some(value) = table.get("log") {
        for (name, place) in read::texts(value, "`log`", problems)? {
            let is_given = known.reading == Reading::Given;
            if let Some(why) = never_logarithmic(&name, kind, x, known).filter(|_| is_given) {
                problems.push(Problem::new(format!("`{name}` cannot be logarithmic here")).at(place).label(why));
                continue;
            }
            match name.as_str() {
                "x" => log.0 = true,
                "y" if kind == FigureKind::Ecdf || kind == (FigureKind::Bars { stack: true }) => {
                    let problem = Problem::new("shares and stacked bars begin at 0").at(place);
                    problems.push(problem.label("a logarithmic axis has no 0"));
                }
                "y" => log.1 = true,
                other => problems.push(read::unknown("axis of a figure", other, place, &["x", "y"])),
            }
        }
    }
    let relation = Relation::parse(table, known.axes, problems);
    if kind == FigureKind::Ecdf
        && let Some(place) = table.key_span("ratio_to").or_else(|| table.key_span("over"))
    {
        problems.push(Problem::new("a distribution has no ratio").at(place).label("not for kind = \"ecdf\""));
        return None;
    }
    let figure = FigureSpec { name: name?, paper, kind, x: x?, y: y?, series, panel, selection, log, relation };
    figure.check(table.span(), known, problems);
    Some(figure)
}

/// Why an axis of a figure can never be logarithmic, if so.
fn never_logarithmic(name: &str, kind: FigureKind, x: Option<Across>, known: &Known<'_>) -> Option<&'static str> {
    let across = match x? {
        Across::Axis(axis) => known.axes.axes.get(axis).map(|axis| axis.kind),
        Across::Column { source, column } => {
            known.sources.get(source).and_then(|(_, columns)| columns.get(column)).map(|column| column.kind)
        }
        Across::Metric { .. } => None,
    };
    match kind {
        FigureKind::Table if matches!(name, "x" | "y") => Some("a table has no axes"),
        FigureKind::Bars { .. } | FigureKind::Heat if name == "x" => Some("bars and fields stand side by side"),
        _ if name == "x" && across.is_some_and(|kind| !kind.is_number()) => Some("has words, not numbers"),
        _ => None,
    }
}

fn kind(table: &Table<'_>, problems: &mut Vec<Problem>) -> Option<FigureKind> {
    let stack = match table.get("stack") {
        Some(value) => read::boolean(value, "`stack`", problems)?,
        None => false,
    };
    let value = table.require("kind", "kind = \"line\"", problems)?;
    let kind = match read::text(value, "`kind`", problems)? {
        "line" => FigureKind::Line,
        "bars" => FigureKind::Bars { stack },
        "ecdf" => FigureKind::Ecdf,
        "heat" => FigureKind::Heat,
        "table" => FigureKind::Table,
        other => {
            problems.push(read::unknown("kind", other, value.span(), &KINDS));
            return None;
        }
    };
    if let (true, false, Some(place)) = (stack, matches!(kind, FigureKind::Bars { .. }), table.key_span("stack")) {
        problems.push(Problem::new("only bars are stacked").at(place).label("write kind = \"bars\""));
    }
    Some(kind)
}

/// What is across: an axis, else a column, else a metric along an axis.
fn across(
    table: &Table<'_>,
    kind: FigureKind,
    y: Option<usize>,
    known: &Known<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Across> {
    let value = table.require("x", "x = \"threads\"", problems)?;
    let name = read::text(value, "`x`", problems)?;
    let along = table.get("along");
    let metric = known.metrics.iter().position(|metric| metric.name == name);
    let source = source(table, kind, y, known, problems)?;
    let sources = known.sources;
    let column = sources.get(source).and_then(|(_, columns)| columns.iter().position(|column| column.name == name));
    if let Some(along) = along.filter(|_| metric.is_none() || kind == FigureKind::Ecdf) {
        let problem = Problem::new("`along` is for an `x` that is a metric").at(along.span());
        problems.push(problem.label("nothing to connect"));
        return None;
    }
    if kind != FigureKind::Ecdf
        && let Some(axis) = known.axes.position(name)
    {
        return Some(Across::Axis(axis));
    }
    if let Some(column) = column.filter(|_| along.is_none()) {
        let is_number = sources.get(source).is_some_and(|(_, columns)| columns[column].kind.is_number());
        if kind == FigureKind::Ecdf && !is_number {
            let problem = Problem::new("a distribution needs a column of numbers").at(value.span());
            problems.push(problem.label("has no order"));
            return None;
        }
        return Some(Across::Column { source, column });
    }
    if let Some(metric) = metric.filter(|_| kind != FigureKind::Ecdf) {
        if !matches!(kind, FigureKind::Line) {
            let problem = Problem::new("an `x` that is a metric needs kind = \"line\"").at(value.span());
            problems.push(problem.label("has no places for bars or fields"));
            return None;
        }
        table.require("along", "along = \"clients\"", problems)?;
        let along = claims::axis(table, "along", known.axes, problems)?;
        return Some(Across::Metric { metric, along });
    }
    let columns = sources.get(source).map(|(_, columns)| columns.as_slice()).unwrap_or_default();
    let columns = columns.iter().map(|column| column.name.as_str());
    if kind == FigureKind::Ecdf {
        problems.push(read::unknown("column", name, value.span(), &columns.collect::<Vec<_>>()));
        return None;
    }
    let metrics = known.metrics.iter().map(|metric| metric.name.as_str());
    let names: Vec<&str> = known.axes.names().into_iter().chain(columns).chain(metrics).collect();
    problems.push(read::unknown("axis, column or metric", name, value.span(), &names));
    None
}

/// The source that a column across is of: that of `from`, that of the metric, or the only one.
fn source(
    table: &Table<'_>,
    kind: FigureKind,
    y: Option<usize>,
    known: &Known<'_>,
    problems: &mut Vec<Problem>,
) -> Option<usize> {
    let names: Vec<&str> = known.sources.iter().map(|(name, _)| name.as_str()).collect();
    let of_metric = y.and_then(|metric| known.metrics.get(metric)).map(|metric| metric.source);
    let Some(value) = table.get("from") else {
        if kind == FigureKind::Ecdf && names.len() > 1 {
            let problem = Problem::new("the figure lacks `from`").at(table.span()).label("a column of which source?");
            problems.push(problem.help(format!("sources: {}", names.join(", "))));
            return None;
        }
        return Some(of_metric.unwrap_or(0));
    };
    let name = read::text(value, "`from`", problems)?;
    let found = read::position(name, value.span(), "source", &names, problems)?;
    if of_metric.is_some_and(|source| source != found) {
        let problem = Problem::new("the metric is of another source than `from`").at(value.span());
        problems.push(problem.label("a figure shows rows of one source"));
        return None;
    }
    Some(found)
}

impl FigureSpec {
    /// Every point of the figure has to be one number: an axis that varies has to have a place in it.
    fn check(&self, place: Range<usize>, known: &Known<'_>, problems: &mut Vec<Problem>) {
        let shown: Vec<&Vec<Value>> = known.points.iter().filter(|point| self.selection.matches(point)).collect();
        if shown.is_empty() && !known.points.is_empty() {
            let problem = Problem::new(format!("figure `{}` shows no point", self.name)).at(place);
            problems.push(problem.label("`where` selects nothing"));
            return;
        }
        let across = match self.x {
            Across::Axis(axis) => Some(axis),
            Across::Metric { along, .. } => Some(along),
            Across::Column { .. } => None,
        };
        for (position, axis) in known.axes.axes.iter().enumerate() {
            let placed = [across, self.series, self.panel].contains(&Some(position))
                || self.relation.over.as_ref().is_some_and(|(_, axes)| axes.contains(&position));
            // What is left of an axis when the baseline is gone.
            let baseline = self.relation.ratio_to.as_ref().and_then(|pattern| pattern[position].as_ref());
            let values: BTreeSet<&Value> = shown.iter().filter_map(|point| point.get(position)).collect();
            let left = values.iter().filter(|value| baseline.is_none_or(|base| !base.contains(value))).count();
            if !placed && left > 1 {
                let problem = Problem::new(format!("figure `{}` has no place for axis `{}`", self.name, axis.name));
                problems.push(problem.at(place.clone()).label(format!("{left} values of it would be one point")).help(
                    format!("name it as `series` or `panel`, choose one value by `where`, or combine them: over = {{ geomean = [\"{}\"] }}", axis.name),
                ));
            }
        }
    }
}
