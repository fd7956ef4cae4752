//! What can go wrong with a bundle, where, and what a person can do about it.

use std::io;
use std::path::PathBuf;

use matrix_core::{CellKey, Tally};
use matrix_store::verify::Fault;
use matrix_store::{Digest, Origin, StoreError, is_full};

use crate::limits::Limits;
use crate::looks::Looks;
use crate::signature_error::{KeyError, SignatureError};

/// What sort of trouble it is: what an exit code is chosen by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request is not one that can be fulfilled: bad input.
    Input,
    /// The bundle, or the store that one is made of, is not what it should be.
    Integrity,
    /// Anything else: input and output that failed.
    Internal,
}

/// Why a bundle is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The file does not begin like a bundle.
    #[error("{0}")]
    NotABundle(Looks),
    /// The compressed stream is damaged.
    #[error("it does not decompress: {0}")]
    Compressed(String),
    /// The stream ends too early.
    #[error("it ends too early")]
    Truncated,
    /// Something follows the end.
    #[error("something follows its end")]
    TrailingData,
    /// It decompresses to more than is allowed.
    #[error("it decompresses to more than {max} bytes")]
    TooLarge {
        /// Most bytes allowed.
        max: u64,
    },
    /// More entries than are allowed.
    #[error("it has more than {max} entries")]
    TooManyEntries {
        /// Most entries allowed.
        max: u64,
    },
    /// A file that has to be read whole is too large for that.
    #[error("{bytes} bytes, where at most {max} are allowed")]
    FileTooLarge {
        /// Its bytes.
        bytes: u64,
        /// Most bytes allowed.
        max: u64,
    },
    /// Files that have to be held take more memory than is allowed.
    #[error("the files up to here that have to be held in memory take more than {max} bytes")]
    TooMuchMemory {
        /// Most bytes allowed.
        max: u64,
    },
    /// The header's checksum does not match.
    #[error("the checksum of its header does not match")]
    HeaderChecksum,
    /// An entry that is no plain file.
    #[error("it is {0}, and a bundle has only plain files")]
    NotAFile(&'static str),
    /// A header that is not written the one way that bundles have.
    #[error("its header is not the one that such a file has in a bundle ({0})")]
    Header(&'static str),
    /// A name that is not UTF-8.
    #[error("its name is not UTF-8")]
    NotUtf8,
    /// A name that begins at the root.
    #[error("its name is absolute")]
    AbsolutePath,
    /// A name that leaves its folder, or steps on the spot.
    #[error("its name has an empty, `.` or `..` part")]
    DotPath,
    /// A name with a character that bundles do not use.
    #[error("its name has a character that names in a bundle do not have")]
    BadName,
    /// A name that does not fit in a header.
    #[error("its name is too long for a plain archive")]
    LongName,
    /// A name of more folders than any of a bundle.
    #[error("its name has too many parts")]
    DeepName,
    /// An entry outside the bag's folder.
    #[error("it is not in the bag's folder")]
    OutsideTheBag,
    /// The same name twice.
    #[error("the name appears twice")]
    Duplicate,
    /// Names that are the same on some file systems.
    #[error("its name differs from `{other}` only in case")]
    CaseCollision {
        /// The other name.
        other: String,
    },
    /// A name that is a file and a folder.
    #[error("`{other}` would have to be a file and a folder")]
    FileAndFolder {
        /// The other name.
        other: String,
    },
    /// An entry that is not at its place.
    #[error("it is out of order: `{expected}` was expected")]
    OutOfOrder {
        /// What should stand here.
        expected: String,
    },
    /// An entry that the manifest does not name.
    #[error("the manifest does not name it")]
    NotInManifest,
    /// An entry that the manifest names and that is not there.
    #[error("the manifest names it, and it is missing")]
    Missing,
    /// Bytes between entries that are not zero.
    #[error("the bytes that fill its last block are not zero")]
    Padding,
    /// A file that bundles do not have.
    #[error("no such file belongs in a bundle")]
    UnknownPlace,
    /// Another digest than the tag manifest says.
    #[error("its SHA-256 is {found}, tagmanifest-sha256.txt says {expected}")]
    TagDigest {
        /// What the tag manifest says.
        expected: Digest,
        /// What its bytes have.
        found: Digest,
    },
    /// Another digest than the manifest says.
    #[error("its SHA-256 is {found}, the manifest says {expected}")]
    Digest {
        /// What the manifest says.
        expected: Digest,
        /// What its bytes have.
        found: Digest,
    },
    /// Its contents are wrong.
    #[error("{0}")]
    Contents(String),
    /// The bundle is of a format that this program does not know.
    #[error("it has format `{0}`, and this program knows formats 1 to 3")]
    Format(String),
}

/// Two results, attempts or other things of one name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Conflict {
    /// Two different results of one cell from one origin.
    Results {
        /// The cell.
        key: CellKey,
        /// Who measured.
        origin: Origin,
        /// Their objects, in order.
        objects: Vec<Digest>,
    },
    /// Two different attempts of one name.
    Attempts {
        /// The attempts' name.
        id: String,
        /// The digests of their files, in order.
        files: Vec<Digest>,
    },
}

