//! Results to compare with: usually the authors'.

use std::collections::{BTreeMap, BTreeSet};

use matrix_archive::Inventory;
use matrix_plan::{Axes, CellKey};

use super::{attempts, points};
use crate::derive::Part;

/// Results to compare with.
pub struct Authors<'a> {
    /// What they are called: the file's name.
    pub name: String,
    /// Their parts.
    pub parts: Vec<Part<'a>>,
    /// Everything of them except the rows.
    pub inventory: &'a Inventory,
}

impl Authors<'_> {
    /// The part that belongs to one of ours: of the same experiment; where several are, the first.
    pub(super) fn part(&self, ours: &Part<'_>) -> Option<&Part<'_>> {
        let same = |part: &&Part<'_>| part.source.experiment == ours.source.experiment;
        self.parts.iter().find(same)
    }

    pub(super) fn environments(&self) -> BTreeSet<String> {
        attempts::environments(self.inventory.attempts.values())
    }

    /// Seconds that attempts took, by kind of cell.
    pub(super) fn seconds_by_kind(&self) -> BTreeMap<Vec<String>, Vec<f64>> {
        let axes: BTreeMap<CellKey, &Axes> =
            self.inventory.records.iter().map(|((key, _), record)| (*key, &record.inputs.axes)).collect();
        let mut kinds: BTreeMap<Vec<String>, Vec<f64>> = BTreeMap::new();
        for attempt in self.inventory.attempts.values() {
            let Some((axes, seconds)) = axes.get(&attempt.key).zip(attempts::seconds(attempt)) else { continue };
            kinds.entry(points::values(axes).into_iter().take(2).collect()).or_default().push(seconds);
        }
        kinds
    }
}
