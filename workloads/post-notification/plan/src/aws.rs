//! What the `aws` testbed is made of: the `[aws]` table of an experiment.

use serde::{Deserialize, Serialize};

use crate::axes::{NotificationStorage, PostStorage, Region};
use crate::cell::Fingerprint;
use crate::point::Combination;
use crate::regions::Regions;

/// Runtime of the functions.
pub const RUNTIME: &str = "provided.al2023";

/// Processors that the functions are built for.
pub const ARCHITECTURE: &str = "x86_64";

/// Least memory of a function, in MB (a limit of AWS Lambda).
pub(crate) const MIN_MEMORY_MB: u64 = 128;

/// Most memory of a function, in MB (a limit of AWS Lambda).
pub(crate) const MAX_MEMORY_MB: u64 = 10_240;

/// The settings of an experiment for the `aws` platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aws {
    /// File of the endpoints, relative to the directory in which the command runs: the same for `run`, `resume`, `--cell` and
    /// `aws setup`, wherever the experiment's file is. Not part of any cell's meaning.
    pub connection_info: String,
    /// Memory of each function, in MB: it decides the share of a processor, too. The original's is 128.
    pub memory_mb: u32,
    /// Engine versions and sizes of the services.
    pub services: AwsServices,
}

impl Default for Aws {
    fn default() -> Self {
        Self { connection_info: "connection_info.yaml".to_owned(), memory_mb: 128, services: AwsServices::default() }
    }
}

/// Engine versions and sizes of the services that have such: they are part of what a result means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AwsServices {
    /// Engine version of Aurora MySQL.
    pub mysql_version: String,
    /// Instance class of Aurora.
    pub mysql_class: String,
    /// Engine version of ElastiCache for Redis.
    pub redis_version: String,
    /// Node type of ElastiCache.
    pub redis_class: String,
    /// Engine version of Amazon MQ for ActiveMQ.
    pub amq_version: String,
    /// Instance type of the brokers.
    pub amq_class: String,
}

impl Default for AwsServices {
    /// Those of the original where they can still be created, else the current one. The original's: Aurora MySQL 5.7
    /// (2.11.2) on `db.r6.large`, which is no class and stands for `db.r6g.large`; Redis 6.2 on `cache.r5.large`; ActiveMQ
    /// 5.16.2, of unknown size (its README).
    fn default() -> Self {
        Self {
            // 5.7 has left standard support (October 2024): a long-term release of 8.0.
            mysql_version: "8.0.mysql_aurora.3.04.3".to_owned(),
            mysql_class: "db.r6g.large".to_owned(),
            redis_version: "6.2".to_owned(),
            redis_class: "cache.r5.large".to_owned(),
            // 5.16 cannot be created any more.
            amq_version: "5.18".to_owned(),
            amq_class: "mq.m5.large".to_owned(),
        }
    }
}

/// A region without a known AWS name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadAws {
    /// The experiment does not say what AWS calls the region.
    #[error("region `{0}` has no name at AWS")]
    UnknownRegion(Region),
    /// The meaning has no canonical JSON; that of AWS always has.
    #[error("{0}")]
    Json(String),
}

/// What AWS adds to a cell's meaning: the regions, the functions, and the services that the cell uses.
#[derive(Serialize)]
struct Meaning<'a> {
    functions: Functions,
    notification: Service<'a>,
    post: Service<'a>,
    reader: &'a str,
    writer: &'a str,
}

#[derive(Serialize)]
struct Functions {
    architecture: &'static str,
    memory_mb: u32,
    runtime: &'static str,
}

#[derive(Serialize)]
struct Service<'a> {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<ServiceSettings<'a>>,
}

#[derive(Serialize)]
struct ServiceSettings<'a> {
    class: &'a str,
    version: &'a str,
}

