//! A runner on a real store: its sign of life, which a thread renews, and what it sees of others.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::board::{Board, Sign};
use super::sign::{self, SignFile};
use crate::error::{Holder, StoreError};
use crate::index::Stamp;
use crate::layout::{Layout, parent};
use crate::listing::list;
use crate::lock::{self, new_holder};
use crate::sealed::read_small;
use crate::shared::Shared;

/// How long a runner waits before it looks again for what another one is about to do.
const LOOK: Duration = Duration::from_millis(20);

/// How often a sign is renewed within the time in which it has to change.
const RENEWALS: u32 = 6;

/// One of several processes that write a store.
#[derive(Debug)]
pub(crate) struct Runner {
    pub(crate) id: String,
    expires_after: Duration,
    beat: Mutex<Option<Beat>>,
}

/// The thread that renews a sign, and the file that is locked as long as the process lives.
#[derive(Debug)]
struct Beat {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
    _file: File,
}

impl Drop for Beat {
    fn drop(&mut self) {
        *self.stop.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.1.notify_all();
        if let Some(thread) = self.thread.take() {
            // A thread that only waits has nothing to say.
            let _ = thread.join();
        }
    }
}

impl Runner {
    /// A runner that has given no sign yet. Others wait for so long before they take it for dead; without a time, for as long as the file
    /// system needs.
    pub(crate) fn new(root: &Path, expires_after: Option<Duration>) -> Self {
        let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S.%3fZ");
        let id = format!("{time}-{}-{:06x}", std::process::id(), random() & 0xff_ffff);
        let expires_after = expires_after.unwrap_or_else(|| usual_time(root)).max(Duration::from_secs(1));
        Self { id, expires_after, beat: Mutex::new(None) }
    }

    pub(crate) fn sign(&self, layout: &Layout) -> PathBuf {
        layout.runners().join(format!("{}.json", self.id))
    }

    /// Gives the first sign, and renews it from now on.
    pub(crate) fn start(&self, shared: &Shared, holder: &str) -> Result<(), StoreError> {
        let path = self.sign(&shared.layout);
        let fail = |error| StoreError::io("writing", &path, error);
        shared.ensure_dir(parent(&path))?;
        // It appears locked.
        let temp = path.with_extension("new");
        shared.fs.create(&temp).map_err(fail)?;
        let file = OpenOptions::new().read(true).write(true).open(&temp).map_err(fail)?;
        let sign = SignFile {
            holder: new_holder(holder),
            machine: sign::machine(&file.metadata().map_err(fail)?),
            locked: file.try_lock().is_ok(),
            seconds: self.expires_after.as_secs(),
        };
        let bytes = serde_json::to_vec(&sign)?;
        shared.fs.create(&temp).and_then(|mut file| file.write_all(&bytes)).map_err(fail)?;
        shared.fs.rename(&temp, &path).map_err(fail)?;
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let thread = renew(file.try_clone().map_err(fail)?, Arc::clone(&stop), self.expires_after / RENEWALS);
        let beat = Beat { stop, thread: Some(thread.map_err(fail)?), _file: file };
        *self.beat.lock().unwrap_or_else(PoisonError::into_inner) = Some(beat);
        Ok(())
    }

    /// Who has the store alone on another machine. Both write what the other one looks for, and look then; so at least one of them sees it. Where
    /// only one machine has the file system, the lock does the same.
    pub(crate) fn who_is_alone(&self, shared: &Shared) -> Option<Holder> {
        let now = std::fs::metadata(self.sign(&shared.layout)).and_then(|sign| sign.modified()).ok()?;
        lock::signed_elsewhere(&shared.layout, now)
    }

    /// Takes the sign back.
    pub(crate) fn stop(&self, shared: &Shared) {
        drop(self.beat.lock().unwrap_or_else(PoisonError::into_inner).take());
        // What cannot be removed is swept by the next runner.
        let _ = shared.fs.remove_dir_all(&shared.layout.tmp().join(&self.id));
        let _ = shared.fs.remove_file(&self.sign(&shared.layout));
    }
}

/// Renews a sign: its time of change is set by the clock of the file system.
fn renew(file: File, stop: Arc<(Mutex<bool>, Condvar)>, every: Duration) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("matrix-sign".to_owned()).spawn(move || {
        let mut stopped = stop.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !*stopped {
            stopped = stop.1.wait_timeout(stopped, every).unwrap_or_else(PoisonError::into_inner).0;
            if !*stopped {
                // If it cannot be renewed, others take the work over in time.
                let _ = touch(&file);
            }
        }
    })
}

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn touch(file: &File) -> io::Result<()> {
    use rustix::fs::{Timespec, Timestamps, UTIME_NOW, futimens};
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    Ok(futimens(file, &Timestamps { last_access: now, last_modification: now })?)
}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
fn touch(file: &File) -> io::Result<()> {
    file.set_modified(std::time::SystemTime::now())
}

