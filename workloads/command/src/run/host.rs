//! The host: one measured cell at a time, and whether other work disturbed it.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use matrix_driver::Cancel;

/// The host's lock.
pub(super) const LOCK: &str = "/tmp/matrix-host.lock";

/// Time between two tries to get the host's lock.
const LOOK: Duration = Duration::from_millis(100);

/// Share of the processors' time that others may use.
const OTHERS: f64 = 0.05;

/// Share of the processors' time that a hypervisor may take.
const STOLEN: f64 = 0.01;

/// Holds the host's lock: nobody else measures here, whatever store they write.
#[derive(Debug)]
pub(super) struct HostLock(#[expect(dead_code, reason = "held, not read")] File);

impl HostLock {
    /// Waits for the lock; `waiting` is called once if somebody else has it. None if a stop was asked for.
    ///
    /// # Errors
    /// When the lock's file cannot be made.
    pub(super) fn take(cancel: &Cancel, waiting: &dyn Fn()) -> std::io::Result<Option<Self>> {
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

/// The processors' time so far, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ticks {
    busy: u64,
    stolen: u64,
    all: u64,
}

fn ticks() -> Option<Ticks> {
    parse(&std::fs::read_to_string("/proc/stat").ok()?)
}

fn parse(text: &str) -> Option<Ticks> {
    let line = text.lines().next()?.strip_prefix("cpu ")?;
    let fields: Vec<u64> = line.split_ascii_whitespace().map_while(|word| word.parse().ok()).collect();
    let [user, nice, system, idle, iowait, irq, softirq, steal, ..] = fields[..] else { return None };
    let busy = user + nice + system + irq + softirq;
    Some(Ticks { busy, stolen: steal, all: busy + idle + iowait + steal })
}

/// Looks at the host from its making to [`verdict`](Self::verdict).
#[derive(Debug)]
pub(super) struct Watch {
    before: Option<Ticks>,
    started: Instant,
}

impl Watch {
    /// Begins to look.
    #[must_use]
    pub(super) fn begin() -> Self {
        Self { before: ticks(), started: Instant::now() }
    }

    /// What disturbed the host, if anything did; `own_us` is the processor time of the attempt itself, in
    /// microseconds.
    #[must_use]
    pub(super) fn verdict(&self, own_us: i64) -> String {
        let (Some(before), Some(after)) = (self.before, ticks()) else { return "not watched".to_owned() };
        judge(before, after, own_us, self.started.elapsed())
    }
}

/// Ticks per second of processor time in /proc/stat.
const PER_SECOND: f64 = 100.0;

fn judge(before: Ticks, after: Ticks, own_us: i64, elapsed: Duration) -> String {
    let all = after.all.saturating_sub(before.all) as f64;
    // The counters have steps of 10 ms: of less than that many steps, nothing follows.
    if all < 20.0 || elapsed < Duration::from_millis(100) {
        return "too short to watch".to_owned();
    }
    let own = own_us as f64 / 1e6 * PER_SECOND;
    let others = (after.busy.saturating_sub(before.busy) as f64 - own).max(0.0) / all;
    let stolen = after.stolen.saturating_sub(before.stolen) as f64 / all;
    if others > OTHERS {
        format!("disturbed: {:.0} % of the processors' time went to others", others * 100.0)
    } else if stolen > STOLEN {
        format!("disturbed: {:.0} % of the processors' time was stolen", stolen * 100.0)
    } else {
        "quiet".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_of_others_and_stolen_time_disturb_and_own_work_does_not() {
        let at = |busy, stolen, all| Ticks { busy, stolen, all };
        let second = Duration::from_secs(1);
        let before = at(1000, 0, 10_000);
        assert_eq!(judge(before, at(1100, 0, 10_200), 1_000_000, second), "quiet");
        assert!(judge(before, at(1150, 0, 10_200), 1_000_000, second).starts_with("disturbed: 25 %"));
        assert!(judge(before, at(1100, 10, 10_200), 1_000_000, second).contains("stolen"));
        assert_eq!(judge(before, at(1001, 0, 10_010), 0, Duration::from_millis(50)), "too short to watch");
        let found = parse("cpu  1 2 3 4 5 6 7 8 0 0\ncpu0 1").unwrap();
        assert_eq!(found, at(1 + 2 + 3 + 6 + 7, 8, 36));
    }
}
