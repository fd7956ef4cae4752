//! What can go wrong, where, and what a person can do about it.

use std::io;
use std::path::PathBuf;

use matrix_store::{ErrorKind, StoreError};
use matrix_yaml::Position;

/// A file or a name that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct ParseError {
    /// Where: the column in characters in `tags.yml` and names, in bytes in `traces.csv`.
    pub place: Position,
    /// What is wrong there.
    pub problem: Problem,
}

impl ParseError {
    pub(crate) fn new(line: u64, column: u64, problem: Problem) -> Self {
        Self { place: Position { line, column }, problem }
    }
}

/// What is wrong with a file or a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The bytes are no text.
    #[error("not UTF-8")]
    NotUtf8,
    /// The file is larger than it may be.
    #[error("more than {limit} bytes")]
    TooLarge {
        /// How many bytes there may be.
        limit: u64,
    },
    /// There is nothing in it.
    #[error("empty")]
    Empty,
    /// The first field of the header is not empty.
    #[error("the first column is `{found}`, not the unnamed row index")]
    NoIndex {
        /// Its name.
        found: String,
    },
    /// A column that no gather folder has.
    #[error("unknown column `{name}`")]
    UnknownColumn {
        /// Its name.
        name: String,
    },
    /// Two columns of one name.
    #[error("two columns `{name}`")]
    DuplicateColumn {
        /// Their name.
        name: &'static str,
    },
    /// A column that every gather folder has.
    #[error("no column `{name}`")]
    MissingColumn {
        /// Its name.
        name: &'static str,
    },
    /// A line with too few or too many fields.
    #[error("{found} fields, but the header has {expected}")]
    Fields {
        /// How many there are.
        found: usize,
        /// How many the header has.
        expected: usize,
    },
    /// A row index that is not the row's place.
    #[error("row index `{found}` instead of {expected}")]
    Index {
        /// The index found.
        found: String,
        /// The row's place, from 0.
        expected: u64,
    },
    /// A value that its column cannot hold.
    #[error("`{name}` is `{value}`, not {expected}")]
    Value {
        /// The column or tag.
        name: &'static str,
        /// What stands there.
        value: String,
        /// What should.
        expected: &'static str,
    },
    /// Not YAML at all.
    #[error("no YAML: {0}")]
    Yaml(String),
    /// YAML, but not a flat list of names and values.
    #[error("{0}")]
    NotFlat(&'static str),
    /// A tag given twice.
    #[error("two tags `{0}`")]
    DuplicateTag(String),
    /// A tag about what was run is missing.
    #[error("no tag `{0}`")]
    MissingTag(&'static str),
    /// A treatment that is neither of the two that there are here.
    #[error("`{0}` is on: the runner knows no such treatment")]
    Treatment(String),
    /// More results than requests.
    #[error("{results} results of {requests} requests")]
    TooManyResults {
        /// Results.
        results: u64,
        /// Requests.
        requests: u64,
    },
    /// A name of another form.
    #[error("`{name}` is no {what}")]
    Name {
        /// The name.
        name: String,
        /// What it should be.
        what: &'static str,
    },
}

/// The form of a cell's folder name.
pub(crate) const FOLDER_FORM: &str = "[antipode__]<writer>-<reader>__<requests>__delay-<ms>ms-<YYYYmmddHHMMSS>";

impl Problem {
    /// What a person can do about it.
    #[must_use]
    pub fn fix(&self) -> String {
        match self {
            Self::NotUtf8 => "save the file as UTF-8".to_owned(),
            Self::TooLarge { .. } => "raise the limit, if the file is what it should be".to_owned(),
            Self::Empty => "take the file from a copy, or remove the folder".to_owned(),
            Self::NoIndex { .. } => "begin the header with `;`, and each row with its number, from 0".to_owned(),
            Self::UnknownColumn { .. } | Self::MissingColumn { .. } | Self::DuplicateColumn { .. } => {
                format!("the columns are the index, {}", crate::traces::COLUMNS.join(", "))
            }
            Self::Fields { .. } => "separate the fields by `;`, one for each column of the header".to_owned(),
            Self::Index { .. } => "number the rows from 0, in order of arrival".to_owned(),
            Self::Value { expected, .. } => format!("write {expected}"),
            Self::Yaml(_) | Self::NotFlat(_) => "write one `NAME: value` a line".to_owned(),
            Self::DuplicateTag(_) => "keep one of them".to_owned(),
            Self::MissingTag(name) => format!("add a line `{name}: value`"),
            Self::Treatment(_) => "leave such folders out".to_owned(),
            Self::TooManyResults { .. } => "write NUM_RESULTS as results/requests".to_owned(),
            Self::Name { what, .. } => match *what {
                "time stamp" => "write a time as YYYYmmddHHMMSS".to_owned(),
                "pair of storages" => {
                    "name it <post>-<notification>: mysql, dynamo, s3 or cache, then sns, mq or dynamo".to_owned()
                }
                _ => format!("name it {FOLDER_FORM}"),
            },
        }
    }
}

/// A folder could not be imported. Nothing of it is in the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A file or a name cannot be understood.
    #[error("{}:{error}", path.display())]
    Parse {
        /// The file, or the folder whose name it is.
        path: PathBuf,
        /// Where in it, and what.
        error: ParseError,
    },
    /// A folder's name, its tags and its rows contradict each other.
    #[error("{}: {what}", path.display())]
    Contradiction {
        /// The file at fault.
        path: PathBuf,
        /// What differs from what.
        what: String,
    },
    /// There are no gather folders.
    #[error("{} is no gather folder", .0.display())]
    NotGather(PathBuf),
    /// A file that is none: a folder, a device or a pipe.
    #[error("{} is no plain file", .0.display())]
    NotAFile(PathBuf),
    /// A folder claims so many requests that it must be a mistake.
    #[error("{} tells of {requests} requests, more than the {limit} that are taken", path.display())]
    TooManyRequests {
        /// The file.
        path: PathBuf,
        /// Requests.
        requests: u64,
        /// How many are taken.
        limit: u64,
    },
    /// The store has another result of the same gathering.
    #[error("{}: the store has other rows of this gathering (cell {cell})", path.display())]
    Conflict {
        /// The folder.
        path: PathBuf,
        /// Start of the cell's key.
        cell: String,
    },
    /// Reading failed.
    #[error("reading {} failed", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ImportError {
    /// What sort of trouble it is: what an exit code is chosen by.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            _ => ErrorKind::Input,
        }
    }

    /// What a person can do about it, where there is something.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Parse { error, .. } => error.problem.fix(),
            Self::Contradiction { .. } => "correct whichever of them is wrong".to_owned(),
            Self::NotGather(_) => {
                format!("name a folder that holds <post>-<notification>/{FOLDER_FORM}/{{traces.csv,tags.yml}}")
            }
            Self::NotAFile(_) => "put the file itself there".to_owned(),
            Self::TooManyRequests { .. } => "write NUM_RESULTS as results/requests".to_owned(),
            Self::Conflict { .. } => "one of the two was changed: import into another store to compare them".to_owned(),
            Self::Io { .. } => return None,
            Self::Store(error) => return error.help(),
        })
    }
}

