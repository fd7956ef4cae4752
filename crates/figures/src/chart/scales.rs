//! The axes of a chart.

use super::{Chart, Kind};
use crate::draw::format::{thousands, trimmed};
use crate::draw::panel::{TICK_SIZE, at_most_a_line};
use crate::draw::scale::extent;
use crate::draw::ticks::{Tick, linear, logarithmic};
use crate::draw::{Canvas, Scale};

/// The axes that all panels of a chart share.
pub(super) struct Axes<'c> {
    pub(super) x: Scale,
    pub(super) y: Scale,
    chart: &'c Chart,
}

impl<'c> Axes<'c> {
    /// The axes around a chart's numbers; none without a number.
    pub(super) fn of(chart: &'c Chart) -> Option<Self> {
        let values = || {
            chart.marks().filter_map(|(line, mark)| Some((line, mark.estimate?))).flat_map(|(line, estimate)| {
                // The authors' intervals are not drawn, nor is one that its rounds do not bound.
                if line.theirs || !estimate.is_bounded() {
                    return [estimate.value; 3];
                }
                // An interval far wider than what was measured would flatten everything else.
                let reach = estimate.value.abs() * 2.0;
                [estimate.value, estimate.low.max(estimate.value - reach), estimate.high.min(estimate.value + reach)]
            })
        };
        let (low, high) = extent(values())?;
        let y = if chart.kind == Kind::Steps {
            Scale::Linear { low: 0.0, high: 1.0 }
        } else if chart.kind == Kind::Stacked {
            with_margin(sums(chart))
        } else if chart.y.log {
            Scale::log_around(values(), (0.05, 0.05))?
        } else {
            // From 0, unless all is below it: a length that begins elsewhere exaggerates.
            with_margin((low.min(0.0), high.max(0.0)))
        };
        let y = if y == (Scale::Linear { low: 0.0, high: 0.0 }) { Scale::Linear { low: 0.0, high: 1.0 } } else { y };
        let places = || chart.places();
        let x = if !chart.categories.is_empty() || matches!(chart.kind, Kind::Bars | Kind::Stacked) {
            let count = chart.categories.len().max(1) as f64;
            Scale::Linear { low: -0.5, high: count - 0.5 }
        } else if chart.is_log_across() {
            Scale::log_around(places(), (0.04, 0.04))?
        } else {
            let (low, high) = extent(places())?;
            let margin = if high > low { (high - low) * 0.04 } else { 0.5 };
            Scale::Linear { low: low - margin, high: high + margin }
        };
        Some(Self { x, y, chart })
    }

    pub(super) fn y_ticks(&self, canvas: &Canvas, height: f64) -> Vec<Tick> {
        match self.y {
            Scale::Linear { low, high } => linear(low, high, (height / 28.0) as usize, label),
            scale => logarithmic(&scale, height, true, &|_| canvas.fonts.cap_height(TICK_SIZE, false) + 6.0),
        }
    }

    pub(super) fn x_ticks(&self, canvas: &Canvas, width: f64) -> Vec<Tick> {
        let room = |text: &str| canvas.fonts.width(text, TICK_SIZE, false) + 7.0;
        if !self.chart.categories.is_empty() {
            let most = width / self.chart.categories.len() as f64 - 2.0;
            let shown = |name: &String| {
                let mut text = at_most_a_line(name);
                while text.chars().count() > 1 && canvas.fonts.width(&text, TICK_SIZE, false) > most {
                    text = text.trim_end_matches('\u{2026}').to_owned();
                    text.pop();
                    text.push('\u{2026}');
                    if text.chars().count() <= 2 {
                        break;
                    }
                }
                text
            };
            return self
                .chart
                .categories
                .iter()
                .enumerate()
                .map(|(n, name)| Tick::major(n as f64, shown(name)))
                .collect();
        }
        // What was measured is marked, as long as there is room for it.
        let mut places: Vec<f64> = self.chart.marks().map(|(_, mark)| mark.x).collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        // Hundreds of steps are not places that somebody chose, and neither are numbers that were measured.
        let chosen = self.chart.kind != Kind::Steps && self.chart.marks().all(|(_, mark)| mark.across.is_none());
        let needed: f64 = places.iter().map(|place| room(&label(*place))).sum();
        let evenly = places.windows(2).all(|pair| (self.x.share(pair[1]) - self.x.share(pair[0])) * width > 14.0);
        if chosen && needed < width && evenly {
            return places.into_iter().map(|place| Tick::major(place, label(place))).collect();
        }
        match self.x {
            Scale::Linear { low, high } => linear(low, high, (width / 45.0) as usize, label),
            scale => logarithmic(&scale, width, false, &room),
        }
    }
}

impl Chart {
    /// What the axis across has to show.
    fn places(&self) -> impl Iterator<Item = f64> {
        let ends = |across: Option<(f64, f64)>| {
            across.into_iter().flat_map(|(low, high)| [low, high]).filter(|end| end.is_finite())
        };
        self.marks().flat_map(move |(_, mark)| std::iter::once(mark.x).chain(ends(mark.across)))
    }

    /// Whether the axis across is logarithmic: it is to be, and has a place for everything.
    pub(super) fn is_log_across(&self) -> bool {
        self.x.log && self.places().all(|x| x > 0.0)
    }
}

/// How far stacks reach below and above 0.
fn sums(chart: &Chart) -> (f64, f64) {
    let mut reach = (0.0f64, 0.0f64);
    for (panel, theirs) in chart.panels.iter().flat_map(|panel| [(panel, false), (panel, true)]) {
        let marks = || panel.lines.iter().filter(|line| line.theirs == theirs).flat_map(|line| &line.marks);
        for place in marks().map(|mark| mark.x) {
            let values = || marks().filter(|mark| mark.x == place).filter_map(|mark| mark.estimate).map(|e| e.value);
            reach.0 = reach.0.min(values().filter(|value| *value < 0.0).sum());
            reach.1 = reach.1.max(values().filter(|value| *value > 0.0).sum());
        }
    }
    reach
}

/// From 0 or below to 0 or above, with some room beyond what is not 0.
fn with_margin((low, high): (f64, f64)) -> Scale {
    let margin = (high - low).max(f64::MIN_POSITIVE) * 0.06;
    Scale::Linear {
        low: if low < 0.0 { low - margin } else { 0.0 },
        high: if high > 0.0 { high + margin } else { 0.0 },
    }
}

/// A number as axes and sentences have it.
pub(super) fn label(value: f64) -> String {
    let size = value.abs();
    let (scaled, letter) = match size {
        _ if size >= 1e12 => (value / 1e12, "T"),
        _ if size >= 1e9 => (value / 1e9, "G"),
        _ if size >= 1e6 => (value / 1e6, "M"),
        _ => (value, ""),
    };
    if letter.is_empty() && size >= 1000.0 {
        thousands(value.round())
    } else if size > 0.0 && size < 0.001 {
        format!("{value:.2e}")
    } else {
        format!("{}{letter}", trimmed(scaled, if scaled.abs() < 10.0 { 3 } else { 1 }))
    }
}
