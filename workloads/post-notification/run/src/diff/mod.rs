//! Comparing results: which belong together, and how every metric differs.

mod compare;
mod matching;

pub use compare::{compare, how};
pub use matching::{Matching, Pair, matching};
