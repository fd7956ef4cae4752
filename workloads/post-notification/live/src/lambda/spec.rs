//! Deployments: which there are.

use std::fmt;

use matrix_plan::{Cell, NotificationStorage, PostStorage, RegionPair};

/// What a deployment is for: it serves every cell of a combination of storages and regions, with antipode on and off and
/// with every delay.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeploymentSpec {
    /// Where posts live.
    pub post_storage: PostStorage,
    /// What carries notifications.
    pub notification_storage: NotificationStorage,
    /// Where the writer and the reader run.
    pub regions: RegionPair,
}

impl DeploymentSpec {
    /// The deployment that serves a cell.
    #[must_use]
    pub fn of(cell: &Cell) -> Self {
        let combination = &cell.axes().combination;
        Self {
            post_storage: combination.post_storage,
            notification_storage: combination.notification_storage,
            regions: combination.regions.clone(),
        }
    }
}

/// For example `redis-sns-eu-us`.
impl fmt::Display for DeploymentSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RegionPair { writer, reader } = &self.regions;
        write!(f, "{}-{}-{writer}-{reader}", self.post_storage, self.notification_storage)
    }
}
