//! The lock of a store: one writer alone, or any number that run cells.
//!
//! The system's lock on the file `lock` is what counts; it dies with its holder. The file's text only tells who it is.
//! It is written with the first change to the store, so that a command that finds nothing to do changes nothing.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::SystemTime;

use crate::error::{Holder, StoreError};
use crate::fs::Filesystem;
use crate::layout::Layout;
use crate::listing::list;
use crate::plain::{NOT_PLAIN, open_plain};
use crate::sealed::read_small;
use crate::share::{ABANDONED, RunnerState, Sign, SignFile, is_of_one_machine, look};
use crate::store::Store;

/// Takes the lock, creating its file if need be.
pub(crate) fn take(fs: &dyn Filesystem, layout: &Layout) -> Result<File, StoreError> {
    let file = open(fs, layout)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(held(layout)),
        Err(TryLockError::Error(error)) => Err(StoreError::io("locking", &layout.lock(), error)),
    }
}

/// Takes the lock together with others that run cells, unless somebody has the store alone. Nothing where the file system has no locks:
/// then signs of life have to do.
pub(crate) fn take_shared(fs: &dyn Filesystem, layout: &Layout) -> Result<Option<File>, StoreError> {
    let file = open(fs, layout)?;
    match file.try_lock_shared() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(held(layout)),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

fn open(fs: &dyn Filesystem, layout: &Layout) -> Result<File, StoreError> {
    let path = layout.lock();
    let fail = |error| StoreError::io("locking", &path, error);
    match std::fs::symlink_metadata(&path) {
        // What a link leads to is no part of the store, and would be overwritten.
        Ok(found) if found.is_symlink() => return Err(StoreError::damaged(&path, "it is a link")),
        Ok(_) => {}
        Err(_) => drop(fs.create(&path).map_err(fail)?),
    }
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, rustix::fs::OFlags::NOFOLLOW.bits() as i32);
    let file = options.read(true).write(true).open(&path).map_err(fail)?;
    // Who signs a pipe would wait for a reader.
    match file.metadata().map_err(fail)?.is_file() {
        true => Ok(file),
        false => Err(StoreError::damaged(&path, NOT_PLAIN)),
    }
}

/// The error that somebody has the lock.
pub(crate) fn held(layout: &Layout) -> StoreError {
    let holder = signed(layout).or_else(|| runner(layout)).or_else(|| known_to_the_system(&layout.lock()));
    StoreError::Locked { path: layout.root.clone(), holder }
}

/// Who has signed the lock, if it can be who has it.
pub(crate) fn signed(layout: &Layout) -> Option<Holder> {
    signed_by(layout).filter(alive)
}

/// Who has signed the lock on another machine, from which the lock itself need not be seen here; nobody, where only one machine has the
/// file system. A signature that is a day older than `now`, by the
/// clock of the file system, is that of a process which nobody ended properly.
pub(crate) fn signed_elsewhere(layout: &Layout, now: SystemTime) -> Option<Holder> {
    let signed = std::fs::metadata(layout.lock()).and_then(|metadata| metadata.modified()).ok()?;
    let is_old = now.duration_since(signed).is_ok_and(|age| age > ABANDONED);
    signed_by(layout).filter(|holder| !is_old && !is_here(holder) && !is_of_one_machine(&layout.root))
}

/// Who runs cells in the store, if somebody does.
pub(crate) fn runner(layout: &Layout) -> Option<Holder> {
    let store = Store::open_if_present(&layout.root).ok()??;
    let runners = store.runners().ok()?;
    runners.into_iter().find(|runner| runner.state == RunnerState::Alive).map(|runner| runner.holder)
}

/// Refuses a store in which a runner of another machine may live, whose lock need not be seen here.
pub(crate) fn must_have_no_runner(layout: &Layout) -> Result<(), StoreError> {
    let folder = layout.runners();
    // A clock that is wrong by less than a day does no harm.
    let now_ns = std::time::UNIX_EPOCH.elapsed().ok().map(|since| since.as_nanos());
    for item in list(&folder)? {
        if let Some(name) = item.file().filter(|name| name.ends_with(".json"))
            && let Sign::Seen { abandoned: false, .. } = look(&folder.join(name), now_ns)?
        {
            let sign = SignFile::read(&folder.join(name))?;
            return Err(StoreError::Locked { path: layout.root.clone(), holder: sign.map(|sign| sign.holder) });
        }
    }
    Ok(())
}

