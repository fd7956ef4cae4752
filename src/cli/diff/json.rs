//! What `matrix diff` found, for scripts.

use std::path::PathBuf;

use matrix_analysis::Change;
use matrix_command_derived::compare::Comparison;
use matrix_plan::claims::Metric;
use matrix_plan::{Axes, CellKey, Interval};
use matrix_run::diff::{Pair, how};
use matrix_traces::Record;
use serde::ser::SerializeSeq as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::output;

#[derive(Serialize)]
pub(super) struct DiffJson {
    pub(super) a: SideJson,
    pub(super) b: SideJson,
    pub(super) identical: usize,
    pub(super) only_in_a: Vec<ResultJson>,
    pub(super) only_in_b: Vec<ResultJson>,
    pub(super) same_key: Vec<PairJson>,
    pub(super) same_axes: Vec<PairJson>,
}

/// Comparisons of programs' experiments, and after them that of the built-in workload: one list.
pub(super) struct AllJson<'a> {
    pub(super) programs: &'a [Comparison],
    pub(super) built_in: &'a DiffJson,
}

impl Serialize for AllJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.programs.len() + 1))?;
        self.programs.iter().try_for_each(|one| list.serialize_element(one))?;
        list.serialize_element(self.built_in)?;
        list.end()
    }
}

#[derive(Serialize)]
pub(super) struct SideJson {
    #[serde(serialize_with = "output::lossy::path")]
    pub(super) path: PathBuf,
    pub(super) results: usize,
    pub(super) simulated: usize,
}

#[derive(Serialize)]
pub(super) struct ResultJson {
    pub(super) key: CellKey,
    pub(super) axes: Axes,
    pub(super) round: u32,
    pub(super) origin: String,
    pub(super) how: &'static str,
}

#[derive(Serialize)]
pub(super) struct PairJson {
    pub(super) a: ResultJson,
    pub(super) b: ResultJson,
    pub(super) identical: bool,
    pub(super) differs: Vec<PartJson>,
    pub(super) changes: Vec<ChangeJson>,
}

/// A part of the key that differs.
#[derive(Serialize)]
pub(super) struct PartJson {
    pub(super) part: String,
    pub(super) a: Option<Value>,
    pub(super) b: Option<Value>,
}

#[derive(Serialize)]
pub(super) struct ChangeJson {
    pub(super) metric: &'static str,
    pub(super) unit: &'static str,
    pub(super) a: Option<IntervalJson>,
    pub(super) b: Option<IntervalJson>,
    pub(super) change: Option<IntervalJson>,
    pub(super) excludes_zero: Option<bool>,
}

/// An estimate and its 95 % interval; an end that the data cannot bound is null.
#[derive(Serialize)]
pub(super) struct IntervalJson {
    pub(super) value: f64,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
}

impl SideJson {
    pub(super) fn new(path: PathBuf, records: &[Record]) -> Self {
        Self { path, results: records.len(), simulated: records.iter().filter(|record| record.simulated).count() }
    }
}

impl ResultJson {
    pub(super) fn new(record: &Record) -> Self {
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
    pub(super) fn new(pair: Pair, changes: Vec<Change>, wanted: &[Metric]) -> Self {
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
    pub(super) fn new(change: Change) -> Self {
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
    pub(super) fn new(interval: Interval) -> Self {
        let finite = |end: f64| end.is_finite().then_some(end);
        Self { value: interval.value, low: finite(interval.low), high: finite(interval.high) }
    }
}
