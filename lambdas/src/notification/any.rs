//! The choice of a notification storage, at the edge.

use aws_types::SdkConfig;
use matrix_app::{Event, NotificationStorage, StorageError};

use super::{AmqNotifications, DynamoNotifications, SnsNotifications};
use crate::admin::{admin_of_each, each};
use crate::config::{FunctionConfig, NotificationConfig, Side};

/// Any of the notification storages, at one of its ends.
#[derive(Debug)]
#[expect(missing_docs, reason = "the variants are the storages")]
pub enum AnyNotification {
    Sns(SnsNotifications),
    Amq(AmqNotifications),
    Dynamo(DynamoNotifications),
}

impl AnyNotification {
    /// The end of the configured storage on the given side. No connection is made yet. A topic is only in the writer's
    /// region: it is the same on both sides.
    #[must_use]
    pub fn new(config: &FunctionConfig, aws: &SdkConfig, side: Side) -> Self {
        let region = config.region(side);
        match &config.notification {
            NotificationConfig::Sns(sns) => Self::Sns(SnsNotifications::new(sns, aws, &config.writer_region)),
            NotificationConfig::Amq(amq) => Self::Amq(AmqNotifications::new(amq, side)),
            NotificationConfig::Dynamo(dynamo) => Self::Dynamo(DynamoNotifications::new(dynamo, aws, region)),
        }
    }
}

impl NotificationStorage for AnyNotification {
    async fn publish(&self, event: &Event<'_>) -> Result<(), StorageError> {
        each!(AnyNotification { Sns Amq Dynamo }: self, notifications => notifications.publish(event).await)
    }
}

admin_of_each!(AnyNotification { Sns Amq Dynamo });
