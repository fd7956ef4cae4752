//! Building the functions' executables.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::{PackageError, bootstrap_zip};

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
    // Cargo works elsewhere: a relative path is meant from here.
    let target = std::path::absolute(&target).map_err(|source| PackageError::Read { path: target, source })?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // What a cargo above this process says of the package that it runs is not of the functions. Build scripts that read it
    // (ring's do) would have almost everything compiled again for each package that asks.
    let of_another = |name: &str| {
        let prefixes = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_EXE_", "CARGO_FEATURE_", "CARGO_CFG_"];
        prefixes.iter().any(|prefix| name.starts_with(prefix)) || name == "CARGO_CRATE_NAME" || name == "OUT_DIR"
    };
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(of_another)) {
        command.env_remove(name);
    }
    let built = command
        .current_dir(workspace)
        .args(["build", "--locked", "--package", "matrix-lambdas", "--bins", "--target-dir"])
        .arg(&target)
        .args(["--profile", PROFILE, "--message-format", "json-render-diagnostics"])
        .stderr(Stdio::inherit())
        .output()
        .map_err(PackageError::Cargo)?;
    if !built.status.success() {
        return Err(PackageError::Build(built.status));
    }
    // Cargo says where they are: settings of the user's may put them into a folder of their own.
    let messages = String::from_utf8_lossy(&built.stdout);
    let read = |name| read(executable(&messages, name).ok_or(PackageError::Executable(name))?);
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

/// A message of cargo's. Most are of other kinds, and have other fields.
#[derive(Deserialize)]
struct CargoMessage {
    reason: String,
    target: Option<Target>,
    executable: Option<PathBuf>,
}

/// What a message is about.
#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// Where cargo's messages say that an executable is.
fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    let told = messages.lines().filter_map(|line| serde_json::from_str::<CargoMessage>(line).ok());
    let is_it = |target: &Target| target.name == name && target.kind.iter().any(|kind| kind == "bin");
    let artifacts = told.filter(|told| told.reason == "compiler-artifact" && told.target.as_ref().is_some_and(is_it));
    artifacts.filter_map(|told| told.executable).next_back()
}

fn read(path: PathBuf) -> Result<Vec<u8>, PackageError> {
    std::fs::read(&path).map_err(|source| PackageError::Read { path, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_are_where_cargo_says() {
        let messages = r#"
{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"writer"},"executable":null}
{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"writer"},"executable":"/t/x86_64-unknown-linux-gnu/lambda/writer"}
{"reason":"build-script-executed","package_id":"x"}
{"reason":"build-finished","success":true}"#;
        let expected = PathBuf::from("/t/x86_64-unknown-linux-gnu/lambda/writer");
        assert_eq!(executable(messages, "writer"), Some(expected));
        assert_eq!(executable(messages, "reader"), None);
    }
}
