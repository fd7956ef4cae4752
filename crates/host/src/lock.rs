//! One measured cell at a time on a host, whatever store it goes to.

use std::fs::{File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use matrix_driver::Cancel;
use rustix::fs::{Mode, OFlags};

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
    /// When the lock's file cannot be opened or made, or something else stands there.
    pub fn take(cancel: &Cancel, waiting: &dyn Fn()) -> io::Result<Option<Self>> {
        // Whatever TMPDIR says: it is one for everybody on the host.
        let file = open_or_make(Path::new(LOCK))?;
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

/// Opens the lock's file, and makes it if there is none. Everybody can put something of its name there: what it is gets no chance to keep
/// this process waiting, and only a file that was made here gets other permissions.
fn open_or_make(path: &Path) -> io::Result<File> {
    loop {
        match open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            opened => return opened,
        }
        match make(path) {
            // Somebody else was faster.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => return made,
        }
    }
}

/// Opens what is there, to be read: a lock needs no more, and another user's file may allow no more.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, Mode::empty()).map(File::from);
    // A link or a socket is not even opened.
    let found = opened.as_ref().map_or_else(|_| path.symlink_metadata(), File::metadata);
    if found.is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is no plain file"));
    }
    Ok(opened?)
}

/// Makes the file, for everybody: earlier versions open it to write.
fn make(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::from_raw_mode(0o666))?);
    // Whatever the umask took.
    file.set_permissions(Permissions::from_mode(0o666))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_lock_is_made_for_everybody_and_one_that_is_there_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let made = open_or_make(&path).unwrap();
        assert_eq!(mode(&path), 0o666);
        // As another user's may be, who made it by another program.
        for kept in [0o666, 0o644, 0o444] {
            fs::set_permissions(&path, Permissions::from_mode(kept)).unwrap();
            let opened = open_or_make(&path).unwrap();
            made.try_lock().unwrap();
            assert!(matches!(opened.try_lock(), Err(fs::TryLockError::WouldBlock)));
            made.unlock().unwrap();
            opened.try_lock().unwrap();
            assert_eq!(mode(&path), kept);
        }
    }

    #[test]
    fn what_somebody_planted_there_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let (secret, absent) = (folder.path().join("secret"), folder.path().join("absent"));
        fs::write(&secret, "secret").unwrap();
        fs::set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
        let plant: [(&str, &dyn Fn()); 5] = [
            ("a link", &|| symlink(&secret, &path).unwrap()),
            ("a link to nothing", &|| symlink(&absent, &path).unwrap()),
            ("a folder", &|| fs::create_dir(&path).unwrap()),
            ("a socket", &|| drop(std::os::unix::net::UnixListener::bind(&path).unwrap())),
            ("a pipe", &|| {
                let (kind, mode) = (rustix::fs::FileType::Fifo, Mode::from_raw_mode(0o666));
                rustix::fs::mknodat(rustix::fs::CWD, &path, kind, mode, 0).unwrap();
            }),
        ];
        for (what, plant) in plant {
            plant();
            assert_eq!(open_or_make(&path).unwrap_err().kind(), ErrorKind::InvalidInput, "{what}");
            if path.symlink_metadata().unwrap().is_dir() { fs::remove_dir(&path) } else { fs::remove_file(&path) }
                .unwrap();
        }
        assert_eq!((mode(&secret), fs::read_to_string(&secret).unwrap().as_str()), (0o600, "secret"));
        assert!(!absent.exists());
    }
}
