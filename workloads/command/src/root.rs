//! `as = "root"`: programs that run through `sudo -n`.

use std::collections::BTreeMap;
use std::path::Path;

use matrix_driver::Cancel;

use crate::file::{Experiment, PASSED};
use crate::probe::{self, Probe};

/// How long sudo may take to say whether it asks for a password, in milliseconds.
const LIMIT_MS: u64 = 10_000;

/// Whether this process is root and there is no sudo, as in containers: then programs are root's without it.
fn is_root_without_sudo() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    rustix::process::geteuid().is_root() && !std::env::split_paths(&path).any(|folder| folder.join("sudo").is_file())
}

/// The arguments that run a program as root, with this environment and no other.
pub(crate) fn arguments(arguments: Vec<String>, env: &BTreeMap<String, String>) -> Vec<String> {
    if is_root_without_sudo() {
        return arguments;
    }
    let sudo = ["sudo", "-n", "--", "env", "-i"].map(str::to_owned).into_iter();
    sudo.chain(env.iter().map(|(name, value)| format!("{name}={value}"))).chain(arguments).collect()
}

/// Whether an experiment runs anything as root on this machine.
#[must_use]
pub fn is_needed(experiment: &Experiment) -> bool {
    experiment.command.as_root
        || experiment.command.services.iter().any(|service| service.as_root && service.on.is_none())
}

/// Why programs cannot run as root.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RootError {
    /// sudo asks for a password, or refuses; how it ended, in words.
    #[error("`as = \"root\"` needs a sudo that asks for no password: {0}")]
    Refused(String),
    /// sudo could not be asked; why, in words.
    #[error("{0}")]
    NotAsked(String),
}

/// Tries what programs as root need, before anything starts.
///
/// # Errors
/// When sudo refuses, or cannot be asked.
pub fn check(experiment: &Experiment) -> Result<(), RootError> {
    if !is_needed(experiment) || is_root_without_sudo() {
        return Ok(());
    }
    let arguments = ["sudo", "-n", "--", "true"].map(str::to_owned).to_vec();
    let env = probe::environment(PASSED);
    let probe = probe::supervisors()
        .and_then(|by| Probe::run(&by, arguments, env, Path::new("/"), LIMIT_MS, &Cancel::default()))
        .map_err(RootError::NotAsked)?;
    if probe.ended.is_success() { Ok(()) } else { Err(RootError::Refused(probe.words())) }
}
