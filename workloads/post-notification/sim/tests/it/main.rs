//! The simulator as its users see it: cells in, rows out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at once")]

#[path = "../../benches/cells/mod.rs"]
mod cells;
mod determinism;
mod faults;
mod fit;
mod laws;
mod model;
mod oracle;
#[path = "../../benches/plain_loop/mod.rs"]
mod plain_loop;
mod rows;
