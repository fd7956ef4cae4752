//! Notification storages.

mod amq;
mod any;
mod dynamo;
mod sns;

pub use amq::AmqNotifications;
pub use any::AnyNotification;
pub use dynamo::DynamoNotifications;
pub use sns::SnsNotifications;