/// How long others wait for a sign on a file system that several machines may share: one may see the other's files a minute late.
pub const SHARED_TIME: Duration = Duration::from_secs(180);

/// How long others wait for a sign.
fn usual_time(root: &Path) -> Duration {
    if is_of_one_machine(root) { Duration::from_secs(30) } else { SHARED_TIME }
}

/// Whether a place is on a file system that only one machine has, as far as the system says it. A place that is not there yet is where the
/// folder is that it will be in.
#[must_use]
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub fn is_of_one_machine(place: &Path) -> bool {
    // ext, XFS, Btrfs, tmpfs, overlayfs, F2FS, ZFS.
    const LOCAL: [u64; 7] = [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630, 0xF2F5_2010, 0x2FC1_2FC1];
    let place = place.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    rustix::fs::statfs(place).is_ok_and(|found| LOCAL.contains(&(found.f_type as u64 & 0xFFFF_FFFF)))
}

/// Whether a place is on a file system that only one machine has: the system does not say it.
#[must_use]
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
pub fn is_of_one_machine(_: &Path) -> bool {
    false
}

/// A number that no other process draws.
fn random() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

/// The clock of this process, which nobody sets.
fn clock() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

impl Board for Shared {
    /// It need not be on the disk: after a power cut, what was claimed is claimed again.
    fn create(&self, path: &Path, bytes: &[u8]) -> Result<bool, StoreError> {
        self.begin()?;
        let fail = |error| StoreError::io("writing", path, error);
        let temp = self.temp();
        self.fs.create(&temp).and_then(|mut file| file.write_all(bytes)).map_err(fail)?;
        let place = || self.ensure_dir_unsynced(parent(path)).and_then(|_| self.link(&temp, path));
        // Whoever ends a run removes the folder of its claims, perhaps just now.
        let created = match place() {
            Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => place(),
            created => created,
        };
        // What cannot be removed is swept later.
        let _ = self.fs.remove_file(&temp);
        created
    }

    fn link(&self, temp: &Path, path: &Path) -> Result<bool, StoreError> {
        self.fs.link(temp, path).map_err(|error| StoreError::io("writing", path, error))
    }

    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
        read_small(path)
    }

    fn list(&self, folder: &Path) -> Result<Vec<String>, StoreError> {
        Ok(list(folder)?.into_iter().filter_map(|item| item.name.into_string().ok()).collect())
    }

    fn remove(&self, path: &Path) -> Result<(), StoreError> {
        let removed = if path.is_dir() { self.fs.remove_dir_all(path) } else { self.fs.remove_file(path) };
        match removed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(|error| StoreError::io("removing", path, error)),
        }
    }

    fn sign(&self, runner: &str) -> Result<Sign, StoreError> {
        // This runner's own sign, which is fresh, has the file system's time.
        let mine = self.runner.as_ref().and_then(|runner| std::fs::metadata(runner.sign(&self.layout)).ok());
        let now_ns = mine.map(|metadata| Stamp::of(&metadata).changed_ns);
        sign::look(&self.layout.runners().join(format!("{runner}.json")), now_ns)
    }

    fn now(&self) -> Duration {
        clock()
    }

    fn pause(&self) -> Result<(), StoreError> {
        std::thread::sleep(LOOK);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::WritableStore;
    use crate::fs::Filesystem;

    /// A file system on which somebody removes the folder of the claims once, before a claim is placed there.
    #[derive(Debug, Default)]
    struct Removing(AtomicBool);

    impl Filesystem for Removing {
        fn link(&self, from: &Path, to: &Path) -> io::Result<bool> {
            if !self.0.swap(true, Ordering::SeqCst) {
                std::fs::remove_dir_all(parent(to))?;
            }
            std::fs::hard_link(from, to).map(|()| true)
        }
    }

    #[test]
    fn a_claim_is_placed_though_another_runner_removes_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let store = WritableStore::join_with(folder.path(), "test", Arc::new(Removing::default()), None).unwrap();
        let claim = store.shared.layout.claims().join("run/0/0");
        assert!(store.shared.create(&claim, b"{}").unwrap());
        assert_eq!(std::fs::read(claim).unwrap(), b"{}");
    }
}
