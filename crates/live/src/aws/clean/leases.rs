//! The table of leases, which no stack made: it goes when nobody holds a lease.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::aws::Operator;
use crate::cloud::{CloudError, patiently};
use crate::lambda::LEASES_TABLE;

impl Operator {
    /// Removes a region's table of leases unless one of them is in force. Says whether a table is gone.
    pub(super) async fn remove_leases(&self, region: &str) -> Result<bool, CloudError> {
        let client = Client::new(&self.config(region));
        let scan = async || client.scan().table_name(LEASES_TABLE).consistent_read(true).send().await;
        let items = match patiently(self.patience.call, scan).await {
            Ok(answer) => answer.items.unwrap_or_default(),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) => {
                return Ok(false);
            }
            Err(error) => return Err(CloudError::call("looking at the leases", &error)),
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let in_force = items.iter().any(|item| match item.get("expires_ms") {
            Some(AttributeValue::N(expires)) => expires.parse().is_ok_and(|expires: u128| expires > now),
            _ => false,
        });
        if in_force {
            return Ok(false);
        }
        let delete = async || client.delete_table().table_name(LEASES_TABLE).send().await;
        match patiently(self.patience.call, delete).await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) => {
                Ok(true)
            }
            Err(error) => Err(CloudError::call("removing the table of leases", &error)),
        }
    }
}
