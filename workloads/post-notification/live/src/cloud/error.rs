//! What can go wrong.

use std::fmt::Display;
use std::time::Duration;

use aws_sdk_cloudformation::config::http::HttpResponse;
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use matrix_lambdas::aws::brief;

/// Why something at AWS is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CloudError {
    /// A call failed for good.
    #[error("{what}: {why}")]
    Call {
        /// What was being done.
        what: String,
        /// The service's answer.
        why: String,
        /// What that means.
        answer: Answer,
    },
    /// Something that others are made from is not there, and nothing makes it again.
    #[error("{what} is not there")]
    Gone {
        /// What.
        what: String,
    },
    /// A stack could not be made, changed or deleted.
    #[error("stack {stack}: {status}{}", because(reason.as_deref()))]
    Stack {
        /// Its name.
        stack: String,
        /// Its status.
        status: String,
        /// The first failure in its events.
        reason: Option<String>,
    },
    /// Something did not happen in time.
    #[error("{what}: not within {} s", waited.as_secs())]
    Deadline {
        /// What was waited for.
        what: String,
        /// How long.
        waited: Duration,
    },
    /// A stack of the name that is wanted is not one of ours.
    #[error("stack {stack} is there and is somebody else's: it does not bear the tag {tag}={owner}")]
    Foreign {
        /// Its name.
        stack: String,
        /// The tag that ours bear.
        tag: &'static str,
        /// Its value.
        owner: String,
    },
    /// A service accepted what it does not do.
    #[error("{0}")]
    Ignored(String),
}

fn because(reason: Option<&str>) -> String {
    reason.map_or_else(String::new, |reason| format!(": {reason}"))
}

impl CloudError {
    /// A failed call.
    pub(crate) fn call<E>(what: impl Display, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        Self::Call { what: what.to_string(), why: brief(error), answer: Answer::of(error) }
    }

    /// A request that cannot be built.
    pub(crate) fn unbuildable(what: impl Display, error: impl Display) -> Self {
        Self::Call { what: what.to_string(), why: error.to_string(), answer: Answer::Other }
    }

    /// What a service answered, if one did.
    pub(crate) fn answer(&self) -> Option<Answer> {
        match self {
            Self::Call { answer, .. } => Some(*answer),
            _ => None,
        }
    }
}

/// What the failure of a call means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The caller's policies do not allow the call.
    Denied,
    /// What it is about is not there.
    Absent,
    /// Anything else.
    Other,
}

/// Error codes of calls that the caller's policies do not allow (AWS General Reference, "Common errors"; Amazon S3 and SNS
/// API references, "Errors").
const DENIALS: [&str; 5] =
    ["AccessDenied", "AccessDeniedException", "AuthorizationError", "NotAuthorized", "UnauthorizedOperation"];

/// Error codes of what is not there, by services that do not answer with status 404.
const ABSENCES: [&str; 3] =
    ["AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "ResourceNotFoundException"];

impl Answer {
    /// What the failure of a call means.
    pub(crate) fn of<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Self {
        let status = error.raw_response().map(|response| response.status().as_u16());
        match (error.code(), status) {
            (Some(code), _) if DENIALS.contains(&code) => Self::Denied,
            // An answer to HEAD has no body that could name a code.
            (None, Some(403)) => Self::Denied,
            (Some(code), _) if ABSENCES.contains(&code) => Self::Absent,
            (_, Some(404)) => Self::Absent,
            _ => Self::Other,
        }
    }
}
