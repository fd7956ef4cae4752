//! A model: the validated parameters, in milliseconds.

use std::collections::BTreeMap;

use matrix_plan::{NotificationStorage, PostStorage, RegionPair};
use serde::Serialize;

use super::{Anchor, Law, ModelError};

/// The parameters of the simulated services.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Name of the model.
    pub name: String,
    /// The pair whose data others are extrapolated from.
    pub reference: RegionPair,
    /// Round-trip times between regions, in milliseconds.
    pub rtt_ms: BTreeMap<RegionPair, f64>,
    /// One way between a client and the writer's function.
    pub client_leg: Law,
    /// The functions.
    pub functions: FunctionModel,
    /// Post storages.
    pub post: BTreeMap<PostStorage, PostModel>,
    /// Notification storages.
    pub notification: BTreeMap<NotificationStorage, NotificationModel>,
    /// Published numbers that the model is fitted to.
    pub anchors: Vec<Anchor>,
}

/// How functions start and how many run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FunctionModel {
    /// From the invocation to the function's first line, in a new instance.
    pub cold_start: Law,
    /// The same in an instance that has served before.
    pub warm_start: Law,
    /// Most instances of one function at a time; further invocations wait.
    pub concurrency: u32,
    /// Time after which an idle instance is gone, in milliseconds.
    pub idle_timeout_ms: f64,
}

/// A post storage.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PostModel {
    /// Storing a post in the writer's region.
    pub write: Law,
    /// Reading a post in the reader's region, without the client's overhead and the transfer.
    pub read: Law,
    /// A poll of the barrier.
    pub poll: Law,
    /// Moving the post to the reader, where a read moves it. Only reads that find the post do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer: Option<Transfer>,
    /// From the write's confirmation to visibility in the reader's region, in the reference pair.
    pub lag: Law,
    /// Whether replicas apply writes in order.
    pub replication: Replication,
    /// What is known of each pair. No part of a cell's meaning as it stands: see [`super::Link`].
    #[serde(skip)]
    pub pairs: BTreeMap<RegionPair, PairData>,
}

/// The time that moving a post takes; it grows in proportion to the post.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Transfer {
    /// Moving `reference_bytes`.
    pub time: Law,
    /// Length of the content that `time` is for.
    pub reference_bytes: u64,
}

/// How a replica follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Replication {
    /// Through a log: a write becomes visible only after those committed before it.
    Log,
    /// Each object by itself.
    Object,
}

/// What is known of a post storage between two regions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PairData {
    /// What every read of a post costs besides the read itself, in milliseconds: opening a client in the reader.
    pub client_overhead_ms: f64,
    /// What the reference pair's lag is multiplied by.
    pub lag_factor: f64,
}

/// A notification storage.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NotificationModel {
    /// Delivers each message by itself, as many at a time as there are.
    Concurrent {
        /// Time that publishing takes the writer.
        publish: Law,
        /// From publishing to invocation of the reader, within a region.
        trigger: Law,
        /// Round trips between the regions that are added to it.
        round_trips: f64,
    },
    /// Delivers in order of arrival, in each lane to one reader at a time.
    Ordered {
        /// Time that publishing takes the writer.
        publish: Law,
        /// From publishing to the lane in the reader's region, within a region.
        trigger: Law,
        /// Round trips between the regions that are added to it.
        round_trips: f64,
        /// Number of lanes.
        lanes: u32,
    },
    /// A table that is replicated, item by item, and whose stream in the reader's region is delivered in order, in each
    /// shard to one reader at a time.
    Stream {
        /// Time that publishing (writing the item) takes the writer.
        publish: Law,
        /// From the item's writing to its replica, in the reference pair.
        item_lag: Law,
        /// From the replica's item to invocation of the reader.
        trigger: Law,
        /// Number of shards.
        lanes: u32,
    },
}

impl Model {
    /// Name of the model that comes with the command.
    pub const BUILTIN_NAME: &'static str = "aws-2021";

    /// Text of the model that comes with the command.
    pub const BUILTIN_TEXT: &'static str = include_str!("../../../../../experiments/models/aws-2021.toml");

    /// The model that comes with the command under the given name.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn builtin(name: &str) -> Result<Self, ModelError> {
        if name == Self::BUILTIN_NAME {
            Self::parse(Self::BUILTIN_TEXT)
        } else {
            Err(ModelError::Unknown(name.to_owned()))
        }
    }

    /// The round-trip time of a pair, in milliseconds; that of the reverse pair where only that is known.
    ///
    /// # Errors
    /// When neither is known.
    pub fn round_trip_ms(&self, pair: &RegionPair) -> Result<f64, ModelError> {
        let reverse = RegionPair { writer: pair.reader.clone(), reader: pair.writer.clone() };
        self.rtt_ms
            .get(pair)
            .or_else(|| self.rtt_ms.get(&reverse))
            .copied()
            .ok_or_else(|| ModelError::NoRoundTrip(pair.clone()))
    }

    /// The model of a post storage.
    ///
    /// # Errors
    /// When the model has none.
    pub fn post_storage(&self, storage: PostStorage) -> Result<&PostModel, ModelError> {
        self.post.get(&storage).ok_or(ModelError::NoPostStorage(storage))
    }

    /// The model of a notification storage.
    ///
    /// # Errors
    /// When the model has none.
    pub fn notification_storage(&self, storage: NotificationStorage) -> Result<&NotificationModel, ModelError> {
        self.notification.get(&storage).ok_or(ModelError::NoNotificationStorage(storage))
    }
}
