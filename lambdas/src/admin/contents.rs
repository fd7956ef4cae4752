//! What every end of a storage can be asked.
#![allow(async_fn_in_trait, reason = "hosts are current-thread: no Send bound is wanted")]

use matrix_app::StorageError;
use serde::{Deserialize, Serialize};

/// What one end of a storage holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Posts, notifications or messages.
    pub items: u64,
    /// Their logical bytes, by the rules in `docs/formats.md`.
    pub bytes: u64,
}

/// One end of a storage, before and after a run. Everything may be done twice.
pub trait Admin {
    /// Creates what the storage needs and nobody else creates (a database and its tables). At an end that gets it by
    /// replication it does nothing.
    ///
    /// # Errors
    /// When the storage refused or did not answer; so for everything here.
    async fn build(&self) -> Result<(), StorageError>;

    /// Removes what [`Self::build`] has made, with all that is in it.
    async fn remove(&self) -> Result<(), StorageError> {
        Ok(())
    }

    /// Removes everything that is there now; at an end where removals come by replication it does nothing. What was written elsewhere may still arrive, and where deletions
    /// replicate they take their time: ask [`Self::is_empty`] at both ends until it is true.
    async fn clean(&self) -> Result<(), StorageError>;

    /// Counts what is there. It may take long.
    async fn contents(&self) -> Result<Contents, StorageError>;

    /// Whether nothing is there, as observed now.
    async fn is_empty(&self) -> Result<bool, StorageError>;
}
