//! The contents of the file. Regions are named as AWS does (`eu-central-1`).

use std::collections::BTreeMap;
use std::fmt;

/// A value of each region, by the region's AWS name.
pub type ByRegion<T> = BTreeMap<String, T>;

/// Where the services are, and how to get in. Its `Debug` shows no password and no account.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// Profile of the AWS configuration whose credentials are used (`aws_credentials_profile`). Missing: the default chain.
    pub credentials_profile: Option<String>,
    /// Role in which CloudFormation makes the functions' stacks (`iam_cloudformation_admin_role_arn`).
    pub cloudformation_role_arn: Option<String>,
    /// Role of the functions (`iam_lambda_admin_role_arn`).
    pub lambda_role_arn: Option<String>,
    /// Networks that functions are put into where a datastore requires a VPC (`lambda.network`).
    pub networks: ByRegion<Network>,
    /// Buckets of the functions' code (`lambda.s3_buckets`).
    pub code_buckets: ByRegion<String>,
    /// `datastores.mysql`.
    pub mysql: Option<MysqlInfo>,
    /// `datastores.dynamo`.
    pub dynamo: Option<DynamoInfo>,
    /// `datastores.s3`.
    pub s3: Option<S3Info>,
    /// `datastores.cache`.
    pub cache: Option<CacheInfo>,
    /// `datastores.sns`.
    pub sns: Option<SnsInfo>,
    /// `datastores.mq`.
    pub mq: Option<BrokersInfo>,
    /// `sqs_eval`: the queue of evaluations in each reader's region.
    pub evaluations: Option<QueueInfo>,
}

impl fmt::Debug for ConnectionInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sections = format!(
            "ConnectionInfo {:?}",
            (
                (&self.credentials_profile, &self.cloudformation_role_arn, &self.lambda_role_arn),
                (&self.networks, &self.code_buckets, &self.evaluations),
                (&self.mysql, &self.dynamo, &self.s3, &self.cache, &self.sns, &self.mq),
            )
        );
        f.write_str(&without_accounts(&sections))
    }
}

/// The text with every run of twelve digits, which is what accounts are, made unreadable.
fn without_accounts(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for part in text.split_inclusive(|character: char| !character.is_ascii_digit()) {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        match digits {
            12 => shown.push_str("************"),
            _ => shown.push_str(&part[..digits]),
        }
        shown.push_str(&part[digits..]);
    }
    shown
}

/// A network for functions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The VPC.
    pub vpc_id: String,
    /// The subnet in zone `a`.
    pub subnet_id: String,
    /// The functions' security group.
    pub security_group_id: String,
}

/// Where a password is.
#[derive(Clone, PartialEq, Eq)]
pub enum Password {
    /// In the file itself.
    Plain(String),
    /// In an environment variable of this name, written `${NAME}`.
    Environment(String),
    /// In Secrets Manager, under the key `password` of the secret with this ARN.
    SecretsManager(String),
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(_) => f.write_str("***"),
            Self::Environment(name) => write!(f, "${{{name}}}"),
            Self::SecretsManager(arn) => f.write_str(arn),
        }
    }
}

/// Aurora, or any MySQL with replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MysqlInfo {
    /// Whether it is reached from inside the VPC only.
    pub vpc_required: bool,
    /// TCP port.
    pub port: u16,
    /// User.
    pub user: String,
    /// Its password.
    pub password: Password,
    /// Database.
    pub db: String,
    /// Table of posts.
    pub post_table_name: String,
    /// Table of notifications; the original made it and never used it.
    pub notifications_table_name: Option<String>,
    /// Table of posts with a lineage.
    pub antipode_table_name: String,
    /// `host__<region>__writer`.
    pub writer_hosts: ByRegion<String>,
    /// `host__<region>__reader`.
    pub reader_hosts: ByRegion<String>,
}

/// DynamoDB's global tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DynamoInfo {
    /// Whether functions must be in the VPC.
    pub vpc_required: bool,
    /// Table of posts.
    pub post_table_name: String,
    /// Table of notifications, with a stream.
    pub notifications_table_name: String,
    /// Table that the original named and did not use.
    pub antipode_table: Option<String>,
    /// `notifications_table_stream_arn__<region>`.
    pub stream_arns: ByRegion<String>,
}

/// S3's buckets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Info {
    /// Whether functions must be in the VPC.
    pub vpc_required: bool,
    /// `bucket__<region>__writer`.
    pub writer_buckets: ByRegion<String>,
    /// `bucket__<region>__reader`.
    pub reader_buckets: ByRegion<String>,
}

/// ElastiCache, or any Redis with replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheInfo {
    /// Whether it is reached from inside the VPC only.
    pub vpc_required: bool,
    /// TCP port.
    pub port: u16,
    /// `host__<region>__writer`.
    pub writer_hosts: ByRegion<String>,
    /// `host__<region>__reader`.
    pub reader_hosts: ByRegion<String>,
}

/// SNS's topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnsInfo {
    /// Whether functions must be in the VPC.
    pub vpc_required: bool,
    /// `arn__<region>__writer`.
    pub topic_arns: ByRegion<String>,
}

/// Amazon MQ's brokers, or any ActiveMQ ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokersInfo {
    /// Whether they are reached from inside the VPC only.
    pub vpc_required: bool,
    /// User.
    pub user: String,
    /// Its password.
    pub password: Password,
    /// What the names of the queues of notifications begin with.
    pub notification_queue: String,
    /// TCP port of STOMP.
    pub stomp_port: u16,
    /// `name__<region>`.
    pub names: ByRegion<String>,
    /// `arn__<region>`: missing where no service maps a broker to functions; then the driver hands messages over.
    pub arns: ByRegion<String>,
    /// `host__<region>`.
    pub hosts: ByRegion<String>,
    /// `secretmanager_arn__<region>`: the secret with the user and the password, for the event source mapping.
    pub secret_arns: ByRegion<String>,
    /// `ca_file`: certificate of the authority of brokers of one's own; not in the original's file.
    pub ca_file: Option<String>,
}

/// SQS's queues of evaluations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueInfo {
    /// Name of the queues.
    pub name: String,
    /// `url__<region>`.
    pub urls: ByRegion<String>,
    /// `arn__<region>`.
    pub arns: ByRegion<String>,
}
