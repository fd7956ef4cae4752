//! What can go wrong with the testbed.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use matrix_plan::local::BadLocal;

use super::StateDir;
use super::differences::Difference;
use super::install::Missing;
use super::tree::Survivor;

/// How another testbed comes in place of one that stays until it is ended.
const ANEW_KEPT: &str = "end it with `matrix testbed down`, then start it anew with `matrix testbed up`";

/// How another one comes in place of one that ends with its run.
const ANEW: &str = "it ends with the run that uses it; then `matrix resume` does the rest on another one";

/// Something the testbed could not do.
#[derive(Debug, thiserror::Error)]
pub enum TestbedError {
    /// Parts are not installed. The text names each and the command that installs them.
    #[error("{}", Missing::describe(.0))]
    Missing(Vec<Missing>),
    /// Installing needs root.
    #[error("installing {packages} needs root: run `{command}`")]
    NeedsRoot {
        /// Debian packages to install.
        packages: String,
        /// The command to run instead.
        command: String,
    },
    /// The installation failed; what it printed has been shown.
    #[error("the installation failed ({0}); see its messages above")]
    Install(String),
    /// The settings are impossible.
    #[error("[local]: {0}")]
    Config(#[from] BadLocal),
    /// A testbed with other settings is running.
    #[error("a testbed with other settings is running ({}). While a run uses it, wait until that has ended: its servers are its own. One that \
             stays from `matrix testbed up` ends with `matrix testbed down`", Difference::list(.0))]
    OtherConfig(Vec<Difference>),
    /// The testbed is starting: its servers are not up yet.
    #[error("the testbed is starting; wait for a moment")]
    Starting,
    /// The testbed is ending, and takes nobody any more.
    #[error("the testbed is ending; wait for a moment")]
    Ending,
    /// The testbed has ended, or another one runs in its place.
    #[error("the testbed that the run began with has ended; `matrix resume` does the rest on another one")]
    Gone,
    /// Servers of the testbed have ended, or do not replicate.
    #[error("the testbed is not well: {why}; {}", if *.kept { ANEW_KEPT } else { ANEW })]
    Unhealthy {
        /// Which servers, and how they are.
        why: String,
        /// Whether it stays until it is ended; otherwise it ends with the runs that use it.
        kept: bool,
    },
    /// No testbed is running.
    #[error("no testbed is running; start it with `matrix testbed up`")]
    NotRunning,
    /// A server did not come up.
    #[error("{part} did not come up: {why}; its log is {}", log.display())]
    Start {
        /// The server.
        part: String,
        /// What was seen.
        why: String,
        /// Its log.
        log: PathBuf,
    },
    /// The supervisor could not do what it was told.
    #[error("{0}")]
    Refused(String),
    /// The supervisor ended before it was ready, or while it was asked.
    #[error("the testbed's supervisor {what}; its log is {}", log.display())]
    Supervisor {
        /// What it did, for example `ended`.
        what: String,
        /// Its log.
        log: PathBuf,
    },
    /// The supervisor is there and does not answer.
    #[error("the testbed's supervisor did not answer within {} s; its log is {}", within.as_secs(), log.display())]
    Silent {
        /// How long it was waited for.
        within: Duration,
        /// Its log.
        log: PathBuf,
    },
    /// Processes are left that could not be ended.
    #[error("{} of the testbed's processes could not be ended: {}", .0.len(), Survivor::list(.0))]
    Survivors(Vec<Survivor>),
    /// The directory for the state cannot be found or used.
    #[error("{0}")]
    StateDir(String),
    /// A file or process could not be used.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A file of the state or a message has an unexpected form.
    #[error("{what} is malformed: {source}")]
    Malformed {
        /// Which.
        what: String,
        /// Why.
        source: serde_json::Error,
    },
    /// A database refused something.
    #[error("{part}: {doing}: {why}")]
    Server {
        /// The server.
        part: String,
        /// What was asked of it.
        doing: String,
        /// Its answer.
        why: String,
    },
}

impl TestbedError {
    /// A server that did not come up, with the last that it said.
    pub(crate) fn start(state: &StateDir, part: &str, why: &str) -> Self {
        let log = state.log_of(part);
        let said = std::fs::read(&log).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let error = said.lines().rev().find(|line| line.to_ascii_lowercase().contains("error"));
        let why = error.map_or_else(|| why.to_owned(), |line| format!("{why}; it says: {}", line.trim()));
        Self::Start { part: part.to_owned(), why, log }
    }
}

/// Says what was being done when an I/O error arose.
pub(crate) trait Doing<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, TestbedError>;
}

impl<T> Doing<T> for Result<T, io::Error> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, TestbedError> {
        self.map_err(|source| TestbedError::Io { doing: what(), source })
    }
}
