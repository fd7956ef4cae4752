//! The application over a small host in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at once")]

mod barrier;
mod functions;
mod host;
mod wire;
