//! Where the services are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;
use matrix_aws::{ConnectionInfo, Datastore};
use matrix_lambdas::config::{BrokerEndpoint, Endpoint, Secret};
use matrix_plan::Region;

use super::{LambdaError, Unserved};
use crate::aws::{Pause, Renewal};
use crate::cloud::{in_region, s3};
use crate::testbed::Endpoints;

/// Where the services are, and how to get in. Holds passwords: never print it.
#[derive(Clone)]
pub struct Services {
    /// Credentials, endpoint and time-outs of every client; the region is chosen by each.
    pub aws: SdkConfig,
    /// The account: part of the names of topics and queues.
    pub account: String,
    /// AWS name of each region, by its short name.
    pub regions: BTreeMap<Region, String>,
    /// The servers of `mysql`, if there are any.
    pub mysql: Option<MysqlServers>,
    /// The servers of `redis`, if there are any.
    pub redis: Option<Servers>,
    /// The brokers of `amq`, if there are any.
    pub brokers: Option<Brokers>,
    /// Stores that only functions reach, because they are inside a VPC: the functions are asked to clean and to count.
    pub inside: BTreeSet<Datastore>,
    /// What there is already and is used instead of being made; by default nothing.
    pub given: ConnectionInfo,
    /// Credentials that may expire, if they may.
    pub renewal: Option<Renewal>,
    /// What AWS is here.
    pub site: Site,
    /// File of what became visible when, where replication lags as configured (see [`Endpoints::visible_log`]).
    pub visible_log: Option<PathBuf>,
}

/// A primary and its replicas.
#[derive(Clone, Debug, Default)]
pub struct Servers {
    /// What a writer in each region writes to.
    pub writers: BTreeMap<Region, Endpoint>,
    /// What a reader in each region reads from.
    pub readers: BTreeMap<Region, Endpoint>,
}

impl Servers {
    /// The same server in a region for both.
    #[must_use]
    pub fn each(servers: BTreeMap<Region, Endpoint>) -> Self {
        Self { writers: servers.clone(), readers: servers }
    }
}

/// Where MySQL is.
#[derive(Clone, Debug)]
pub struct MysqlServers {
    /// The servers of each region.
    pub servers: Servers,
    /// User with every right on the database.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// The database. Every deployment has its own tables in it, unless tables are given.
    pub database: String,
}

/// Where the brokers are.
#[derive(Clone, Debug)]
pub struct Brokers {
    /// The broker of each region.
    pub servers: BTreeMap<Region, BrokerEndpoint>,
    /// User.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// File with the certificate of the authority that the brokers' certificates are from. Missing: the system's
    /// authorities.
    pub ca_file: Option<PathBuf>,
    /// What hands messages to the reader.
    pub source: BrokerSource,
}

/// What hands a broker's messages to a function.
#[derive(Clone, Debug)]
pub enum BrokerSource {
    /// A [`Bridge`](crate::testbed::Bridge) of the driver's, while it runs or gathers.
    Bridge,
    /// An event source mapping: the Lambda service does it.
    Mapping {
        /// ARN of each region's broker.
        brokers: BTreeMap<Region, String>,
        /// ARN of each region's secret with the user and the password.
        secrets: BTreeMap<Region, String>,
    },
}

impl Brokers {
    /// ARNs of a region's broker and of the secret to get into it, where the Lambda service hands its messages over.
    pub(crate) fn mapping(&self, region: &Region) -> Option<(&str, &str)> {
        match &self.source {
            BrokerSource::Bridge => None,
            BrokerSource::Mapping { brokers, secrets } => Some((brokers.get(region)?, secrets.get(region)?)),
        }
    }
}

/// What stands for AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Site {
    /// An emulator at this URL. One thread of it serves all event source mappings.
    Emulator(String),
    /// AWS itself.
    Aws,
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Services").field("regions", &self.regions).field("site", &self.site).finish_non_exhaustive()
    }
}

/// The emulator's account.
const EMULATED_ACCOUNT: &str = "000000000000";

impl Services {
    /// The local testbed.
    ///
    /// # Errors
    /// When a region's short name is none.
    pub fn local(endpoints: &Endpoints) -> Result<Self, LambdaError> {
        let credentials =
            Credentials::new(&endpoints.aws_access_key_id, &endpoints.aws_secret_access_key, None, None, "testbed");
        let url = &endpoints.aws_endpoint_url;
        let mut regions = BTreeMap::new();
        let (mut mysql, mut redis, mut brokers) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (name, at) in &endpoints.regions {
            let region = Region::new(name).ok_or_else(|| Unserved::BadRegion(name.clone()))?;
            let end = |port| Endpoint { host: at.host.clone(), port };
            mysql.insert(region.clone(), end(at.mysql_port));
            redis.insert(region.clone(), end(at.redis_port));
            brokers.insert(region.clone(), BrokerEndpoint { at: end(at.stomp_ssl_port), tls: true });
            regions.insert(region, at.aws_name.clone());
        }
        Ok(Self {
            aws: matrix_lambdas::aws::config(Some(url), SharedCredentialsProvider::new(credentials)),
            account: EMULATED_ACCOUNT.into(),
            regions,
            mysql: Some(MysqlServers {
                servers: Servers::each(mysql),
                user: endpoints.mysql.user.clone(),
                password: Secret::new(endpoints.mysql.password.clone()),
                database: endpoints.mysql.db.clone(),
            }),
            redis: Some(Servers::each(redis)),
            brokers: Some(Brokers {
                servers: brokers,
                user: endpoints.mq.user.clone(),
                password: Secret::new(endpoints.mq.password.clone()),
                ca_file: Some(endpoints.mq.ca_file.clone()),
                source: BrokerSource::Bridge,
            }),
            inside: BTreeSet::new(),
            given: ConnectionInfo::default(),
            renewal: None,
            site: Site::Emulator(url.clone()),
            visible_log: Some(endpoints.visible_log.clone()),
        })
    }

    /// AWS name of a region.
    pub(crate) fn aws_name(&self, region: &Region) -> Result<&str, LambdaError> {
        self.regions.get(region).map(String::as_str).ok_or_else(|| Unserved::no_service("region", region).into())
    }

    /// The clients' configuration for a region, by its AWS name.
    pub(crate) fn aws_in(&self, region: &str) -> SdkConfig {
        in_region(&self.aws, region)
    }

    /// A client of S3 in a region, by its AWS name.
    pub(crate) fn s3_in(&self, region: &str) -> aws_sdk_s3::Client {
        s3(&self.aws, region, self.is_emulated())
    }

    /// URL of a queue.
    pub(crate) fn queue_url(&self, region: &str, name: &str) -> String {
        match &self.site {
            Site::Emulator(url) => format!("{url}/{}/{name}", self.account),
            Site::Aws => format!("https://sqs.{region}.amazonaws.com/{}/{name}", self.account),
        }
    }

    /// When nothing is asked of AWS because credentials have expired.
    pub(crate) fn pause(&self) -> Pause {
        self.renewal.as_ref().map_or_else(Pause::default, |renewal| renewal.pause().clone())
    }

    /// Whether this is the local testbed, which has nothing that is given and no credentials that expire.
    pub(crate) fn is_local(&self) -> bool {
        self.renewal.is_none()
    }

    pub(crate) fn is_emulated(&self) -> bool {
        matches!(self.site, Site::Emulator(_))
    }
}
