//! The testbed for real: what it starts, what it carries, what it survives. A server that is not installed fails these
//! tests with the command that installs it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

#[allow(dead_code, reason = "other tests use the rest")]
mod bed;
mod bridge;
mod emulator;
mod faults;
mod lifecycle;
mod replication;
