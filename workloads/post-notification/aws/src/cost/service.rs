//! What a cell's cost is divided by.

use std::fmt;

/// A service on the bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// The functions.
    Lambda,
    /// The queue of evaluations.
    Sqs,
    /// Notifications by SNS.
    Sns,
    /// Posts and notifications in DynamoDB.
    Dynamo,
    /// Posts in S3.
    S3,
    /// Posts in Aurora, without its instances.
    Aurora,
    /// Data that leaves the writer's region.
    Transfer,
}

impl Service {
    /// Its name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lambda => "lambda",
            Self::Sqs => "sqs",
            Self::Sns => "sns",
            Self::Dynamo => "dynamodb",
            Self::S3 => "s3",
            Self::Aurora => "aurora",
            Self::Transfer => "data_transfer",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
