//! Figures as an experiment declares them, and the numbers that they show.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::Problem;

use crate::axes::AxisSet;
use crate::claims::{self, Known, Selection};
use crate::read::{self, Table};
use crate::relation::{Context, Relation};
use crate::series::{Estimate, Series};
use crate::value::Value;

/// How a figure is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureKind {
    /// A line for each series, with the band of its intervals.
    Line,
    /// A group of bars for each value of `x`.
    Bars,
}

/// A figure as an experiment declares it.
#[derive(Clone, Debug, PartialEq)]
pub struct FigureSpec {
    /// Its name, and that of its files.
    pub name: String,
    /// The figure of the paper that it is to be compared with.
    pub paper: Option<String>,
    /// How it is drawn.
    pub kind: FigureKind,
    /// The axis across.
    pub x: usize,
    /// The metric.
    pub y: usize,
    /// The axis whose values are lines, or bars of a group.
    pub series: Option<usize>,
    /// The axis whose values are panels.
    pub panel: Option<usize>,
    /// The points that it shows.
    pub selection: Selection,
    /// Whether the axis across is logarithmic, and whether the other one is.
    pub log: (bool, bool),
    /// What is done with numbers first.
    pub relation: Relation,
}

const KEYS: &[&str] = &[
    "name", "paper", "kind", "x", "y", "series", "panel", "where", "log", "ratio_to", "over", "stack", "along", "from",
];

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
    for key in ["stack", "along", "from"] {
        if let Some(value) = table.get(key) {
            problems.push(read::unsupported(&format!("`{key}` of a [[figure]]"), value.span()));
        }
    }
    let kind = table.require("kind", "kind = \"line\"", problems)?;
    let kind = match read::text(kind, "`kind`", problems)? {
        "line" => FigureKind::Line,
        "bars" => FigureKind::Bars,
        later @ ("ecdf" | "heat" | "table") => {
            problems.push(read::unsupported(&format!("kind = \"{later}\""), kind.span()));
            return None;
        }
        other => {
            problems.push(read::unknown("kind", other, kind.span(), &["line", "bars", "ecdf", "heat", "table"]));
            return None;
        }
    };
    let x = table.require("x", "x = \"threads\"", problems).and_then(|value| {
        let name = read::text(value, "`x`", problems)?;
        if known.axes.position(name).is_none() && known.metrics.iter().any(|(metric, _)| metric == name) {
            problems.push(read::unsupported("`x` that is a metric", value.span()));
            return None;
        }
        claims::axis(table, "x", known.axes, problems)
    });
    let y = claims::metric(table, "y", known, problems);
    let series = claims::axis(table, "series", known.axes, problems);
    let panel = claims::axis(table, "panel", known.axes, problems);
    let selection = match table.get("where") {
        Some(value) => Selection::parse(value, known.source, known.axes, problems)?,
        None => Selection::All,
    };
    let mut log = (false, false);
    if let Some(value) = table.get("log") {
        for (name, place) in read::texts(value, "`log`", problems)? {
            match name.as_str() {
                "x" => log.0 = true,
                "y" => log.1 = true,
                other => problems.push(read::unknown("axis of a figure", other, place, &["x", "y"])),
            }
        }
    }
    let figure = FigureSpec {
        name: name?,
        paper,
        kind,
        x: x?,
        y: y?,
        series,
        panel,
        selection,
        log,
        relation: Relation::parse(table, known.axes, problems),
    };
    figure.check(table.span(), known, problems);
    Some(figure)
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
        for (position, axis) in known.axes.axes.iter().enumerate() {
            let placed = [Some(self.x), self.series, self.panel].contains(&Some(position))
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

/// A number in a figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Where it is across.
    pub x: Value,
    /// What is shown; none where the cells failed or are not done.
    pub estimate: Option<Estimate>,
}

/// The numbers of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Which series.
    pub series: Option<Value>,
    /// Its numbers, by x.
    pub marks: Vec<Mark>,
}

/// The numbers of one panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Which panel.
    pub panel: Option<Value>,
    /// Its series.
    pub lines: Vec<Line>,
}

impl FigureSpec {
    /// The numbers that it shows.
    #[must_use]
    pub fn panels(&self, all: &[Series], context: &Context<'_>) -> Vec<Panel> {
        let related = self.relation.apply(all, &|point| self.selection.matches(point), context);
        let value =
            |group: &[Option<Value>], axis: Option<usize>| axis.and_then(|axis| group.get(axis).cloned().flatten());
        let mut panels: Vec<Panel> = Vec::new();
        for found in related {
            let (panel, series) = (value(&found.group, self.panel), value(&found.group, self.series));
            let Some(x) = value(&found.group, Some(self.x)) else { continue };
            let place = panels.iter().position(|known| known.panel == panel).unwrap_or_else(|| {
                panels.push(Panel { panel: panel.clone(), lines: Vec::new() });
                panels.len() - 1
            });
            let lines = &mut panels[place].lines;
            let line = lines.iter().position(|known| known.series == series).unwrap_or_else(|| {
                lines.push(Line { series: series.clone(), marks: Vec::new() });
                lines.len() - 1
            });
            lines[line].marks.push(Mark { x, estimate: found.estimate });
        }
        let rank = |axis: Option<usize>, value: &Option<Value>, axes: &AxisSet| {
            axis.and_then(|axis| axes.axes.get(axis)?.rank(value.as_ref()?))
        };
        panels.sort_by_key(|panel| rank(self.panel, &panel.panel, context.axes));
        for panel in &mut panels {
            panel.lines.sort_by_key(|line| rank(self.series, &line.series, context.axes));
            for line in &mut panel.lines {
                line.marks.sort_by_key(|mark| rank(Some(self.x), &Some(mark.x.clone()), context.axes));
            }
        }
        panels
    }
}
