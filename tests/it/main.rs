//! Tests that run the binary, as a user's scripts would.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[cfg(feature = "live")]
mod account;
mod appendix;
mod architecture;
#[cfg(feature = "live")]
mod aws;
mod bad_input;
mod badge;
mod bundles;
mod check;
mod costs;
mod diff;
mod documents;
mod exports;
mod figures;
mod fixtures;
mod foreign;
mod full_disk;
mod gc;
mod interface;
mod kills;
#[cfg(feature = "live")]
mod licences;
mod links;
mod live;
mod output;
mod program;
mod published;
mod reading;
mod replay;
mod report;
mod runners;
mod running;
mod schemas;
mod services;
mod shards;
mod slurm;
mod stores;
mod unexpected_input;
mod validators;
mod workbench;
