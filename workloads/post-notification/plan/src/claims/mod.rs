//! Claims: statements about results that a machine can check.

mod claim;
mod judge;
mod metric;
pub(crate) mod parse;
#[cfg(test)]
mod tests;

pub use claim::{Bound, Check, Claim};
pub use judge::{Evidence, Judgement, RowEvidence, judge_every_row, judge_metric};
pub use matrix_core::judge::Verdict;
pub use metric::{Column, Metric};
