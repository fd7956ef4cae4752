//! The content-addressed store: objects, records, attempts, runs and their journal.
//!
//! A store is a directory. One process writes it at a time ([`WritableStore`]); any number read it ([`Store`]).
//! Whatever is written appears whole or not at all: it is written under `tmp/`, synced and renamed, the object of a cell
//! before the record that names it.

pub mod attempt;
pub mod counts;
pub mod digest;
pub mod error;
pub mod fs;
pub mod garbage;
pub mod generic;
pub mod group;
pub mod index;
pub mod journal;
pub mod lookup;
pub mod names;
pub mod object;
pub mod received;
pub mod record;
pub mod run;
pub mod store;
pub mod trace;
pub mod verify;
pub mod writable;

mod folder;
mod generic_store;
mod layout;
mod listing;
mod lock;
mod sealed;

#[cfg(test)]
mod tests;

pub use attempt::{Attempt, AttemptStatus, Execution, Provenance};
pub use counts::{Counts, TraceTotals};
pub use digest::Digest;
pub use error::{ErrorKind, Holder, Rejection, StoreError, is_full};
pub use garbage::{Garbage, GarbageFile};
pub use generic::{GenericAttempt, GenericEnd, GenericRecord, NewRecord, OutputRef, RowsRef};
pub use group::Group;
pub use journal::{Event, Journal, JournalEntry, JournalState, JournalText};
pub use lookup::Lookup;
pub use names::{AttemptId, Origin, RunId};
pub use object::{DEFAULT_MAX_BYTES, ObjectReader};
pub use received::Received;
pub use record::{ObjectRef, Record};
pub use run::{ImportedRun, NewRun, Run};
pub use store::Store;
pub use trace::{ObjectInfo, TraceSink};
pub use verify::{Report, VerifyOptions, lossy_path};
pub use writable::WritableStore;
