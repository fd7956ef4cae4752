//! Stacks of CloudFormation: making them as they should be, and removing them, whatever interrupts that.
//!
//! What CloudFormation says may be older than what it was told. So what is waited for is told from what was there before
//! by the stack's id, by the time of its last change and by the digest that is in its tags.

mod ensure;
mod found;
mod look;
mod remove;
mod wanted;

use std::time::Duration;

use aws_sdk_cloudformation::Client;

pub(crate) use found::{Found, Part, Standing};
pub(crate) use wanted::{RUN_TAG, Wanted};

use crate::aws::Pause;

/// How long what is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Until a stack is made, changed or gone.
    pub(crate) stack: Duration,
    /// First pause before a stack is looked at again; it grows.
    pub(crate) pause: Duration,
    /// Longest pause before a stack is looked at again.
    pub(crate) pause_max: Duration,
    /// How much older than what it was told may be what CloudFormation says.
    pub(crate) staleness: Duration,
    /// How long a call that is throttled or not answered is made again.
    pub(crate) call: Duration,
}

impl Patience {
    /// With this much time for a stack.
    pub(crate) fn of(stack: Duration) -> Self {
        Self {
            stack,
            pause: Duration::from_millis(50),
            pause_max: Duration::from_secs(3),
            staleness: Duration::from_secs(20),
            call: Duration::from_secs(120),
        }
    }
}

/// The stacks of a region.
#[derive(Clone, Debug)]
pub(crate) struct Stacks {
    client: Client,
    patience: Patience,
    /// Role in which CloudFormation works. Missing: the caller's rights.
    role: Option<String>,
    /// Times that do not count.
    pause: Pause,
}

impl Stacks {
    pub(crate) fn new(client: Client, patience: Patience) -> Self {
        Self { client, patience, role: None, pause: Pause::default() }
    }

    /// The same, with CloudFormation working in a role (an ARN).
    pub(crate) fn acting_as(self, role: Option<String>) -> Self {
        Self { role, ..self }
    }

    /// The same, with deadlines that stand still in pauses.
    pub(crate) fn pausing_with(self, pause: Pause) -> Self {
        Self { pause, ..self }
    }
}
