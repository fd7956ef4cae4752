//! Several runners on one store.
//!
//! Whoever runs cells here has a *sign of life*, a file that it renews, and a folder of its own below `tmp/`. Runners divide the cells
//! of a run by *claims*: files that are created if they are not there yet. A claim only saves work. What decides is the record of a cell,
//! which is created once: a runner that was thought dead, and goes on, changes nothing. What replaces a record is created once, too: see
//! `generation.rs`.

mod board;
mod check;
mod claims;
mod division;
mod join;
mod meeting;
mod progress;
mod runner;
mod sign;

#[cfg(test)]
mod model;

pub use check::SharedCheck;
pub use claims::Pending;
pub use division::{Division, Share};
pub use progress::Progress;
pub use runner::{SHARED_TIME, is_of_one_machine};
pub use sign::{RunnerState, RunnerStatus, machine};

pub(crate) use board::{Board, Sign, publish, sweep, target};
pub(crate) use check::{kept, store_toml};
pub(crate) use runner::Runner;
pub(crate) use sign::{ABANDONED, SignFile, look};
