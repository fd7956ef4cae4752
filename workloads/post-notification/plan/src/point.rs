//! Points of the cross-product: one value of every axis.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::axes::{NotificationStorage, PostStorage, RegionPair};

/// What may share a deployment: the cells that differ only in delay, antipode and round.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Combination {
    /// Where posts live.
    pub post_storage: PostStorage,
    /// What carries notifications.
    pub notification_storage: NotificationStorage,
    /// Where the writer and the reader run.
    pub regions: RegionPair,
}

impl Combination {
    /// Two storages and a pair of regions.
    #[must_use]
    pub fn new(post_storage: PostStorage, notification_storage: NotificationStorage, regions: RegionPair) -> Self {
        Self { post_storage, notification_storage, regions }
    }
}

impl fmt::Display for Combination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{} {}", self.post_storage, self.notification_storage, self.regions)
    }
}

/// One value of every axis.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Axes {
    /// Storages and regions.
    pub combination: Combination,
    /// Artificial delay before the notification, in milliseconds.
    pub delay_ms: u64,
    /// Whether the reader waits in the barrier.
    pub antipode: bool,
}

impl fmt::Display for Axes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = if self.antipode { "on" } else { "off" };
        write!(f, "{} delay {} ms antipode {on}", self.combination, self.delay_ms)
    }
}

/// The JSON form of [`Axes`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename = "Axes")]
struct Wire {
    post_storage: PostStorage,
    notification_storage: NotificationStorage,
    regions: RegionPair,
    delay_ms: u64,
    antipode: bool,
}

impl Serialize for Axes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { combination, delay_ms, antipode } = self.clone();
        let Combination { post_storage, notification_storage, regions } = combination;
        Wire { post_storage, notification_storage, regions, delay_ms, antipode }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Axes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Wire { post_storage, notification_storage, regions, delay_ms, antipode } = Wire::deserialize(deserializer)?;
        Ok(Self { combination: Combination { post_storage, notification_storage, regions }, delay_ms, antipode })
    }
}
