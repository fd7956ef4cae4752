//! Programs that answer a question beside what is measured: whether a need is met, which version something is, what a
//! host is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use matrix_driver::Cancel;
use tempfile::TempDir;

use crate::attempt::last_lines;
use crate::supervise::{Ended, Job, Supervisors};

/// A program that ran once to its end. The files of what it printed are removed with this.
pub(crate) struct Probe {
    pub(crate) ended: Ended,
    pub(crate) stdout: PathBuf,
    pub(crate) stderr: PathBuf,
    _folder: TempDir,
}

impl Probe {
    /// Runs a program in `dir`, for at most `limit_ms` milliseconds.
    ///
    /// # Errors
    /// When it has no folder for its output, or no supervisor, in words.
    pub(crate) fn run(
        supervisors: &Supervisors,
        arguments: Vec<String>,
        env: BTreeMap<String, String>,
        dir: &Path,
        limit_ms: u64,
        cancel: &Cancel,
    ) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let (stdout, stderr) = (folder.path().join("stdout"), folder.path().join("stderr"));
        let job = Job {
            arguments,
            env,
            dir: dir.to_owned(),
            stdout: stdout.clone(),
            stderr: stderr.clone(),
            timeout_ms: Some(limit_ms),
            holds_input: false,
        };
        let mut running = supervisors.start(&job).map_err(|error| error.to_string())?;
        let ended = running.wait(cancel, &mut || false);
        Ok(Self { ended, stdout, stderr, _folder: folder })
    }

    /// How it ended, and the last lines of its standard error.
    pub(crate) fn words(&self) -> String {
        let said = last_lines(&self.stderr).map(|lines| format!("\n{lines}")).unwrap_or_default();
        format!("{}{said}", self.ended.words())
    }
}

/// A supervisor for a single probe.
///
/// # Errors
/// When this executable is not found, in words.
pub(crate) fn supervisors() -> Result<Supervisors, String> {
    Supervisors::new().map_err(|error| error.to_string())
}

/// Those variables of this process's environment that are set to a text.
pub(crate) fn environment<'n>(names: impl IntoIterator<Item = &'n str>) -> BTreeMap<String, String> {
    names.into_iter().filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?))).collect()
}
