//! Figures that an experiment declares: from their numbers to a chart or a table.

use std::ops::RangeInclusive;

use matrix_core::figure::{Across, FigureKind, Panel};
use matrix_core::judge::combined_name;
use matrix_core::{Axis, AxisSet, FigureSpec, Kind as Type, Value};

use crate::chart::{Chart, ChartLine, ChartMark, ChartPanel, Estimate, Kind, Title};

/// A metric, as figures name it.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricAbout {
    /// Its name.
    pub name: String,
    /// How it is computed, in words, and of which rows.
    pub text: String,
    /// Its unit; none where it is a mere number.
    pub unit: Option<String>,
}

/// The texts of a figure besides its numbers.
#[derive(Clone, Debug)]
pub struct About<'a> {
    /// Name of the experiment.
    pub experiment: &'a str,
    /// Its axes.
    pub axes: &'a AxisSet,
    /// The fewest and the most rounds of a point.
    pub rounds: RangeInclusive<u32>,
    /// Its metrics.
    pub metrics: Vec<MetricAbout>,
    /// The column across, where one is: name and unit.
    pub column: Option<(String, String)>,
    /// Notes below the figure: the origin of the numbers, for example.
    pub notes: Vec<String>,
}

impl About<'_> {
    fn axis(&self, position: Option<usize>) -> Option<&Axis> {
        self.axes.axes.get(position?)
    }

    /// The name of what is across.
    #[must_use]
    pub fn across(&self, figure: &FigureSpec) -> String {
        match figure.x {
            Across::Axis(axis) => self.axis(Some(axis)).map(|axis| axis.name.clone()),
            Across::Column { .. } => self.column.as_ref().map(|(name, _)| name.clone()),
            Across::Metric { metric, .. } => self.metrics.get(metric).map(|metric| metric.name.clone()),
        }
        .unwrap_or_default()
    }

    /// A value of an axis, as headings and legends name it.
    pub(crate) fn named(&self, axis: Option<usize>, value: &Value) -> String {
        match self.axis(axis) {
            Some(axis) if axis.labels.contains_key(&value.to_string()) || axis.kind == Type::Text => axis.label(value),
            Some(axis) => format!("{} {}", axis.name, value),
            None => value.to_string(),
        }
    }

    /// The values across, in their order.
    pub(crate) fn places<'p>(&self, figure: &FigureSpec, panels: &'p [Panel]) -> Vec<&'p Value> {
        let marks = panels.iter().flat_map(|panel| &panel.lines).flat_map(|line| &line.marks);
        let mut places: Vec<&Value> = marks.map(|mark| &mark.x).collect();
        match figure.x {
            Across::Axis(axis) => places.sort_by_key(|value| self.axis(Some(axis)).and_then(|axis| axis.rank(value))),
            _ => places.sort(),
        }
        places.dedup();
        places
    }

    /// The values of the series' axis, in their order.
    pub(crate) fn series<'p>(&self, figure: &FigureSpec, panels: &'p [Panel]) -> Vec<&'p Value> {
        let mut series: Vec<&Value> =
            panels.iter().flat_map(|panel| &panel.lines).filter_map(|line| line.series.as_ref()).collect();
        series.sort_by_key(|value| self.axis(figure.series).and_then(|axis| axis.rank(value)));
        series.dedup();
        series
    }

    /// What a place across is called.
    pub(crate) fn place_name(&self, figure: &FigureSpec, value: &Value) -> String {
        match figure.x {
            Across::Axis(axis) => self.axis(Some(axis)).map_or_else(|| value.to_string(), |axis| axis.label(value)),
            _ => value.to_string(),
        }
    }

    /// What the numbers are, with their unit.
    pub(crate) fn measured(&self, figure: &FigureSpec) -> String {
        let Some(metric) = figure.y.and_then(|metric| self.metrics.get(metric)) else {
            return "share of values".to_owned();
        };
        let name = words(&metric.name);
        match (self.baseline(figure), &metric.unit) {
            (Some(base), _) => format!("{name} / {base}"),
            (None, Some(unit)) if *unit != "1" => format!("{name} ({unit})"),
            (None, _) => name,
        }
    }

    fn baseline(&self, figure: &FigureSpec) -> Option<String> {
        let pattern = figure.relation.ratio_to.as_ref()?;
        let parts = pattern.iter().enumerate().filter_map(|(axis, values)| {
            let value = values.as_ref()?.first()?;
            Some(self.named(Some(axis), value))
        });
        Some(parts.collect::<Vec<_>>().join(", "))
    }

    /// How the numbers are computed, and what their intervals are of.
    pub(crate) fn subtitle(&self, figure: &FigureSpec) -> String {
        let (least, most) = (*self.rounds.start(), *self.rounds.end());
        let rounds = match (least, most) {
            (_, 1) => "one round".to_owned(),
            _ if least == most => format!("{most} rounds"),
            _ => format!("{least} to {most} rounds"),
        };
        let Some(metric) = figure.y.and_then(|metric| self.metrics.get(metric)) else {
            return format!("all values of {rounds}");
        };
        let intervals = match (most, figure.kind) {
            (1, _) => format!("{rounds}, no intervals"),
            (2, _) => format!("means over {rounds}, no intervals"),
            (_, FigureKind::Heat | FigureKind::Bars { stack: true }) => format!("means over {rounds}"),
            _ => format!("with 95 % intervals over {rounds}"),
        };
        let name = words(&metric.name);
        let of = if metric.text == metric.name { name } else { format!("{name} = {}", metric.text) };
        let mut subtitle = format!("{of}, {intervals}");
        if let Some((how, over)) = &figure.relation.over {
            let names: Vec<&str> = over.iter().filter_map(|axis| Some(self.axis(Some(*axis))?.name.as_str())).collect();
            subtitle = format!("{subtitle}; {} over {}", combined_name(*how), names.join(", "));
        }
        if let Some(base) = self.baseline(figure) {
            subtitle = format!("{subtitle}; ratio to {base}");
        }
        if let Across::Metric { along, .. } = figure.x {
            let along = self.axis(Some(along)).map(|axis| words(&axis.name)).unwrap_or_default();
            subtitle = format!("{subtitle}; connected along {along}");
        }
        subtitle
    }

    fn notes(&self, figure: &FigureSpec) -> Vec<String> {
        let paper = figure.paper.as_ref().map(|paper| format!("compare {paper}"));
        paper.into_iter().chain(self.notes.iter().cloned()).collect()
    }

    fn title(&self, figure: &FigureSpec) -> String {
        let across = words(&self.across(figure));
        match figure.y.and_then(|metric| self.metrics.get(metric)) {
            Some(metric) => format!("{} by {across}", capital(&words(&metric.name))),
            None => format!("Distribution of {across}"),
        }
    }

    /// The title of the axis across.
    fn across_title(&self, figure: &FigureSpec) -> String {
        let name = words(&self.across(figure));
        let unit = match figure.x {
            Across::Axis(_) => None,
            Across::Column { .. } => self.column.as_ref().map(|(_, unit)| unit.clone()),
            Across::Metric { metric, .. } => self.metrics.get(metric).and_then(|metric| metric.unit.clone()),
        };
        match (unit.filter(|unit| unit != "1"), figure.x) {
            // Names of columns often end with their unit.
            (Some(unit), Across::Column { .. }) => {
                format!("{} ({unit})", name.strip_suffix(&format!(" {unit}")).unwrap_or(&name))
            }
            (Some(unit), _) => format!("{name} ({unit})"),
            (None, _) => name,
        }
    }
}

