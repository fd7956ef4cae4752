//! Signs of life: what a runner says of itself, and what others see of it.

use std::fs::{Metadata, TryLockError};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::board::Sign;
use crate::error::{Holder, StoreError};
use crate::index::Stamp;
use crate::listing::list;
use crate::names::RunId;
use crate::plain::open_plain;
use crate::sealed::read_small;
use crate::store::Store;

/// How long a sign has to be silent before what its runner left is removed, where nobody knows whether its process has ended.
pub(crate) const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// The file of a sign, `runners/<runner>.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SignFile {
    /// Who it is.
    pub(crate) holder: Holder,
    /// What tells this start of this machine, and the mount of the store on it, from others, where the system says it.
    pub(crate) machine: Option<String>,
    /// Whether the file is locked as long as the process lives.
    pub(crate) locked: bool,
    /// Seconds for which the sign may stay the same while its runner lives.
    pub(crate) seconds: u64,
}

impl SignFile {
    /// Reads a sign; nothing where there is none, or where it is not whole.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, StoreError> {
        Ok(if_whole(read_small(path))?.flatten().and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }
}

/// Nothing where a file is no sign: a pipe, a device, or more than a sign can be.
fn if_whole<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Err(StoreError::Damaged { .. }) => Ok(None),
        read => read.map(Some),
    }
}

/// What tells this start of this machine from others, and the file system that a file is on: a folder may be mounted twice on one machine, in
/// containers for example, and then locks need not be seen from one mount to the other. Nothing where the system does not say it.
#[must_use]
pub fn machine(file: &Metadata) -> Option<String> {
    #[cfg(unix)]
    let device = std::os::unix::fs::MetadataExt::dev(file);
    #[cfg(not(unix))]
    let device = 0;
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim()).filter(|text| !text.is_empty()).map(|start| format!("{start} {device}"))
}

/// What can be seen of the runner whose sign is this file. `now_ns` is the time by the clock of the file system, as far as it is known.
pub(crate) fn look(path: &Path, now_ns: Option<u128>) -> Result<Sign, StoreError> {
    let fail = |error| StoreError::io("reading", path, error);
    let Some(opened) = if_whole(open_plain(path))? else { return Ok(Sign::Dead) };
    let Some(file) = opened else { return Ok(Sign::Gone) };
    let metadata = file.metadata().map_err(fail)?;
    let stamp = Stamp::of(&metadata);
    // A sign that a power cut took has no runner.
    let Some(sign) = SignFile::read(path)? else { return Ok(Sign::Dead) };
    // Whoever has the lock lives, however long it has been stopped. That nobody has it means something on this machine only: others may not see
    // each other's locks.
    let mut is_held = false;
    if sign.locked && sign.machine.is_some() && sign.machine == machine(&metadata) {
        match file.try_lock_shared() {
            Ok(()) => return Ok(Sign::Dead),
            Err(TryLockError::WouldBlock) => is_held = true,
            Err(TryLockError::Error(error)) => return Err(fail(error)),
        }
    }
    let abandoned = !is_held && now_ns.is_some_and(|now| now.saturating_sub(stamp.changed_ns) > ABANDONED.as_nanos());
    Ok(Sign::Seen { stamp: stamp.changed_ns, expires_after: Duration::from_secs(sign.seconds), abandoned })
}

/// What is known of a runner's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunnerState {
    /// Its process is there, or it gave a sign within the time that it promised.
    Alive,
    /// It has given no sign for longer than it promised. It may have been stopped, or its machine may be gone.
    Silent,
    /// Its process has ended without saying so.
    Dead,
}

/// A runner, as others see it.
#[derive(Clone, Debug)]
pub struct RunnerStatus {
    /// Its name.
    pub name: String,
    /// Who it is.
    pub holder: Holder,
    /// What is known of its life.
    pub state: RunnerState,
    /// Seconds since its last sign, by the clock of this machine.
    pub silent_s: u64,
    /// Seconds within which it promised a sign.
    pub promised_s: u64,
}

impl Store {
    /// The runners that execute a run, as far as they are there.
    ///
    /// # Errors
    /// When a sign cannot be read.
    pub fn runners_of(&self, run: &RunId) -> Result<Vec<RunnerStatus>, StoreError> {
        let folder = self.layout.claims_of(run).join("runners");
        let names: Vec<_> = list(&folder)?.into_iter().filter_map(|item| item.name.into_string().ok()).collect();
        Ok(self.runners()?.into_iter().filter(|runner| names.contains(&runner.name)).collect())
    }

