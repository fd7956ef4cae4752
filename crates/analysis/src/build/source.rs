//! What tables say about where their numbers come from.

use matrix_plan::{ConfiguredLag, NotificationStorage, PostStorage};

use crate::tables::Source;
use crate::traces::CellMeta;

impl Source {
    /// The source of tables made of `cells`, the done ones of `planned`, of the named experiment.
    #[must_use]
    pub fn new(experiment: &str, planned: u64, cells: &[CellMeta]) -> Self {
        let configured = |storage: &PostStorage| {
            cells.iter().any(|cell| cell.configured_lag && cell.inputs.axes.combination.post_storage == *storage)
        };
        let notified = |storage: &NotificationStorage| {
            let mut theirs = cells.iter().map(|cell| &cell.inputs);
            theirs.any(|inputs| {
                inputs.axes.combination.notification_storage == *storage && ConfiguredLag::of(inputs).notification
            })
        };
        Self {
            experiment: experiment.to_owned(),
            simulated: cells.iter().any(|cell| cell.simulated),
            configured_lag: PostStorage::ALL.iter().copied().filter(configured).collect(),
            configured_notification_lag: NotificationStorage::ALL.iter().copied().filter(notified).collect(),
            planned,
            done: cells.len() as u64,
        }
    }
}
