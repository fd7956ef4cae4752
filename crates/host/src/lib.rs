//! The host that measures: one measured cell at a time, whether other work disturbs it, and what machine it is.

mod lock;
mod machine;
mod proc;
mod watch;

pub use lock::{HostLock, LOCK};
pub use machine::{machine, machine_of, memory_bytes};
pub use proc::{ticks_of, ticks_of_trees};
pub use watch::{Watch, wait_until_idle};

/// The name of the note that says whether an attempt was disturbed.
pub const HOST: &str = "host";

/// The name of the note that says on what machine an attempt ran.
pub const MACHINE: &str = "machine";

/// Whether a note says that the host was disturbed.
#[must_use]
pub fn is_disturbed(note: &str) -> bool {
    note.starts_with("disturbed")
}

/// Whether a note says that it is not known whether the host was disturbed.
#[must_use]
pub fn is_unwatched(note: &str) -> bool {
    note.starts_with("not watched")
}
