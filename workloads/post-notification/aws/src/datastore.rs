//! Datastores: what posts and notifications live in.

use std::collections::BTreeSet;
use std::fmt;

use matrix_plan::{Axes, NotificationStorage, PostStorage};

/// A service of AWS that experiments store in. DynamoDB serves as post storage and as notification storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Datastore {
    /// Aurora MySQL: a global database.
    Mysql,
    /// DynamoDB: global tables.
    Dynamo,
    /// S3: versioned buckets with replication.
    S3,
    /// ElastiCache for Redis: a global datastore.
    Redis,
    /// SNS: a topic.
    Sns,
    /// Amazon MQ: a network of ActiveMQ brokers.
    Amq,
}

impl Datastore {
    /// Every datastore.
    pub const ALL: [Self; 6] = [Self::Mysql, Self::Dynamo, Self::S3, Self::Redis, Self::Sns, Self::Amq];

    /// Its name in experiments.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mysql => "mysql",
            Self::Dynamo => "dynamo",
            Self::S3 => "s3",
            Self::Redis => "redis",
            Self::Sns => "sns",
            Self::Amq => "amq",
        }
    }

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

impl fmt::Display for Datastore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
