//! Running cells: what is left to do, in which order, by how many workers, and what came of it.

mod execute;
mod progress;
mod provenance;
mod schedule;
mod session;
pub(crate) mod signals;
mod states;

#[cfg(test)]
mod tests;

pub(crate) use session::{Place, Session, driver, interrupted_runs, left_of, to_run};
pub(crate) use states::{plan, skipped, tally};
