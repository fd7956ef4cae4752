//! Tests of import and export on real directories.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at once")]

mod bench;
mod faults;
mod golden;
mod pandas;
mod round_trip;
