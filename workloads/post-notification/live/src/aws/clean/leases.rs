//! The table of leases, which no stack made: it goes when nobody holds a lease.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use tokio::time::sleep;

use crate::aws::{Operator, Progress, Tell};
use crate::cloud::{CloudError, patiently};
use crate::lambda::LEASES_TABLE;

/// Longer than the leases of a run that was killed have to go.
const IN_FORCE_FOR: Duration = Duration::from_secs(90);

/// What became of a region's table of leases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leases {
    /// There is none.
    None,
    /// It is gone.
    Removed,
    /// It is there: a lease is in force.
    InForce,
}

impl Operator {
    /// Removes a region's table of leases once none of them is in force: those of a run that was killed have some time
    /// to go, and those of one that goes on are renewed.
    pub(super) async fn remove_leases(&self, region: &str, tell: Tell<'_>) -> Result<Leases, CloudError> {
        let began = Instant::now();
        let mut told = false;
        loop {
            let found = self.remove_free_leases(region).await?;
            if found != Leases::InForce || began.elapsed() > IN_FORCE_FOR {
                return Ok(found);
            }
            if !told {
                let most = IN_FORCE_FOR.as_secs();
                tell(Progress::Note(format!(
                    "leases in {region} are in force: waiting for their end, {most} s at most"
                )));
                told = true;
            }
            sleep(self.patience.pause_max).await;
        }
    }

    async fn remove_free_leases(&self, region: &str) -> Result<Leases, CloudError> {
        let client = Client::new(&self.config(region));
        let scan = async || client.scan().table_name(LEASES_TABLE).consistent_read(true).send().await;
        let items = match patiently(self.patience.call, scan).await {
            Ok(answer) => answer.items.unwrap_or_default(),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) => {
                return Ok(Leases::None);
            }
            Err(error) => return Err(CloudError::call("looking at the leases", &error)),
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let in_force = items.iter().any(|item| match item.get("expires_ms") {
            Some(AttributeValue::N(expires)) => expires.parse().is_ok_and(|expires: u128| expires > now),
            _ => false,
        });
        if in_force {
            return Ok(Leases::InForce);
        }
        let delete = async || client.delete_table().table_name(LEASES_TABLE).send().await;
        match patiently(self.patience.call, delete).await {
            Ok(_) => Ok(Leases::Removed),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) => {
                Ok(Leases::Removed)
            }
            Err(error) => Err(CloudError::call("removing the table of leases", &error)),
        }
    }
}
