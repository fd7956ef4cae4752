//! What is said on the supervisor's socket: a line of JSON each way per connection.

use std::fmt;
use std::str::FromStr;

use matrix_plan::RegionPair;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::status::Status;

/// How a link is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CutKind {
    /// Nothing passes, and connections stay: a partition that TCP outlives. What was under way arrives afterwards.
    Hold,
    /// Connections break and new ones are refused, until it is restored.
    Reset,
}

impl fmt::Display for CutKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hold => "holding",
            Self::Reset => "resetting",
        })
    }
}

/// A server of the testbed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartName {
    /// MariaDB of a region.
    Mariadb(String),
    /// Redis of a region.
    Redis(String),
    /// The ActiveMQ broker of a region.
    Activemq(String),
    /// The emulator.
    Ministack,
}

impl fmt::Display for PartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mariadb(region) => write!(f, "mariadb-{region}"),
            Self::Redis(region) => write!(f, "redis-{region}"),
            Self::Activemq(region) => write!(f, "activemq-{region}"),
            Self::Ministack => f.write_str("ministack"),
        }
    }
}

/// A name that no part of a testbed has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no part: write `mariadb-us`, `redis-us`, `activemq-us` or `ministack`")]
pub struct UnknownPart(String);

impl FromStr for PartName {
    type Err = UnknownPart;
    fn from_str(text: &str) -> Result<Self, UnknownPart> {
        match text.split_once('-') {
            Some(("mariadb", region)) => Ok(Self::Mariadb(region.to_owned())),
            Some(("redis", region)) => Ok(Self::Redis(region.to_owned())),
            Some(("activemq", region)) => Ok(Self::Activemq(region.to_owned())),
            None if text == "ministack" => Ok(Self::Ministack),
            _ => Err(UnknownPart(text.to_owned())),
        }
    }
}

impl Serialize for PartName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PartName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What the emulator answers instead of serving a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The service's throttling error.
    Throttle,
    /// The service's internal error, status 500.
    Error,
}

/// Faults that the emulator injects into signed requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmulatorFault {
    /// Service as in a request's signature (`dynamodb`, `s3`, `sns`, `sqs`, `lambda`, `cloudformation`); `None`: any.
    pub service: Option<String>,
    /// Operation, for example `PutItem`; `None`: any. Known for DynamoDB, SQS, Lambda's `Invoke`, and S3's objects.
    pub operation: Option<String>,
    /// What is answered.
    pub kind: FaultKind,
    /// How often; `None`: until it is cleared.
    pub times: Option<u64>,
}

/// What the launcher reads: see `ministack_launcher.py`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct EmulatorControl {
    /// Pairs of AWS names of regions that are cut off from each other.
    pub(crate) cuts: Vec<(String, String)>,
    pub(crate) faults: Vec<NumberedFault>,
}

/// A fault, with the id that its count is kept under.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct NumberedFault {
    pub(crate) id: u64,
    pub(crate) service: Option<String>,
    pub(crate) operation: Option<String>,
    pub(crate) kind: FaultKind,
    pub(crate) times: Option<u64>,
}

/// A request to the supervisor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub(crate) enum Command {
    /// Answers once every server is up, or one failed.
    Ready,
    /// As `Ready`; then the testbed does not end before this connection does.
    Lease,
    /// The testbed stays until `Down`.
    Keep,
    /// Ends everything. Answered before the supervisor ends.
    Down,
    /// How it is.
    Status,
    /// Cuts a link, for some time or until `Restore`.
    Cut { link: RegionPair, kind: CutKind, for_ms: Option<u64> },
    /// Restores a link.
    Restore { link: RegionPair },
    /// Ends a server: by SIGTERM, or SIGKILL when it should crash. Answered when it is gone.
    Stop { part: PartName, crash: bool },
    /// Starts a stopped server again. Answered when it serves.
    Start { part: PartName },
    /// Adds a fault of the emulator.
    Fault { fault: EmulatorFault },
    /// Removes every fault of the emulator.
    ClearFaults,
}

/// The supervisor's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub(crate) enum Reply {
    Done,
    Status {
        status: Status,
    },
    Failed {
        why: String,
    },
    /// The testbed is ending: nothing is done any more.
    Ending,
}
