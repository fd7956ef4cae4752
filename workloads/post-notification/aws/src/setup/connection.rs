//! From what stacks gave to `connection_info.yaml`.

use crate::Datastore;
use crate::connection::{
    BrokersInfo, ByRegion, CacheInfo, ConnectionInfo, DynamoInfo, MysqlInfo, Network, Password, QueueInfo, S3Info,
    SnsInfo,
};
use crate::site::{OutputRef, Outputs, SetupError, SetupRegion, SetupRequest, Site};
use crate::template as made;

/// The contents of `connection_info.yaml`. Passwords are named by their secrets' ARNs.
///
/// # Errors
/// When the request cannot be met, or an output or an answer to a [`super::Lookup`] is missing or malformed.
pub fn connection_info(request: &SetupRequest, outputs: &Outputs) -> Result<ConnectionInfo, SetupError> {
    let site = Site::new(request)?;
    let given = Given { site: &site, outputs };
    let if_has = |store| site.has(store).then_some(());
    let writer = &site.writer;
    Ok(ConnectionInfo {
        credentials_profile: None,
        cloudformation_role_arn: Some(given.get(writer, made::ROLES, made::CLOUDFORMATION_ROLE)?),
        lambda_role_arn: Some(given.get(writer, made::ROLES, made::FUNCTIONS_ROLE)?),
        networks: if site.has_network() {
            given.by_region(site.places(), |place| given.network(place))?
        } else {
            ByRegion::new()
        },
        code_buckets: given.everywhere(made::BASE, made::CODE_BUCKET)?,
        mysql: if_has(Datastore::Mysql).map(|()| given.mysql()).transpose()?,
        dynamo: if_has(Datastore::Dynamo).map(|()| given.dynamo()).transpose()?,
        s3: if_has(Datastore::S3).map(|()| given.s3()).transpose()?,
        cache: if_has(Datastore::Redis).map(|()| given.cache()).transpose()?,
        sns: if_has(Datastore::Sns).map(|()| given.sns()).transpose()?,
        mq: if_has(Datastore::Amq).map(|()| given.brokers()).transpose()?,
        evaluations: Some(given.evaluations()?),
    })
}

/// What the stacks of a site gave.
struct Given<'a> {
    site: &'a Site<'a>,
    outputs: &'a Outputs,
}

