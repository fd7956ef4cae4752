//! From a command to a session of the library, and back to an exit code: who runs, with which driver, seen on the terminal.

use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Once;
use std::time::Duration;

use matrix_app::Row;
use matrix_driver::{Cancel, Driver};
use matrix_plan::printable::one_line;
use matrix_plan::{Cell, Platform};
use matrix_run::{Input, Program, Session, StoreAccess};
use matrix_sim::SimDriver;
use matrix_store::Digest;
use matrix_store::share::{SHARED_TIME, is_of_one_machine};

use crate::exit::{Exit, Failure};
use crate::progress::Progress;
use crate::{live, output, signals};

/// Where a session of this program writes.
pub(crate) fn store_access(results: &Path) -> Result<StoreAccess<'_>, Failure> {
    Ok(StoreAccess::new(results, program()).expiring_after(expires_after(results)?))
}

/// The variable that says after how many seconds without a sign of life other runners take this one for dead: for tests, and for clusters
/// on which machines are slow to see each other's files.
const CLAIM_SECONDS: &str = "MATRIX_CLAIM_SECONDS";

/// The time that it says, if it is set; below what a file system of several machines needs, with a warning.
pub(crate) fn expires_after(results: &Path) -> Result<Option<Duration>, Failure> {
    static WARNED: Once = Once::new();
    let Some(time) = std::env::var_os(CLAIM_SECONDS).map(|value| claim_time(&value)).transpose()? else {
        return Ok(None);
    };
    if time < SHARED_TIME && !is_of_one_machine(results) {
        WARNED.call_once(|| {
            output::note(format_args!(
                "warning: {CLAIM_SECONDS} is {}, and {} is on a file system that several machines may share: there they may see each other's \
                 files a minute late, take a runner for dead that is not, and execute its cells once more. It should be {} at least",
                time.as_secs(),
                output::path(results),
                SHARED_TIME.as_secs()
            ));
        });
    }
    Ok(Some(time))
}

fn claim_time(value: &OsStr) -> Result<Duration, Failure> {
    let seconds =
        value.to_str().and_then(|text| text.parse::<u64>().ok()).filter(|seconds| (1..=DAY).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| {
        Failure::usage(
            format!("{CLAIM_SECONDS} is `{}`", one_line(&value.to_string_lossy())),
            format!("it takes a whole number of seconds, 1 to {DAY}; unset, it is 30, and 180 where several machines may share the store"),
        )
    })
}

/// After a day without a sign, what a runner left is removed.
const DAY: u64 = 24 * 3600;

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
    fn the_time_of_a_claim_is_a_number_of_seconds_or_is_refused() {
        for (value, seconds) in [("1", 1), ("180", 180), ("86400", 86400)] {
            assert_eq!(claim_time(OsStr::new(value)).unwrap(), Duration::from_secs(seconds));
        }
        for value in ["", "0", "30s", "-1", "1.5", "86401"] {
            let failure = claim_time(OsStr::new(value)).unwrap_err();
            assert_eq!(failure.exit, Exit::Usage);
            assert_eq!(failure.reports[0].to_string(), format!("MATRIX_CLAIM_SECONDS is `{value}`"));
        }
    }

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