impl std::fmt::Display for Conflict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |digests: &[Digest]| digests.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        match self {
            Self::Results { key, origin, objects } => {
                write!(f, "cell {} has different results from origin {origin}: {}", key.short(), shown(objects))
            }
            Self::Attempts { id, files } => write!(f, "attempt {id} has different contents: {}", shown(files)),
        }
    }
}

/// Something went wrong with a bundle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The bundle is not what a bundle has to be.
    #[error("{}{why}", place.as_ref().map_or_else(String::new, |place| format!("{place}: ")))]
    Refused {
        /// The file in the bundle, or what is known of it.
        place: Option<String>,
        /// Byte of the uncompressed stream up to which it was read.
        offset: u64,
        /// Why.
        why: Refusal,
    },
    /// Cells that were planned are not done.
    #[error("{} of {} planned cells are not done ({} partial, {} failed, {} skipped, {} pending)", .0.planned() - .0.done, .0.planned(), .0.partial, .0.failed, .0.skipped, .0.pending)]
    Incomplete(Tally),
    /// Shards of an experiment are not among what is to be united.
    #[error("shards are missing: {0}")]
    MissingShards(String),
    /// Nothing is selected.
    #[error("no cell is selected")]
    Empty,
    /// Things of one name that differ.
    #[error("{} conflict{}:\n{}", .0.len(), if .0.len() == 1 { "" } else { "s" }, .0.iter().map(|conflict| format!("  {conflict}")).collect::<Vec<_>>().join("\n"))]
    Conflicts(Vec<Conflict>),
    /// A file that cannot be put into a bundle.
    #[error("{path} cannot be put into a bundle: {why}")]
    Unfit {
        /// Its path in the bundle.
        path: String,
        /// Why.
        why: Refusal,
    },
    /// The target is there already.
    #[error("{} exists and is not an empty directory", .0.display())]
    TargetExists(PathBuf),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A signature that is not what it should be.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// A key that cannot be used, or a signature of a kind that cannot be checked here.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// What the caller derives from the results failed.
    #[error("deriving tables and figures")]
    Derive(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Temporary files cannot be made.
    #[error("TMPDIR names {}, {why}", place.display())]
    Temporary {
        /// Where they should be.
        place: PathBuf,
        /// Why not.
        why: String,
    },
    /// A file or folder that the caller named cannot be used as such.
    #[error("{doing} failed")]
    Path {
        /// What was being done, and to what.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
    /// Input or output failed.
    #[error("{doing} failed")]
    Io {
        /// What was being done, and to what.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
}

impl BundleError {
    /// What sort of trouble it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused { .. } | Self::Conflicts(_) | Self::Signature(_) => ErrorKind::Integrity,
            Self::Incomplete(_)
            | Self::MissingShards(_)
            | Self::Empty
            | Self::Unfit { .. }
            | Self::TargetExists(_)
            | Self::Key(_)
            | Self::Temporary { .. }
            | Self::Path { .. } => ErrorKind::Input,
            Self::Store(error) => match error.kind() {
                matrix_store::ErrorKind::Integrity => ErrorKind::Integrity,
                matrix_store::ErrorKind::Input
                | matrix_store::ErrorKind::Locked
                | matrix_store::ErrorKind::NotWritable
                | matrix_store::ErrorKind::Full => ErrorKind::Input,
                _ => ErrorKind::Internal,
            },
            Self::Io { source, .. } if is_full(source) => ErrorKind::Input,
            Self::Derive(_) | Self::Io { .. } => ErrorKind::Internal,
        }
    }

    /// What a person can do about it, where there is something.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Refused { why: Refusal::TooLarge { .. } | Refusal::TooManyEntries { .. }, .. } => {
                "if you trust whom it comes from, raise the limit with --max-size".to_owned()
            }
            Self::Refused { why: Refusal::FileTooLarge { max, .. } | Refusal::TooMuchMemory { max }, .. }
                if *max >= Limits::default().max_plan() =>
            {
                "if you trust whom it comes from, raise the limit with --max-size, which allows more memory, too"
                    .to_owned()
            }
            Self::Refused { why: Refusal::NotABundle(looks), .. } => looks.advice().to_owned(),
            Self::Refused { why: Refusal::Truncated, .. } => "fetch the file again".to_owned(),
            Self::Incomplete(_) => "finish the run (`matrix resume`), choose the done cells with --filter, or say \
                                    --allow-incomplete: the bundle then says so"
                .to_owned(),
            Self::MissingShards(_) => {
                "name their bundles, too, or say --allow-incomplete: the bundle then says so".to_owned()
            }
            Self::Conflicts(_) => {
                "results of two measurements: make the bundle of one again with --origin NAME, or leave the \
                 cells out with --filter; of the same measurement: make both with the same origin"
                    .to_owned()
            }
            Self::Temporary { .. } => "make it, or let TMPDIR name another place".to_owned(),
            Self::TargetExists(_) => "name a new directory".to_owned(),
            Self::Io { source, .. } | Self::Path { source, .. } if is_full(source) => {
                "make room there and repeat the command: nothing half-written is left (TMPDIR names another place for \
                 what is unpacked to be read)"
                    .to_owned()
            }
            Self::Store(error) => return error.help(),
            _ => return None,
        })
    }

    /// Input or output that failed while something was done.
    pub fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }

    /// The same, of what the caller named: a file that is not there, a folder that nothing can be written to.
    pub fn path(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Path { doing, source }
    }

    /// The error that reading a file of a bundle gave.
    #[must_use]
    pub fn from_read(error: io::Error) -> Self {
        error.downcast::<Self>().unwrap_or_else(Self::io("reading the bundle"))
    }

    /// Whether only one file of the bundle is wrong, so that the others can still be read.
    #[must_use]
    pub fn is_of_one_file(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                why: Refusal::Digest { .. }
                    | Refusal::Contents(_)
                    | Refusal::FileTooLarge { .. }
                    | Refusal::UnknownPlace,
                ..
            }
        )
    }

    /// What is wrong with the bundle, as a fault of the file.
    ///
    /// # Errors
    /// Other errors, which are not the bundle's.
    pub fn into_fault(self) -> Result<Fault, Self> {
        match self {
            Self::Refused { place, offset, why } => {
                let what =
                    if offset > 0 { format!("{why} (at byte {offset} of the archive)") } else { why.to_string() };
                Ok(Fault { file: PathBuf::from(place.as_deref().unwrap_or(".")), what })
            }
            other => Err(other),
        }
    }

    /// A fault of one file, whose contents are wrong.
    pub fn contents(place: &str, what: impl Into<String>) -> Self {
        Self::Refused { place: Some(place.to_owned()), offset: 0, why: Refusal::Contents(what.into()) }
    }

    /// A store's complaint about a file of the bundle: the file's path is in it already.
    pub fn of_file(place: &str, error: StoreError) -> Self {
        match error {
            StoreError::Damaged { what, .. } => Self::contents(place, what),
            StoreError::NewerSchema { found, known, .. } => {
                Self::contents(place, format!("it has schema {found}; this program knows schemas up to {known}"))
            }
            StoreError::BadName { .. } | StoreError::Json(_) => Self::contents(place, error.to_string()),
            other => Self::Store(other),
        }
    }
}
