//! What can go wrong.

use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

use aws_sdk_lambda::config::http::HttpResponse;
use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use matrix_app::StorageError;
use matrix_aws::connection::Problem;
use matrix_driver::{DriverError, Reasons, SinkError};
use matrix_lambdas::aws::brief;

use super::Unserved;
use crate::cloud::CloudError;

/// Why a phase did not end well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LambdaError {
    /// It was asked to stop.
    #[error("interrupted")]
    Cancelled,
    /// The trace could not be written.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// Every request so far failed for one reason.
    #[error("the first {failed} of {requests} requests all failed, and no other was sent: {why}")]
    Hopeless {
        /// Requests that failed.
        failed: u64,
        /// Requests planned.
        requests: u64,
        /// Why.
        why: String,
        /// The same, with counts.
        reasons: Reasons,
    },
    /// The settings, or the services, do not serve the cell.
    #[error(transparent)]
    Unserved(#[from] Unserved),
    /// An entry of the file of endpoints does not serve the cell.
    #[error("connection_info.yaml: {0}")]
    Entry(Problem),
    /// A call of AWS failed.
    #[error("{what}: {why}")]
    Aws {
        /// What was being done.
        what: String,
        /// The service's answer.
        why: String,
    },
    /// A storage refused or did not answer.
    #[error("{what}: {source}")]
    Store {
        /// What was being done.
        what: String,
        /// Why it failed.
        source: StorageError,
    },
    /// The queue of evaluations is not there: nothing is told, and nothing is waited for.
    #[error("the queue of evaluations in {region} is not there ({why}); {}", queue_fix(*is_given, region))]
    NoQueue {
        /// AWS name of its region.
        region: String,
        /// Whether the file of endpoints names it.
        is_given: bool,
        /// The service's answer.
        why: String,
    },
    /// A stack could not be made.
    #[error("stack {stack}: {why}")]
    Stack {
        /// Name of the stack.
        stack: String,
        /// Its status, and the first failure in it.
        why: String,
    },
    /// Another run uses what this one needs.
    #[error("{resource} is in use by run `{owner}`: wait for its end, or for {} s if it was killed", left.as_secs() + 1)]
    Leased {
        /// What is leased.
        resource: String,
        /// Name of the run.
        owner: String,
        /// When the lease ends unless it is renewed.
        left: Duration,
    },
    /// Another run took what this one had leased, because it did not hear of this one for too long.
    #[error("the lease of {resource} was lost to another run")]
    LeaseLost {
        /// What was leased.
        resource: String,
    },
    /// Something did not happen in time.
    #[error("{what}: not within {} s", waited.as_secs())]
    Deadline {
        /// What was waited for.
        what: String,
        /// How long.
        waited: Duration,
    },
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{}: {what}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The driver's threads could not be started.
    #[error("starting the driver: {0}")]
    Runtime(#[source] std::io::Error),
    /// The system has no randomness to give.
    #[error("randomness: {0}")]
    Entropy(#[from] getrandom::Error),
    /// The broker's messages cannot be handed over.
    #[error(transparent)]
    Bridge(#[from] crate::testbed::BridgeError),
}

fn queue_fix(is_given: bool, region: &str) -> String {
    if is_given {
        return format!(
            "`sqs_eval.url__{region}` of connection_info.yaml names it: make it, or correct the entry; `matrix aws doctor` \
             looks at it (docs/aws.md#evaluations)"
        );
    }
    "its stack made it, and does not make it twice: `matrix live clean --strong FILE`, then begin again".to_owned()
}

impl LambdaError {
    /// A failed call of AWS.
    pub(crate) fn aws<E>(what: impl Display, error: SdkError<E, HttpResponse>) -> Self
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        Self::Aws { what: what.to_string(), why: brief(&error) }
    }

    pub(crate) fn store(what: impl Display) -> impl FnOnce(StorageError) -> Self {
        let what = what.to_string();
        move |source| Self::Store { what, source }
    }
}

impl From<CloudError> for LambdaError {
    fn from(error: CloudError) -> Self {
        match error {
            CloudError::Call { what, why, .. } => Self::Aws { what, why },
            CloudError::Deadline { what, waited } => Self::Deadline { what, waited },
            other @ (CloudError::Ignored(_) | CloudError::Foreign { .. } | CloudError::Gone { .. }) => {
                Unserved::resource(other).into()
            }
            CloudError::Stack { stack, status, reason } => {
                let why = reason.map_or_else(|| status.clone(), |reason| format!("{status}: {reason}"));
                Self::Stack { stack, why }
            }
        }
    }
}

impl From<LambdaError> for DriverError {
    fn from(error: LambdaError) -> Self {
        match error {
            LambdaError::Cancelled => Self::Cancelled,
            LambdaError::Sink(error) => Self::Sink(error),
            LambdaError::Hopeless { ref reasons, .. } => {
                Self::Hopeless { error: error.to_string(), reasons: reasons.clone() }
            }
            other => Self::failed(other),
        }
    }
}
