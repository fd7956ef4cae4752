//! One deployment: its names, and the configuration of its functions.

use matrix_app::BarrierPolicy;
use matrix_aws::Datastore;
use matrix_lambdas::FunctionConfig;
use matrix_lambdas::config::{
    AmqConfig, DynamoNotificationConfig, DynamoPostConfig, MysqlConfig, NotificationConfig, PostConfig, QueueConfig,
    RedisConfig, S3Config, SnsConfig,
};
use matrix_plan::{NotificationStorage, PostStorage, Region};
use std::collections::BTreeMap;

use super::names::Names;
use super::{DeploymentSpec, LambdaError, Services, Settings, Unserved};

/// The specification of a deployment. It follows from the services, the settings and the spec alone, so that every phase finds
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
        let place = StoreNames {
            spec,
            names: &names,
            services,
            writer: services.aws_name(writer)?.to_owned(),
            reader: services.aws_name(reader)?.to_owned(),
        };
        let (post, notification) = (place.post()?, place.notification()?);
        let evaluations = QueueConfig { url: place.queue_url()? };
        let config = FunctionConfig {
            deployment: Some(names.identity()),
            writer_region: place.writer,
            reader_region: place.reader,
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

    /// What it shares with other deployments: those that share something are not used at the same time.
    pub(crate) fn shared(&self, services: &Services) -> Vec<String> {
        let (given, config) = (&services.given, &self.config);
        let mut shared = Vec::new();
        match &config.post {
            PostConfig::Redis(redis) => shared.push(format!("redis {}", redis.writer)),
            PostConfig::Mysql(mysql) if given.mysql.is_some() => {
                let MysqlConfig { writer, database, post_table, antipode_table, .. } = mysql;
                shared.extend([post_table, antipode_table].map(|table| format!("mysql {writer} {database}.{table}")));
            }
            PostConfig::Dynamo(dynamo) if given.dynamo.is_some() => shared.push(format!("dynamo {}", dynamo.table)),
            PostConfig::S3(s3) if given.s3.is_some() => {
                shared.extend([&s3.writer, &s3.reader].map(|bucket| format!("s3 {bucket}")));
            }
            PostConfig::Mysql(_) | PostConfig::Dynamo(_) | PostConfig::S3(_) => {}
        }
        match &config.notification {
            // The name of the topic, without the account.
            NotificationConfig::Sns(sns) if given.sns.is_some() => {
                let topic = sns.topic_arn.rsplit(':').next().unwrap_or_default();
                shared.push(format!("sns {} {topic}", config.writer_region));
            }
            NotificationConfig::Dynamo(dynamo) if given.dynamo.is_some() => {
                shared.push(format!("dynamo {}", dynamo.table));
            }
            // Its queue is its own.
            NotificationConfig::Sns(_) | NotificationConfig::Dynamo(_) | NotificationConfig::Amq(_) => {}
        }
        if given.evaluations.is_some() {
            let queue = config.evaluations.url.rsplit('/').next().unwrap_or_default();
            shared.push(format!("sqs {} {queue}", config.reader_region));
        }
        shared
    }

    /// What the deployment itself is leased by.
    pub(crate) fn own_lease(&self) -> Vec<String> {
        vec![self.names.stem().to_owned()]
    }

    /// What the deployment and everything that it does not have for itself are leased by.
    pub(crate) fn leases(&self, services: &Services) -> Vec<String> {
        let mut leases = self.own_lease();
        leases.extend(self.shared(services));
        leases
    }

    /// The datastores that it uses.
    fn datastores(&self) -> [Datastore; 2] {
        [Datastore::from(self.spec.post_storage), Datastore::from(self.spec.notification_storage)]
    }

    /// Whether only the functions reach one of its stores.
    pub(crate) fn is_reached_by_functions(&self, services: &Services) -> bool {
        self.datastores().iter().any(|store| services.inside.contains(store))
    }

    /// The network that its functions must be in, in a region by its AWS name, if they must.
    pub(crate) fn network<'a>(
        &self,
        services: &'a Services,
        region: &str,
    ) -> Result<Option<&'a matrix_aws::connection::Network>, LambdaError> {
        let given = &services.given;
        if !self.datastores().iter().any(|store| given.vpc_required(*store) == Some(true)) {
            return Ok(None);
        }
        let missing = || Unserved::MissingEntry(format!("lambda.network.{region}"));
        Ok(Some(given.networks.get(region).ok_or_else(missing)?))
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

/// Where a deployment's stores are.
struct StoreNames<'a> {
    spec: &'a DeploymentSpec,
    names: &'a Names,
    services: &'a Services,
    /// AWS names of the regions.
    writer: String,
    reader: String,
}

