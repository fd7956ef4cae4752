//! Two results of one experiment side by side: which cells belong together, how every metric differs, and the claims.

use std::collections::BTreeMap;

use matrix_command::results::{self, Change, Loaded, Matched, changes, findings, matched};
use matrix_core::key_diff::{differences, flat};
use matrix_core::series::Estimate;
use matrix_store::{Store, StoreError};
use serde::Serialize;

use crate::chosen::{Chosen, Texts, newest};
use crate::error::DerivedError;

/// How two results are compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct CompareOptions<'a> {
    /// Only these metrics; all if there are none.
    pub metrics: &'a [String],
    /// Within how many per cent of A a metric of B is the same.
    pub tolerance: Option<f64>,
}

/// The experiments of two stores, matched by their names.
#[derive(Debug, Default)]
pub struct Compared {
    /// Those that both have.
    pub experiments: Vec<Comparison>,
    /// The names of those that only A has.
    pub only_a: Vec<String>,
    /// The names of those that only B has.
    pub only_b: Vec<String>,
}

/// Two results of one experiment.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// The experiment's name.
    pub experiment: String,
    /// Cells with the very same result on both sides.
    pub identical: usize,
    /// Cells that were measured on both sides.
    pub same_key: usize,
    /// Cells of the same axes and round that mean something else: parts of their keys differ.
    pub same_axes: usize,
    /// Results that only A has.
    pub only_in_a: usize,
    /// Results that only B has.
    pub only_in_b: usize,
    /// Parts of keys that differ somewhere, with how many cells.
    pub differs: BTreeMap<String, usize>,
    /// Every metric at every point that both sides have.
    pub changes: Vec<MetricChange>,
    /// The claims of both.
    pub claims: Vec<ClaimPair>,
    /// Cells of A, and of B, that were disturbed while they ran.
    pub disturbed: [usize; 2],
}

/// A metric at one point on both sides.
#[derive(Debug, Serialize)]
pub struct MetricChange {
    /// The point's values by axis.
    pub axes: serde_json::Map<String, serde_json::Value>,
    /// The metric's name.
    pub metric: String,
    /// Its unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The one side.
    pub a: Option<Bounded>,
    /// The other side.
    pub b: Option<Bounded>,
    /// B divided by A.
    pub ratio: Option<Bounded>,
    /// B less A.
    pub difference: Option<Bounded>,
    /// Whether the interval of the ratio leaves out 1; none with fewer than three rounds on a side.
    pub apart: Option<bool>,
    /// Whether B is within the tolerance that was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<bool>,
}

/// An estimate and its 95 % interval; an end that the rounds do not bound is none.
#[derive(Debug, Serialize)]
pub struct Bounded {
    /// The estimate.
    pub value: f64,
    /// The lower end.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// Of how many rounds.
    pub rounds: usize,
}

impl From<Estimate> for Bounded {
    fn from(estimate: Estimate) -> Self {
        let end = |end: f64| end.is_finite().then_some(end);
        Self { value: estimate.value, low: end(estimate.low), high: end(estimate.high), rounds: estimate.rounds }
    }
}

/// The verdicts on a claim; none on the side that does not have it.
#[derive(Debug, Serialize)]
pub struct ClaimPair {
    /// The claim's name.
    pub id: String,
    /// The verdict by A.
    pub a: Option<&'static str>,
    /// The verdict by B.
    pub b: Option<&'static str>,
}

/// Whether a store has runs of programs.
///
/// # Errors
/// When the store cannot be read.
pub fn holds_programs(store: &Store) -> Result<bool, StoreError> {
    Ok(store.all_runs()?.len() > store.runs()?.len())
}

/// Compares the newest versions of all experiments of two stores.
///
/// # Errors
/// When a store cannot be read, what it holds is not what its records say, or a metric is none of an experiment's.
pub fn compare(a: &Store, b: &Store, options: CompareOptions<'_>) -> Result<Compared, DerivedError> {
    let (ours, mut theirs) = (experiments(a)?, experiments(b)?);
    let mut compared = Compared::default();
    for (name, one) in ours {
        let Some(other) = theirs.remove(&name) else {
            compared.only_a.push(name);
            continue;
        };
        let one = results::load(a, &one.experiment, &one.cells, None)?;
        let other = results::load(b, &other.experiment, &other.cells, None)?;
        compared.experiments.push(comparison(name, &one, &other, options)?);
    }
    compared.only_b.extend(theirs.into_keys());
    Ok(compared)
}

/// The newest version of every experiment in a store.
fn experiments(store: &Store) -> Result<BTreeMap<String, Chosen>, DerivedError> {
    let found = Chosen::of_runs(store, &newest(store, &Texts::new())?)?.into_iter();
    Ok(found.map(|chosen| (chosen.experiment.name.clone(), chosen)).collect())
}

/// Compares two results of one experiment.
fn comparison(
    experiment: String,
    a: &Loaded<'_>,
    b: &Loaded<'_>,
    options: CompareOptions<'_>,
) -> Result<Comparison, DerivedError> {
    let known: Vec<&str> = a.experiment.metrics.iter().map(|metric| metric.name.as_str()).collect();
    if let Some(name) = options.metrics.iter().find(|name| !known.contains(&name.as_str())) {
        let known = known.into_iter().map(str::to_owned).collect();
        return Err(DerivedError::UnknownMetric { name: name.clone(), known });
    }
    let Matched { identical, same_key, same_axes, only_a, only_b } = matched(a, b);
    let mut differs: BTreeMap<String, usize> = BTreeMap::new();
    for (one, other) in &same_axes {
        for difference in differences(&flat(one.inputs.clone()), &flat(other.inputs.clone())) {
            *differs.entry(difference.part).or_default() += 1;
        }
    }
    let wanted = |change: &Change| options.metrics.is_empty() || options.metrics.contains(&change.metric);
    let changes = changes(a, b).into_iter().filter(wanted).map(|change| {
        let apart = change.is_apart();
        let within = options.tolerance.map(|percent| change.share().is_some_and(|share| share * 100.0 <= percent));
        let Change { axes, metric, unit, a, b, ratio, difference } = change;
        let [a, b, ratio, difference] = [a, b, ratio, difference].map(|estimate| estimate.map(Bounded::from));
        MetricChange { axes, metric, unit, a, b, ratio, difference, apart, within }
    });
    let verdicts = |loaded: &Loaded<'_>| -> Vec<(String, &'static str)> {
        findings(loaded).iter().map(|finding| (finding.claim.id.clone(), finding.judged.verdict.name())).collect()
    };
    let (ours, theirs) = (verdicts(a), verdicts(b));
    let of = |verdicts: &[(String, &'static str)], id: &str| {
        verdicts.iter().find(|(known, _)| known == id).map(|(_, verdict)| *verdict)
    };
    let mut ids: Vec<&String> = ours.iter().map(|(id, _)| id).collect();
    ids.extend(theirs.iter().map(|(id, _)| id).filter(|id| of(&ours, id).is_none()));
    let claims = ids.into_iter().map(|id| ClaimPair { id: id.clone(), a: of(&ours, id), b: of(&theirs, id) });
    Ok(Comparison {
        experiment,
        identical,
        same_key,
        same_axes: same_axes.len(),
        only_in_a: only_a,
        only_in_b: only_b,
        differs,
        changes: changes.collect(),
        claims: claims.collect(),
        disturbed: [a.disturbed().count(), b.disturbed().count()],
    })
}
