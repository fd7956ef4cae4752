//! How numbers came about.

use matrix_plan::{ConfiguredLag, NotificationStorage, PostStorage};
use serde::Serialize;

use crate::traces::CellMeta;

/// How numbers came about, as far as it must be said wherever they appear.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Nature {
    /// Whether any number was simulated.
    pub simulated: bool,
    /// Post storages whose replication lag was configured, not native.
    pub configured_lag: Vec<PostStorage>,
    /// Notification storages whose replication lag was configured, not native.
    pub configured_notification_lag: Vec<NotificationStorage>,
}

impl Nature {
    /// The nature of numbers that come from these cells.
    pub fn of<'a>(cells: impl IntoIterator<Item = &'a CellMeta>) -> Self {
        let mut nature = Self::default();
        for cell in cells {
            let combination = &cell.inputs.axes.combination;
            nature.simulated |= cell.simulated;
            if cell.configured_lag {
                nature.configured_lag.push(combination.post_storage);
            }
            if ConfiguredLag::of(&cell.inputs).notification {
                nature.configured_notification_lag.push(combination.notification_storage);
            }
        }
        nature.configured_lag.sort_unstable();
        nature.configured_lag.dedup();
        nature.configured_notification_lag.sort_unstable();
        nature.configured_notification_lag.dedup();
        nature
    }

    /// What must be said, in words; nothing of numbers that were measured where nothing was configured.
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
        words
    }
}
