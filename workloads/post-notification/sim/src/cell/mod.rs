//! One cell in virtual time: its parameters, the simulated services, the application's host and the course of events.

#[cfg(test)]
mod conformance;
mod engine;
mod host;
mod lanes;
mod pool;
mod posts;
mod requests;
mod setup;
mod world;

pub(crate) use engine::run;
pub use pool::Pool;
pub use setup::{NotificationTables, PostTables, Services, Setup, SetupError};
