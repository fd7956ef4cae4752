//! Planning and executing the cells of an experiment, and storing their results.

mod execute;
mod input;
mod part;
mod plan;
mod program;
mod require;
mod reread;
mod session;
mod version;

pub use input::{Input, InputFailure};
pub use part::Part;
pub use plan::{PlanDocument, PlannedCell, disturbed, matches, matches_any, plan, states};
pub use program::missing_program;
pub use require::unmet;
pub use reread::reread;
pub use session::{Begun, Options, Places, Report, Session, interrupted};
