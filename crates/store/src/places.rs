//! What is known of runs on this machine alone: where their files were. Copies of a store and bundles leave it out.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::StoreError;
use crate::names::RunId;
use crate::sealed::read_small;
use crate::store::Store;
use crate::writable::WritableStore;

impl Store {
    /// What was kept of a run for this machine, if anything was.
    ///
    /// # Errors
    /// When it cannot be read, or has another form.
    pub fn place<P: DeserializeOwned>(&self, run: &RunId) -> Result<Option<P>, StoreError> {
        let path = self.layout.place(run);
        let Some(bytes) = read_small(&path)? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| StoreError::damaged(&path, error.to_string()))
    }

    /// What earlier versions kept beside the runs, in a file of this name in the store's folder; nothing if there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn kept_beside(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        read_small(&self.layout.root.join(name))
    }
}

impl WritableStore {
    /// Keeps something of a run for this machine: a file of the run's own, as runners that write into one file would lose what
    /// others wrote.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_place(&self, run: &RunId, place: &impl Serialize) -> Result<(), StoreError> {
        self.shared.write_file(&self.shared.layout.place(run), &serde_json::to_vec(place)?)
    }
}
