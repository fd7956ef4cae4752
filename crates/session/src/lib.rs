//! How runs of any workload execute.
//!
//! A [`Session`] is a run that was begun, joined or taken up again, and the store that it writes. Its workers take cells in the plan's
//! order, or claim them where several runners execute one run; a workload brings what executes one, by the trait [`Work`].
//! Results of small cells become durable in groups. [`states`] and [`interrupted`] read in a store how earlier runs ended,
//! and [`is_saved`] what they saved.

mod execute;
mod left;
mod saved;
mod schedule;
mod session;
mod states;

#[cfg(test)]
mod tests;

pub use execute::{Ended, Options, Work};
pub use left::interrupted;
pub use saved::is_saved;
pub use session::{Report, Session, SessionEnd};
pub use states::states;