impl Aws {
    /// What AWS adds to a cell's meaning. Never an account, an endpoint or a path.
    ///
    /// # Errors
    /// When a region has no name at AWS.
    pub fn fingerprint(&self, combination: &Combination, regions: &Regions) -> Result<Fingerprint, BadAws> {
        let name = |region: &Region| -> Result<String, BadAws> {
            regions.aws_name(region).map(str::to_owned).ok_or_else(|| BadAws::UnknownRegion(region.clone()))
        };
        let (writer, reader) = (name(&combination.regions.writer)?, name(&combination.regions.reader)?);
        let AwsServices { mysql_version, mysql_class, redis_version, redis_class, amq_version, amq_class } =
            &self.services;
        let managed = |kind| Service { kind, settings: None };
        let sized = |kind, version, class| Service { kind, settings: Some(ServiceSettings { class, version }) };
        let meaning = Meaning {
            functions: Functions { architecture: ARCHITECTURE, memory_mb: self.memory_mb, runtime: RUNTIME },
            notification: match combination.notification_storage {
                NotificationStorage::Sns => managed("sns"),
                NotificationStorage::Dynamo => managed("dynamodb-global-table"),
                NotificationStorage::Amq => sized("amazon-mq-activemq", amq_version, amq_class),
            },
            post: match combination.post_storage {
                PostStorage::Dynamo => managed("dynamodb-global-table"),
                PostStorage::S3 => managed("s3-replication"),
                PostStorage::Mysql => sized("aurora-mysql-global-database", mysql_version, mysql_class),
                PostStorage::Redis => sized("elasticache-redis-global-datastore", redis_version, redis_class),
            },
            reader: &reader,
            writer: &writer,
        };
        Fingerprint::new(&meaning).map_err(|error| BadAws::Json(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(aws: &Aws, post: PostStorage, notification: NotificationStorage, regions: &str) -> Fingerprint {
        let regions = regions.parse().unwrap();
        let combination = Combination { post_storage: post, notification_storage: notification, regions };
        aws.fingerprint(&combination, &Regions::built_in()).unwrap()
    }

    #[test]
    fn a_fingerprint_holds_what_the_cell_uses_and_nothing_else() {
        use NotificationStorage as N;
        use PostStorage as P;
        type Change = fn(&mut Aws);
        let changes: [(&str, Change); 8] = [
            ("connection_info", |aws| aws.connection_info = "/home/somebody/123456789012.yaml".into()),
            ("memory", |aws| aws.memory_mb = 1024),
            ("mysql", |aws| aws.services.mysql_version = "5.7".into()),
            ("mysql", |aws| aws.services.mysql_class = "db.r5.large".into()),
            ("redis", |aws| aws.services.redis_version = "7.1".into()),
            ("redis", |aws| aws.services.redis_class = "cache.t4g.micro".into()),
            ("amq", |aws| aws.services.amq_version = "5.19".into()),
            ("amq", |aws| aws.services.amq_class = "mq.t3.micro".into()),
        ];
        for post in [P::Mysql, P::Dynamo, P::S3, P::Redis] {
            for notification in [N::Sns, N::Amq, N::Dynamo] {
                for (what, change) in changes {
                    let mut aws = Aws::default();
                    change(&mut aws);
                    let before = fingerprint(&Aws::default(), post, notification, "eu->us");
                    let changed = fingerprint(&aws, post, notification, "eu->us") != before;
                    let uses = what == "memory" || what == post.as_str() || what == notification.as_str();
                    assert_eq!(changed, uses, "{what} of {post}+{notification}");
                }
            }
        }
    }

    #[test]
    fn a_fingerprint_names_regions_as_aws_does() {
        let text = fingerprint(&Aws::default(), PostStorage::Mysql, NotificationStorage::Sns, "eu->sg");
        assert_eq!(
            text.as_str(),
            "{\"functions\":{\"architecture\":\"x86_64\",\"memory_mb\":128,\"runtime\":\"provided.al2023\"},\
             \"notification\":{\"kind\":\"sns\"},\"post\":{\"kind\":\"aurora-mysql-global-database\",\"settings\":\
             {\"class\":\"db.r6g.large\",\"version\":\"8.0.mysql_aurora.3.04.3\"}},\
             \"reader\":\"ap-southeast-1\",\"writer\":\"eu-central-1\"}"
        );
        let nowhere = Combination::new(PostStorage::S3, NotificationStorage::Sns, "eu->mars".parse().unwrap());
        let error = Aws::default().fingerprint(&nowhere, &Regions::built_in()).unwrap_err();
        assert_eq!(error.to_string(), "region `mars` has no name at AWS");
    }
}
