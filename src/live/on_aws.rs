//! The lambda driver on AWS, or on what `AWS_ENDPOINT_URL` names.

use std::collections::BTreeMap;

use matrix_app::Row;
use matrix_aws::Datastore;
use matrix_driver::{AttemptDetails, Cancel, Driver, DriverError, RowSink};
use matrix_live::aws::{Access, AwsError};
use matrix_live::lambda::{LambdaDriver, LambdaError, Services, Site};
use matrix_plan::Cell;
use matrix_run::Input;

use super::driver::{RealServices, Task, settings};
use super::quarantine::WithQuarantine;
use crate::endpoints;
use crate::exit::Failure;
use crate::output;

/// The lambda driver on an account of AWS.
pub(super) struct OnAws {
    lambda: WithQuarantine,
    /// Never to be shown.
    account: String,
    is_emulated: bool,
}

impl OnAws {
    /// Reads where the services are, and gets in.
    pub(super) fn open(input: &Input, cells: &[Cell], task: Task) -> Result<Self, Failure> {
        let info = endpoints::needed(input, cells)?;
        let access = Access::open(info.credentials_profile.as_deref())?;
        access.renewal.told_by(|note| output::note(note));
        let is_emulated = matches!(access.site, Site::Emulator(_));
        if is_emulated {
            output::note("AWS_ENDPOINT_URL is set: what answers is an emulator, not AWS");
        }
        let needed = Datastore::needed_by(cells.iter().map(Cell::axes));
        let services = Services::aws(&access, &info, &input.experiment.regions, &needed);
        let services = services.map_err(|error| match error {
            LambdaError::Entry(problem) => endpoints::failure(&endpoints::path(&input.experiment.aws), vec![problem]),
            other => other.into(),
        })?;
        let mut settings = settings(input, task)?;
        settings.memory_mb = input.experiment.aws.memory_mb;
        let lambda = WithQuarantine(LambdaDriver::new(services, settings)?);
        Ok(Self { lambda, account: access.account, is_emulated })
    }
}

impl RealServices for OnAws {
    fn lambda(&self) -> &LambdaDriver {
        &self.lambda
    }
}

impl Driver<Cell, Row> for OnAws {
    fn attempt(
        &self,
        cell: &Cell,
        rows: &mut dyn RowSink<Row>,
        cancel: &Cancel,
    ) -> Result<AttemptDetails, DriverError> {
        self.lambda.attempt(cell, rows, cancel).map_err(|error| match error {
            // Failures are kept in the store, and services speak of ARNs.
            DriverError::Failed(why) if !self.account.is_empty() => {
                DriverError::failed(why.to_string().replace(&self.account, "<account>"))
            }
            other => other,
        })
    }

    fn resources(&self, cell: &Cell) -> Vec<String> {
        self.lambda.resources(cell)
    }

    fn services(&self) -> BTreeMap<String, String> {
        let mut services = self.lambda.versions();
        if self.is_emulated {
            services.insert("aws".to_owned(), "emulated".to_owned());
        }
        services
    }

    /// The functions run at AWS: cells that share nothing do not disturb each other.
    fn needs_exclusive_host(&self) -> bool {
        false
    }
}

impl From<AwsError> for Failure {
    fn from(error: AwsError) -> Self {
        Self::usage(error.to_string(), error.fix())
    }
}
