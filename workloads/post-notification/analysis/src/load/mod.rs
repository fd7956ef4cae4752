//! Loading: every trace is read once, in blocks of bounded size, and only what tables need is kept.

mod cell;
mod diagnose;
mod query;
mod read;
mod totals;

#[cfg(test)]
mod tests;

pub(crate) use cell::Finding;
pub use cell::{CellData, Keep};
pub use read::{Loaded, Options, load};
pub use totals::{Ended, Objects, Totals};
