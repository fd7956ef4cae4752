//! How a server's process is started.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::{Child, Command};

use crate::testbed::error::Doing as _;
use crate::testbed::state::{append_private, private_dir};
use crate::testbed::tree::MARK;
use crate::testbed::{StateDir, TestbedError};

/// A process to start: with nothing of this process's environment but what stands here and `PATH`.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(String, OsString)>,
    directory: PathBuf,
}

impl Spec {
    pub(super) fn new(program: &Path, directory: PathBuf) -> Self {
        Self { program: program.to_owned(), arguments: Vec::new(), environment: Vec::new(), directory }
    }

    pub(super) fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// An argument that is a setting and a path, as `--datadir=/path`.
    pub(super) fn path_arg(self, setting: &str, path: &Path) -> Self {
        let mut argument = OsString::from(setting);
        argument.push(path);
        self.arg(argument)
    }

    pub(super) fn args<T: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    pub(super) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Starts it, tied to the calling thread: the kernel kills it when the thread ends, however it ends. What it prints
    /// goes to the log of `name`.
    pub(super) fn start(
        &self,
        state: &StateDir,
        setpriv: &Path,
        name: &str,
        stdin: Stdio,
    ) -> Result<Child, TestbedError> {
        let doing = || format!("starting {name}");
        let log = append_private(&state.log_of(name))?;
        // MariaDB servers that share a directory for temporary files remove each other's.
        let temporary = state.data().join("tmp").join(name);
        private_dir(&temporary)?;
        Command::new(setpriv)
            .args(["--pdeathsig", "KILL", "--"])
            .arg(&self.program)
            .args(&self.arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()))
            .env("HOME", &self.directory)
            .env("TMPDIR", temporary)
            .env("LANG", "C.UTF-8")
            .env("TZ", "UTC")
            .env(MARK, state.marker())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.directory)
            .stdin(stdin)
            .stdout(log.try_clone().doing(doing)?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .doing(doing)
    }
}
