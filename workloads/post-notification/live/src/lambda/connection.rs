//! From `connection_info.yaml` to services.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_secretsmanager::error::ProvideErrorMetadata as _;
use aws_types::SdkConfig;
use matrix_aws::connection::{BrokersInfo, ByRegion, Password, Problem};
use matrix_aws::{ConnectionInfo, Datastore};
use matrix_lambdas::aws::brief;
use matrix_lambdas::config::{BrokerEndpoint, Endpoint, Secret};
use matrix_plan::{Region, Regions};

use super::{BrokerSource, Brokers, LambdaError, MysqlServers, Servers, Services, Unserved};
use crate::aws::{Access, is_refusal};

impl Services {
    /// What `connection_info.yaml` names, of the regions that are known. What it does not name the driver makes. Servers
    /// with passwords are only those of `needed` datastores: passwords that are elsewhere are looked up, which blocks, so
    /// use it outside of asynchronous code.
    ///
    /// # Errors
    /// When a host is none, or a password is not where the file says ([`LambdaError::Entry`]).
    pub fn aws(
        access: &Access,
        info: &ConnectionInfo,
        regions: &Regions,
        needed: &BTreeSet<Datastore>,
    ) -> Result<Self, LambdaError> {
        let places = KnownRegions(regions);
        let locked = Locked { info, needed, places: &places, secrets: Secrets { aws: &access.aws } };
        let redis = match &info.cache {
            None => None,
            Some(cache) => Some(Servers {
                writers: places.servers(&cache.writer_hosts, cache.port)?,
                readers: places.servers(&cache.reader_hosts, cache.port)?,
            }),
        };
        let mut inside = BTreeSet::new();
        inside.extend(info.mysql.as_ref().filter(|info| info.vpc_required).map(|_| Datastore::Mysql));
        inside.extend(info.cache.as_ref().filter(|info| info.vpc_required).map(|_| Datastore::Redis));
        inside.extend(info.mq.as_ref().filter(|info| info.vpc_required).map(|_| Datastore::Amq));
        Ok(Self {
            aws: access.aws.clone(),
            account: access.account.clone(),
            regions: regions.iter().map(|(region, aws)| (region.clone(), aws.to_owned())).collect(),
            mysql: locked.mysql()?,
            redis,
            brokers: locked.brokers()?,
            inside,
            given: info.clone(),
            renewal: Some(access.renewal.clone()),
            site: access.site.clone(),
            visible_log: None,
        })
    }
}

/// The servers that take a password, which is looked up only where they are needed.
struct Locked<'a> {
    info: &'a ConnectionInfo,
    needed: &'a BTreeSet<Datastore>,
    places: &'a KnownRegions<'a>,
    secrets: Secrets<'a>,
}

impl Locked<'_> {
    fn mysql(&self) -> Result<Option<MysqlServers>, LambdaError> {
        let needed = self.needed.contains(&Datastore::Mysql);
        let Some(mysql) = self.info.mysql.as_ref().filter(|_| needed) else { return Ok(None) };
        Ok(Some(MysqlServers {
            servers: Servers {
                writers: self.places.servers(&mysql.writer_hosts, mysql.port)?,
                readers: self.places.servers(&mysql.reader_hosts, mysql.port)?,
            },
            user: mysql.user.clone(),
            password: self.secrets.reveal(Datastore::Mysql, &mysql.password)?,
            database: mysql.db.clone(),
        }))
    }

    fn brokers(&self) -> Result<Option<Brokers>, LambdaError> {
        let needed = self.needed.contains(&Datastore::Amq);
        let Some(mq) = self.info.mq.as_ref().filter(|_| needed) else { return Ok(None) };
        let password = self.secrets.reveal(Datastore::Amq, &mq.password)?;
        self.places.brokers(mq, password).map(Some)
    }
}

struct KnownRegions<'a>(&'a Regions);

