//! Cleaning: everything that bears the set-up's tag goes, and what is left is listed.

mod elsewhere;
mod inventory;
mod leases;
mod perform;
mod remove;

pub use elsewhere::Elsewhere;
pub(super) use inventory::is_not_enabled;
pub use inventory::{Inventory, Thing};
