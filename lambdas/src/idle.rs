//! Connections that wait for their next use.

use std::cell::RefCell;

use matrix_app::StorageError;
use matrix_app::host::ErrorKind;

/// Most connections that are kept.
const MOST: usize = 8;

/// Idle connections of one server.
///
/// A connection is taken out for a call and put back when the call ended with the connection in order. A call that
/// fails or is dropped half-way loses its connection, so that nobody reads another call's answer.
#[derive(Debug)]
pub(crate) struct Idle<T>(RefCell<Vec<T>>);

impl<T> Default for Idle<T> {
    fn default() -> Self {
        Self(RefCell::new(Vec::new()))
    }
}

/// How a call on a connection ended.
pub(crate) enum Ended<T> {
    /// With an answer, or a refusal, and the connection in order.
    InOrder(Result<T, StorageError>),
    /// With a connection that is of no more use.
    Broken(StorageError),
}

impl<T> Idle<T> {
    /// Does `call` on an idle connection or else on a new one.
    ///
    /// A server may have closed an idle connection while its function was frozen: if the call finds an idle connection
    /// broken it is done once more, on a new one. So `call` must do no harm when it is done twice.
    pub(crate) async fn with<R>(
        &self,
        connect: impl AsyncFn() -> Result<T, StorageError>,
        call: impl AsyncFn(&mut T) -> Ended<R>,
    ) -> Result<R, StorageError> {
        let idle = self.0.borrow_mut().pop();
        if let Some(mut connection) = idle {
            match call(&mut connection).await {
                Ended::InOrder(result) => {
                    self.put(connection);
                    return result;
                }
                Ended::Broken(error) if error.kind == ErrorKind::Unreachable => {}
                Ended::Broken(error) => return Err(error),
            }
        }
        // The others are as old as the one that broke.
        self.0.borrow_mut().clear();
        let mut connection = connect().await?;
        match call(&mut connection).await {
            Ended::InOrder(result) => {
                self.put(connection);
                result
            }
            Ended::Broken(error) => Err(error),
        }
    }

    fn put(&self, connection: T) {
        let mut idle = self.0.borrow_mut();
        if idle.len() < MOST {
            idle.push(connection);
        }
    }
}
