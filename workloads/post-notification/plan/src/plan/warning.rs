//! Factors that change together with an axis, so that their effects cannot be told apart.

use serde::{Deserialize, Serialize};

use crate::axes::PostStorage;
use crate::cell::Arrival;
use crate::experiment::Experiment;
use crate::point::Axes;

/// A weakness of an experiment's design.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warning {
    /// What is aliased with what.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// Every weakness of the design of these points of the experiment, which are in order.
#[must_use]
pub fn warnings(experiment: &Experiment, points: &[&Axes]) -> Vec<Warning> {
    payload(experiment, points).into_iter().chain(load(experiment, points)).collect()
}

/// The payload follows the post storage.
fn payload(experiment: &Experiment, points: &[&Axes]) -> Option<Warning> {
    let used = |storage: &PostStorage| points.iter().any(|axes| axes.combination.post_storage == *storage);
    let storages: Vec<PostStorage> = PostStorage::ALL.iter().copied().filter(used).collect();
    let lengths = storages.iter().map(|storage| experiment.payload.bytes(*storage));
    if lengths.clone().min() == lengths.clone().max() {
        return None;
    }
    let each: Vec<String> = storages.iter().zip(lengths).map(|(storage, bytes)| format!("{storage} {bytes}")).collect();
    Some(Warning {
        message: format!("the payload follows the post storage (bytes: {})", each.join(", ")),
        help: "a difference between post storages may come from the length of their posts: to tell them apart, run \
               them with the same `payload` in bytes as well"
            .to_owned(),
    })
}

/// The offered load follows the delay.
fn load(experiment: &Experiment, points: &[&Axes]) -> Option<Warning> {
    let Arrival::Concurrency(clients) = experiment.arrival else { return None };
    // Points are in order: those of a combination stand together.
    let varies = |pair: &[&Axes]| {
        let [one, other] = pair else { return false };
        one.combination == other.combination && one.delay_ms != other.delay_ms
    };
    points.windows(2).any(varies).then(|| Warning {
        message: format!("the offered load follows the delay (closed loop of {clients} clients)"),
        help: "the delay is slept in the writer, for which its client waits: a longer delay also means fewer requests \
               a second. To tell them apart, use an open loop: `rate` instead of `concurrency`"
            .to_owned(),
    })
}
