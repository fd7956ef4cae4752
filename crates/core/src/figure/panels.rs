//! The numbers of a figure: by panel, series and what is across.

use std::collections::BTreeMap;

use super::spec::{Across, FigureKind, FigureSpec};
use crate::axes::{Axis, AxisSet, Point};
use crate::relation::{Context, Group, Related, Relation};
use crate::series::{Estimate, Series};
use crate::value::Value;

/// Points of a distribution's curve.
const CURVE: usize = 400;

/// Where figures have their numbers from.
pub trait Numbers {
    /// The axes of points, and what relations of a metric need to know.
    fn context(&self, metric: Option<usize>) -> Context<'_>;

    /// The numbers of a metric, by point, of points that were tried.
    fn series(&self, metric: usize) -> Vec<Series>;

    /// The numbers of a metric of the rows with each value of a column: the column as an axis, and series whose points have
    /// its value at their end.
    fn series_by(&self, metric: usize, source: usize, column: usize) -> (Axis, Vec<Series>);

    /// The cumulative distribution of a column of all selected cells, by group: numbers and shares, and how many rounds.
    fn distributions(
        &self,
        source: usize,
        column: usize,
        most: usize,
        group: &dyn Fn(&Point) -> Option<Group>,
    ) -> BTreeMap<Group, (Vec<(f64, f64)>, usize)>;

    /// The points of which a cell was disturbed by other work while it ran.
    fn disturbed(&self) -> Vec<&Point>;
}

/// A number in a figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Where it is across; along what it is connected, where a metric is across.
    pub x: Value,
    /// The metric across, where one is.
    pub across: Option<Estimate>,
    /// What is shown; none where the cells failed or are not done.
    pub estimate: Option<Estimate>,
    /// Why there is none, or why its interval says nothing.
    pub why: Option<String>,
    /// Whether other work disturbed a cell behind it.
    pub disturbed: bool,
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

/// The place of a value of x among the others, where x has an order of its own.
type Rank<'a> = Box<dyn Fn(&Value) -> Option<usize> + 'a>;

/// A number with its place.
struct Placed {
    panel: Option<Value>,
    series: Option<Value>,
    mark: Mark,
}

impl FigureSpec {
    /// The numbers that it shows.
    #[must_use]
    pub fn panels(&self, numbers: &dyn Numbers) -> Vec<Panel> {
        let axes = numbers.context(None).axes;
        let (placed, rank): (_, Rank<'_>) = match (self.x, self.y) {
            (Across::Axis(axis), Some(metric)) => {
                let related = self.related(metric, numbers);
                let rank = move |value: &Value| axes.axes.get(axis)?.rank(value);
                (self.placed(related, axis, numbers), Box::new(rank))
            }
            (Across::Column { source, column }, Some(metric)) => {
                let (axis, placed) = self.by_column(metric, source, column, numbers);
                (placed, Box::new(move |value: &Value| axis.rank(value)))
            }
            (Across::Metric { metric, along }, Some(y)) => {
                let rank = move |value: &Value| axes.axes.get(along)?.rank(value);
                (self.by_metric(metric, y, along, numbers), Box::new(rank))
            }
            (Across::Column { source, column }, None) if self.kind == FigureKind::Ecdf => {
                (self.curves(source, column, numbers), Box::new(|_: &Value| None))
            }
            _ => (Vec::new(), Box::new(|_: &Value| None)),
        };
        self.arranged(placed, axes, &*rank)
    }

    fn related(&self, metric: usize, numbers: &dyn Numbers) -> Vec<Related> {
        let selected = |point: &[Value]| self.selection.matches(point);
        self.relation.apply(&numbers.series(metric), &selected, &numbers.context(Some(metric)))
    }

    fn placed(&self, related: Vec<Related>, across: usize, numbers: &dyn Numbers) -> Vec<Placed> {
        let place = |found: Related| {
            let x = found.group.get(across).cloned().flatten()?;
            let disturbed = self.is_disturbed(&found.group, numbers);
            let mark = Mark { x, across: None, estimate: found.estimate, why: found.why, disturbed };
            Some(self.at(&found.group, mark))
        };
        related.into_iter().filter_map(place).collect()
    }

    fn at(&self, group: &Group, mark: Mark) -> Placed {
        let value = |axis: Option<usize>| axis.and_then(|axis| group.get(axis).cloned().flatten());
        Placed { panel: value(self.panel), series: value(self.series), mark }
    }

