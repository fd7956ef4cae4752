//! Whose turn it is to make a product.
//!
//! On one machine, the system's lock says it. Where several machines have the file system, one need not see the locks of another, and some file
//! systems have none: there, whoever makes a product has created the next of the files `turn.1`, `turn.2` and so on, each of which is created
//! once, and renews it as long as it works. One that stays the same for too long, by the clock of whoever looks, was left by a process that is
//! gone.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use matrix_store::share::{SHARED_TIME, is_of_one_machine, machine};

use crate::inputs::Stamp;

/// How often a turn is renewed within the time in which it has to change.
const RENEWALS: u32 = 6;

/// What stands in the file of a turn that is over.
const OVER: &str = "over";

/// The right to make a product, until it is dropped.
pub(super) struct Turn {
    _lock: Option<File>,
    _claim: Option<Claim>,
}

impl Turn {
    /// Waits until nobody else makes what lies in this folder; nothing if `stops`, which is asked now and then, says so.
    pub(super) fn take(place: &Path, mut stops: impl FnMut() -> bool) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(place.join("lock"))?;
        let lock = loop {
            match file.try_lock() {
                Ok(()) => break Some(file),
                Err(TryLockError::WouldBlock) => {}
                // A file system without locks.
                Err(TryLockError::Error(_)) => break None,
            }
            if stops() {
                return Ok(None);
            }
        };
        if lock.is_some() && is_of_one_machine(place) {
            return Ok(Some(Self { _lock: lock, _claim: None }));
        }
        // Where the system does not say which machine it is, nobody is known to be gone.
        let machine = machine(&std::fs::metadata(place)?).unwrap_or_else(|| std::process::id().to_string());
        let claim = Claim::take(place, &machine, lock.is_some(), SHARED_TIME, stops)?;
        Ok(claim.map(|claim| Self { _lock: lock, _claim: Some(claim) }))
    }
}

/// A turn by a file, which a thread renews.
struct Claim {
    path: PathBuf,
    working: Option<Sender<()>>,
    renewing: Option<JoinHandle<()>>,
}

impl Claim {
    /// Waits until the last turn is over, or has not been renewed for `most`. Whoever has the lock as well knows that a process of the same
    /// machine is gone that had a turn.
    fn take(
        place: &Path,
        machine: &str,
        has_lock: bool,
        most: Duration,
        mut stops: impl FnMut() -> bool,
    ) -> io::Result<Option<Self>> {
        let mut seen: Option<(Stamp, Instant)> = None;
        loop {
            let last = last(place)?;
            let path = |number: u32| place.join(format!("turn.{number}"));
            let is_free = last == 0 || {
                let (stamp, text) = (Stamp::of(&path(last))?, std::fs::read_to_string(path(last))?);
                let since = match &seen {
                    Some((before, since)) if *before == stamp => *since,
                    _ => Instant::now(),
                };
                seen = Some((stamp, since));
                text == OVER || since.elapsed() > most || has_lock && text == machine
            };
            if is_free {
                match OpenOptions::new().write(true).create_new(true).open(path(last + 1)) {
                    Ok(mut file) => {
                        file.write_all(machine.as_bytes())?;
                        return Self::renewed(path(last + 1), file, most / RENEWALS).map(Some);
                    }
                    // Somebody was faster.
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                    Err(error) => return Err(error),
                }
            }
            if stops() {
                return Ok(None);
            }
        }
    }

    fn renewed(path: PathBuf, file: File, every: Duration) -> io::Result<Self> {
        let (working, over) = channel::<()>();
        let renewing = std::thread::Builder::new().name("matrix-turn".to_owned()).spawn(move || {
            while over.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                // If it cannot be renewed, others make the product in time.
                let _ = file.set_modified(SystemTime::now());
            }
        })?;
        Ok(Self { path, working: Some(working), renewing: Some(renewing) })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.working.take();
        // A thread that only waits has nothing to say.
        let _ = self.renewing.take().map(JoinHandle::join);
        // Without the word, others wait for a while.
        let _ = std::fs::write(&self.path, OVER);
    }
}

/// The number of the last turn; 0 if there was none.
fn last(place: &Path) -> io::Result<u32> {
    let mut last = 0;
    for entry in std::fs::read_dir(place)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("turn.")?.parse::<u32>().ok());
        last = last.max(number.unwrap_or_default());
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    /// Looks twice, and does not wait.
    fn twice() -> impl FnMut() -> bool {
        let mut looks = 0;
        move || {
            looks += 1;
            looks == 2
        }
    }

    #[test]
    fn one_has_the_turn_at_a_time_though_nobody_sees_a_lock() {
        let folder = tempfile::tempdir().unwrap();
        let take = |machine: &str| Claim::take(folder.path(), machine, false, LONG, twice()).unwrap();
        let first = take("one").unwrap();
        assert!(take("other").is_none() && take("one").is_none());
        drop(first);
        let other = take("other").unwrap();
        assert!(take("one").is_none());
        // A machine that died says nothing. Whoever has the lock of the same machine knows.
        std::mem::forget(other);
        assert!(Claim::take(folder.path(), "one", true, LONG, twice()).unwrap().is_none());
        assert!(Claim::take(folder.path(), "other", true, LONG, twice()).unwrap().is_some());
    }

    #[test]
    fn a_turn_that_is_not_renewed_is_taken_over_and_whoever_has_one_renews_it() {
        let folder = tempfile::tempdir().unwrap();
        let (soon, begun) = (Duration::from_millis(300), Instant::now());
        std::fs::write(folder.path().join("turn.7"), "gone").unwrap();
        let taken = Claim::take(folder.path(), "one", false, soon, || false).unwrap().unwrap();
        assert!(begun.elapsed() > soon);
        let first = Stamp::of(&folder.path().join("turn.8")).unwrap();
        while Stamp::of(&taken.path).unwrap() == first {
            std::thread::yield_now();
        }
    }
}
