//! Comparing results: which belong together, and how every metric differs.

mod compare;
mod matching;

pub(crate) use compare::{compare, how};
pub(crate) use matching::{Matching, Pair, matching};
