//! Running a program so that nothing of it is left.
//!
//! Each program runs under a process of ours, the *supervisor*: this same executable, begun with [`WORD`]. The
//! supervisor is a subreaper, so that whatever the program starts stays below it, also what leaves the program's session
//! or outlives its parent. It holds a pipe from the runner: when the runner asks for it, or is gone, `kill -9` included,
//! the pipe ends and the supervisor kills everything below it. The runner is a subreaper as well: should a supervisor be
//! killed, what it left becomes the runner's, who ends it. Where it may, a supervisor makes a control group of its own: what is
//! left in it when both were killed is ended by the next run.

mod client;
mod group;
mod process;
mod protocol;
mod tree;

pub(crate) use client::living;
pub use client::{Running, Supervisors};
pub use process::supervise;
pub use protocol::{Ended, Job};

/// The first argument that makes this executable a supervisor.
pub const WORD: &str = "__supervise";
