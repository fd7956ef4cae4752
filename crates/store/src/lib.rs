//! The content-addressed store: objects, records, attempts, runs and their journal.
//!
//! A store is a directory. Any number of processes run cells in it ([`WritableStore::join_with`]), or one has it alone
//! ([`WritableStore::open_with`]); any number read it ([`Store`]).
//! Whatever is written appears whole or not at all: it is written under `tmp/`, synced and renamed, the object of a cell
//! before the record that names it.

pub mod attempt;
pub mod copy;
pub mod digest;
pub mod error;
pub mod files;
pub mod fs;
pub mod garbage;
mod generation;
pub mod generic;
pub mod group;
pub mod index;
pub mod journal;
mod kept;
pub mod layout;
pub mod lookup;
pub mod names;
pub mod object;
pub mod pack;
pub mod parallel;
mod places;
pub mod received;
pub mod run;
pub mod sealed;
pub mod store;
pub mod trace;
pub mod verify;
pub mod writable;

mod folder;
mod listing;
mod lock;
mod place;
mod plain;
pub mod share;
mod shared;

pub use attempt::{AttemptStatus, Execution, Provenance};
pub use copy::Copied;
pub use digest::Digest;
pub use error::{ErrorKind, Holder, Rejection, StoreError, is_full};
pub use files::{AttemptFile, Gave, ObjectRef, RecordFile, TraceRead, Traces};
pub use garbage::{Garbage, GarbageFile};
pub use generic::{GenericAttempt, GenericEnd, GenericRecord, NewRecord, OutputRef, RowsRef};
pub use group::Group;
pub use journal::{Event, Journal, JournalEntry, JournalState, JournalSummary};
pub use lookup::Lookup;
pub use names::{AttemptId, Origin, RunId};
pub use object::{DEFAULT_MAX_BYTES, ObjectReader};
pub use pack::Pack;
pub use received::Received;
pub use run::{ImportedRun, NewRun, Run, RunDocuments};
pub use sealed::Sealed;
pub use share::{Division, Pending, Progress, RunnerState, RunnerStatus, Share, SharedCheck};
pub use store::Store;
pub use trace::{ObjectInfo, ObjectSink};
pub use verify::{Report, VerifyOptions, lossy_path};
pub use writable::WritableStore;
