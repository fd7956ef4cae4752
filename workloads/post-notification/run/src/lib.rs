//! Running an experiment.
//!
//! [`Input`] is what an experiment means: its text with the overrides in it, its model and its cells. A [`Session`] is a run of
//! it, begun or resumed: workers take its cells from a schedule, a driver executes each, and the store has the result before the
//! journal says so. [`results`] reads what stores and bundles hold, [`diff`] compares two of them, [`replay`] runs the simulated
//! cells of a bundle again, and [`costs`] estimates what cells on AWS cost.
//!
//! Nothing here reads a command line or writes to a terminal. Options are plain structs; errors are [`RunError`]s with a kind,
//! a message and a help; what happens meanwhile is reported to an [`Observer`].

pub mod costs;
pub mod diff;
pub mod edits;
mod error;
mod execute;
mod input;
pub mod key_diff;
mod observer;
mod provenance;
pub mod replay;
pub mod results;
mod session;
mod states;
pub mod text;
pub mod wording;

#[cfg(test)]
mod tests;

pub use error::{FailureKind, RunError, with_causes};
pub use input::{Input, Overrides, apply, experiment_of, read_model};
pub use matrix_session::SessionEnd;
pub use observer::{Observer, Unobserved};
pub use provenance::Program;
pub use session::{Begun, Drivers, Session, StoreAccess, interrupted_runs, left_of, sweep, to_run};
pub use states::{disturbed, plan, skipped, tally};
