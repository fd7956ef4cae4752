//! Whether other work disturbed the host while results were measured on it.

use std::collections::BTreeMap;

use matrix_plan::{CellKey, Platform};
use matrix_store::{Digest, Store, StoreError};
use matrix_traces::{Attempt, Record};

/// What attempts say of the host that results were measured on.
#[derive(Debug, Default)]
pub struct Hosts(BTreeMap<(CellKey, Digest), String>);

impl Hosts {
    /// What the attempts say that gave these results. Only the local platform's host is watched: without a result of it, no
    /// attempt is read.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn of(store: &Store, records: &[Record]) -> Result<Self, StoreError> {
        let mut hosts = Self::default();
        if records.iter().any(|record| record.platform == Platform::Local) {
            for id in store.attempts()? {
                if let Some(attempt) = store.attempt::<Attempt>(&id)? {
                    hosts.add(&attempt);
                }
            }
        }
        Ok(hosts)
    }

    /// What these attempts say.
    pub fn among<'a>(attempts: impl IntoIterator<Item = &'a Attempt>) -> Self {
        let mut hosts = Self::default();
        attempts.into_iter().for_each(|attempt| hosts.add(attempt));
        hosts
    }

    fn add(&mut self, attempt: &Attempt) {
        if let (Some(host), Some(object)) = (&attempt.host, attempt.object) {
            self.0.insert((attempt.key, object), host.clone());
        }
    }

    fn note(&self, record: &Record) -> Option<&str> {
        self.0.get(&(record.key, record.object.sha256)).map(String::as_str)
    }

    /// Whether a result was measured on a disturbed host.
    #[must_use]
    pub fn is_disturbed(&self, record: &Record) -> bool {
        self.note(record).is_some_and(matrix_host::is_disturbed)
    }

    /// Whether nobody knows if the host of a local result was disturbed.
    #[must_use]
    pub fn is_unwatched(&self, record: &Record) -> bool {
        record.platform == Platform::Local && self.note(record).is_none_or(matrix_host::is_unwatched)
    }
}
