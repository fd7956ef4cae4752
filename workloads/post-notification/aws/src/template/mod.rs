//! Templates of CloudFormation, one file a topic.

mod amq;
mod base;
mod database_network;
mod dynamo;
mod endpoints;
mod mysql;
mod names;
mod network;
mod peering;
mod policy;
mod redis;
mod role_cloudformation;
mod role_functions;
mod roles;
mod s3;
mod secrets;
mod security;
mod sns;
mod stack;
mod value;

pub(crate) use amq::{AMQ, BROKER_ARN, BROKER_NAME, STOMP_ENDPOINT, broker};
pub(crate) use base::{BASE, CODE_BUCKET, EVALUATIONS, QUEUE_ARN, QUEUE_URL, base};
pub(crate) use database_network::database_network;
pub(crate) use dynamo::{
    DYNAMO, NOTIFICATIONS_STREAM, NOTIFICATIONS_TABLE, POSTS_TABLE, WRITE_UNITS, dynamo, notifications_table,
};
pub(crate) use endpoints::endpoint_addresses;
pub(crate) use mysql::{DATABASE, MYSQL, MYSQL_HOST, mysql};
pub(crate) use names::{
    CLOUDFORMATION_ROLE, FUNCTIONS_GROUP, FUNCTIONS_ROLE, MYSQL_PORT, NETWORK, REDIS_PORT, ROLES, SUBNET_A, VPC,
};
pub(crate) use network::network;
pub(crate) use peering::{peering, peering_routes};
pub(crate) use redis::{REDIS, REDIS_HOST, redis, redis_global};
pub(crate) use roles::roles;
pub(crate) use s3::{POSTS_BUCKET, S3, reader_bucket, writer_bucket};
pub(crate) use secrets::{BROKER_SECRET, MYSQL_SECRET, SECRETS, USER, secrets, secrets_in};
pub(crate) use security::STOMP_PORT;
pub(crate) use sns::{SNS, TOPIC, sns};
