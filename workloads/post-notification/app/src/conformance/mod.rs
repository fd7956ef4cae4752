//! What every post storage must do, simulated or real: one suite that each of them is run through.

mod harness;
mod posts;
#[cfg(test)]
mod tests;

pub use harness::{Check, Failure, Finding, PostHarness, Replication};
pub use posts::check_posts;
