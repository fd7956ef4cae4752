//! Tests that run the binary, as a user's scripts would.

mod architecture;
mod bad_input;
mod bundles;
mod check;
mod figures;
mod interface;
mod kills;
mod reading;
mod running;
mod workbench;
