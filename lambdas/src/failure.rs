//! Failures of calls, and the time that every call has.

use std::fmt::Display;
use std::future::Future;
use std::time::Duration;

use matrix_app::StorageError;
use matrix_app::host::ErrorKind;

/// Time to open a connection, handshakes included.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Time for one question or one write on an open connection.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(15);

/// A failure of `service`.
pub(crate) fn failure(service: &'static str, kind: ErrorKind, message: impl Display) -> StorageError {
    StorageError { service, kind, message: message.to_string() }
}

/// Gives a call `limit`, after which it is dropped and counts as timed out.
pub(crate) async fn within<T>(
    service: &'static str,
    what: &str,
    limit: Duration,
    call: impl Future<Output = Result<T, StorageError>>,
) -> Result<T, StorageError> {
    match tokio::time::timeout(limit, call).await {
        Ok(result) => result,
        Err(_) => Err(failure(service, ErrorKind::Timeout, format_args!("{what}: no answer within {limit:?}"))),
    }
}
