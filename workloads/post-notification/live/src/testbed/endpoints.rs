//! Where the testbed's servers listen, and how to get in.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::LocalConfig;

/// Everything that a client of the testbed needs. Holds passwords: never print it, never keep it with results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Endpoints {
    /// Version of this form.
    pub schema: u32,
    /// This testbed and no other: changes with every start.
    pub instance: String,
    /// Process id of the supervisor.
    pub supervisor: u32,
    /// What it was started with.
    pub config: LocalConfig,
    /// Short name of the region that writes.
    pub writer: String,
    /// The servers of each region, by its short name.
    pub regions: BTreeMap<String, RegionEndpoints>,
    /// The emulator of S3, DynamoDB, SNS, SQS, Lambda and CloudFormation, for every region: `http://host:port`.
    pub aws_endpoint_url: String,
    /// Credentials that the emulator takes.
    pub aws_access_key_id: String,
    /// Credentials that the emulator takes.
    pub aws_secret_access_key: String,
    /// Access to MariaDB.
    pub mysql: MysqlAccess,
    /// Access to the brokers.
    pub mq: AmqAccess,
    /// File that gets a JSON line per replicated write of the emulator, when it became visible: `storage`, `source`,
    /// `target`, `place` (table or bucket), `key`, and in Unix microseconds `written_us`, `invisible_until_us`,
    /// `visible_from_us`; `lag_us` is the sampled lag.
    pub visible_log: PathBuf,
    /// Version of each server, as it names itself.
    pub versions: BTreeMap<String, String>,
}

/// The servers of a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionEndpoints {
    /// Name at AWS.
    pub aws_name: String,
    /// Loopback address that stands for the region. The ports are the same in every region.
    pub host: String,
    /// MariaDB: primary in the writer's region, else replica.
    pub mysql_port: u16,
    /// Redis: primary in the writer's region, else replica.
    pub redis_port: u16,
    /// The broker's STOMP connector.
    pub stomp_port: u16,
    /// The broker's STOMP connector with TLS.
    pub stomp_ssl_port: u16,
}

/// Access to MariaDB.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MysqlAccess {
    /// Database of the application; it exists, empty.
    pub db: String,
    /// User with every right on `db`, none elsewhere.
    pub user: String,
    /// Its password.
    pub password: String,
}

/// Access to the brokers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AmqAccess {
    /// User.
    pub user: String,
    /// Its password.
    pub password: String,
    /// Certificate, in PEM, of the authority that the brokers' certificate is from.
    pub ca_file: PathBuf,
}

impl std::fmt::Debug for MysqlAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MysqlAccess").field("db", &self.db).field("user", &self.user).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for AmqAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AmqAccess").field("user", &self.user).field("ca_file", &self.ca_file).finish_non_exhaustive()
    }
}

impl Endpoints {
    /// The version of the form that is written.
    pub const SCHEMA: u32 = 1;
}
