//! The pure part of AWS: what set-up makes, what `connection_info.yaml` says, and what it all costs. It calls no service.

pub mod connection;
pub mod cost;
mod datastore;
pub mod setup;
mod site;
mod template;

pub use connection::ConnectionInfo;
pub use datastore::Datastore;
pub use setup::{SetupRequest, StackSpec};
