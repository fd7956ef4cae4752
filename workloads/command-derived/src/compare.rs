//! Two results of one experiment side by side: which cells belong together, how every metric differs, and the claims.

use std::collections::{BTreeMap, BTreeSet};

use matrix_command::results::{self, Change, Finding, Loaded, Matched, changes, findings, matched};
use matrix_core::claims::Statement;
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
    /// Every metric at every point of both that one side has a number of.
    pub changes: Vec<MetricChange>,
    /// The claims of both, but for those that stand on points that only one side tried.
    pub claims: Vec<ClaimPair>,
    /// How many claims stand on points that only one side tried, or none.
    pub claims_not_covered: usize,
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
    /// Whether A, and whether B, tried a cell of the point. Where one did not, there is nothing to compare.
    pub tried: [bool; 2],
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
    /// Whether B is within the tolerance that was given; none where a side did not try the point.
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
    Ok(!store.generic_runs()?.is_empty())
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
        let tolerance = options.tolerance.filter(|_| change.tried == [true; 2]);
        let within = tolerance.map(|percent| change.share().is_some_and(|share| share * 100.0 <= percent));
        let Change { axes, metric, unit, tried, a, b, ratio, difference } = change;
        let [a, b, ratio, difference] = [a, b, ratio, difference].map(|estimate| estimate.map(Bounded::from));
        MetricChange { axes, metric, unit, tried, a, b, ratio, difference, apart, within }
    });
    let (claims, claims_not_covered) = claims(a, b);
    Ok(Comparison {
        experiment,
        identical,
        same_key,
        same_axes: same_axes.len(),
        only_in_a: only_a,
        only_in_b: only_b,
        differs,
        changes: changes.collect(),
        claims,
        claims_not_covered,
        disturbed: [a.disturbed().count(), b.disturbed().count()],
    })
}

/// The claims of both sides, and how many are left out because a side has not tried what the other has.
fn claims(a: &Loaded<'_>, b: &Loaded<'_>) -> (Vec<ClaimPair>, usize) {
    let (ours, theirs) = (findings(a), findings(b));
    let points = |loaded: &Loaded<'_>, finding: &Finding<'_>| -> BTreeSet<String> {
        let axes = &loaded.experiment.axes;
        finding.points.iter().map(|point| serde_json::Value::Object(axes.to_json(point)).to_string()).collect()
    };
    let (mut pairs, mut not_covered) = (Vec::new(), 0);
    for one in &ours {
        let id = one.claim.id.clone();
        let other = theirs.iter().find(|other| other.claim.id == id);
        if let Some(other) = other {
            let (ours, theirs) = (points(a, one), points(b, other));
            let stands_on_points = !matches!(one.claim.statement, Statement::Uncovered(_));
            if ours != theirs || stands_on_points && ours.is_empty() {
                not_covered += 1;
                continue;
            }
        }
        let b = other.map(|other| other.judged.verdict.name());
        pairs.push(ClaimPair { id, a: Some(one.judged.verdict.name()), b });
    }
    for other in theirs.iter().filter(|other| ours.iter().all(|one| one.claim.id != other.claim.id)) {
        pairs.push(ClaimPair { id: other.claim.id.clone(), a: None, b: Some(other.judged.verdict.name()) });
    }
    (pairs, not_covered)
}
