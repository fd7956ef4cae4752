//! SNS: notifications as messages of a topic.

use aws_sdk_sns::Client;
use aws_sdk_sns::config::Builder;
use aws_types::SdkConfig;
use matrix_app::host::ErrorKind;
use matrix_app::{Event, NotificationStorage, StorageError};

use crate::admin::{Admin, Contents};
use crate::aws::{classify, region};
use crate::config::SnsConfig;
use crate::failure::failure;

const SERVICE: &str = "sns";

/// The topic of the writer's region.
#[derive(Debug)]
pub struct SnsNotifications {
    client: Client,
    topic_arn: String,
}

impl SnsNotifications {
    /// The configured topic.
    #[must_use]
    pub fn new(config: &SnsConfig, aws: &SdkConfig, region_name: &str) -> Self {
        let settings = Builder::from(aws).region(region(region_name)).build();
        Self { client: Client::from_conf(settings), topic_arn: config.topic_arn.clone() }
    }
}

impl NotificationStorage for SnsNotifications {
    async fn publish(&self, event: &Event<'_>) -> Result<(), StorageError> {
        let message = event.to_json().map_err(|error| failure(SERVICE, ErrorKind::Malformed, error))?;
        let sent = self.client.publish().topic_arn(&self.topic_arn).message(message).send().await;
        sent.map(drop).map_err(|error| classify(SERVICE, error))
    }
}

/// A topic keeps nothing: there is nothing to build, clean or count.
impl Admin for SnsNotifications {
    async fn build(&self) -> Result<(), StorageError> {
        Ok(())
    }

    async fn clean(&self) -> Result<(), StorageError> {
        Ok(())
    }

    async fn contents(&self) -> Result<Contents, StorageError> {
        Ok(Contents::default())
    }

    async fn is_empty(&self) -> Result<bool, StorageError> {
        Ok(true)
    }
}
