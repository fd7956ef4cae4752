//! Why there is no package.

use std::path::PathBuf;

use crate::Glibc;

/// A function that could not be built or packaged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// Cargo could not be started.
    #[error("starting cargo: {0}")]
    Cargo(#[source] std::io::Error),
    /// Cargo did not say where it put an executable.
    #[error("cargo names no executable `{0}`")]
    Executable(&'static str),
    /// Cargo failed; it has said why.
    #[error("cargo could not build the functions ({0})")]
    Build(std::process::ExitStatus),
    /// A file could not be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no executable for the functions' machine.
    #[error("not an executable for x86_64 Linux: {0}")]
    Binary(String),
    /// The file is no package.
    #[error("not a package of a function: {0}")]
    Package(String),
    /// The executable needs a newer C library than the functions' machine has.
    #[error("the executable needs GLIBC {needed}, but provided.al2023 has {has}")]
    Glibc {
        /// What it needs.
        needed: Glibc,
        /// What there is.
        has: Glibc,
    },
    /// The archive could not be written.
    #[error("writing the archive: {0}")]
    Zip(#[from] ::zip::result::ZipError),
    /// The archive could not be written.
    #[error("writing the archive: {0}")]
    Write(#[from] std::io::Error),
}
