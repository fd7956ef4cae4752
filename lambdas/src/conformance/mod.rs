//! The real storages in the suites of `matrix_app::conformance`, and a server that hangs.

mod hung;
mod real;

pub use hung::HungServer;
pub use real::{RealPosts, ReplicationControl, Uncontrolled, built_at};
