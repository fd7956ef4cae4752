//! The store that a session writes, and who writes there.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use matrix_app::Row;
use matrix_driver::Driver;
use matrix_plan::Cell;
use matrix_store::fs::{Filesystem, RealFilesystem};
use matrix_store::{ErrorKind, Store, StoreError, WritableStore};

use crate::error::{FailureKind, RunError};
use crate::provenance::Program;

/// Removes what a killed writer left half-written, unless another one is at work.
///
/// # Errors
/// When it cannot be removed.
pub fn sweep(store: &Store, access: &StoreAccess<'_>) -> Result<(), RunError> {
    if store.has_leftovers() && !store.is_being_written() {
        // Others may begin to run cells at this moment.
        access.join()?.sweep()?;
    }
    Ok(())
}

/// Where a session writes, and who writes there.
pub struct StoreAccess<'a> {
    pub(super) results: &'a Path,
    pub(super) program: Program,
    fs: Arc<dyn Filesystem>,
    expires_after: Option<Duration>,
}

impl<'a> StoreAccess<'a> {
    /// The directory, on the real file system.
    #[must_use]
    pub fn new(results: &'a Path, program: Program) -> Self {
        Self::on(results, program, Arc::new(RealFilesystem))
    }

    /// The directory, on this file system.
    pub fn on(results: &'a Path, program: Program, fs: Arc<dyn Filesystem>) -> Self {
        Self { results, program, fs, expires_after: None }
    }

    /// Lets other runners wait for so long for a sign of life; without it, for as long as the file system needs.
    #[must_use]
    pub fn expiring_after(self, time: Option<Duration>) -> Self {
        Self { expires_after: time, ..self }
    }

    /// Opens the store for writing. A place that cannot hold a store is bad input, whatever the system calls it.
    pub(super) fn open_for_writing(&self) -> Result<WritableStore, RunError> {
        in_place(WritableStore::open_with(self.results, &self.program.holder, Arc::clone(&self.fs)))
    }

    /// Opens the store for running cells while others do the same.
    pub(super) fn join(&self) -> Result<WritableStore, RunError> {
        let fs = Arc::clone(&self.fs);
        in_place(WritableStore::join_with(self.results, &self.program.holder, fs, self.expires_after))
    }

    /// Opens the store to execute cells. Runners divide simulated cells; where something is measured, one runner has the store alone.
    pub(super) fn open(&self, driver: &dyn Driver<Cell, Row>) -> Result<WritableStore, RunError> {
        if driver.needs_exclusive_host() { self.open_for_writing() } else { self.join() }
    }
}

fn in_place(store: Result<WritableStore, StoreError>) -> Result<WritableStore, RunError> {
    store.map_err(|error| match error.kind() {
        ErrorKind::Internal => RunError::from(error).of_kind(FailureKind::Input),
        _ => error.into(),
    })
}
