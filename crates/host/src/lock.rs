//! One measured cell at a time on a host, whatever store it goes to.

use std::fs::{File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::{Duration, Instant};

use matrix_driver::Cancel;
use rustix::fs::{Mode, OFlags};

/// The host's lock.
pub const LOCK: &str = "/tmp/matrix-host.lock";

/// Time between two tries to get the host's lock.
const LOOK: Duration = Duration::from_millis(100);

/// Holds the host's lock: nobody else measures here, whatever store they write.
#[derive(Debug)]
#[expect(dead_code, reason = "held, not read")]
pub struct HostLock(File, Option<UnixDatagram>);

impl HostLock {
    /// Waits for the lock; `waiting` is called once if somebody else has it. None if it was stopped, or `deadline` came first.
    ///
    /// # Errors
    /// When the lock's file cannot be opened or made, or something else stands there.
    pub fn take(cancel: &Cancel, deadline: Option<Instant>, waiting: &dyn Fn()) -> io::Result<Option<Self>> {
        // Whatever TMPDIR says: it is one for everybody on the host.
        Self::take_at(Path::new(LOCK), LOCK, cancel, deadline, waiting)
    }

    fn take_at(
        path: &Path,
        name: &str,
        cancel: &Cancel,
        deadline: Option<Instant>,
        waiting: &dyn Fn(),
    ) -> io::Result<Option<Self>> {
        let file = open_or_make(path)?;
        let (mut is_locked, mut told) = (false, false);
        loop {
            if !is_locked {
                match file.try_lock() {
                    Ok(()) => is_locked = true,
                    Err(std::fs::TryLockError::WouldBlock) => {}
                    Err(std::fs::TryLockError::Error(error)) => return Err(error),
                }
            }
            if is_locked {
                match bind(name) {
                    Err(error) if error.kind() == ErrorKind::AddrInUse => {}
                    // Where the system gives no such name, the file has to do.
                    bound => return Ok(Some(Self(file, bound.ok()))),
                }
            }
            if cancel.is_cancelled() || deadline.is_some_and(|deadline| Instant::now() >= deadline) {
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

/// Takes a name that one process has at a time, until it ends. A job may have a `/tmp` of its own, and another file there than others on the
/// host; names of sockets that are no files are the network's, which jobs share.
#[cfg(target_os = "linux")]
fn bind(name: &str) -> io::Result<UnixDatagram> {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::SocketAddr;
    UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(name)?)
}

#[cfg(not(target_os = "linux"))]
fn bind(_: &str) -> io::Result<UnixDatagram> {
    Err(ErrorKind::Unsupported.into())
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
    #[cfg(target_os = "linux")]
    fn who_has_another_file_on_the_same_host_waits_and_no_longer_than_it_may() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().display().to_string();
        let told = std::cell::Cell::new(0);
        let take = |file: &str, cancel: &Cancel, most: Option<Duration>| {
            let deadline = most.map(|most| Instant::now() + most);
            HostLock::take_at(&folder.path().join(file), &name, cancel, deadline, &|| told.set(told.get() + 1)).unwrap()
        };
        let first = take("lock", &Cancel::default(), None).unwrap();
        assert_eq!(told.get(), 0);
        let cancelled = Cancel::default();
        cancelled.cancel();
        // The second has a `/tmp` of its own.
        for (number, file) in ["lock", "other"].into_iter().enumerate() {
            assert!(take(file, &Cancel::default(), Some(LOOK)).is_none(), "{file}");
            assert_eq!(told.get(), number + 1);
            assert!(take(file, &cancelled, None).is_none(), "{file}");
        }
        drop(first);
        let other = take("other", &Cancel::default(), Some(Duration::ZERO)).unwrap();
        drop(other);
        assert_eq!(told.get(), 2);
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