/// Folders could not be exported; nothing is left behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The target has something in it already.
    #[error("{} is there already, and not empty", .0.display())]
    NotEmpty(PathBuf),
    /// There is nothing to export.
    #[error("no done cell to export")]
    Nothing,
    /// A region without a name at AWS.
    #[error("region `{0}` has no name at AWS")]
    UnknownRegion(String),
    /// A trace that is none.
    #[error("the trace of cell {cell}, line {line}: {what}")]
    Trace {
        /// Start of the cell's key.
        cell: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// Reading a trace failed.
    #[error("reading the trace of cell {cell} failed")]
    Read {
        /// Start of the cell's key.
        cell: String,
        /// The error of the reader.
        source: io::Error,
    },
    /// Writing failed.
    #[error("writing {} failed", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// Reading the store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ExportError {
    /// What sort of trouble it is: what an exit code is chosen by.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotEmpty(_) | Self::Nothing | Self::UnknownRegion(_) => ErrorKind::Input,
            Self::Trace { .. } => ErrorKind::Integrity,
            Self::Read { source, .. } => {
                let inner = source.get_ref().and_then(|inner| inner.downcast_ref::<StoreError>());
                inner.map_or(ErrorKind::Internal, StoreError::kind)
            }
            Self::Write { path, source } => {
                let kind = source.kind();
                StoreError::io("writing", path, kind.into()).kind()
            }
            Self::Store(error) => error.kind(),
        }
    }

    /// What a person can do about it, where there is something.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::NotEmpty(_) => "name a new or empty directory".to_owned(),
            Self::Nothing => "run some cells first, or loosen the filter".to_owned(),
            Self::UnknownRegion(_) => "declare it in the experiment's [regions]".to_owned(),
            Self::Trace { .. } => "`matrix verify` lists everything that is damaged".to_owned(),
            Self::Write { .. } if self.kind() == ErrorKind::Full => "make room there and repeat the command".to_owned(),
            Self::Read { .. } | Self::Write { .. } => return None,
            Self::Store(error) => return error.help(),
        })
    }
}
