//! The artifact appendix that systems conferences ask for, in the form of the EuroSys template.
//!
//! [`Appendix`] is its contents, free of any workload, which fills it. The author's own text comes from [`Prose`], so that it
//! survives when the appendix is written again.

mod document;
mod latex;
mod markdown;
mod model;
mod prose;

pub use model::{Appendix, Claim, Experiment, Measured};
pub use prose::{Prose, ProseError};
