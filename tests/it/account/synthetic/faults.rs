//! What goes wrong, and when.

use std::collections::{BTreeMap, BTreeSet};

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is refused: too many at a time.
    Throttled,
    /// It is done, and its answer lost.
    Unanswered,
    /// The command is killed before it is done.
    KilledBefore,
    /// It is done, and the command killed before it learns so.
    KilledAfter,
    /// It is done and answered, and the command interrupted as by Ctrl-C.
    Interrupted,
}

/// Faults of a cloud.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    /// Looks at a stack until what goes on is done.
    pub(super) looks: u32,
    /// Looks that show a stack as it was before.
    pub(super) stale: u32,
    /// Stacks whose creation fails so often, by name: resource and reason.
    pub(super) refused: BTreeMap<String, (u32, &'static str, &'static str)>,
    /// Stacks whose deletion fails so often.
    pub(super) held: BTreeMap<String, (u32, &'static str, &'static str)>,
    /// Names of queues, topics and buckets that somebody deleted by hand.
    pub(super) deleted: BTreeSet<String>,
    /// The newest version of Aurora that is on offer, if that is not what is asked for.
    pub(super) only_aurora: Option<&'static str>,
    /// Services that policies deny.
    pub(super) denied: BTreeSet<&'static str>,
    /// A service that refuses valid credentials, and how often it still does.
    pub(super) expired: Option<(&'static str, u32)>,
    /// What becomes of calls, by their number from the last [`Faults::plan`].
    calls: BTreeMap<usize, Fault>,
    number: usize,
}

fn next(of: &mut BTreeMap<String, (u32, &'static str, &'static str)>, name: &str) -> Option<(String, String)> {
    let (left, resource, reason) = of.get_mut(name).filter(|(left, ..)| *left > 0)?;
    *left -= 1;
    Some(((*resource).to_owned(), (*reason).to_owned()))
}

impl Faults {
    pub(super) fn plan(&mut self, calls: &[(usize, Fault)]) {
        (self.calls, self.number) = (calls.iter().copied().collect(), 0);
    }

    /// What becomes of the next call.
    pub(super) fn call(&mut self) -> Option<Fault> {
        self.number += 1;
        self.calls.remove(&self.number)
    }

    pub(super) fn refuse(&mut self, name: &str) -> Option<(String, String)> {
        next(&mut self.refused, name)
    }

    pub(super) fn hold(&mut self, name: &str) -> Option<(String, String)> {
        next(&mut self.held, name)
    }
}
