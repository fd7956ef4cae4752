//! Tests that run the binary, as a user's scripts would.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod architecture;
mod bad_input;
mod badge;
mod bundles;
mod check;
mod damage;
mod diff;
mod figures;
mod gc;
mod interface;
mod kills;
#[cfg(feature = "live")]
mod live;
mod reading;
mod replay;
mod running;
mod validators;
mod workbench;
