//! What can go wrong while setting up, examining and cleaning.

use std::borrow::Cow;
use std::fmt::Write as _;

use matrix_aws::setup::{SetupError, StackId};

use crate::cloud::{Answer, CloudError};

/// Why it did not end well. [`Self::fix`] says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// It was asked to stop.
    #[error("interrupted")]
    Cancelled,
    /// The request cannot be met, or stacks gave something else than what they should.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// Versions or classes that a region does not offer.
    #[error("not on offer: {}", .0.join("; "))]
    NotOffered(Vec<String>),
    /// A service refused, or did not do what it accepted.
    #[error("{0}")]
    Service(String),
    /// What stacks made was deleted by hand; no stack makes it again.
    #[error("deleted by hand, and no stack makes anything twice: {}", .0.join("; "))]
    Gone(Vec<String>),
    /// Some stacks are not as they should be.
    #[error("{} failed{}", stacks(failures.len()), list(failures, blocked))]
    Stacks {
        /// Each with the reason.
        failures: Vec<Failed>,
        /// The stacks that were not begun because they need one of those.
        blocked: Vec<StackId>,
    },
    /// Stacks with names of the set-up's are somebody else's.
    #[error("stacks are there that are not of set-up `{name}`, because they do not bear its tag: {}", names(stacks))]
    Foreign {
        /// The set-up.
        name: String,
        /// The stacks.
        stacks: Vec<StackId>,
    },
    /// Functions of runs are still there, and may use what is to be removed.
    #[error("functions of runs are there, and may use what is to be removed: {}", names(.0))]
    Runs(Vec<StackId>),
    /// Threads could not be started.
    #[error("starting: {0}")]
    Runtime(#[source] std::io::Error),
}

/// A stack that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The stack.
    pub stack: StackId,
    /// Its status, and the first failure in its events.
    pub why: String,
}

fn stacks(count: usize) -> String {
    if count == 1 { "a stack".to_owned() } else { format!("{count} stacks") }
}

fn names(stacks: &[StackId]) -> String {
    stacks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn list(failures: &[Failed], blocked: &[StackId]) -> String {
    let mut text = String::new();
    for Failed { stack, why } in failures {
        // Writing into a string does not fail.
        let _ = write!(text, "\n  {stack}: {why}");
    }
    if !blocked.is_empty() {
        let _ = write!(text, "\n  not begun, because they need one of these: {}", names(blocked));
    }
    text
}

impl ProvisionError {
    /// What to do about it.
    #[must_use]
    pub fn fix(&self) -> Cow<'static, str> {
        let fix = match self {
            Self::Setup(error) => return error.fix().into(),
            Self::NotOffered(_) => {
                "name what is on offer in [aws.services] of the experiment: mysql_version, mysql_class, redis_version, \
                 redis_class, amq_version, amq_class"
            }
            Self::Cancelled => "the same command goes on from here",
            Self::Service(_) => {
                "fix what the service says, then run the same command again: it goes on from here; what the command \
                 needs to be allowed is in docs/aws.md#security"
            }
            Self::Gone(_) => {
                "`matrix aws clean`, then the same command again: it makes everything anew. To keep the rest, delete only the \
                 stack that made it, in CloudFormation's console, and give the same command again"
            }
            Self::Stacks { .. } => {
                "fix what the reasons say, then run the same command again: what was rolled back is deleted and made \
                 again (docs/aws.md#when-something-fails)"
            }
            Self::Foreign { .. } => "give the set-up another name: --name NAME",
            Self::Runs(_) => "remove them by `matrix live clean --strong FILE`, or all of them by adding --runs",
            Self::Runtime(_) => "end some processes",
        };
        fix.into()
    }
}

impl From<CloudError> for ProvisionError {
    fn from(error: CloudError) -> Self {
        match error {
            CloudError::Gone { what } => Self::Gone(vec![what]),
            error if error.answer() == Some(Answer::Absent) => Self::Gone(vec![error.to_string()]),
            error => Self::Service(error.to_string()),
        }
    }
}
