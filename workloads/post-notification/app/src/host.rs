//! What a host brings: storages, a clock, randomness and a place for evaluations.
//!
//! Futures are not `Send` and dispatch is static: a host runs on a current-thread executor.
#![allow(async_fn_in_trait, reason = "hosts are current-thread: no Send bound is wanted")]

use crate::lineage::{LineageId, WriteId};
use crate::time::Micros;
use crate::wire::Event;

/// A clock of the region that the code runs in.
pub trait Clock {
    /// The present instant.
    fn now(&self) -> Micros;
    /// Waits until `at`; returns at once if that has passed. Must be safe to drop before it ends.
    async fn sleep_until(&self, at: Micros);
}

/// Randomness of a writer.
pub trait Entropy {
    /// A fresh identity for the lineage of the request at hand.
    fn lineage_id(&self) -> LineageId;
}

/// A post to be stored.
#[derive(Clone, Copy, Debug)]
pub struct Post<'a> {
    /// Key of the post.
    pub key: &'a str,
    /// Length of the content, in bytes. The storage makes the content itself, so that a simulation only counts it.
    pub bytes: u64,
    /// With antipode: the lineage to be stored beside the post.
    pub lineage: Option<LineageId>,
}

/// A post that was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written<'a> {
    /// What the write is known by in the reader's region.
    pub id: WriteId<'a>,
    /// Logical bytes that the storage keeps for it: key, content and metadata, by the rules in `docs/formats.md`.
    pub bytes: u64,
}

/// A failed call of a storage.
#[derive(Debug, thiserror::Error)]
#[error("{service}: {kind}: {message}")]
pub struct StorageError {
    /// The service that failed, for example `mysql`.
    pub service: &'static str,
    /// What kind of failure.
    pub kind: ErrorKind,
    /// The service's own words.
    pub message: String,
}

/// Kinds of failure of a storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The service could not be reached, or broke the connection.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// The service asks for fewer requests.
    Throttled,
    /// The service refused the request, and will again.
    Refused,
    /// What the request is about is not there.
    Absent,
    /// The answer does not have the documented form.
    Malformed,
}

impl std::fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unreachable => "unreachable",
            Self::Timeout => "timed out",
            Self::Throttled => "throttled",
            Self::Refused => "refused",
            Self::Absent => "not there",
            Self::Malformed => "malformed answer",
        })
    }
}

impl StorageError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self.kind {
            ErrorKind::Unreachable | ErrorKind::Timeout | ErrorKind::Throttled => true,
            ErrorKind::Refused | ErrorKind::Absent | ErrorKind::Malformed => false,
        }
    }
}

/// Where posts live. One value stands for one region's end of the storage.
pub trait PostStorage {
    /// Stores a post in the writer's region.
    ///
    /// # Errors
    /// When the storage did not confirm the write.
    async fn write<'a>(&self, post: Post<'a>) -> Result<Written<'a>, StorageError>;

    /// Reads the post from the replica of the reader's region: whether it was found.
    ///
    /// # Errors
    /// When the storage did not answer; a missing post is no error.
    async fn read(&self, key: &str) -> Result<bool, StorageError>;

    /// Whether the write, made by the given lineage, is visible in the reader's region.
    ///
    /// # Errors
    /// When the storage did not answer.
    async fn is_visible(&self, write: &WriteId<'_>, lineage: LineageId) -> Result<bool, StorageError>;
}

/// What carries notifications. It only publishes: the host delivers to the reader.
pub trait NotificationStorage {
    /// Publishes the event in the writer's region.
    ///
    /// # Errors
    /// When the storage did not confirm it.
    async fn publish(&self, event: &Event<'_>) -> Result<(), StorageError>;
}

/// Where a reader sends its evaluations: the queue of its region.
pub trait EvaluationSink {
    /// Sends one evaluation, as JSON.
    ///
    /// # Errors
    /// When the queue did not confirm it.
    async fn send(&self, evaluation: &[u8]) -> Result<(), StorageError>;
}
