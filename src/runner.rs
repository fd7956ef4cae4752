//! From a command to a session of the library, and back to an exit code: who runs, with which driver, seen on the terminal.

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use matrix_app::Row;
use matrix_driver::{Cancel, Driver};
use matrix_plan::{Cell, Platform};
use matrix_run::{Input, Program, Session, StoreAccess};
use matrix_sim::SimDriver;
use matrix_store::Digest;

use crate::exit::{Exit, Failure};
use crate::progress::Progress;
use crate::{live, output, signals};

/// Where a session of this program writes.
pub(crate) fn store_access(results: &Path) -> StoreAccess<'_> {
    StoreAccess::new(results, program()).expiring_after(expires_after())
}

/// After what time without a sign of life other runners take this one for dead: for tests, and for clusters on which machines are slow to
/// see each other's files.
pub(crate) fn expires_after() -> Option<Duration> {
    let seconds = std::env::var("MATRIX_CLAIM_SECONDS").ok().and_then(|text| text.parse().ok());
    seconds.map(Duration::from_secs)
}

/// This program, as it was built and called.
pub(crate) fn program() -> Program {
    let words: Vec<String> = std::env::args_os().skip(1).map(|word| output::word(Path::new(&word))).collect();
    Program {
        holder: format!("matrix {}", words.join(" ")),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: option_env!("MATRIX_COMMIT").map(str::to_owned),
        dirty: option_env!("MATRIX_DIRTY").map(|dirty| dirty == "1"),
        lock_file: Some(Digest::of(include_bytes!("../Cargo.lock"))),
        target: option_env!("MATRIX_TARGET").map(str::to_owned),
        toolchain: option_env!("MATRIX_TOOLCHAIN").map(str::to_owned),
    }
}

/// What executes an experiment's cells: by its platform.
pub(crate) fn driver(input: &Input, cells: &[Cell]) -> Result<Box<dyn Driver<Cell, Row>>, Failure> {
    match (input.experiment.platform, &input.model) {
        (Platform::Sim, Some((model, _))) => Ok(Box::new(SimDriver::new(model.clone()))),
        (Platform::Sim, None) => Err(Failure::new(Exit::Internal, "the experiment has no model")),
        (Platform::Local | Platform::Aws, _) => live::driver(input, cells),
    }
}

/// Executes a session to the end, or until the person interrupts it.
pub(crate) fn execute(mut session: Session, jobs: Option<NonZeroUsize>, wait: bool) -> Result<Exit, Failure> {
    session.set_waiting(wait);
    let cancel = Cancel::default();
    signals::listen(&cancel)?;
    let progress = Progress::new(session.len() as u64, session.requests());
    Ok(session.execute(jobs, &cancel, &progress)?.into())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn an_attempt_names_no_user_host_or_path() {
        let text = format!("{:?}", program().provenance(BTreeMap::new()));
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let [here, home] = ["CARGO_MANIFEST_DIR", "HOME"].map(|name| std::env::var(name).unwrap_or_default());
        for secret in [host.trim(), &here, &home] {
            assert!(secret.len() < 4 || !text.contains(secret), "`{secret}` is in {text}");
        }
        assert!(text.contains(env!("CARGO_PKG_VERSION")));
    }
}
