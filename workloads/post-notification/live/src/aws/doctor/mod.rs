//! Examining an account: whether everything that an experiment needs is there and works. Nothing is assumed that can be
//! asked, and what cannot be asked from here is said to be not checked.

mod account;
mod clock;
mod connectors;
mod examine;
mod finding;
mod managed;
mod presence;
mod reach;
mod replication;

pub use examine::Examination;
pub use finding::{Finding, Verdict};
pub(super) use presence::Named;
