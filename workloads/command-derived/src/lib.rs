//! What is derived from results of programs: which experiments a store holds, what stands beside their results in a bundle, what
//! the page and the artifact appendix say, and how two results of one experiment compare. Everything here is data, text or bytes,
//! except for bundles, which are files: who prints is the caller's choice. Nothing that an experiment names is run.
//!
//! - [`Chosen`] is an experiment of a store with its cells; [`newest`] and [`runs_of`] find the runs, [`versions()`] what else runs saved.
//! - [`page`] and [`appendix`] are what the report and the artifact appendix say, [`mod@badge`] what is shown to who judges badges.
//! - [`follow`] compares plans with experiments and results.
//! - [`bundle`] makes and checks bundles.
//! - [`mod@compare`] puts two results of one experiment side by side; [`consent`] lists what running one again would run.
//! - [`Shards`] says what is missing of experiments that were divided between machines.

pub mod appendix;
pub mod badge;
pub mod bundle;
pub mod compare;
pub mod consent;
pub mod page;

mod attempts;
mod chosen;
mod error;
mod figures;
mod plans;
mod shards;
#[cfg(test)]
mod tests;
mod versions;

pub use bundle::DERIVER_VERSION;
pub use chosen::{Chosen, Texts, newest, runs_of, unsaved};
pub use error::DerivedError;
pub use figures::about;
pub use plans::{Followed, PLANS, WrongFile, follow};
pub use shards::Shards;
pub use versions::{Version, versions};
