//! The state directory: where everything of a running testbed is.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::TestbedError;
use super::error::Doing as _;

/// A state directory. Only its owner can look into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateDir(PathBuf);

/// The lock that a supervisor holds for as long as it is there.
pub(crate) const SUPERVISOR_LOCK: &str = "supervisor.lock";

/// Longest path of a Unix socket (`sun_path` of Linux, less its terminating zero).
const SOCKET_PATH_MAX: usize = 107;

impl StateDir {
    /// The user's: `$XDG_STATE_HOME/matrix/testbed`, or `~/.local/state/matrix/testbed`.
    ///
    /// # Errors
    /// When neither variable is set.
    pub fn of_user() -> Result<Self, TestbedError> {
        Ok(Self(user_dir("XDG_STATE_HOME", ".local/state")?.join("matrix/testbed")))
    }

    /// A directory of one's own choice, for tests and testbeds side by side. It is created when needed.
    ///
    /// # Errors
    /// When the path is not absolute and the current directory unknown.
    pub fn at(path: impl AsRef<Path>) -> Result<Self, TestbedError> {
        let path = path.as_ref();
        Ok(Self(std::path::absolute(path).doing(|| format!("finding {}", path.display()))?))
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where the logs are; those of the run before are in `logs.previous` beside it.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.0.join("logs")
    }

    pub(crate) fn log_of(&self, part: &str) -> PathBuf {
        self.logs().join(format!("{part}.log"))
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    pub(crate) fn endpoints(&self) -> PathBuf {
        self.0.join("endpoints.json")
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.0.join("config.json")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.0.join("control.sock")
    }

    /// What every process of a testbed here carries in its environment, as `MATRIX_TESTBED_MEMBER`.
    pub(crate) fn marker(&self) -> String {
        self.0.display().to_string()
    }

    pub(crate) fn create(&self) -> Result<(), TestbedError> {
        if self.socket().as_os_str().len() > SOCKET_PATH_MAX {
            return Err(TestbedError::StateDir(format!(
                "the state directory {} has too long a path for a socket: choose a shorter one by XDG_STATE_HOME",
                self.0.display()
            )));
        }
        private_dir(&self.0)
    }

    /// Renames the logs of the run before, and makes room for new ones.
    pub(crate) fn rotate_logs(&self) -> Result<(), TestbedError> {
        let previous = self.0.join("logs.previous");
        remove_dir(&previous)?;
        if self.logs().exists() {
            fs::rename(self.logs(), &previous).doing(|| "keeping the logs of the run before".into())?;
        }
        private_dir(&self.logs())
    }

    /// Takes a lock that dies with this process; `None` when another holds it.
    pub(crate) fn try_lock(&self, name: &str) -> Result<Option<File>, TestbedError> {
        let path = self.0.join(name);
        let doing = || format!("locking {}", path.display());
        let file = private_file().append(true).open(&path).doing(doing)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error).doing(doing),
        }
    }

    pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), TestbedError> {
        let text = serde_json::to_vec_pretty(value)
            .map_err(|source| TestbedError::Malformed { what: path.display().to_string(), source })?;
        write_private(path, &text)
    }

    pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, TestbedError> {
        let text = fs::read(path).doing(|| format!("reading {}", path.display()))?;
        serde_json::from_slice(&text)
            .map_err(|source| TestbedError::Malformed { what: path.display().to_string(), source })
    }
}

/// A directory of the user's by the XDG rules: the variable if it is an absolute path, else below the home.
pub(crate) fn user_dir(variable: &str, below_home: &str) -> Result<PathBuf, TestbedError> {
    let path = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    path(variable).or_else(|| Some(path("HOME")?.join(below_home))).ok_or_else(|| {
        TestbedError::StateDir(format!("neither {variable} nor HOME names a directory: set one of them"))
    })
}

pub(crate) fn private_dir(path: &Path) -> Result<(), TestbedError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(path).doing(|| format!("creating {}", path.display()))
}

fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).mode(0o600);
    options
}

/// Writes a file that only its owner can read: beside it, then renamed, so that a reader sees all or nothing.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<(), TestbedError> {
    let beside = path.with_extension("new");
    let write = || {
        let mut file = private_file().write(true).truncate(true).open(&beside)?;
        file.write_all(content)?;
        drop(file);
        fs::rename(&beside, path)
    };
    write().doing(|| format!("writing {}", path.display()))
}

pub(crate) fn append_private(path: &Path) -> Result<File, TestbedError> {
    private_file().append(true).open(path).doing(|| format!("opening {}", path.display()))
}

pub(crate) fn remove_dir(path: &Path) -> Result<(), TestbedError> {
    removed(path, fs::remove_dir_all(path))
}

pub(crate) fn remove_file(path: &Path) -> Result<(), TestbedError> {
    removed(path, fs::remove_file(path))
}

fn removed(path: &Path, result: std::io::Result<()>) -> Result<(), TestbedError> {
    match result {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).doing(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}
