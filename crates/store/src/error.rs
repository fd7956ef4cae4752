//! What can go wrong with a store, and what a person can do about it.

use std::io;
use std::path::{Path, PathBuf};

use matrix_core::CellKey;
use matrix_driver::SinkError;
use serde::{Deserialize, Serialize};

use crate::names::{AttemptId, RunId};

/// Who has a store open for writing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The command, as it describes itself.
    pub command: String,
    /// Its process.
    pub pid: u32,
    /// When it began to write, in UTC; empty if it has not told.
    pub since: String,
    /// The machine that it runs on, where the system tells: a store may be shared over a network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { command, pid, since, host } = self;
        let host = host.as_ref().map(|host| format!(" on {host}")).unwrap_or_default();
        let since = if since.is_empty() { String::new() } else { format!(", since {since}") };
        write!(f, "`{command}` (process {pid}{host}{since})")
    }
}

/// What sort of trouble it is: what an exit code is chosen by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request names something that is not there, or a store that this program cannot use.
    Input,
    /// Another process writes the store.
    Locked,
    /// The directory may not be written.
    NotWritable,
    /// The disk, or a quota on it, is full.
    Full,
    /// What is stored is not what was stored.
    Integrity,
    /// Anything else: input and output that failed, or a caller that broke a rule.
    Internal,
}

/// Why a store does not take something: the caller broke a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// A record whose object is not there yet.
    #[error("the record of cell {} names an object that is not in the store", cell.short())]
    NoObject {
        /// The record's cell.
        cell: CellKey,
    },
    /// A record whose object has another number of rows than the cell has requests.
    #[error("cell {} has {requests} requests, and its object {rows} rows", cell.short())]
    RowCount {
        /// The record's cell.
        cell: CellKey,
        /// Its requests.
        requests: u64,
        /// The rows of its object.
        rows: u64,
    },
    /// An attempt of this name is there already.
    #[error("there is an attempt {0} already")]
    AttemptExists(AttemptId),
    /// A run of this name is there already.
    #[error("there is a run {0} already")]
    RunExists(RunId),
    /// A run whose cells are no longer those of its experiment.
    #[error(
        "run {run} planned {cells} cells that its experiment no longer has, because a file of `inputs` changed: run it anew"
    )]
    OtherCells {
        /// The run.
        run: RunId,
        /// How many of its cells are no longer there.
        cells: usize,
    },
    /// A trace after one of its writes failed.
    #[error("the trace could not be written before")]
    BrokenTrace,
}

