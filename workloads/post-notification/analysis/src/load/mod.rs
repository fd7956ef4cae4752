//! Loading: every trace is read once, in blocks of bounded size, and only what tables need is kept.

mod accumulate;
mod blocks;
mod cell;
mod diagnose;
mod parse;
mod read;
mod totals;

#[cfg(test)]
mod tests;

pub use cell::{CellData, Finding, Keep};
pub use read::{Loaded, Options, load};
pub use totals::{Ended, Objects, Totals};
