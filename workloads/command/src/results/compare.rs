//! Two sets of results of one experiment, metric by metric: another machine's, another version's, or the same again.

use std::collections::BTreeMap;

use matrix_core::series::{Estimate, Series, welch};
use matrix_core::{Metric, Value};
use matrix_store::GenericRecord;

use super::{Loaded, LoadedCell};

/// A metric at one point on both sides.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The point's values by axis.
    pub axes: serde_json::Map<String, serde_json::Value>,
    /// The metric's name.
    pub metric: String,
    /// Its unit.
    pub unit: Option<String>,
    /// Whether A, and whether B, tried a cell of the point.
    pub tried: [bool; 2],
    /// The one side, with its interval over rounds.
    pub a: Option<Estimate>,
    /// The other side.
    pub b: Option<Estimate>,
    /// B divided by A, with the interval of independent samples of logarithms; none where a number is 0 or less.
    pub ratio: Option<Estimate>,
    /// B less A, with the interval of independent samples.
    pub difference: Option<Estimate>,
}

impl Change {
    /// Whether the two sides differ: by the ratio's interval, or the difference's where there is no ratio. None if nothing
    /// bounds it.
    #[must_use]
    pub fn is_apart(&self) -> Option<bool> {
        let (estimate, same) = match (&self.ratio, &self.difference) {
            (Some(ratio), _) => (ratio, 1.0),
            (None, Some(difference)) => (difference, 0.0),
            (None, None) => return None,
        };
        let (low, high) = (estimate.low, estimate.high);
        estimate.is_bounded().then_some(low > same || high < same)
    }

    /// By what share B is more or less than A, at the most that the estimates say: |B / A - 1|.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        let (a, b) = (self.a?.value, self.b?.value);
        if a == b { Some(0.0) } else { (a != 0.0).then(|| (b / a - 1.0).abs()) }
    }
}

/// How the cells of two sides belong together.
#[derive(Clone, Debug, Default)]
pub struct Matched<'l> {
    /// Cells of the same key with the very same result.
    pub identical: usize,
    /// Cells of the same key with results of their own.
    pub same_key: usize,
    /// Cells of the same axes and round whose keys differ.
    pub same_axes: Vec<(&'l GenericRecord, &'l GenericRecord)>,
    /// Results that only A has.
    pub only_a: usize,
    /// Results that only B has.
    pub only_b: usize,
}

type AxesAndRound = (String, u32);

fn axes(loaded: &Loaded<'_>, point: &[Value]) -> serde_json::Map<String, serde_json::Value> {
    loaded.experiment.axes.to_json(point)
}

fn places<'l>(loaded: &'l Loaded<'_>) -> BTreeMap<AxesAndRound, &'l LoadedCell> {
    let place = |cell: &LoadedCell| {
        let axes = serde_json::Value::Object(axes(loaded, &cell.cell.point));
        (axes.to_string(), cell.cell.round)
    };
    loaded.cells.iter().map(|cell| (place(cell), cell)).collect()
}

/// Which results belong together.
#[must_use]
pub fn matched<'l>(a: &'l Loaded<'_>, b: &'l Loaded<'_>) -> Matched<'l> {
    let (ours, mut theirs) = (places(a), places(b));
    let mut found = Matched::default();
    for (place, one) in ours {
        let other = theirs.remove(&place).and_then(|cell| cell.record.as_ref());
        match (one.record.as_ref(), other) {
            (Some(one), Some(other)) if one.key != other.key => found.same_axes.push((one, other)),
            (Some(one), Some(other)) if one.rows == other.rows && one.costs == other.costs => found.identical += 1,
            (Some(_), Some(_)) => found.same_key += 1,
            (Some(_), None) => found.only_a += 1,
            (None, Some(_)) => found.only_b += 1,
            (None, None) => {}
        }
    }
    found.only_b += theirs.values().filter(|cell| cell.record.is_some()).count();
    found
}

/// Every metric that both sides have, at every point of both that one has a number of.
#[must_use]
pub fn changes(a: &Loaded<'_>, b: &Loaded<'_>) -> Vec<Change> {
    let mut found = Vec::new();
    let (tried_a, tried_b) = (a.points_tried(), b.points_tried());
    for (number, metric) in a.experiment.metrics.iter().enumerate() {
        let mut others = b.experiment.metrics.iter().enumerate();
        let Some((place, other)) = others.find(|(_, other)| other.name == metric.name) else { continue };
        let theirs = b.series(place);
        let theirs: BTreeMap<String, Series> = theirs
            .into_iter()
            .map(|series| (serde_json::Value::Object(axes(b, &series.point)).to_string(), series))
            .collect();
        for series in a.series(number) {
            let axes = axes(a, &series.point);
            let Some(theirs) = theirs.get(&serde_json::Value::Object(axes.clone()).to_string()) else { continue };
            if series.rounds.is_empty() && theirs.rounds.is_empty() {
                continue;
            }
            let tried = [tried_a.contains(&series.point), tried_b.contains(&theirs.point)];
            found.push(change(axes, (metric, &series), (other, theirs), tried));
        }
    }
    found
}

fn change(
    axes: serde_json::Map<String, serde_json::Value>,
    (metric, a): (&Metric, &Series),
    (other, b): (&Metric, &Series),
    tried: [bool; 2],
) -> Change {
    let (ours, theirs) = (a.values(), b.values());
    let positive = ours.iter().chain(&theirs).all(|value| *value > 0.0);
    let logs = |values: &[f64]| values.iter().map(|value| libm::log(*value)).collect::<Vec<_>>();
    Change {
        axes,
        metric: metric.name.clone(),
        unit: metric.unit.clone().filter(|unit| unit != "1"),
        tried,
        a: a.estimate(metric.range(), 0.05),
        b: b.estimate(other.range(), 0.05),
        ratio: positive.then(|| welch(&logs(&theirs), &logs(&ours), 0.05)).flatten().map(Estimate::exp),
        difference: welch(&theirs, &ours, 0.05),
    }
}
