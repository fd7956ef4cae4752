//! What the suite needs of a storage, and its result.
#![allow(async_fn_in_trait, reason = "hosts are current-thread: no Send bound is wanted")]

use std::fmt;

use crate::barrier::BarrierReport;
use crate::host::{Clock, PostStorage, StorageError};
use crate::key::PostKey;
use crate::lineage::LineageId;

/// Whether replication could be held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replication {
    /// It is held back until it is released.
    Held,
    /// It cannot be held back here, for this reason.
    NotControllable(String),
}

/// A post storage under test, and power over it. The suite has it for itself.
pub trait PostHarness {
    /// The storage.
    type Posts: PostStorage;
    /// A clock of the place where the suite runs.
    type Clock: Clock;

    /// The writer's end.
    fn writer(&self) -> &Self::Posts;
    /// The reader's end.
    fn reader(&self) -> &Self::Posts;
    /// A reader's end whose server takes connections and never answers; `None` where there is no such thing.
    fn hung(&self) -> Option<&Self::Posts>;
    /// The clock.
    fn clock(&self) -> &Self::Clock;
    /// A key that was not used before; `None` when all were.
    fn fresh_key(&self) -> Option<PostKey>;
    /// A lineage that was not used before.
    fn fresh_lineage(&self) -> LineageId;
    /// Whether a write is known by a version besides its key.
    fn has_versions(&self) -> bool;

    /// Why the storage cannot tell the size of what it holds, if it cannot: then [`Self::contents`] has no bytes.
    fn sizeless(&self) -> Option<&str> {
        None
    }

    /// Holds back replication.
    ///
    /// # Errors
    /// When that failed; where it is impossible says the answer.
    async fn hold(&self) -> Result<Replication, StorageError>;
    /// Lets replication go on.
    ///
    /// # Errors
    /// When that failed.
    async fn release(&self) -> Result<(), StorageError>;
    /// Removes everything at both ends, as far as each can.
    ///
    /// # Errors
    /// When the storage failed.
    async fn clean(&self) -> Result<(), StorageError>;
    /// Whether nothing is left at either end.
    ///
    /// # Errors
    /// When the storage failed.
    async fn is_empty(&self) -> Result<bool, StorageError>;
    /// Number of posts and their logical bytes, at the writer's end and at the reader's.
    ///
    /// # Errors
    /// When the storage failed.
    async fn contents(&self) -> Result<[(u64, u64); 2], StorageError>;
}

/// What was found out by one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What must be so.
    pub says: &'static str,
    /// Whether it is.
    pub finding: Finding,
}

/// See [`Check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It is so.
    Holds,
    /// It could not be tried here, for this reason.
    NotTried(String),
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.finding {
            Finding::Holds => write!(f, "holds: {}", self.says),
            Finding::NotTried(why) => write!(f, "not tried: {} ({why})", self.says),
        }
    }
}

/// A storage that does not do what it must.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// A call failed.
    #[error("{says}: {source}")]
    Storage {
        /// What was being checked.
        says: &'static str,
        /// The failure.
        source: StorageError,
    },
    /// The harness has no key left.
    #[error("no key is left")]
    Keys,
    /// It is not so.
    #[error("{says}: not so: {found}")]
    Broken {
        /// What must be so.
        says: &'static str,
        /// What was found instead.
        found: String,
    },
    /// A barrier did not do what it must.
    #[error("{says}: not so: {report:?}")]
    Barrier {
        /// What must be so.
        says: &'static str,
        /// What it did.
        report: BarrierReport,
    },
}
