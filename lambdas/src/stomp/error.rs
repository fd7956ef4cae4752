//! What can go wrong between a client and a broker.

use matrix_app::host::ErrorKind;

use super::frames::FrameError;

/// A failed exchange with a broker. After one the connection is of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StompError {
    /// The connection could not be made, or broke.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The broker closed the connection.
    #[error("the broker closed the connection")]
    Closed,
    /// The authorities that certificates are checked against could not be read.
    #[error("certificates: {0}")]
    Certificates(String),
    /// The broker sent what is no frame.
    #[error("{0}")]
    Frame(#[from] FrameError),
    /// The broker refused.
    #[error("the broker says: {0}")]
    Refused(String),
    /// The broker sent a frame that has no place here.
    #[error("the broker sent an unexpected {0}")]
    Unexpected(String),
    /// No answer in time.
    #[error("no answer of the broker in time")]
    Timeout,
}

impl StompError {
    /// The failure's kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            // A certificate that is not trusted will not be trusted the next time.
            Self::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => ErrorKind::Refused,
            Self::Io(_) | Self::Closed => ErrorKind::Unreachable,
            Self::Certificates(_) | Self::Refused(_) => ErrorKind::Refused,
            Self::Frame(_) | Self::Unexpected(_) => ErrorKind::Malformed,
            Self::Timeout => ErrorKind::Timeout,
        }
    }
}