impl StoreNames<'_> {
    fn post(&self) -> Result<PostConfig, LambdaError> {
        let Self { spec, names, services, .. } = self;
        let (writer, reader) = (&spec.regions.writer, &spec.regions.reader);
        let given = &services.given;
        Ok(match spec.post_storage {
            PostStorage::Mysql => {
                let mysql = services.mysql.as_ref().ok_or_else(|| Unserved::no_service("MySQL server", writer))?;
                let tables = given.mysql.as_ref();
                let table = |of, given: Option<&String>| given.cloned().unwrap_or_else(|| names.table(of));
                PostConfig::Mysql(MysqlConfig {
                    writer: server(&mysql.servers.writers, writer, "MySQL server")?,
                    reader: server(&mysql.servers.readers, reader, "MySQL server")?,
                    user: mysql.user.clone(),
                    password: mysql.password.clone(),
                    database: mysql.database.clone(),
                    post_table: table("posts", tables.map(|given| &given.post_table_name)),
                    antipode_table: table("antipode", tables.map(|given| &given.antipode_table_name)),
                })
            }
            PostStorage::Redis => {
                let redis = services.redis.as_ref().ok_or_else(|| Unserved::no_service("Redis server", writer))?;
                PostConfig::Redis(RedisConfig {
                    writer: server(&redis.writers, writer, "Redis server")?,
                    reader: server(&redis.readers, reader, "Redis server")?,
                })
            }
            PostStorage::Dynamo => PostConfig::Dynamo(DynamoPostConfig {
                table: given.dynamo.as_ref().map_or_else(|| names.posts(), |given| given.post_table_name.clone()),
            }),
            PostStorage::S3 => PostConfig::S3(match &given.s3 {
                Some(s3) => S3Config {
                    writer: entry(&s3.writer_buckets, &self.writer, "datastores.s3.bucket", "__writer")?,
                    reader: entry(&s3.reader_buckets, &self.reader, "datastores.s3.bucket", "__reader")?,
                },
                None => S3Config { writer: names.bucket(writer), reader: names.bucket(reader) },
            }),
        })
    }

    fn notification(&self) -> Result<NotificationConfig, LambdaError> {
        let Self { spec, names, services, .. } = self;
        let (writer, reader) = (&spec.regions.writer, &spec.regions.reader);
        let given = &services.given;
        Ok(match spec.notification_storage {
            NotificationStorage::Sns => NotificationConfig::Sns(SnsConfig {
                topic_arn: match &given.sns {
                    Some(sns) => entry(&sns.topic_arns, &self.writer, "datastores.sns.arn", "__writer")?,
                    None => format!("arn:aws:sns:{}:{}:{}", self.writer, services.account, names.notifications()),
                },
            }),
            NotificationStorage::Dynamo => NotificationConfig::Dynamo(DynamoNotificationConfig {
                table: match &given.dynamo {
                    Some(dynamo) => dynamo.notifications_table_name.clone(),
                    None => names.notifications(),
                },
            }),
            NotificationStorage::Amq => {
                let brokers = services.brokers.as_ref().ok_or_else(|| Unserved::no_service("broker", writer))?;
                NotificationConfig::Amq(AmqConfig {
                    writer: server(&brokers.servers, writer, "broker")?,
                    reader: server(&brokers.servers, reader, "broker")?,
                    user: brokers.user.clone(),
                    password: brokers.password.clone(),
                    // Consumers compete for the messages of a queue: each deployment has one of its own.
                    queue: match &given.mq {
                        Some(mq) => format!("{}-{}", mq.notification_queue, names.stem()),
                        None => names.notifications(),
                    },
                    ca_file: brokers.ca_file.as_ref().map(|file| file.display().to_string()),
                })
            }
        })
    }

    fn queue_url(&self) -> Result<String, LambdaError> {
        match &self.services.given.evaluations {
            Some(queue) => entry(&queue.urls, &self.reader, "sqs_eval.url", ""),
            None => Ok(self.services.queue_url(&self.reader, &self.names.queue())),
        }
    }
}

fn server<T: Clone>(servers: &BTreeMap<Region, T>, region: &Region, what: &'static str) -> Result<T, LambdaError> {
    servers.get(region).cloned().ok_or_else(|| Unserved::no_service(what, region).into())
}

/// A region's entry of connection_info.yaml.
fn entry(of: &BTreeMap<String, String>, region: &str, name: &str, end: &str) -> Result<String, LambdaError> {
    of.get(region).cloned().ok_or_else(|| Unserved::MissingEntry(format!("{name}__{region}{end}")).into())
}
