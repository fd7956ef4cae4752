//! Setting up: stacks in the order of what they need, then what the services say of them.

mod make;
mod offers;
mod order;
mod perform;
mod plan;
mod services;
mod wanted;

pub use make::{Progress, Tell};
pub(super) use order::{LAST, RANK_TAG};
pub use perform::Done;
pub use plan::{Action, Planned};
