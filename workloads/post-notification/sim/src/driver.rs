//! The sim driver.

use matrix_app::Row;
use matrix_driver::{AttemptDetails, Cancel, Driver, DriverError, RowSink, nonce_of};
use matrix_plan::Cell;

use crate::EPOCH;
use crate::cell::{Setup, run};
use crate::faults::{Faults, NoFaults};
use crate::model::Model;

/// Executes cells in virtual time.
pub struct SimDriver {
    model: Model,
    faults: Box<dyn Faults>,
}

impl SimDriver {
    /// A driver that simulates the services of `model`.
    #[must_use]
    pub fn new(model: Model) -> Self {
        Self::with_faults(model, NoFaults)
    }

    /// A driver whose services break as `faults` say: for tests.
    #[must_use]
    pub fn with_faults(model: Model, faults: impl Faults + 'static) -> Self {
        Self { model, faults: Box::new(faults) }
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }
}

impl Driver<Cell, Row> for SimDriver {
    fn attempt(
        &self,
        cell: &Cell,
        rows: &mut dyn RowSink<Row>,
        cancel: &Cancel,
    ) -> Result<AttemptDetails, DriverError> {
        let failed = |why: &dyn std::fmt::Display| DriverError::Failed(why.to_string());
        let inputs = &cell.inputs;
        let fingerprint = self.model.fingerprint(&inputs.axes.combination).map_err(|error| failed(&error))?;
        if fingerprint != inputs.fingerprint {
            return Err(failed(&"the cell was planned under another model or version of the simulator"));
        }
        let stream = inputs.pair_key().map_err(|error| failed(&error))?;
        let setup = Setup::new(&self.model, inputs, &stream, nonce_of(&cell.key)).map_err(|error| failed(&error))?;
        run(&setup, &*self.faults, rows, cancel)?;
        Ok(AttemptDetails { epoch_us: EPOCH.0, ..AttemptDetails::default() })
    }

    /// Nothing: simulated cells do not get in each other's way.
    fn resources(&self, _cell: &Cell) -> Vec<String> {
        Vec::new()
    }
}