    /// Whether a cell behind a group was disturbed, or one of its baseline.
    fn is_disturbed(&self, group: &Group, numbers: &dyn Numbers) -> bool {
        let baseline = self.relation.ratio_to.as_ref();
        numbers.disturbed().into_iter().any(|point| {
            point.iter().enumerate().all(|(axis, value)| {
                let of_group =
                    group.get(axis).is_none_or(|wanted| wanted.as_ref().is_none_or(|wanted| wanted == value));
                let base = baseline.and_then(|pattern| pattern.get(axis)?.as_ref());
                of_group || base.is_some_and(|values| values.contains(value))
            })
        })
    }

    fn by_column(&self, metric: usize, source: usize, column: usize, numbers: &dyn Numbers) -> (Axis, Vec<Placed>) {
        let context = numbers.context(Some(metric));
        let (axis, series) = numbers.series_by(metric, source, column);
        let across = context.axes.axes.len();
        let mut axes = context.axes.clone();
        axes.axes.push(axis.clone());
        let mut relation: Relation = self.relation.clone();
        if let Some(pattern) = &mut relation.ratio_to {
            pattern.push(None);
        }
        let selected = |point: &[Value]| self.selection.matches(point);
        let related = relation.apply(&series, &selected, &Context { axes: &axes, ..context });
        (axis, self.placed(related, across, numbers))
    }

    /// The points of two metrics, joined.
    fn by_metric(&self, metric: usize, y: usize, along: usize, numbers: &dyn Numbers) -> Vec<Placed> {
        let across: BTreeMap<Group, Option<Estimate>> =
            self.related(metric, numbers).into_iter().map(|found| (found.group, found.estimate)).collect();
        let place = |found: Related| {
            let x = found.group.get(along).cloned().flatten()?;
            let across = across.get(&found.group).copied().flatten();
            // Without one of the two it has no place.
            let estimate = found.estimate.filter(|_| across.is_some());
            let disturbed = self.is_disturbed(&found.group, numbers);
            Some(self.at(&found.group, Mark { x, across, estimate, why: found.why, disturbed }))
        };
        self.related(y, numbers).into_iter().filter_map(place).collect()
    }

    fn curves(&self, source: usize, column: usize, numbers: &dyn Numbers) -> Vec<Placed> {
        let placed = [self.series, self.panel];
        let group = |point: &Point| {
            let kept = |(axis, value): (usize, &Value)| placed.contains(&Some(axis)).then(|| value.clone());
            self.selection.matches(point).then(|| point.iter().enumerate().map(kept).collect())
        };
        let mut found = Vec::new();
        for (group, (curve, rounds)) in numbers.distributions(source, column, CURVE, &group) {
            let disturbed = self.is_disturbed(&group, numbers);
            for (value, share) in curve {
                let Some(x) = Value::real(value) else { continue };
                let estimate = Some(Estimate::unbounded(share, rounds));
                found.push(self.at(&group, Mark { x, across: None, estimate, why: None, disturbed }));
            }
        }
        found
    }

    fn arranged(
        &self,
        placed: Vec<Placed>,
        axes: &AxisSet,
        rank_across: &dyn Fn(&Value) -> Option<usize>,
    ) -> Vec<Panel> {
        let mut panels: Vec<Panel> = Vec::new();
        for Placed { panel, series, mark } in placed {
            let place = panels.iter().position(|known| known.panel == panel).unwrap_or_else(|| {
                panels.push(Panel { panel, lines: Vec::new() });
                panels.len() - 1
            });
            let lines = &mut panels[place].lines;
            let line = lines.iter().position(|known| known.series == series).unwrap_or_else(|| {
                lines.push(Line { series, marks: Vec::new() });
                lines.len() - 1
            });
            lines[line].marks.push(mark);
        }
        let rank = |axis: Option<usize>, value: &Option<Value>| {
            axis.and_then(|axis| axes.axes.get(axis)?.rank(value.as_ref()?))
        };
        panels.sort_by_key(|panel| rank(self.panel, &panel.panel));
        for panel in &mut panels {
            panel.lines.sort_by_key(|line| rank(self.series, &line.series));
            for line in &mut panel.lines {
                line.marks.sort_by_key(|mark| rank_across(&mark.x));
            }
        }
        panels
    }
}
