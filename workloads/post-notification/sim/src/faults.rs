//! Injected faults, for tests of what the simulator does when something breaks.

use matrix_app::host::ErrorKind;

/// A call of the application to its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Storing the post.
    Write,
    /// Publishing the notification.
    Publish,
    /// A poll of the barrier.
    Poll,
    /// Reading the post.
    Read,
    /// Sending the evaluation.
    Evaluate,
}

/// What goes wrong. The methods are called for every request; those that are not overridden break nothing.
pub trait Faults: Sync {
    /// May change the bytes that the event source delivers to the reader.
    fn deliver(&self, _i: u64, _wire: &mut Vec<u8>) {}

    /// Whether a call never answers.
    fn hangs(&self, _i: u64, _call: Call) -> bool {
        false
    }

    /// The failure that a call ends in, if it fails.
    fn fails(&self, _i: u64, _call: Call) -> Option<ErrorKind> {
        None
    }
}

/// Nothing goes wrong.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFaults;

impl Faults for NoFaults {}
