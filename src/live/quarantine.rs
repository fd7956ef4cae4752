//! Messages that were found in a queue and belong to no attempt of the run: they are set aside in a file of the run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use matrix_app::Row;
use matrix_driver::{AttemptDetails, Cancel, Driver, DriverError, RowSink};
use matrix_live::lambda::LambdaDriver;
use matrix_live::testbed::StateDir;
use matrix_plan::Cell;

use super::driver::RealServices;
use crate::exit::Failure;
use crate::output;

/// Where a run that begins now sets them aside: `strays/TIME-EXPERIMENT-PROCESS.jsonl` in the state directory. `None` where
/// there is no such directory.
pub(super) fn file(experiment: &str) -> Option<PathBuf> {
    let state = StateDir::of_user().ok()?;
    let time = Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    Some(state.path().join("strays").join(format!("{time}-{experiment}-{}.jsonl", std::process::id())))
}

/// Real services that say at the end whether messages were set aside.
pub(super) struct WithQuarantine(pub(super) Box<dyn RealServices>);

impl Drop for WithQuarantine {
    fn drop(&mut self) {
        let Some(file) = &self.0.lambda().settings().quarantine else { return };
        // Without a stray there is no file.
        let Ok(text) = std::fs::read(file) else { return };
        let count = text.iter().filter(|byte| **byte == b'\n').count();
        output::note(format_args!("{count} messages of other attempts were set aside in {}", file.display()));
    }
}

impl RealServices for WithQuarantine {
    fn lambda(&self) -> &LambdaDriver {
        self.0.lambda()
    }

    fn well(&self) -> Result<(), DriverError> {
        self.0.well()
    }

    fn keep(&self) -> Result<(), Failure> {
        self.0.keep()
    }
}

impl Driver<Cell, Row> for WithQuarantine {
    fn attempt(
        &self,
        cell: &Cell,
        rows: &mut dyn RowSink<Row>,
        cancel: &Cancel,
    ) -> Result<AttemptDetails, DriverError> {
        self.0.attempt(cell, rows, cancel)
    }

    fn resources(&self, cell: &Cell) -> Vec<String> {
        self.0.resources(cell)
    }

    fn services(&self) -> BTreeMap<String, String> {
        self.0.services()
    }

    fn needs_exclusive_host(&self) -> bool {
        self.0.needs_exclusive_host()
    }
}
