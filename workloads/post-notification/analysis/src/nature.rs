//! How numbers came about.

use std::collections::BTreeMap;

use matrix_plan::{CellInputs, ConfiguredLag, Extrapolated, NotificationStorage, Platform, PostStorage, RegionPair};
use serde::Serialize;

use crate::traces::CellMeta;

/// The origin of numbers (simulated, configured lag), which must be stated wherever they appear.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Nature {
    /// Whether any number was simulated.
    pub simulated: bool,
    /// Post storages whose replication lag was configured, not native.
    pub configured_lag: Vec<PostStorage>,
    /// Notification storages whose replication lag was configured, not native.
    pub configured_notification_lag: Vec<NotificationStorage>,
    /// Region pairs and post storages of which the simulator's model has no data: it took those of another pair.
    pub extrapolated: Vec<(RegionPair, PostStorage)>,
    /// Likewise, region pairs and notification storages.
    pub extrapolated_notifications: Vec<(RegionPair, NotificationStorage)>,
    /// Cells on whose host others worked while they were measured.
    #[serde(skip_serializing_if = "is_zero")]
    pub disturbed: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Nature {
    /// The nature of numbers that come from these cells.
    pub fn of<'a>(cells: impl IntoIterator<Item = &'a CellMeta>) -> Self {
        let mut disturbed = 0;
        let cells = cells.into_iter().inspect(|cell| disturbed += u64::from(cell.disturbed));
        let nature = Self::collect(cells.map(|cell| (&cell.inputs, cell.simulated, cell.configured_lag)));
        Self { disturbed, ..nature }
    }

    /// The nature that the numbers of these cells will have when they are done.
    pub fn of_planned<'a>(cells: impl IntoIterator<Item = &'a CellInputs>) -> Self {
        let planned =
            |inputs: &'a CellInputs| (inputs, inputs.platform == Platform::Sim, ConfiguredLag::of(inputs).post);
        Self::collect(cells.into_iter().map(planned))
    }

    fn collect<'a>(cells: impl Iterator<Item = (&'a CellInputs, bool, bool)>) -> Self {
        let mut nature = Self::default();
        // Many cells share one fingerprint, which takes long to read.
        let mut known: BTreeMap<*const u8, Extrapolated> = BTreeMap::new();
        for (inputs, simulated, configured_lag) in cells {
            let combination = &inputs.axes.combination;
            nature.simulated |= simulated;
            if configured_lag {
                nature.configured_lag.push(combination.post_storage);
            }
            if ConfiguredLag::of(inputs).notification {
                nature.configured_notification_lag.push(combination.notification_storage);
            }
            let fingerprint = &inputs.fingerprint;
            let extrapolated =
                *known.entry(fingerprint.as_str().as_ptr()).or_insert_with(|| fingerprint.extrapolated());
            if extrapolated.post {
                push_new(&mut nature.extrapolated, (&combination.regions, combination.post_storage));
            }
            if extrapolated.notification {
                let storage = combination.notification_storage;
                push_new(&mut nature.extrapolated_notifications, (&combination.regions, storage));
            }
        }
        nature.configured_lag.sort_unstable();
        nature.configured_lag.dedup();
        nature.configured_notification_lag.sort_unstable();
        nature.configured_notification_lag.dedup();
        nature.extrapolated.sort_unstable();
        nature.extrapolated.dedup();
        nature.extrapolated_notifications.sort_unstable();
        nature.extrapolated_notifications.dedup();
        nature
    }

    /// The origin in words; nothing for numbers that were measured where nothing was configured.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if self.simulated {
            words.push("simulated".to_owned());
        }
        let notifications = self.configured_notification_lag.iter().map(|storage| format!("{storage} notifications"));
        let configured: Vec<_> = self.configured_lag.iter().map(ToString::to_string).chain(notifications).collect();
        if !configured.is_empty() {
            words.push(format!("configured lag: {}", configured.join(", ")));
        }
        let extrapolated = self.extrapolated_by_pair();
        if !extrapolated.is_empty() {
            let pairs = extrapolated.iter().map(|(pair, storages)| format!("{pair} ({})", storages.join(", ")));
            words.push(format!("extrapolated: {}", pairs.collect::<Vec<_>>().join(", ")));
        }
        match self.disturbed {
            0 => {}
            1 => words.push("disturbed by other work: 1 cell".to_owned()),
            cells => words.push(format!("disturbed by other work: {cells} cells")),
        }
        words
    }

    /// Each region pair with extrapolated storages, and their names: post storages, then notification storages.
    #[must_use]
    pub fn extrapolated_by_pair(&self) -> BTreeMap<&RegionPair, Vec<String>> {
        let mut by_pair: BTreeMap<&RegionPair, Vec<String>> = BTreeMap::new();
        for (pair, storage) in &self.extrapolated {
            by_pair.entry(pair).or_default().push(storage.to_string());
        }
        for (pair, storage) in &self.extrapolated_notifications {
            by_pair.entry(pair).or_default().push(format!("{storage} notifications"));
        }
        by_pair
    }
}

/// Adds a pair, unless it was the last one, as of many cells in order it was.
fn push_new<T: PartialEq>(pairs: &mut Vec<(RegionPair, T)>, (regions, storage): (&RegionPair, T)) {
    if pairs.last().is_none_or(|(of, last)| of != regions || *last != storage) {
        pairs.push((regions.clone(), storage));
    }
}
