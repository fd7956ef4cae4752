//! Claims against results.

mod evaluate;
mod result;

#[cfg(test)]
mod tests;

pub use evaluate::evaluate;
pub use result::{ClaimFinding, ClaimResult, claims_text};
