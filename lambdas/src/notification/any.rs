//! The choice of a notification storage, at the edge.

use aws_types::SdkConfig;
use matrix_app::{Event, NotificationStorage, StorageError};

use super::{AmqNotifications, DynamoNotifications, SnsNotifications};
use crate::admin::{Admin, Contents};
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
        let region = match side {
            Side::Writer => &config.writer_region,
            Side::Reader => &config.reader_region,
        };
        match &config.notification {
            NotificationConfig::Sns(sns) => Self::Sns(SnsNotifications::new(sns, aws, &config.writer_region)),
            NotificationConfig::Amq(amq) => Self::Amq(AmqNotifications::new(amq, side)),
            NotificationConfig::Dynamo(dynamo) => Self::Dynamo(DynamoNotifications::new(dynamo, aws, region)),
        }
    }
}

macro_rules! each {
    ($any:expr, $notifications:ident => $call:expr) => {
        match $any {
            AnyNotification::Sns($notifications) => $call,
            AnyNotification::Amq($notifications) => $call,
            AnyNotification::Dynamo($notifications) => $call,
        }
    };
}

impl NotificationStorage for AnyNotification {
    async fn publish(&self, event: &Event<'_>) -> Result<(), StorageError> {
        each!(self, notifications => notifications.publish(event).await)
    }
}

impl Admin for AnyNotification {
    async fn build(&self) -> Result<(), StorageError> {
        each!(self, notifications => notifications.build().await)
    }

    async fn clean(&self) -> Result<(), StorageError> {
        each!(self, notifications => notifications.clean().await)
    }

    async fn contents(&self) -> Result<Contents, StorageError> {
        each!(self, notifications => notifications.contents().await)
    }

    async fn is_empty(&self) -> Result<bool, StorageError> {
        each!(self, notifications => notifications.is_empty().await)
    }
}
