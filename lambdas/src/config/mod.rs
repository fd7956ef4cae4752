//! What a function needs from its environment.

mod endpoint;
mod error;
mod function;
mod secret;
mod settings;
mod variables;

pub use endpoint::{BrokerEndpoint, Endpoint};
pub use error::ConfigError;
pub use function::FunctionConfig;
pub use secret::Secret;
pub use settings::{
    AmqConfig, DynamoNotificationConfig, DynamoPostConfig, MysqlConfig, NotificationConfig, PostConfig, QueueConfig,
    RedisConfig, S3Config, SnsConfig,
};
pub use variables::{Side, Variables, environment};
