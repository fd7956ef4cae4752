//! The folder of an attempt, and folders that killed runners left: the next run on this machine removes them.

use std::fs::{File, OpenOptions};
use std::io::{Read, Result, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use matrix_core::CellKey;
use rustix::fs::OFlags;
use tempfile::TempDir;

/// A file in the folder that is locked while its runner lives, and says since when the machine runs: elsewhere, a lock on a
/// shared file system may look free that is not.
const LOCK: &str = ".lock";

/// Letters that make a folder's name one of its own.
const RANDOM: usize = 6;

/// An attempt's folder. Dropped, it is removed.
#[derive(Debug)]
pub(super) struct Folder {
    folder: TempDir,
    /// Released when the folder has been removed. None where nobody else is to remove it.
    _lock: Option<File>,
}

impl Folder {
    /// Makes the folder; one that is to be kept is nobody's to remove, whatever becomes of the runner.
    pub(super) fn new(base: &Path, key: &CellKey, keep: bool) -> Result<Self> {
        std::fs::create_dir_all(base)?;
        let name = format!("matrix-{}-", key.short());
        let folder = tempfile::Builder::new().prefix(&name).rand_bytes(RANDOM).tempdir_in(base)?;
        // Where files cannot be locked, what a killed runner leaves stays.
        let lock = if keep { None } else { lock(folder.path()).ok() };
        Ok(Self { folder, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Leaves it where it is.
    pub(super) fn keep(self) {
        let _ = self.folder.keep();
    }
}

fn lock(folder: &Path) -> Result<File> {
    let boot = boot()?;
    // It has its name only when it is locked: one that can be locked is nobody's.
    let new = folder.join(".lock-new");
    let mut file = OpenOptions::new().write(true).create_new(true).open(&new)?;
    file.try_lock()?;
    file.write_all(boot.as_bytes())?;
    std::fs::rename(new, folder.join(LOCK))?;
    Ok(file)
}

fn boot() -> Result<String> {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
}

/// Removes what runners of this user left in `base` that were killed.
pub(super) fn remove_orphans(base: &Path) {
    let (Ok(entries), Ok(boot)) = (std::fs::read_dir(base), boot()) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(is_ours) {
            // What cannot be removed, root's files for example, is tried again by the next run.
            let _ = remove(&entry.path(), &boot);
        }
    }
}

fn is_ours(name: &str) -> bool {
    name.strip_prefix("matrix-").and_then(|rest| rest.split_once('-')).is_some_and(|(key, random)| {
        let is_key = key.len() == CellKey::SHORT && key.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_key && random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// Removes the folder, if it is one of this user's whose runner is gone.
fn remove(folder: &Path, boot: &str) -> Result<()> {
    let metadata = std::fs::symlink_metadata(folder)?;
    if !metadata.is_dir() || metadata.uid() != rustix::process::getuid().as_raw() {
        return Ok(());
    }
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let lock = OpenOptions::new().read(true).write(true).custom_flags(flags).open(folder.join(LOCK))?;
    lock.try_lock()?;
    let mut found = String::new();
    (&lock).take(100).read_to_string(&mut found)?;
    if found != boot {
        return Ok(());
    }
    // The lock's file last: with it, what is left of the folder is still known.
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())?;
        } else if entry.file_name() != LOCK {
            std::fs::remove_file(entry.path())?;
        }
    }
    std::fs::remove_dir_all(folder)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::super::place::tests::{Bench, bench};
    use super::super::{Workplace, remove_orphans};
    use super::*;

    #[test]
    fn folders_of_killed_runners_are_removed_and_no_others() {
        let Bench { base, experiment, here, cell } = bench();
        let make = |keep: bool| {
            let Workplace { folder, root, scratch, .. } = Workplace::new(&experiment, &here, &cell, keep).unwrap();
            std::fs::create_dir_all(scratch.join("deep")).unwrap();
            symlink(base.path(), scratch.join("deep/link")).unwrap();
            (folder, root)
        };
        // Killed: the lock is gone and the folder is not.
        let killed = |keep: bool| {
            let (Folder { folder, _lock }, root) = make(keep);
            let _ = folder.keep();
            root
        };
        let (living, living_root) = make(false);
        let (orphan, kept, rebooted) = (killed(false), killed(true), killed(false));
        std::fs::write(rebooted.join(LOCK), "another machine").unwrap();
        let elsewhere = base.path().join("elsewhere");
        std::fs::rename(killed(false), &elsewhere).unwrap();
        let link = base.path().join("matrix-0123456789ab-aBcDe1");
        symlink(&elsewhere, &link).unwrap();
        let link_as_lock = killed(false);
        std::fs::rename(link_as_lock.join(LOCK), base.path().join("a-lock")).unwrap();
        symlink(base.path().join("a-lock"), link_as_lock.join(LOCK)).unwrap();

        remove_orphans(&here);
        assert!(!orphan.exists(), "it is nobody's");
        for stays in [&living_root, &kept, &rebooted, &elsewhere, &link, &link_as_lock] {
            assert!(stays.join("scratch/deep").is_dir(), "{}", stays.display());
        }
        drop(living);
        assert!(!living_root.exists(), "it is removed as ever");
        for (name, ours) in [
            ("matrix-0123456789ab-aBcDe1", true),
            ("matrix-0123456789ab-aBcDe12", false),
            ("matrix-0123456789a-aBcDe1", false),
            ("matrix-0123456789ag-aBcDe1", false),
            ("matrix-0123456789ab-aBcD.1", false),
            ("Matrix-0123456789ab-aBcDe1", false),
        ] {
            assert_eq!(is_ours(name), ours, "{name}");
        }
    }
}
