//! Messages that were found in a queue and belong to no attempt of the run: they are set aside in a file of the run.

use std::path::PathBuf;

use jiff::Timestamp;
use matrix_live::lambda::LambdaDriver;
use matrix_live::testbed::StateDir;

use crate::output;

/// Where a run that begins now sets them aside: `strays/TIME-EXPERIMENT-PROCESS.jsonl` in the state directory. `None` where
/// there is no such directory.
pub(super) fn file(experiment: &str) -> Option<PathBuf> {
    let state = StateDir::of_user().ok()?;
    let time = Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    Some(state.path().join("strays").join(format!("{time}-{experiment}-{}.jsonl", std::process::id())))
}

/// A driver that says at the end whether messages were set aside.
pub(super) struct WithQuarantine(pub(super) LambdaDriver);

impl std::ops::Deref for WithQuarantine {
    type Target = LambdaDriver;

    fn deref(&self) -> &LambdaDriver {
        &self.0
    }
}

impl Drop for WithQuarantine {
    fn drop(&mut self) {
        let Some(file) = &self.0.settings().quarantine else { return };
        // Without a stray there is no file.
        let Ok(text) = std::fs::read(file) else { return };
        let count = text.iter().filter(|byte| **byte == b'\n').count();
        output::note(format_args!("{count} messages of other attempts were set aside in {}", file.display()));
    }
}
