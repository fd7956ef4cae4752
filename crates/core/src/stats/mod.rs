//! Statistics of correlated rows: estimates with 95 % intervals, the same on every machine.
//!
//! Rows of one cell are correlated (replication through a log delays neighbours alike), so nothing here treats them as
//! independent. The unit of variation is the *batch*. On measured cells it is a round, and three are needed
//! ([`Replicates::Rounds`]). On simulated cells it is a round where there are at least ten, else a stretch of
//! consecutive requests of a round (see [`Layout`]). The spread between batches gives the standard error, and Student's
//! t accounts for how few they are. A bootstrap that resamples rounds, then requests, was not taken: of three rounds it
//! knows only their spread about their own mean, without t's allowance for three, so its intervals are too narrow; and it
//! needs random draws. `coverage.rs` tests that these intervals cover the truth in 93 to 97 % of samples.
//!
//! Of transcendental functions only those of the pinned `libm` crate are used.

mod batches;
#[cfg(test)]
mod coverage;
mod difference;
mod interval;
mod mean;
mod paired;
mod proportion;
mod quantile;
mod rounds;
mod student;

pub use batches::{Batches, Layout};
pub use difference::difference;
pub use interval::{Interval, Replicates};
pub use mean::{mean, rate};
pub use paired::paired_difference;
pub use proportion::{proportion, proportion_of_planned, zero_failures_bound};
pub use quantile::{nearest_rank, quantile};
pub use rounds::{MIN_ROUNDS, paired_ratio};
pub use student::t_quantile;
