//! Tests that run the binary, as a user's scripts would.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod architecture;
mod bad_input;
mod bundles;
mod check;
mod figures;
mod interface;
mod kills;
#[cfg(feature = "live")]
mod live;
mod reading;
mod running;
mod workbench;