impl KnownRegions<'_> {
    /// Values by the regions' short names. Regions that the experiment does not know are of no use to it.
    fn of<T>(
        &self,
        values: &ByRegion<String>,
        read: impl Fn(&str) -> Result<T, LambdaError>,
    ) -> Result<BTreeMap<Region, T>, LambdaError> {
        let known = values.iter().filter_map(|(aws, value)| Some((self.0.by_aws_name(aws)?.clone(), value)));
        known.map(|(region, value)| Ok((region, read(value)?))).collect()
    }

    fn servers(&self, hosts: &ByRegion<String>, port: u16) -> Result<BTreeMap<Region, Endpoint>, LambdaError> {
        self.of(hosts, |host| Endpoint::parse(host, Some(port)).ok_or_else(|| no_host(host)))
    }

    fn brokers(&self, mq: &BrokersInfo, password: Secret) -> Result<Brokers, LambdaError> {
        let broker = |host: &str| BrokerEndpoint::parse(host, Some(mq.stomp_port)).ok_or_else(|| no_host(host));
        let text = |text: &str| Ok(text.to_owned());
        let (brokers, secrets) = (self.of(&mq.arns, text)?, self.of(&mq.secret_arns, text)?);
        let source = if brokers.is_empty() { BrokerSource::Bridge } else { BrokerSource::Mapping { brokers, secrets } };
        Ok(Brokers {
            servers: self.of(&mq.hosts, broker)?,
            user: mq.user.clone(),
            password,
            ca_file: mq.ca_file.as_ref().map(Into::into),
            source,
        })
    }
}

fn no_host(host: &str) -> LambdaError {
    Unserved::BadHost(host.to_owned()).into()
}

/// Looks up passwords.
struct Secrets<'a> {
    aws: &'a SdkConfig,
}

impl Secrets<'_> {
    /// The password of a datastore.
    fn reveal(&self, store: Datastore, password: &Password) -> Result<Secret, LambdaError> {
        match password {
            Password::Plain(text) => Ok(Secret::new(text.clone())),
            Password::Environment(name) => {
                let found = std::env::var(name).map(Secret::new);
                found.map_err(|_| LambdaError::Entry(Problem::unset_variable(store, name)))
            }
            Password::SecretsManager(arn) => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.map_err(LambdaError::Runtime)?.block_on(Box::pin(self.ask(store, arn)))
            }
        }
    }

    /// The member `password` of a secret. Its ARN is not shown: the account is in it.
    async fn ask(&self, store: Datastore, arn: &str) -> Result<Secret, LambdaError> {
        let wrong = |what: String| LambdaError::Entry(Problem::of_password(store, what));
        let region = arn.split(':').nth(3).filter(|region| !region.is_empty());
        let region = region.ok_or_else(|| wrong("is the ARN of a secret without a region".to_owned()))?;
        // Connections of its own: those of a runtime end with it.
        let plain = matrix_lambdas::aws::config(
            self.aws.endpoint_url(),
            self.aws.credentials_provider().ok_or(Unserved::NoCredentials)?,
        );
        let config = plain.into_builder().region(aws_types::region::Region::new(region.to_owned())).build();
        let client = aws_sdk_secretsmanager::Client::new(&config);
        let answer = client.get_secret_value().secret_id(arn).send().await;
        let answer = answer.map_err(|error| match error.code() {
            // Not the entry is at fault, but the credentials.
            code if is_refusal(code) => LambdaError::aws("looking up a password", error),
            _ => wrong(format!("names a secret that cannot be looked up: {}", brief(&error))),
        })?;
        let members = answer.secret_string().and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
        let password = members.as_ref().and_then(|members| members.get("password")?.as_str());
        let missing = || wrong("names a secret that has no member `password`".to_owned());
        Ok(Secret::new(password.ok_or_else(missing)?))
    }
}

impl Services {
    /// The ARN of the given stream of notifications in a region, by its AWS name.
    pub(crate) fn given_stream(&self, region: &str) -> Option<&str> {
        self.given.dynamo.as_ref()?.stream_arns.get(region).map(String::as_str)
    }

    /// ARN of the queue of evaluations in a region, if it is given.
    pub(crate) fn given_queue_arn(&self, region: &str) -> Option<String> {
        let queue = self.given.evaluations.as_ref()?;
        let named = || {
            let name = queue.urls.get(region)?.rsplit('/').next()?;
            Some(format!("arn:aws:sqs:{region}:{}:{name}", self.account))
        };
        queue.arns.get(region).cloned().or_else(named)
    }

    /// Buckets of posts in every region but the given ones, where what is written is replicated to as well.
    pub(crate) fn other_buckets(&self, but: [&str; 2]) -> Vec<(&str, &str)> {
        let readers = self.given.s3.iter().flat_map(|s3| &s3.reader_buckets);
        readers
            .map(|(region, bucket)| (region.as_str(), bucket.as_str()))
            .filter(|(_, bucket)| !but.contains(bucket))
            .collect()
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