    /// The runners that have a sign in the store, in order of their starts.
    ///
    /// # Errors
    /// When a sign cannot be read.
    pub fn runners(&self) -> Result<Vec<RunnerStatus>, StoreError> {
        let folder = self.layout.runners();
        let mut found = Vec::new();
        for item in list(&folder)? {
            let Some(name) = item.file().and_then(|name| name.strip_suffix(".json")) else { continue };
            let path = folder.join(&item.name);
            let state = match look(&path, None)? {
                Sign::Gone => continue,
                Sign::Dead => RunnerState::Dead,
                Sign::Seen { .. } => RunnerState::Alive,
            };
            let Some(sign) = SignFile::read(&path)? else { continue };
            let changed = std::fs::metadata(&path).and_then(|metadata| metadata.modified()).unwrap_or(UNIX_EPOCH);
            let silent_s = changed.elapsed().map_or(0, |silent| silent.as_secs());
            let state =
                if state == RunnerState::Alive && silent_s > sign.seconds { RunnerState::Silent } else { state };
            let (name, holder, promised_s) = (name.to_owned(), sign.holder, sign.seconds);
            found.push(RunnerStatus { name, holder, state, silent_s, promised_s });
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn who_is_refused_is_told_of_the_runner_that_may_live_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        Store::create_or_open_for_writing(folder.path(), "test").unwrap().close().unwrap();
        let runners = folder.path().join("runners");
        std::fs::create_dir_all(&runners).unwrap();
        let since = "2026-11-22T13:00:00Z".to_owned();
        let holder = Holder { command: "matrix run".to_owned(), pid: 1, since, host: Some("elsewhere".to_owned()) };
        let sign = SignFile { holder: holder.clone(), machine: Some("another".to_owned()), locked: true, seconds: 1 };
        std::fs::write(runners.join("r.json"), serde_json::to_vec(&sign).unwrap()).unwrap();
        // Long silent for what it promised, but not for a day.
        let silent = std::time::SystemTime::now() - Duration::from_secs(3600);
        File::open(runners.join("r.json")).unwrap().set_modified(silent).unwrap();
        let seen = Store::open(folder.path()).and_then(|store| store.garbage());
        let alone = Store::create_or_open_for_writing(folder.path(), "matrix gc");
        for refused in [seen, alone.and_then(|store| store.collect_garbage())] {
            match refused {
                Err(StoreError::Locked { holder: Some(found), .. }) => assert_eq!(found, holder),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_runner_that_was_stopped_for_days_keeps_its_sign_and_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let join = || {
            let fs = std::sync::Arc::new(crate::fs::RealFilesystem);
            let store = crate::WritableStore::join_with(folder.path(), "test", fs, Some(Duration::from_secs(3600)));
            store.inspect(|store| store.sweep().unwrap()).unwrap()
        };
        let names = |name: &str| list(&folder.path().join(name)).unwrap().len();
        let stopped = join();
        let runners = folder.path().join("runners");
        let sign = runners.join(&list(&runners).unwrap()[0].name);
        let long_ago = std::time::SystemTime::now() - 2 * ABANDONED;
        File::open(&sign).unwrap().set_modified(long_ago).unwrap();
        let other = join();
        assert!(sign.exists());
        assert_eq!((names("runners"), names("tmp")), (2, 2));
        drop((stopped, other));
    }

    #[test]
    fn what_is_no_sign_is_nobodys_and_is_removed_by_the_next_runner() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        Store::create_or_open_for_writing(root, "test").unwrap().close().unwrap();
        let runners = root.join("runners");
        std::fs::create_dir_all(&runners).unwrap();
        std::fs::write(runners.join("text.json"), "{").unwrap();
        std::os::unix::fs::symlink("/dev/zero", runners.join("zeros.json")).unwrap();
        crate::plain::tests::make_pipe(&runners.join("pipe.json"));
        File::create(runners.join("large.json")).unwrap().set_len(crate::sealed::MAX_JSON_BYTES + 2).unwrap();
        let store = Store::open(root).unwrap();
        assert!(store.runners().unwrap().is_empty() && !store.is_being_written());
        store.garbage().unwrap();
        let fs = std::sync::Arc::new(crate::fs::RealFilesystem);
        crate::WritableStore::join_with(root, "test", fs, None).unwrap().sweep().unwrap();
        assert_eq!(list(&runners).unwrap(), []);
    }
}
