//! The real storages do what they must: each post storage by the application's conformance suite, each notification
//! storage from end to end, and the functions on both. A server that is not installed fails these tests with the command
//! that installs it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

#[path = "../testbed/bed.rs"]
#[allow(dead_code, reason = "each test binary uses its part of it")]
mod bed;
mod endpoints;
mod notifications;
mod pipeline;
mod posts;
mod provision;
