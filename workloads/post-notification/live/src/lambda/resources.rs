//! Resources of the templates, and what functions are allowed.

use serde_json::{Value, json};

use super::Services;

/// A resource of a template.
pub(crate) fn resource(kind: &str, properties: Value) -> Value {
    json!({ "Type": kind, "Properties": properties })
}

pub(crate) const TABLE_ACTIONS: &[&str] =
    &["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem"];

pub(crate) const STREAM_ACTIONS: &[&str] =
    &["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"];

/// What an event source mapping needs of a broker (AWS Lambda Developer Guide, "Using Lambda with Amazon MQ").
pub(crate) const BROKER_ACTIONS: &[&str] = &["mq:DescribeBroker", "secretsmanager:GetSecretValue"];

/// What a function in a network needs.
pub(crate) const NETWORK_ACTIONS: &[&str] = &[
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
];

pub(crate) fn allow(actions: &[&str], on: impl Into<Value>) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": on.into() })
}

pub(crate) fn role(service: &str, policy: &str, statements: Vec<Value>) -> Value {
    let trust = json!({ "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" });
    let properties = json!({
        "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [trust] },
        "Policies": [{
            "PolicyName": policy,
            "PolicyDocument": { "Version": "2012-10-17", "Statement": statements },
        }],
    });
    resource("AWS::IAM::Role", properties)
}

pub(crate) fn table_arn(services: &Services, region: &str, table: &str) -> String {
    format!("arn:aws:dynamodb:{region}:{}:table/{table}", services.account)
}

/// A global table with the partition key `k` and a stream.
pub(crate) fn global_table(name: &str, regions: [&String; 2]) -> Value {
    let properties = json!({
        "TableName": name,
        "AttributeDefinitions": [{ "AttributeName": "k", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "k", "KeyType": "HASH" }],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": { "StreamViewType": "NEW_AND_OLD_IMAGES" },
        "Replicas": regions.map(|region| json!({ "Region": region })),
    });
    resource("AWS::DynamoDB::GlobalTable", properties)
}

/// A versioned bucket. Its replication is set by API: the source's rule needs the target, and the stack there comes later.
pub(crate) fn bucket(name: &str) -> Value {
    let properties = json!({ "BucketName": name, "VersioningConfiguration": { "Status": "Enabled" } });
    resource("AWS::S3::Bucket", properties)
}

pub(crate) fn bucket_access(name: &str) -> [Value; 2] {
    let objects = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObjectVersion"];
    [
        allow(&objects, format!("arn:aws:s3:::{name}/*")),
        allow(&["s3:ListBucket", "s3:ListBucketVersions"], format!("arn:aws:s3:::{name}")),
    ]
}

/// The role in which S3 replicates (Amazon S3 User Guide, "Setting up permissions for live replication").
pub(crate) fn replication_role(source: &str, target: &str) -> Value {
    let read = ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"];
    let write = ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"];
    let statements = vec![
        allow(&["s3:GetReplicationConfiguration", "s3:ListBucket"], format!("arn:aws:s3:::{source}")),
        allow(&read, format!("arn:aws:s3:::{source}/*")),
        allow(&write, format!("arn:aws:s3:::{target}/*")),
    ];
    let mut role = role("s3.amazonaws.com", "replication", statements);
    role["Properties"]["RoleName"] = json!(replication_role_name(source));
    role
}

/// Name of the role in which a bucket is replicated.
pub(crate) fn replication_role_name(source: &str) -> String {
    format!("{source}-r").chars().take(64).collect()
}
