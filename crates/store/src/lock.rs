//! The lock of a store: one writer at a time.
//!
//! The system's lock on the file `lock` is what counts; it dies with its holder. The file's text only tells who it is.
//! It is written with the first change to the store, so that a command that finds nothing to do changes nothing.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::Path;

use crate::error::{Holder, StoreError};
use crate::fs::Filesystem;
use crate::layout::Layout;
use crate::sealed::read_small;

/// Takes the lock, creating its file if need be.
pub(crate) fn take(fs: &dyn Filesystem, layout: &Layout) -> Result<File, StoreError> {
    let path = layout.lock();
    let fail = |error| StoreError::io("locking", &path, error);
    if !path.exists() {
        fs.create(&path).map_err(fail)?;
    }
    let file = OpenOptions::new().read(true).write(true).open(&path).map_err(fail)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(held(layout)),
        Err(TryLockError::Error(error)) => Err(fail(error)),
    }
}

/// The error that somebody has the lock.
pub(crate) fn held(layout: &Layout) -> StoreError {
    StoreError::Locked { path: layout.root.clone(), holder: holder(&layout.lock()).filter(alive) }
}

/// Whether somebody has the lock just now.
pub(crate) fn is_held(layout: &Layout) -> bool {
    let Ok(file) = File::open(layout.lock()) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// Signs the lock.
pub(crate) fn sign(fs: &dyn Filesystem, path: &Path, command: &str) -> Result<(), StoreError> {
    let holder = Holder {
        command: command.to_owned(),
        pid: std::process::id(),
        since: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    };
    let mut text = serde_json::to_vec(&holder)?;
    text.push(b'\n');
    let fail = |error| StoreError::io("locking", path, error);
    fs.create(path).and_then(|mut file| file.write_all(&text)).map_err(fail)
}

fn holder(path: &Path) -> Option<Holder> {
    serde_json::from_slice(&read_small(path).ok()??).ok()
}

/// Whether the signature can be the holder's: a killed process leaves its own behind, and the next may not have signed.
fn alive(holder: &Holder) -> bool {
    !cfg!(target_os = "linux") || Path::new(&format!("/proc/{}", holder.pid)).exists()
}
