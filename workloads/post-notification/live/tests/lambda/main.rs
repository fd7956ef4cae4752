//! The `lambda` driver for real: the functions' own executables on the local testbed. A server that is not installed fails
//! these tests with the command that installs it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod arrival;
#[path = "../testbed/bed.rs"]
#[allow(dead_code, reason = "the testbed's own tests use the rest")]
mod bed;
mod faults;
mod lab;
mod matrix;
mod phases;
