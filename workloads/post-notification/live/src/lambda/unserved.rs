//! What a cell needs and does not get.

use std::error::Error;
use std::fmt::Display;

use matrix_plan::Arrival;

use crate::cloud::CloudError;

/// Why the settings, or the services, do not serve a cell.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unserved {
    /// No service of a kind in a region.
    #[error("the services have no {what} for region `{region}`")]
    NoService {
        /// What is missing.
        what: &'static str,
        /// Name of the region.
        region: String,
    },
    /// No region at all.
    #[error("the services have no region")]
    NoRegion,
    /// A name that no region can have.
    #[error("`{0}` names no region")]
    BadRegion(String),
    /// The file of endpoints lacks an entry; its name, with all names above it.
    #[error("connection_info.yaml has no {0}")]
    MissingEntry(String),
    /// A host in the file of endpoints is none.
    #[error("`{0}` in connection_info.yaml is no host: write `host` or `host:port`")]
    BadHost(String),
    /// A table that the file of endpoints names is not replicated, or has no stream.
    #[error(
        "table {table} of connection_info.yaml is not in {home} with a replica in {replica} that has a stream: `matrix aws doctor` \
         looks at it"
    )]
    TableNotReplicated {
        /// Name of the table.
        table: String,
        /// AWS name of the region that it must be in.
        home: String,
        /// AWS name of the region that its replica must be in.
        replica: String,
    },
    /// A bucket that the file of endpoints names keeps no versions.
    #[error(
        "bucket {0} of connection_info.yaml keeps no versions, without which nothing is replicated: `matrix aws doctor` looks at it"
    )]
    NoVersions(String),
    /// A bucket that the file of endpoints names is not replicated.
    #[error("bucket {bucket} of connection_info.yaml is not replicated to {target}: `matrix aws doctor` looks at it")]
    BucketNotReplicated {
        /// Name of the bucket.
        bucket: String,
        /// Name of the bucket that it must be replicated to.
        target: String,
    },
    /// Nothing gives credentials.
    #[error("no credentials")]
    NoCredentials,
    /// The driver has no packages of the functions.
    #[error("building takes the functions' packages")]
    NoPackages,
    /// The cell takes longer than the functions may.
    #[error("the cell's {what} of {ms} ms is longer than the {longest_ms} ms that the functions are built for")]
    TooLong {
        /// Which of its times.
        what: &'static str,
        /// That time.
        ms: u64,
        /// The longest one.
        longest_ms: u128,
    },
    /// The cell has more requests than there are keys of posts.
    #[error("{requests} requests are more than the {most} keys")]
    TooManyRequests {
        /// Requests planned.
        requests: u64,
        /// Keys.
        most: u64,
    },
    /// Requests that arrive like this never do.
    #[error("{} sends nothing", described(.0))]
    NothingToSend(Arrival),
    /// A resource of AWS that others are made from is gone, is somebody else's, or does not do what its service accepted.
    #[error(transparent)]
    Resource(Box<dyn Error + Send + Sync>),
}

fn described(arrival: &Arrival) -> String {
    match arrival {
        Arrival::Concurrency(clients) => format!("a concurrency of {clients}"),
        Arrival::RatePerSecond(rate) => format!("a rate of {rate}"),
    }
}

impl Unserved {
    pub(crate) fn no_service(what: &'static str, region: &impl Display) -> Self {
        Self::NoService { what, region: region.to_string() }
    }

    pub(crate) fn resource(error: CloudError) -> Self {
        Self::Resource(Box::new(error))
    }
}