/// Refuses a store that another machine may be writing, whose lock need not be seen here: its runners have signs, and who has it alone signed
/// before the first change.
pub(crate) fn must_be_nobodys_elsewhere(layout: &Layout) -> Result<(), StoreError> {
    must_have_no_runner(layout)?;
    match signed_elsewhere(layout, SystemTime::now()) {
        None => Ok(()),
        holder => Err(StoreError::Locked { path: layout.root.clone(), holder }),
    }
}

/// Whether somebody has the lock just now.
pub(crate) fn is_held(layout: &Layout) -> bool {
    let Ok(Some(file)) = open_plain(&layout.lock()) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// What who has the lock writes into its file.
pub(crate) fn signature(command: &str) -> Result<Vec<u8>, StoreError> {
    let mut text = serde_json::to_vec(&new_holder(command))?;
    text.push(b'\n');
    Ok(text)
}

/// This process, which writes from now on.
pub(crate) fn new_holder(command: &str) -> Holder {
    Holder {
        command: command.to_owned(),
        pid: std::process::id(),
        since: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        host: host(),
    }
}

fn signed_by(layout: &Layout) -> Option<Holder> {
    serde_json::from_slice(&read_small(&layout.lock()).ok()??).ok()
}

fn is_here(holder: &Holder) -> bool {
    holder.host.is_none() || holder.host == host()
}

/// Who has a lock and has not signed it, where the system lists locks: a process that writes nothing yet, or another
/// program.
#[cfg(target_os = "linux")]
fn known_to_the_system(lock: &Path) -> Option<Holder> {
    use std::os::unix::fs::MetadataExt as _;
    let inode = format!(":{}", std::fs::metadata(lock).ok()?.ino());
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    // `1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF`; who waits for one has `->` after the number.
    let pid = locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_it = words.get(1) == Some(&"FLOCK") && words.get(5).is_some_and(|place| place.ends_with(&inode));
        words.get(4).filter(|_| is_it)?.parse::<u32>().ok()
    })?;
    let words = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let words = String::from_utf8_lossy(words.strip_suffix(&[0]).unwrap_or(&words)).replace('\0', " ");
    Some(Holder { command: words, pid, since: String::new(), host: host() })
}

#[cfg(not(target_os = "linux"))]
fn known_to_the_system(_lock: &Path) -> Option<Holder> {
    None
}

/// The name of this machine.
fn host() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// Whether the signature can be the holder's: a killed process leaves its own behind, and the next may not have signed. Of
/// another machine's processes nothing is known.
fn alive(holder: &Holder) -> bool {
    !cfg!(target_os = "linux") || !is_here(holder) || Path::new(&format!("/proc/{}", holder.pid)).exists()
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;
    use std::sync::Arc;

    use super::*;
    use crate::fs::RealFilesystem;
    use crate::writable::WritableStore;

    #[test]
    fn what_a_link_in_the_place_of_the_lock_leads_to_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (root, outside) = (folder.path().join("store"), folder.path().join("outside"));
        let (lock, aside) = (root.join("lock"), folder.path().join("aside"));
        std::fs::write(&outside, "text").unwrap();
        let store = Store::create_or_open_for_writing(&root, "test").unwrap();
        // Somebody puts a link there while the store is open.
        std::fs::rename(&lock, &aside).unwrap();
        symlink(&outside, &lock).unwrap();
        store.upgrade().unwrap();
        let signed = std::fs::read_to_string(&aside).unwrap();
        assert!(signed.contains("test") && signed.ends_with("}\n"), "{signed}");
        store.close().unwrap();
        assert_eq!(std::fs::read(&aside).unwrap(), b"");
        let joined = WritableStore::join_with(&root, "test", Arc::new(RealFilesystem), None);
        for refused in [joined, Store::create_or_open_for_writing(&root, "test")] {
            let error = refused.unwrap_err();
            assert!(matches!(&error, StoreError::Damaged { path, .. } if *path == lock), "{error}");
        }
        assert_eq!(std::fs::read(&outside).unwrap(), b"text");
    }
}
