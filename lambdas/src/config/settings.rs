//! The settings of each storage, both ways: from variables and into them.

use matrix_plan::{NotificationStorage, PostStorage};

use super::variables::{name, optional, parsed, parsed_or, regional, required, sided};
use super::{BrokerEndpoint, ConfigError, Endpoint, Secret, Side, Variables};

/// The writer's and the reader's region, by their AWS names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Regions<'a> {
    pub(super) writer: &'a str,
    pub(super) reader: &'a str,
}

/// Settings of the `mysql` post storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MysqlConfig {
    /// The primary, in the writer's region.
    pub writer: Endpoint,
    /// The replica of the reader's region.
    pub reader: Endpoint,
    /// User.
    pub user: String,
    /// Password of the user.
    pub password: Secret,
    /// Database.
    pub database: String,
    /// Table of posts without a lineage.
    pub post_table: String,
    /// Table of posts with a lineage.
    pub antipode_table: String,
}

/// Settings of the `dynamo` post storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DynamoPostConfig {
    /// The global table.
    pub table: String,
}

/// Settings of the `s3` post storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Config {
    /// Source bucket, in the writer's region.
    pub writer: String,
    /// Bucket that it is replicated to, in the reader's region.
    pub reader: String,
}

/// Settings of the `redis` post storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisConfig {
    /// The primary, in the writer's region.
    pub writer: Endpoint,
    /// The replica of the reader's region.
    pub reader: Endpoint,
}

/// Where posts live, with its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PostConfig {
    /// See [`MysqlConfig`].
    Mysql(MysqlConfig),
    /// See [`DynamoPostConfig`].
    Dynamo(DynamoPostConfig),
    /// See [`S3Config`].
    S3(S3Config),
    /// See [`RedisConfig`].
    Redis(RedisConfig),
}

/// Settings of the `sns` notification storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnsConfig {
    /// ARN of the topic in the writer's region.
    pub topic_arn: String,
}

/// Settings of the `dynamo` notification storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DynamoNotificationConfig {
    /// The global table.
    pub table: String,
}

/// Settings of the `amq` notification storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmqConfig {
    /// The writer's broker.
    pub writer: BrokerEndpoint,
    /// The reader's broker.
    pub reader: BrokerEndpoint,
    /// User.
    pub user: String,
    /// Password of the user.
    pub password: Secret,
    /// Queue of notifications.
    pub queue: String,
    /// File with the certificate of the authority that the brokers' certificates are from. Missing: the system's
    /// authorities.
    pub ca_file: Option<String>,
}

/// What carries notifications, with its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotificationConfig {
    /// See [`SnsConfig`].
    Sns(SnsConfig),
    /// See [`AmqConfig`].
    Amq(AmqConfig),
    /// See [`DynamoNotificationConfig`].
    Dynamo(DynamoNotificationConfig),
}

/// The queue of evaluations in the reader's region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueConfig {
    /// URL of the queue.
    pub url: String,
}

const PORT: &str = "a port";
const HOST: &str = "`host` or `host:port`";
const BROKER: &str = "`stomp+ssl://host:port`, `stomp://host:port` or a host";

fn port(variables: &Variables, name: &str) -> Result<Option<u16>, ConfigError> {
    parsed_or(variables, name, PORT, None, |text| text.parse().ok().map(Some))
}

fn endpoints(variables: &Variables, store: &str, regions: Regions<'_>) -> Result<(Endpoint, Endpoint), ConfigError> {
    let port = port(variables, &name(store, "port"))?;
    let end = |region, side| {
        let variable = sided(store, "host", region, side);
        parsed(variables, &variable, HOST, |text| Endpoint::parse(text, port))
    };
    Ok((end(regions.writer, Side::Writer)?, end(regions.reader, Side::Reader)?))
}

impl PostConfig {
    /// Which storage it is.
    #[must_use]
    pub fn kind(&self) -> PostStorage {
        match self {
            Self::Mysql(_) => PostStorage::Mysql,
            Self::Dynamo(_) => PostStorage::Dynamo,
            Self::S3(_) => PostStorage::S3,
            Self::Redis(_) => PostStorage::Redis,
        }
    }

    pub(super) fn read(kind: PostStorage, from: &Variables, regions: Regions<'_>) -> Result<Self, ConfigError> {
        let text = |store, setting| required(from, &name(store, setting));
        Ok(match kind {
            PostStorage::Mysql => {
                let (writer, reader) = endpoints(from, "mysql", regions)?;
                Self::Mysql(MysqlConfig {
                    writer,
                    reader,
                    user: text("mysql", "user")?,
                    password: Secret::new(optional(from, "MYSQL_PASSWORD").unwrap_or_default()),
                    database: text("mysql", "db")?,
                    post_table: text("mysql", "post_table_name")?,
                    antipode_table: text("mysql", "antipode_table_name")?,
                })
            }
            PostStorage::Dynamo => Self::Dynamo(DynamoPostConfig { table: text("dynamo", "post_table_name")? }),
            PostStorage::S3 => Self::S3(S3Config {
                writer: required(from, &sided("s3", "bucket", regions.writer, Side::Writer))?,
                reader: required(from, &sided("s3", "bucket", regions.reader, Side::Reader))?,
            }),
            PostStorage::Redis => {
                let (writer, reader) = endpoints(from, "cache", regions)?;
                Self::Redis(RedisConfig { writer, reader })
            }
        })
    }