impl Chart {
    /// The chart of a figure with these numbers.
    #[must_use]
    pub fn declared(figure: &FigureSpec, about: &About<'_>, panels: &[Panel]) -> Self {
        let places = about.places(figure, panels);
        let numeric = places.iter().all(|place| place.number().is_some());
        // Words have places; numbers have sizes, unless they stand below bars or fields.
        let by_place = !numeric || matches!(figure.kind, FigureKind::Bars { .. } | FigureKind::Heat);
        let series = about.series(figure, panels);
        let line = |line: &matrix_core::figure::Line| ChartLine {
            series: line.series.as_ref().and_then(|value| series.iter().position(|known| *known == value)).unwrap_or(0),
            theirs: false,
            marks: line
                .marks
                .iter()
                .filter_map(|mark| {
                    let (x, across) = match figure.x {
                        // Without the metric across it has no place: the note below counts it.
                        Across::Metric { .. } => (mark.across?.value, mark.across.map(|e| (e.low, e.high))),
                        _ if by_place => (places.iter().position(|place| **place == mark.x)? as f64, None),
                        _ => (mark.x.number()?, None),
                    };
                    let estimate = mark.estimate.map(|e| Estimate { value: e.value, low: e.low, high: e.high });
                    Some(ChartMark { x, across, estimate, disturbed: mark.disturbed })
                })
                .collect(),
        };
        let drawn = panels.iter().map(|panel| ChartPanel {
            heading: panel.panel.as_ref().map(|value| about.named(figure.panel, value)),
            lines: panel.lines.iter().map(line).collect(),
        });
        let mut notes = about.notes(figure);
        let marks = || panels.iter().flat_map(|panel| &panel.lines).flat_map(|line| &line.marks);
        if matches!(figure.x, Across::Metric { .. }) {
            let missing = marks().filter(|mark| mark.across.is_none()).count();
            notes.extend((missing > 0).then(|| format!("DNF: {missing} without a place")));
        }
        let series: Vec<String> = match (figure.series, figure.kind) {
            (None, FigureKind::Heat) => vec![String::new()],
            _ => series.iter().map(|value| about.named(figure.series, value)).collect(),
        };
        let rows = figure.series.and_then(|axis| about.axes.axes.get(axis)).map(|axis| words(&axis.name));
        Self {
            name: figure.name.clone(),
            title: about.title(figure),
            subtitle: about.subtitle(figure),
            experiment: about.experiment.to_owned(),
            notes,
            kind: match figure.kind {
                FigureKind::Line | FigureKind::Table => Kind::Lines,
                FigureKind::Bars { stack: false } => Kind::Bars,
                FigureKind::Bars { stack: true } => Kind::Stacked,
                FigureKind::Ecdf => Kind::Steps,
                FigureKind::Heat => Kind::Heat,
            },
            x: Title { text: about.across_title(figure), log: figure.log.0 },
            y: Title { text: about.measured(figure), log: figure.log.1 },
            rows: rows.unwrap_or_default(),
            categories: if by_place && !matches!(figure.x, Across::Metric { .. }) {
                places.iter().map(|place| about.place_name(figure, place)).collect()
            } else {
                Vec::new()
            },
            series,
            panels: drawn.collect(),
        }
    }
}

pub(crate) fn words(name: &str) -> String {
    name.replace('_', " ")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
