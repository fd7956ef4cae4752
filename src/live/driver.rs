//! From an experiment to the driver of its real services.

use std::time::Duration;

use matrix_app::Row;
use matrix_driver::{Driver, DriverError};
use matrix_live::lambda::{LambdaDriver, LambdaError, Settings};
use matrix_live::testbed::{StateDir, TestbedError};
use matrix_plan::{Barrier, Cell, Platform};
use matrix_run::Input;

use super::local::Local;
use super::on_aws::OnAws;
use super::{packages, quarantine};
use crate::exit::{Exit, Failure};

/// The driver that executes an experiment's cells on real services.
pub(crate) fn driver(input: &Input, cells: &[Cell]) -> Result<Box<dyn Driver<Cell, Row>>, Failure> {
    Ok(open(input, cells, &StateDir::of_user()?, Task::Build)?)
}

/// The lambda driver on real services of some kind, which are there as long as this is.
pub(crate) trait RealServices: Driver<Cell, Row> {
    /// The driver, for its phases.
    fn lambda(&self) -> &LambdaDriver;

    /// Checks that the services are there still: what was done on them counts only then. What fails at AWS says so itself.
    fn well(&self) -> Result<(), DriverError> {
        Ok(())
    }

    /// Keeps the services running after this is dropped. What is at AWS stays by itself.
    fn keep(&self) -> Result<(), Failure> {
        Ok(())
    }
}

/// The services of an experiment's platform, for these cells of it. The local testbed is brought up, unless it runs.
pub(crate) fn open(
    input: &Input,
    cells: &[Cell],
    state: &StateDir,
    task: Task,
) -> Result<Box<dyn RealServices>, Failure> {
    let services: Box<dyn RealServices> = match input.experiment.platform {
        Platform::Aws => Box::new(OnAws::open(input, cells, task)?),
        Platform::Local | Platform::Sim => Box::new(Local::open(input, state, task)?),
    };
    Ok(services)
}

/// What the driver is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// To build deployments too, for which it needs the functions' packages.
    Build,
    /// To gather from deployments that are built, or to clean them.
    UseWhatIsBuilt,
}

/// The driver's settings for an experiment.
pub(super) fn settings(input: &Input, task: Task) -> Result<Settings, Failure> {
    let experiment = &input.experiment;
    let packages = if task == Task::Build { Some(packages::packages()?) } else { None };
    let mut settings = Settings::new(experiment.name.clone(), packages);
    settings.quarantine = quarantine::file(&experiment.name);
    let Barrier { deadline_ms, .. } = experiment.barrier;
    settings.longest_barrier = Duration::from_millis(deadline_ms);
    let longest_delay = experiment.points.iter().map(|point| point.delay_ms).max().unwrap_or(0);
    settings.longest_delay = Duration::from_millis(longest_delay);
    Ok(settings)
}

impl From<TestbedError> for Failure {
    fn from(error: TestbedError) -> Self {
        let exit = match &error {
            TestbedError::Missing(_)
            | TestbedError::NeedsRoot { .. }
            | TestbedError::Config(_)
            | TestbedError::OtherConfig(_)
            | TestbedError::NotRunning
            | TestbedError::Starting
            | TestbedError::Ending
            | TestbedError::StateDir(_) => Exit::Usage,
            TestbedError::Gone | TestbedError::Unhealthy { .. } => Exit::Cells,
            TestbedError::Install(_)
            | TestbedError::Start { .. }
            | TestbedError::Refused(_)
            | TestbedError::Supervisor { .. }
            | TestbedError::Silent { .. }
            | TestbedError::Survivors(_)
            | TestbedError::Io { .. }
            | TestbedError::Malformed { .. }
            | TestbedError::Server { .. } => Exit::Internal,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<LambdaError> for Failure {
    fn from(error: LambdaError) -> Self {
        let exit = match &error {
            LambdaError::Cancelled => Exit::Interrupted,
            LambdaError::Unserved(_)
            | LambdaError::Entry(_)
            | LambdaError::Leased { .. }
            | LambdaError::LeaseLost { .. } => Exit::Usage,
            LambdaError::Content { .. } => Exit::Integrity,
            _ => Exit::Cells,
        };
        Self::new(exit, error.to_string())
    }
}
