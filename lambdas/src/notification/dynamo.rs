//! DynamoDB: notifications as items of a global table, whose stream in the reader's region triggers the reader.

use aws_sdk_dynamodb::types::AttributeValue;
use aws_types::SdkConfig;
use matrix_app::{Event, NotificationStorage, StorageError};

use crate::aws::classify;
use crate::config::DynamoNotificationConfig;
use crate::dynamo::{Table, admin_of_table};

const SERVICE: &str = "dynamo";

/// One region's replica of the table of notifications.
#[derive(Debug)]
pub struct DynamoNotifications(Table);

impl DynamoNotifications {
    /// The table's replica in the given region.
    #[must_use]
    pub fn new(config: &DynamoNotificationConfig, aws: &SdkConfig, region_name: &str) -> Self {
        Self(Table::new(&config.table, aws, region_name))
    }
}

impl NotificationStorage for DynamoNotifications {
    async fn publish(&self, event: &Event<'_>) -> Result<(), StorageError> {
        let item = event.to_dynamo_item();
        let mut request = self.0.client.put_item().table_name(&self.0.name);
        for (name, value) in item.attributes() {
            request = request.item(name, AttributeValue::S(value.to_owned()));
        }
        request.send().await.map(drop).map_err(|error| classify(SERVICE, error))
    }
}

admin_of_table!(DynamoNotifications);
