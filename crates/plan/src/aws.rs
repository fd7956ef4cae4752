//! What the `aws` testbed is made of: the `[aws]` table of an experiment.

use serde::{Deserialize, Serialize};

/// What an experiment says of the `aws` testbed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aws {
    /// File of the endpoints, relative to the experiment's file. Not part of any cell's meaning.
    pub connection_info: String,
    /// Memory of each function, in MB: it decides the share of a processor, too. The original's is 128.
    pub memory_mb: u32,
    /// Engine versions and sizes of the services.
    pub services: AwsServices,
}

impl Default for Aws {
    fn default() -> Self {
        Self { connection_info: "../connection_info.yaml".to_owned(), memory_mb: 128, services: AwsServices::default() }
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
            // 5.7 has left standard support (October 2024): the current long-term release of 8.0.
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
