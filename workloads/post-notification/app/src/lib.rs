//! The post-notification application, once: [`Writer`], [`Reader`], [`Lineage`], [`barrier()`], the wire formats and [`Row`].
//!
//! A writer in region A stores a post and then publishes a notification; a reader in region B is triggered by the
//! notification and reads the post from B's replica. This crate has no I/O, clock, randomness or runtime of its own:
//! a *host* (the simulator, the tests, or the deployed functions) brings them through the traits of [`host`].

pub mod barrier;
pub mod conformance;
pub mod host;
pub mod key;
pub mod lineage;
pub mod reader;
pub mod row;
mod select;
pub mod sizes;
pub mod time;
pub mod wire;
pub mod writer;

pub use barrier::{BarrierPolicy, BarrierReport, barrier};
pub use host::{Clock, Entropy, EvaluationSink, NotificationStorage, Post, PostStorage, StorageError, Written};
pub use key::PostKey;
pub use lineage::{Lineage, LineageId, WriteId};
pub use reader::{Handled, Reader, ReaderError};
pub use row::{ClientSide, Outcome, Row};
pub use time::Micros;
pub use wire::{Evaluation, Event};
pub use writer::{Writer, WriterError};

/// Version of the application's behaviour. It is part of every cell's key: raise it when a change of writer, reader,
/// barrier or wire format changes what a run measures.
pub const WORKLOAD_VERSION: u32 = 1;