    pub(super) fn write(&self, to: &mut Variables, regions: Regions<'_>) {
        let ends = |store: &str, setting: &str, writer: String, reader: String| {
            [
                (sided(store, setting, regions.writer, Side::Writer), writer),
                (sided(store, setting, regions.reader, Side::Reader), reader),
            ]
        };
        match self {
            Self::Mysql(mysql) => {
                to.extend(ends("mysql", "host", mysql.writer.to_string(), mysql.reader.to_string()));
                to.insert("MYSQL_USER".into(), mysql.user.clone());
                to.insert("MYSQL_PASSWORD".into(), mysql.password.reveal().to_owned());
                to.insert("MYSQL_DB".into(), mysql.database.clone());
                to.insert("MYSQL_POST_TABLE_NAME".into(), mysql.post_table.clone());
                to.insert("MYSQL_ANTIPODE_TABLE_NAME".into(), mysql.antipode_table.clone());
            }
            Self::Dynamo(dynamo) => {
                to.insert("DYNAMO_POST_TABLE_NAME".into(), dynamo.table.clone());
            }
            Self::S3(s3) => to.extend(ends("s3", "bucket", s3.writer.clone(), s3.reader.clone())),
            Self::Redis(redis) => {
                to.extend(ends("cache", "host", redis.writer.to_string(), redis.reader.to_string()));
            }
        }
    }
}

impl NotificationConfig {
    /// Which storage it is.
    #[must_use]
    pub fn kind(&self) -> NotificationStorage {
        match self {
            Self::Sns(_) => NotificationStorage::Sns,
            Self::Amq(_) => NotificationStorage::Amq,
            Self::Dynamo(_) => NotificationStorage::Dynamo,
        }
    }

    pub(super) fn read(kind: NotificationStorage, from: &Variables, regions: Regions<'_>) -> Result<Self, ConfigError> {
        Ok(match kind {
            NotificationStorage::Sns => {
                Self::Sns(SnsConfig { topic_arn: required(from, &sided("sns", "arn", regions.writer, Side::Writer))? })
            }
            NotificationStorage::Dynamo => {
                Self::Dynamo(DynamoNotificationConfig { table: required(from, "DYNAMO_NOTIFICATIONS_TABLE_NAME")? })
            }
            NotificationStorage::Amq => {
                let port = port(from, "MQ_STOMP_PORT")?;
                let broker = |region| {
                    parsed(from, &regional("mq", "host", region), BROKER, |text| BrokerEndpoint::parse(text, port))
                };
                Self::Amq(AmqConfig {
                    writer: broker(regions.writer)?,
                    reader: broker(regions.reader)?,
                    user: required(from, "MQ_USER")?,
                    password: Secret::new(optional(from, "MQ_PASSWORD").unwrap_or_default()),
                    queue: required(from, "MQ_NOTIFICATION_QUEUE")?,
                    ca_file: optional(from, "MQ_CA_FILE").map(str::to_owned),
                })
            }
        })
    }

    pub(super) fn write(&self, to: &mut Variables, regions: Regions<'_>) {
        match self {
            Self::Sns(sns) => {
                to.insert(sided("sns", "arn", regions.writer, Side::Writer), sns.topic_arn.clone());
            }
            Self::Dynamo(dynamo) => {
                to.insert("DYNAMO_NOTIFICATIONS_TABLE_NAME".into(), dynamo.table.clone());
            }
            Self::Amq(amq) => {
                to.insert(regional("mq", "host", regions.writer), amq.writer.to_string());
                to.insert(regional("mq", "host", regions.reader), amq.reader.to_string());
                to.insert("MQ_USER".into(), amq.user.clone());
                to.insert("MQ_PASSWORD".into(), amq.password.reveal().to_owned());
                to.insert("MQ_NOTIFICATION_QUEUE".into(), amq.queue.clone());
                to.extend(amq.ca_file.clone().map(|file| ("MQ_CA_FILE".into(), file)));
            }
        }
    }
}

impl QueueConfig {
    pub(super) fn read(from: &Variables, regions: Regions<'_>) -> Result<Self, ConfigError> {
        Ok(Self { url: required(from, &regional("sqs_eval", "url", regions.reader))? })
    }

    pub(super) fn write(&self, to: &mut Variables, regions: Regions<'_>) {
        to.insert(regional("sqs_eval", "url", regions.reader), self.url.clone());
    }
}
