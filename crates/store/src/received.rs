//! What came into a store with a bundle, and was not measured here.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::StoreError;
use crate::names::AttemptId;
use crate::sealed::{MAX_LARGE_BYTES, Sealed, read_up_to};
use crate::store::Store;
use crate::writable::WritableStore;

/// What came into a store with a bundle: `received.json`. Whoever goes on in the store can so tell their own results from
/// those of others, though both may be of origin `local`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Received {
    /// Attempts, by name.
    pub attempts: BTreeSet<AttemptId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
    /// Attempts that journals name and that did not come with them: the bundle was a selection.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub left_out: BTreeSet<AttemptId>,
    /// Records, by the digest that they carry: a result that is measured again is another one.
    pub records: BTreeSet<Digest>,
    schema: u32,
}

impl Default for Received {
    fn default() -> Self {
        Self {
            attempts: BTreeSet::new(),
            digest: None,
            left_out: BTreeSet::new(),
            records: BTreeSet::new(),
            schema: Self::SCHEMA,
        }
    }
}

impl Sealed for Received {
    const SCHEMA: u32 = 1;
    crate::seal_fields!();
}

impl Store {
    /// What came into the store with a bundle; nothing if the store was not made of one.
    ///
    /// # Errors
    /// When the list is damaged or cannot be read.
    pub fn received(&self) -> Result<Received, StoreError> {
        let path = self.layout.received();
        match read_up_to(&path, MAX_LARGE_BYTES)? {
            Some(bytes) => Received::from_bytes(&path, &bytes),
            None => Ok(Received::default()),
        }
    }
}

impl WritableStore {
    /// Writes down what came into the store with a bundle, in place of what was written there before.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_received(
        &self,
        records: impl IntoIterator<Item = Digest>,
        attempts: impl IntoIterator<Item = AttemptId>,
        left_out: BTreeSet<AttemptId>,
    ) -> Result<(), StoreError> {
        let (records, attempts) = (records.into_iter().collect(), attempts.into_iter().collect());
        let received = Received { attempts, left_out, records, ..Received::default() }.sealed()?;
        self.shared.write_file(&self.shared.layout.received(), &received.to_bytes()?)
    }
}
