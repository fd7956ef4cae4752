//! The sim driver.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use matrix_app::Row;
use matrix_driver::{AttemptDetails, Cancel, Driver, DriverError, RowSink, nonce_of};
use matrix_plan::{Cell, CellInputs, Combination, Fingerprint};

use crate::EPOCH;
use crate::cell::{Services, Setup, run};
use crate::faults::{Faults, NoFaults};
use crate::model::{Model, ModelError};

/// Executes cells in virtual time.
pub struct SimDriver {
    model: Model,
    faults: Box<dyn Faults>,
    known: Mutex<BTreeMap<Known, (Fingerprint, Services)>>,
}

/// What the services of a cell follow from: its combination, and the bytes of a payload.
type Known = (Combination, u64);

/// Most combinations whose services are kept: each takes about 90 KB.
const MOST_KNOWN: usize = 512;

impl SimDriver {
    /// A driver that simulates the services of `model`.
    #[must_use]
    pub fn new(model: Model) -> Self {
        Self::with_faults(model, NoFaults)
    }

    /// A driver whose services break as `faults` say: for tests.
    #[must_use]
    pub fn with_faults(model: Model, faults: impl Faults + 'static) -> Self {
        Self { model, faults: Box::new(faults), known: Mutex::default() }
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The fingerprint of a cell's combination, and its services.
    fn services(&self, inputs: &CellInputs) -> Result<(Fingerprint, Services), ModelError> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let name = (inputs.axes.combination.clone(), inputs.payload_bytes);
        if let Some(services) = known().get(&name) {
            return Ok(services.clone());
        }
        let services = (self.model.fingerprint(&name.0)?, Services::new(&self.model, inputs)?);
        let mut known = known();
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(name, services.clone());
        Ok(services)
    }
}

impl Driver<Cell, Row> for SimDriver {
    fn attempt(
        &self,
        cell: &Cell,
        rows: &mut dyn RowSink<Row>,
        cancel: &Cancel,
    ) -> Result<AttemptDetails, DriverError> {
        let inputs = &cell.inputs;
        let (fingerprint, services) = self.services(inputs).map_err(DriverError::failed)?;
        if fingerprint != inputs.fingerprint {
            return Err(DriverError::failed("the cell was planned under another model or version of the simulator"));
        }
        let stream = inputs.pair_key().map_err(DriverError::failed)?;
        let setup = Setup::with(services, inputs, &stream, nonce_of(&cell.key)).map_err(DriverError::failed)?;
        run(&setup, &*self.faults, rows, cancel)?;
        Ok(AttemptDetails { epoch_us: EPOCH.0, ..AttemptDetails::default() })
    }

    /// Nothing: simulated cells do not get in each other's way.
    fn resources(&self, _cell: &Cell) -> Vec<String> {
        Vec::new()
    }
}
