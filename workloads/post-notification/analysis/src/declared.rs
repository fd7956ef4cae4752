//! Figures that an experiment declares over the metrics of claims.

use std::collections::{BTreeMap, BTreeSet};

use matrix_core::Problems;
use matrix_core::claims::{Known, KnownMetric};
use matrix_core::figure::{self, Numbers};
use matrix_core::read::{Reading, Table};
use matrix_core::relation::{Context, Group};
use matrix_core::series::{Measured, Number, Range, Series, by_point};
use matrix_core::{Axis, AxisSet, FigureSpec, Kind, Point, Value};
use matrix_plan::claims::Metric;
use matrix_plan::experiment::KEYS_OF_WORKLOADS;
use matrix_plan::{Axes, Experiment};
use toml::de::DeTable;

use crate::changes::estimate;
use crate::load::Loaded;

/// The axis whose values are the treatments: cells that differ only in it share their blocks.
const TREATMENT: usize = 4;

fn point(axes: &Axes) -> Point {
    let combination = &axes.combination;
    vec![
        Value::Text(combination.post_storage.to_string()),
        Value::Text(combination.notification_storage.to_string()),
        Value::Text(combination.regions.to_string()),
        Value::Whole(i64::try_from(axes.delay_ms).unwrap_or(i64::MAX)),
        Value::Boolean(axes.antipode),
    ]
}

/// The axes of some points: every value that one of them has, in the order of the points.
fn axes_of<'a>(points: impl Iterator<Item = &'a Axes>) -> AxisSet {
    const NAMES: [(&str, Kind); 5] = [
        ("post_storage", Kind::Text),
        ("notification_storage", Kind::Text),
        ("regions", Kind::Text),
        ("delay_ms", Kind::Whole),
        ("antipode", Kind::Boolean),
    ];
    let mut axes = AxisSet { axes: NAMES.map(|(name, kind)| Axis::plain(name, kind, Vec::new())).to_vec() };
    let points: BTreeSet<&Axes> = points.collect();
    for axes_of_point in points {
        for (axis, value) in axes.axes.iter_mut().zip(point(axes_of_point)) {
            if !axis.values.contains(&value) {
                axis.values.push(value);
            }
        }
    }
    for axis in axes.axes.iter_mut().filter(|axis| axis.kind != Kind::Text) {
        axis.values.sort();
    }
    if let Some(treatment) = axes.axes.get_mut(TREATMENT) {
        let labels = [("false", "antipode off"), ("true", "antipode on")];
        treatment.labels = labels.map(|(value, label)| (value.to_owned(), label.to_owned())).into();
    }
    axes
}

fn higher_is_better(metric: Metric) -> bool {
    metric == Metric::ThroughputPerS
}

/// The figures that the text of an experiment declares, which a person gives or a run saved; none in a file of schema 1.
///
/// # Errors
/// Everything that is wrong with them, with places in `text`.
pub fn figures(experiment: &Experiment, text: &str, reading: Reading) -> Result<Vec<FigureSpec>, Problems> {
    let (document, _) = DeTable::parse_recoverable(text);
    // Unknown keys were reported when the experiment was read.
    let root = Table::of(document.get_ref(), 0..0, "the experiment", KEYS_OF_WORKLOADS, &mut Vec::new());
    if root.get("figure").is_none() {
        return Ok(Vec::new());
    }
    let metrics = Metric::ALL.map(|metric| KnownMetric {
        name: metric.as_str().to_owned(),
        higher_is_better: Some(higher_is_better(metric)),
        source: 0,
    });
    let points: Vec<Point> = experiment.points.iter().map(point).collect();
    let axes = axes_of(experiment.points.iter());
    let known = Known { source: text, axes: &axes, metrics: &metrics, sources: &[], points: &points, reading };
    let mut problems = Vec::new();
    let figures = figure::parse(&root, &known, &mut problems);
    Problems::unless_none(problems, Some(figures))
}

/// The metrics of every cell: what declared figures show.
#[derive(Clone, Debug)]
pub struct CellMetrics {
    axes: AxisSet,
    cells: Vec<(Point, u32, [Option<f64>; Metric::ALL.len()])>,
    disturbed: Vec<Point>,
}

impl CellMetrics {
    /// The metrics of these cells, of which every column must have been kept
    /// ([`Keep::EVERYTHING`](crate::Keep::EVERYTHING)), in the order of the experiment's axes.
    #[must_use]
    pub fn new(experiment: &Experiment, loaded: &Loaded) -> Self {
        let cell = |cell: &crate::CellData| {
            let value = |metric| estimate(metric, &[cell]).map(|found| found.value).filter(|value| value.is_finite());
            (point(&cell.meta.inputs.axes), cell.meta.inputs.round, Metric::ALL.map(value))
        };
        let disturbed = loaded.cells().iter().filter(|cell| cell.meta.disturbed);
        Self {
            axes: axes_of(experiment.points.iter()),
            cells: loaded.cells().iter().map(cell).collect(),
            disturbed: disturbed.map(|cell| point(&cell.meta.inputs.axes)).collect(),
        }
    }

    /// The axes.
    #[must_use]
    pub fn axes(&self) -> &AxisSet {
        &self.axes
    }
}

impl Numbers for CellMetrics {
    fn context(&self, metric: Option<usize>) -> Context<'_> {
        let metric = metric.and_then(|metric| Metric::ALL.get(metric));
        Context {
            axes: &self.axes,
            paired: Some(TREATMENT),
            higher_is_better: metric.map(|metric| higher_is_better(*metric)),
            range: Range::Any,
            alpha: 0.05,
        }
    }

    fn series(&self, metric: usize) -> Vec<Series> {
        let measured = |(point, round, metrics): &(Point, u32, [Option<f64>; Metric::ALL.len()])| Measured {
            point: point.clone(),
            round: *round,
            value: metrics.get(metric).copied().flatten().map(Number::from),
        };
        let mut cells: Vec<Measured> = self.cells.iter().map(measured).collect();
        cells.sort_by_cached_key(|cell| (self.axes.ranks(&cell.point), cell.round));
        by_point(&cells)
    }

    // Traces are no sources of columns here: figures over them are the presets.
    fn series_by(&self, _: usize, _: usize, _: usize) -> (Axis, Vec<Series>) {
        (Axis::plain("", Kind::Text, Vec::new()), Vec::new())
    }

    fn distributions(
        &self,
        _: usize,
        _: usize,
        _: usize,
        _: &dyn Fn(&Point) -> Option<Group>,
    ) -> BTreeMap<Group, (Vec<(f64, f64)>, usize)> {
        BTreeMap::new()
    }

    fn disturbed(&self) -> Vec<&Point> {
        self.disturbed.iter().collect()
    }
}
