//! One deployment: its names, and the configuration of its functions.

use matrix_app::BarrierPolicy;
use matrix_lambdas::FunctionConfig;
use matrix_lambdas::config::{
    AmqConfig, DynamoNotificationConfig, DynamoPostConfig, MysqlConfig, NotificationConfig, PostConfig, QueueConfig,
    RedisConfig, S3Config, SnsConfig,
};
use matrix_plan::{NotificationStorage, PostStorage, Region};
use std::collections::BTreeMap;

use super::names::Names;
use super::{DeploymentSpec, LambdaError, Reach, Services, Settings};

/// A deployment as it is to be. It follows from the services, the settings and the spec alone, so that every phase finds
/// the same.
#[derive(Clone, Debug)]
pub(crate) struct Deployment {
    pub(crate) spec: DeploymentSpec,
    pub(crate) names: Names,
    pub(crate) config: FunctionConfig,
}

impl Deployment {
    pub(crate) fn new(spec: &DeploymentSpec, services: &Services, settings: &Settings) -> Result<Self, LambdaError> {
        let names = Names::new(&settings.name, spec, services);
        let (writer, reader) = (&spec.regions.writer, &spec.regions.reader);
        let (writer_region, reader_region) =
            (services.aws_name(writer)?.to_owned(), services.aws_name(reader)?.to_owned());
        let post = match spec.post_storage {
            PostStorage::Mysql => {
                let mysql = services.mysql.as_ref().ok_or_else(|| LambdaError::missing("MySQL server", writer))?;
                PostConfig::Mysql(MysqlConfig {
                    writer: server(&mysql.servers, writer, "MySQL server")?,
                    reader: server(&mysql.servers, reader, "MySQL server")?,
                    user: mysql.user.clone(),
                    password: mysql.password.clone(),
                    database: mysql.database.clone(),
                    post_table: names.table("posts"),
                    antipode_table: names.table("antipode"),
                })
            }
            PostStorage::Redis => {
                let redis = services.redis.as_ref().ok_or_else(|| LambdaError::missing("Redis server", writer))?;
                PostConfig::Redis(RedisConfig {
                    writer: server(redis, writer, "Redis server")?,
                    reader: server(redis, reader, "Redis server")?,
                })
            }
            PostStorage::Dynamo => PostConfig::Dynamo(DynamoPostConfig { table: names.posts() }),
            PostStorage::S3 => PostConfig::S3(S3Config { writer: names.bucket(writer), reader: names.bucket(reader) }),
        };
        let notification = match spec.notification_storage {
            NotificationStorage::Sns => NotificationConfig::Sns(SnsConfig {
                topic_arn: format!("arn:aws:sns:{writer_region}:{}:{}", services.account, names.notifications()),
            }),
            NotificationStorage::Dynamo => {
                NotificationConfig::Dynamo(DynamoNotificationConfig { table: names.notifications() })
            }
            NotificationStorage::Amq => {
                let brokers = services.brokers.as_ref().ok_or_else(|| LambdaError::missing("broker", writer))?;
                NotificationConfig::Amq(AmqConfig {
                    writer: server(&brokers.servers, writer, "broker")?,
                    reader: server(&brokers.servers, reader, "broker")?,
                    user: brokers.user.clone(),
                    password: brokers.password.clone(),
                    queue: names.notifications(),
                    ca_file: brokers.ca_file.as_ref().map(|file| file.display().to_string()),
                })
            }
        };
        let evaluations = QueueConfig { url: services.queue_url(&reader_region, &names.queue()) };
        let config = FunctionConfig {
            writer_region,
            reader_region,
            post,
            notification,
            evaluations,
            // Requests say all of these.
            antipode: false,
            delay_ms: 0,
            payload_bytes: 0,
            barrier: BarrierPolicy { min_ms: 1, max_ms: 50, deadline_ms: settings.longest_barrier.as_millis() as u64 },
        };
        Ok(Self { spec: spec.clone(), names, config })
    }

    /// What the deployment and everything that it does not have for itself are leased by.
    pub(crate) fn leases(&self) -> Vec<String> {
        let mut leases = vec![self.names.stem().to_owned()];
        if let PostConfig::Redis(redis) = &self.config.post {
            leases.push(format!("redis {}", redis.writer));
        }
        leases
    }

    /// Whether only the functions reach one of its stores.
    pub(crate) fn is_reached_by_functions(&self, services: &Services) -> bool {
        let remote = matches!(self.spec.post_storage, PostStorage::Mysql | PostStorage::Redis)
            || self.spec.notification_storage == NotificationStorage::Amq;
        remote && services.reach == Reach::Functions
    }

    /// Place of its posts where replication lags as configured: the table or the source bucket.
    pub(crate) fn lagging_place(&self) -> Option<&str> {
        match &self.config.post {
            PostConfig::Dynamo(dynamo) => Some(&dynamo.table),
            PostConfig::S3(s3) => Some(&s3.writer),
            PostConfig::Mysql(_) | PostConfig::Redis(_) => None,
        }
    }
}

fn server<T: Clone>(servers: &BTreeMap<Region, T>, region: &Region, what: &str) -> Result<T, LambdaError> {
    servers.get(region).cloned().ok_or_else(|| LambdaError::missing(what, region))
}
