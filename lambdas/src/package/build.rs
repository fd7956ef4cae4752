//! Building the functions' executables.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{PackageError, bootstrap_zip};

/// The functions' executables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    /// The writer's.
    pub writer: Vec<u8>,
    /// The reader's.
    pub reader: Vec<u8>,
}

/// The functions' packages: archives to deploy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packages {
    /// The writer's.
    pub writer: Vec<u8>,
    /// The reader's.
    pub reader: Vec<u8>,
}

/// The profile that makes them small (see the workspace's `Cargo.toml`).
const PROFILE: &str = "lambda";

/// Builds the functions in the workspace at `workspace`, with its own target directory or the given one. Cargo writes its
/// progress to the standard error.
///
/// # Errors
/// When cargo is missing or fails.
pub fn build(workspace: &Path, target: Option<&Path>) -> Result<Binaries, PackageError> {
    let target = target.map_or_else(|| workspace.join("target"), Path::to_path_buf);
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(workspace)
        .args(["build", "--locked", "--package", "matrix-lambdas", "--bins", "--target-dir"])
        .arg(&target)
        .args(["--profile", PROFILE])
        .status()
        .map_err(PackageError::Cargo)?;
    if !status.success() {
        return Err(PackageError::Build(status));
    }
    let read = |name| read(target.join(PROFILE).join(name));
    Ok(Binaries { writer: read("writer")?, reader: read("reader")? })
}

/// Builds and packages the functions: see [`build`] and [`bootstrap_zip`].
///
/// # Errors
/// When cargo is missing or fails, or what it built would not run on `provided.al2023`.
pub fn package(workspace: &Path, target: Option<&Path>) -> Result<Packages, PackageError> {
    let binaries = build(workspace, target)?;
    Ok(Packages { writer: bootstrap_zip(&binaries.writer)?, reader: bootstrap_zip(&binaries.reader)? })
}

fn read(path: PathBuf) -> Result<Vec<u8>, PackageError> {
    std::fs::read(&path).map_err(|source| PackageError::Read { path, source })
}
