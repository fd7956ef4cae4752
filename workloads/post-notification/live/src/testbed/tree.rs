//! The processes of a testbed, found by the mark in their environment.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{StateDir, TestbedError};

/// Name of the mark: what carries it is killed when its testbed ends.
pub(crate) const MARK: &str = "MATRIX_TESTBED_MEMBER";

/// A process that a testbed started, directly or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survivor {
    /// Process id.
    pub pid: u32,
    /// Its command line, shortened.
    pub command: String,
}

impl Survivor {
    pub(crate) fn list(survivors: &[Self]) -> String {
        let each: Vec<_> = survivors.iter().map(|it| format!("{} ({})", it.pid, it.command)).collect();
        each.join(", ")
    }
}

/// Every living process that carries the mark of the testbed in `state`: its supervisor, servers, and functions.
/// Processes of other users, whose environment is not ours to read, are none of them.
#[must_use]
pub fn survivors(state: &StateDir) -> Vec<Survivor> {
    let mark = format!("{MARK}={}", state.marker());
    let mut found = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let read = |file: &str| fs::read(entry.path().join(file)).unwrap_or_default();
        if pid == std::process::id() || !read("environ").split(|byte| *byte == 0).any(|it| it == mark.as_bytes()) {
            continue;
        }
        let command = read("cmdline");
        let words: Vec<_> =
            command.split(|byte| *byte == 0).map(|word| OsStr::from_bytes(word).to_string_lossy()).collect();
        found.insert(pid, words.join(" ").trim().chars().take(120).collect::<String>());
    }
    found.into_iter().map(|(pid, command)| Survivor { pid, command }).collect()
}

/// Kills what carries the mark, and waits until it is gone.
pub(crate) fn kill_survivors(state: &StateDir, within: Duration) -> Result<usize, TestbedError> {
    let (deadline, mut killed) = (Instant::now() + within, std::collections::BTreeSet::new());
    loop {
        let left = survivors(state);
        if left.is_empty() {
            return Ok(killed.len());
        }
        if Instant::now() > deadline {
            return Err(TestbedError::Survivors(left));
        }
        for survivor in left {
            if let Some(pid) = i32::try_from(survivor.pid).ok().and_then(Pid::from_raw) {
                // One that is gone by now is what was wanted; one that may not be killed stays in the next count.
                let _ = kill_process(pid, Signal::KILL);
                killed.insert(survivor.pid);
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