impl Given<'_> {
    fn get(&self, place: &SetupRegion, part: &str, output: &str) -> Result<String, SetupError> {
        self.read(self.site.output(place, part, output))
    }

    fn read(&self, from: OutputRef) -> Result<String, SetupError> {
        let value = self.outputs.get(&from.stack).and_then(|outputs| outputs.get(&from.output));
        value.filter(|value| !value.is_empty()).cloned().ok_or(SetupError::MissingOutput(from))
    }

    fn by_region<'p, T>(
        &self,
        places: impl IntoIterator<Item = &'p SetupRegion>,
        value: impl Fn(&SetupRegion) -> Result<T, SetupError>,
    ) -> Result<ByRegion<T>, SetupError> {
        places.into_iter().map(|place| Ok((place.aws.clone(), value(place)?))).collect()
    }

    fn everywhere(&self, part: &str, output: &str) -> Result<ByRegion<String>, SetupError> {
        self.by_region(self.site.places(), |place| self.get(place, part, output))
    }

    fn at_writer(&self, part: &str, output: &str) -> Result<ByRegion<String>, SetupError> {
        self.by_region([&self.site.writer], |place| self.get(place, part, output))
    }

    fn at_readers(&self, part: &str, output: &str) -> Result<ByRegion<String>, SetupError> {
        self.by_region(&self.site.readers, |place| self.get(place, part, output))
    }

    fn network(&self, place: &SetupRegion) -> Result<Network, SetupError> {
        Ok(Network {
            vpc_id: self.get(place, made::NETWORK, made::VPC)?,
            subnet_id: self.get(place, made::NETWORK, made::SUBNET_A)?,
            security_group_id: self.get(place, made::NETWORK, made::FUNCTIONS_GROUP)?,
        })
    }

    fn mysql(&self) -> Result<MysqlInfo, SetupError> {
        let secret = self.get(&self.site.writer, made::SECRETS, made::MYSQL_SECRET)?;
        Ok(MysqlInfo {
            vpc_required: true,
            port: made::MYSQL_PORT,
            user: made::USER.to_owned(),
            password: Password::SecretsManager(secret),
            db: made::DATABASE.to_owned(),
            post_table_name: "posts".to_owned(),
            notifications_table_name: None,
            antipode_table_name: "antipode".to_owned(),
            writer_hosts: self.at_writer(made::MYSQL, made::MYSQL_HOST)?,
            reader_hosts: self.at_readers(made::MYSQL, made::MYSQL_HOST)?,
        })
    }

    fn dynamo(&self) -> Result<DynamoInfo, SetupError> {
        Ok(DynamoInfo {
            vpc_required: false,
            post_table_name: self.get(&self.site.writer, made::DYNAMO, made::POSTS_TABLE)?,
            notifications_table_name: self.get(&self.site.writer, made::DYNAMO, made::NOTIFICATIONS_TABLE)?,
            antipode_table: None,
            stream_arns: self.at_readers(made::DYNAMO, made::NOTIFICATIONS_STREAM)?,
        })
    }

    fn s3(&self) -> Result<S3Info, SetupError> {
        Ok(S3Info {
            vpc_required: false,
            writer_buckets: self.at_writer(made::S3, made::POSTS_BUCKET)?,
            reader_buckets: self.at_readers(made::S3, made::POSTS_BUCKET)?,
        })
    }

    fn cache(&self) -> Result<CacheInfo, SetupError> {
        Ok(CacheInfo {
            vpc_required: true,
            port: made::REDIS_PORT,
            writer_hosts: self.at_writer(made::REDIS, made::REDIS_HOST)?,
            reader_hosts: self.at_readers(made::REDIS, made::REDIS_HOST)?,
        })
    }

    fn sns(&self) -> Result<SnsInfo, SetupError> {
        Ok(SnsInfo { vpc_required: false, topic_arns: self.at_writer(made::SNS, made::TOPIC)? })
    }

    fn brokers(&self) -> Result<BrokersInfo, SetupError> {
        let secret = self.site.output(&self.site.writer, made::SECRETS, made::BROKER_SECRET);
        let arn = self.read(secret.clone())?;
        let hosts = self.by_region(self.site.places(), |place| {
            let from = self.site.output(place, made::AMQ, made::STOMP_ENDPOINT);
            let url = self.read(from.clone())?;
            let expected = "`stomp+ssl://HOST:PORT`";
            host(&url).ok_or(SetupError::MalformedOutput { from, value: url, expected })
        })?;
        let secret_arns = self.by_region(self.site.places(), |place| {
            let expected = "the ARN of a secret";
            in_region(&arn, &place.aws).ok_or_else(|| SetupError::MalformedOutput {
                from: secret.clone(),
                value: arn.clone(),
                expected,
            })
        })?;
        Ok(BrokersInfo {
            vpc_required: true,
            user: made::USER.to_owned(),
            password: Password::SecretsManager(arn.clone()),
            notification_queue: self.site.name("notifications"),
            stomp_port: made::STOMP_PORT,
            names: self.everywhere(made::AMQ, made::BROKER_NAME)?,
            arns: self.everywhere(made::AMQ, made::BROKER_ARN)?,
            hosts,
            secret_arns,
            ca_file: None,
        })
    }

    fn evaluations(&self) -> Result<QueueInfo, SetupError> {
        Ok(QueueInfo {
            name: self.site.name(made::EVALUATIONS),
            urls: self.at_readers(made::BASE, made::QUEUE_URL)?,
            arns: self.at_readers(made::BASE, made::QUEUE_ARN)?,
        })
    }
}

/// The host of a broker's endpoint.
fn host(url: &str) -> Option<String> {
    let (host, port) = url.strip_prefix("stomp+ssl://")?.rsplit_once(':')?;
    (!host.is_empty() && port.parse::<u16>().is_ok()).then(|| host.to_owned())
}

/// The ARN of a secret's replica: it differs in the region alone (AWS Secrets Manager User Guide, "Replicate secrets
/// across Regions").
fn in_region(arn: &str, region: &str) -> Option<String> {
    let parts: Vec<&str> = arn.splitn(5, ':').collect();
    let [prefix, partition, service @ "secretsmanager", _, rest] = parts[..] else { return None };
    Some(format!("{prefix}:{partition}:{service}:{region}:{rest}"))
}
