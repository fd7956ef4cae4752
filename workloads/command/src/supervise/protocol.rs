//! What runner and supervisor tell each other: a line of JSON each way.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A program to run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// The program and its arguments.
    pub arguments: Vec<String>,
    /// All of its environment.
    pub env: BTreeMap<String, String>,
    /// The folder that it runs in.
    pub dir: PathBuf,
    /// The file that its standard output goes to; what is there stays.
    pub stdout: PathBuf,
    /// The same of its standard error.
    pub stderr: PathBuf,
    /// How long it may take, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// Whether its standard input stays open until the runner closes it, is gone, or the program has ended; it is empty
    /// otherwise.
    pub holds_input: bool,
}

/// How a program ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// Why it did not even start.
    pub not_started: Option<String>,
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Whether it took longer than it may.
    pub timed_out: bool,
    /// Whether the runner had it ended.
    pub stopped: bool,
    /// Whether the supervisor itself was killed, so that nothing else is known.
    pub is_lost: bool,
    /// Processes that were left when it had ended, and were killed.
    pub left: u32,
    /// From its start to its end, in microseconds.
    pub wall_us: i64,
    /// Processor time that it used, and those of its children that it waited for, in microseconds.
    pub user_us: i64,
    /// The same in the system.
    pub system_us: i64,
    /// The most memory that it, or one of them, had at once, in bytes.
    pub max_rss_bytes: i64,
}

impl Ended {
    /// Whether it ended by itself with code 0.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.not_started.is_none() && self.code == Some(0) && !self.timed_out && !self.stopped
    }

    /// How it ended, in words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self { not_started: Some(why), .. } => why.clone(),
            Self { timed_out: true, wall_us, .. } => {
                format!("it took longer than it may: ended after {:.1} s", *wall_us as f64 / 1e6)
            }
            Self { stopped: true, .. } => "it was ended".to_owned(),
            Self { code: Some(code), .. } => format!("it ended with exit code {code}"),
            Self { signal: Some(signal), .. } => format!("it was ended by signal {signal}"),
            _ => "it ended".to_owned(),
        }
    }
}

/// What the runner asks for while a program runs.
pub(super) const KILL: u8 = b'k';

/// The runner asks for the end of the program's standard input.
pub(super) const CLOSE: u8 = b'c';

/// Signals that the runner may have sent to the program, by the letter that asks for them.
pub(super) const SIGNALS: [(u8, &str, rustix::process::Signal); 4] = [
    (b't', "TERM", rustix::process::Signal::TERM),
    (b'i', "INT", rustix::process::Signal::INT),
    (b'q', "QUIT", rustix::process::Signal::QUIT),
    (b'h', "HUP", rustix::process::Signal::HUP),
];
