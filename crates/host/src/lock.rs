//! One measured cell at a time on a host, whatever store it goes to.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use matrix_driver::Cancel;

/// The host's lock.
pub const LOCK: &str = "/tmp/matrix-host.lock";

/// Time between two tries to get the host's lock.
const LOOK: Duration = Duration::from_millis(100);

/// Holds the host's lock: nobody else measures here, whatever store they write.
#[derive(Debug)]
pub struct HostLock(#[expect(dead_code, reason = "held, not read")] File);

impl HostLock {
    /// Waits for the lock; `waiting` is called once if somebody else has it. None if it was stopped.
    ///
    /// # Errors
    /// When the lock's file cannot be made.
    pub fn take(cancel: &Cancel, waiting: &dyn Fn()) -> std::io::Result<Option<Self>> {
        // Whatever TMPDIR says: it is one for everybody on the host.
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(LOCK)?;
        // Another user's file has these permissions already.
        let _ = file.set_permissions(std::fs::Permissions::from_mode(0o666));
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Self(file))),
                Err(std::fs::TryLockError::WouldBlock) => {}
                Err(std::fs::TryLockError::Error(error)) => return Err(error),
            }
            if cancel.is_cancelled() {
                return Ok(None);
            }
            if !told {
                waiting();
                told = true;
            }
            std::thread::sleep(LOOK);
        }
    }
}
