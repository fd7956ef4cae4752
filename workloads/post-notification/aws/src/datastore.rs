//! Datastores: what posts and notifications live in.

use std::collections::BTreeSet;

use matrix_plan::{Axes, NotificationStorage, PostStorage};

matrix_plan::named! {
    /// A service of AWS that experiments store in. DynamoDB serves as post storage and as notification storage.
    pub enum Datastore: as_str {
        /// Aurora MySQL: a global database.
        Mysql = "mysql",
        /// DynamoDB: global tables.
        Dynamo = "dynamo",
        /// S3: versioned buckets with replication.
        S3 = "s3",
        /// ElastiCache for Redis: a global datastore.
        Redis = "redis",
        /// SNS: a topic.
        Sns = "sns",
        /// Amazon MQ: a network of ActiveMQ brokers.
        Amq = "amq",
    }
}

impl Datastore {
    /// Its name in `connection_info.yaml`, which is the original artifact's.
    #[must_use]
    pub fn section(self) -> &'static str {
        match self {
            Self::Redis => "cache",
            Self::Amq => "mq",
            other => other.as_str(),
        }
    }

    /// Whether it lives inside a VPC, so that functions must as well.
    #[must_use]
    pub fn needs_vpc(self) -> bool {
        matches!(self, Self::Mysql | Self::Redis | Self::Amq)
    }

    /// The datastores that an experiment's points need.
    pub fn needed_by<'a>(points: impl IntoIterator<Item = &'a Axes>) -> BTreeSet<Self> {
        let both = |axes: &Axes| {
            let combination = &axes.combination;
            [Self::from(combination.post_storage), Self::from(combination.notification_storage)]
        };
        points.into_iter().flat_map(both).collect()
    }
}

impl From<PostStorage> for Datastore {
    fn from(storage: PostStorage) -> Self {
        match storage {
            PostStorage::Mysql => Self::Mysql,
            PostStorage::Dynamo => Self::Dynamo,
            PostStorage::S3 => Self::S3,
            PostStorage::Redis => Self::Redis,
        }
    }
}

impl From<NotificationStorage> for Datastore {
    fn from(storage: NotificationStorage) -> Self {
        match storage {
            NotificationStorage::Sns => Self::Sns,
            NotificationStorage::Amq => Self::Amq,
            NotificationStorage::Dynamo => Self::Dynamo,
        }
    }
}