/// Something went wrong with a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no store.
    #[error("there is no store at {}", path.display())]
    Absent {
        /// Where it was expected.
        path: PathBuf,
    },
    /// The directory holds other things.
    #[error("{} is no store: there is no store.toml in it", path.display())]
    NotAStore {
        /// The directory.
        path: PathBuf,
    },
    /// A newer program wrote the file.
    #[error("{} has schema {found}; this program knows schemas up to {known}", path.display())]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest schema known here.
        known: u32,
    },
    /// Another process writes the store.
    #[error("{} is being written by {}", path.display(), holder.as_ref().map_or_else(|| "another process".to_owned(), ToString::to_string))]
    Locked {
        /// The store.
        path: PathBuf,
        /// Who writes, if the lock tells: a process that has not written yet has not signed.
        holder: Option<Holder>,
    },
    /// What is to be locked for the whole host is no such lock, or is not everybody's.
    #[error("{} cannot be locked", path.display())]
    HostLock {
        /// The lock's file.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
    /// Of several processes that create one file there, several win.
    #[error("{} cannot be shared by runners: of {rounds} files that several creators raced for, {one_winner} had one winner", path.display())]
    NotShareable {
        /// The store.
        path: PathBuf,
        /// Files that were raced for.
        rounds: u32,
        /// Those that one creator made.
        one_winner: u32,
    },
    /// The disk or a quota is full.
    #[error("no space left {doing} {}", path.display())]
    Full {
        /// What was being done.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The directory or file system is read-only for this user.
    #[error("not allowed: {doing} {}", path.display())]
    NotWritable {
        /// What was being done.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Input or output failed.
    #[error("{doing} {} failed", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of the store cannot be read: for what depends on it, that is as good as damaged.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A link that leads to nothing.
    #[error("{} is a link to {}, which is not there", path.display(), target.display())]
    Dangling {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// A folder of the store is on another mount or file system than the rest.
    #[error("{} is on another mount or file system than {}", path.display(), other.display())]
    OtherFilesystem {
        /// The folder.
        path: PathBuf,
        /// The folder from which files are moved into it.
        other: PathBuf,
    },
    /// What is stored is not what was stored.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: String,
    },
    /// A name that cannot be a file's.
    #[error("`{name}` cannot be the name of {what}")]
    BadName {
        /// What it should name, with its article and rule.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// No cell of the store has such a key.
    #[error("no cell's key begins with `{prefix}`")]
    NoSuchCell {
        /// What was asked for.
        prefix: String,
    },
    /// Several cells do.
    #[error("{} cells' keys begin with `{prefix}`: {}", candidates.len(), shown(candidates))]
    AmbiguousCell {
        /// What was asked for.
        prefix: String,
        /// The keys, in order.
        candidates: Vec<CellKey>,
    },
    /// No run has this name.
    #[error("there is no run `{name}`")]
    NoSuchRun {
        /// What was asked for.
        name: String,
        /// The names of the runs, in order.
        known: Vec<String>,
    },
    /// A request has two rows.
    #[error("request {i} has two rows")]
    DuplicateRow {
        /// Number of the request.
        i: u64,
    },
    /// A row of a request that was not planned.
    #[error("a row of request {i}, but only {planned} were planned")]
    UnplannedRow {
        /// Number of the request.
        i: u64,
        /// Number of requests planned.
        planned: u64,
    },
    /// Planned requests have no row.
    #[error("{missing} of {planned} planned requests have no row, the first of them request {first}")]
    MissingRows {
        /// How many.
        missing: u64,
        /// The first of them.
        first: u64,
        /// Number of requests planned.
        planned: u64,
    },
    /// A record whose object is not in the store, or an attempt or run that contradicts itself.
    #[error("not stored: {0}")]
    Rejected(Rejection),
    /// A value that has no JSON.
    #[error("writing JSON")]
    Json(#[from] serde_json::Error),
}

/// What to do about a store that is spread over file systems.
const OTHER_FILESYSTEM: &str = "files are moved into place whole, which works within one file system only: keep the store's \
                                folders together (`results` itself may be a link)";

fn shown(candidates: &[CellKey]) -> String {
    let mut names: Vec<String> = candidates.iter().take(5).map(CellKey::short).collect();
    if candidates.len() > names.len() {
        names.push("…".to_owned());
    }
    names.join(", ")
}

/// Whether an operation failed because there was no room: on the disk, in a quota, or below the largest file that may be
/// written.
#[must_use]
pub fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// Whether links lead to each other.
fn is_loop(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

impl StoreError {
    /// What sort of trouble it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Absent { .. }
            | Self::NotAStore { .. }
            | Self::NewerSchema { .. }
            | Self::Dangling { .. }
            | Self::OtherFilesystem { .. }
            | Self::NotShareable { .. }
            | Self::HostLock { .. }
            | Self::BadName { .. }
            | Self::NoSuchCell { .. }
            | Self::AmbiguousCell { .. }
            | Self::NoSuchRun { .. } => ErrorKind::Input,
            Self::Locked { .. } => ErrorKind::Locked,
            Self::Full { .. } => ErrorKind::Full,
            Self::NotWritable { .. } => ErrorKind::NotWritable,
            Self::Damaged { .. } | Self::Unreadable { .. } => ErrorKind::Integrity,
            Self::Io { .. }
            | Self::DuplicateRow { .. }
            | Self::UnplannedRow { .. }
            | Self::MissingRows { .. }
            | Self::Rejected(_)
            | Self::Json(_) => ErrorKind::Internal,
        }
    }

    /// What a person can do about it, where there is something.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Absent { .. } => "`matrix run FILE` makes one; `--results PATH` names another".to_owned(),
            Self::NotAStore { .. } => "name an empty or new directory with `--results PATH`".to_owned(),
            Self::NewerSchema { .. } => "use the version of matrix that wrote it, or a later one".to_owned(),
            Self::Locked { .. } => {
                "wait until it has ended, or stop it; `matrix status` and `matrix show` work meanwhile".to_owned()
            }
            Self::HostLock { path, .. } => {
                format!("remove {}: a lock of matrix is a plain file that everybody may read", path.display())
            }
            Self::NotShareable { .. } => {
                "use `matrix run --shard K/N` with a store for each runner, and `matrix bundle merge`".to_owned()
            }
            Self::Full { .. } => {
                "make room there and repeat the command (a run: `matrix resume`): nothing half-written counts"
                    .to_owned()
            }
            Self::NotWritable { doing: "reading", .. } => {
                "make it readable, or name another store with `--results PATH`".to_owned()
            }
            Self::NotWritable { .. } => {
                "make the directory writable, or name another one with `--results PATH`".to_owned()
            }
            Self::Damaged { path, .. } if path.ends_with("store.toml") => {
                "take it from another store of this version: it is the same in all of them".to_owned()
            }
            Self::Damaged { path, .. } if path.ends_with("lock") => "remove it: it is made again".to_owned(),
            Self::Damaged { .. } => {
                "`matrix verify` lists everything that is damaged; take the file from a copy, or remove it and run the \
                 cell again"
                    .to_owned()
            }
            Self::Unreadable { .. } => {
                "make it readable, take it from a copy, or remove it and run the cell again".to_owned()
            }
            Self::Dangling { .. } => {
                "make the folder that it leads to, remove the link, or name another store with `--results PATH`"
                    .to_owned()
            }
            Self::OtherFilesystem { .. } => OTHER_FILESYSTEM.to_owned(),
            Self::Io { source, .. } if source.kind() == io::ErrorKind::CrossesDevices => OTHER_FILESYSTEM.to_owned(),
            Self::AmbiguousCell { .. } => "give more characters of the key".to_owned(),
            Self::NoSuchRun { known, .. } if known.is_empty() => "the store has no runs yet".to_owned(),
            Self::NoSuchRun { known, .. } => format!("the runs are: {}", known.join(", ")),
            _ => return None,
        })
    }

    /// The error of an operation on a file, sorted by what the system said.
    #[must_use]
    pub fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            _ if is_full(&source) => Self::Full { doing, path, source },
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                Self::NotWritable { doing, path, source }
            }
            io::ErrorKind::InvalidFilename => {
                Self::BadName { what: "a file on this system", name: path.display().to_string() }
            }
            _ if is_loop(&source) => Self::Unreadable { path, source },
            _ => Self::Io { doing, path, source },
        }
    }

    /// The error of taking the lock of all who measure on a host.
    #[must_use]
    pub fn host_lock(path: &Path, source: io::Error) -> Self {
        match is_full(&source) {
            true => Self::io("making", path, source),
            false => Self::HostLock { path: path.to_owned(), source },
        }
    }

    /// The error of reading a file that results depend on. Where the system ran out of something, it is not the file's.
    #[must_use]
    pub fn unreadable(path: &Path, source: io::Error) -> Self {
        use io::ErrorKind::{Interrupted, InvalidFilename, OutOfMemory};
        // Too many open files, in the process or altogether.
        let is_short =
            matches!(source.raw_os_error(), Some(23 | 24)) || matches!(source.kind(), Interrupted | OutOfMemory);
        match is_short || source.kind() == InvalidFilename {
            true => Self::io("reading", path, source),
            false => Self::Unreadable { path: path.to_owned(), source },
        }
    }

    /// The error that a sink gave to a driver, out of what the driver made of it.
    #[must_use]
    pub fn from_sink(SinkError(error): SinkError) -> Self {
        match error.downcast::<Self>() {
            Ok(inner) => inner,
            Err(other) => Self::Io { doing: "writing", path: PathBuf::from("the trace"), source: other },
        }
    }

    /// The same as the error of a sink, which a driver takes.
    #[must_use]
    pub fn into_sink(self) -> SinkError {
        let kind = match &self {
            Self::Full { source, .. }
            | Self::NotWritable { source, .. }
            | Self::Unreadable { source, .. }
            | Self::Io { source, .. } => source.kind(),
            _ => io::ErrorKind::InvalidData,
        };
        SinkError(io::Error::new(kind, self))
    }

    /// A file is not what was stored.
    #[must_use]
    pub fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), what: what.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    #[cfg(unix)]
    #[test]
    fn places_that_cannot_be_are_no_faults_of_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let long = folder.path().join("x".repeat(300));
        let opened = [Store::open(&long).map(drop), Store::create_or_open_for_writing(&long, "test").map(drop)];
        for error in opened.map(Result::unwrap_err) {
            assert_eq!(error.kind(), ErrorKind::Input, "{error}");
        }
        let store = Store::create_or_open_for_writing(folder.path(), "test").unwrap();
        std::os::unix::fs::symlink("cells", folder.path().join("cells")).unwrap();
        let error = store.cells().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Integrity, "{error}");
    }

    #[test]
    fn the_help_is_for_what_was_done_and_for_the_file_that_it_was_done_to() {
        let folder = tempfile::tempdir().unwrap();
        let denied = |doing| StoreError::io(doing, folder.path(), io::ErrorKind::PermissionDenied.into());
        assert!(denied("reading").help().unwrap().contains("readable"));
        assert!(denied("writing").help().unwrap().contains("writable"));
        drop(Store::create_or_open_for_writing(folder.path(), "test").unwrap());
        std::fs::write(folder.path().join("store.toml"), "schema").unwrap();
        let help = Store::open(folder.path()).unwrap_err().help().unwrap();
        assert!(!help.contains("verify") && !help.contains("cell"), "{help}");
    }
}
