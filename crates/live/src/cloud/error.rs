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
        Self::Call { what: what.to_string(), why: brief(error) }
    }

    /// A request that cannot be built.
    pub(crate) fn unbuildable(what: impl Display, error: impl Display) -> Self {
        Self::Call { what: what.to_string(), why: error.to_string() }
    }
}
