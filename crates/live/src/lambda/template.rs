//! CloudFormation templates: one stack in the writer's region and one in the reader's.

use matrix_lambdas::config::{NotificationConfig, PostConfig};
use serde_json::{Map, Value, json};

use super::deployment::Deployment;
use super::{BrokerSource, Services, Settings};

/// Where a function's package is.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) bucket: String,
    pub(crate) key: String,
}

/// Deliveries of a notification that a failing reader gets again, by every source.
const READER_RETRIES: u32 = 2;

/// Age in seconds after which an ordered source gives up a notification.
const RECORD_AGE_MAX_S: u32 = 3600;

/// Seconds for which a message that was handed out is not handed out again.
const VISIBILITY_TIMEOUT_S: u32 = 20;

/// The stack in the writer's region: function, stores, topic and its subscription.
pub(crate) fn writer(deployment: &Deployment, services: &Services, settings: &Settings, code: &Code) -> Value {
    let config = &deployment.config;
    let mut resources = Map::new();
    let mut allowed = Vec::new();
    let replicas = [&config.writer_region, &config.reader_region];
    match &config.post {
        PostConfig::Dynamo(dynamo) => {
            resources.insert("PostsTable".into(), global_table(&dynamo.table, replicas));
            allowed.push(allow(TABLE_ACTIONS, table_arn(services, &config.writer_region, &dynamo.table)));
        }
        PostConfig::S3(s3) => {
            resources.insert("PostsBucket".into(), bucket(&s3.writer));
            resources.insert("ReplicationRole".into(), replication_role(&s3.writer, &s3.reader));
            allowed.extend(bucket_access(&s3.writer));
        }
        PostConfig::Mysql(_) | PostConfig::Redis(_) => {}
    }
    match &config.notification {
        NotificationConfig::Sns(sns) => {
            let properties = json!({ "TopicName": deployment.names.notifications() });
            resources.insert("Topic".into(), resource("AWS::SNS::Topic", properties));
            // It belongs where the topic is, and reaches across regions.
            let (region, account) = (&config.reader_region, &services.account);
            let reader = format!("arn:aws:lambda:{region}:{account}:function:{}", deployment.names.reader());
            let subscription = json!({ "TopicArn": { "Ref": "Topic" }, "Protocol": "lambda", "Endpoint": reader });
            resources.insert("Subscription".into(), resource("AWS::SNS::Subscription", subscription));
            allowed.push(allow(&["sns:Publish"], sns.topic_arn.clone()));
        }
        NotificationConfig::Dynamo(dynamo) => {
            resources.insert("NotificationsTable".into(), global_table(&dynamo.table, replicas));
            allowed.push(allow(TABLE_ACTIONS, table_arn(services, &config.writer_region, &dynamo.table)));
        }
        NotificationConfig::Amq(_) => {}
    }
    let function = Function { name: deployment.names.writer(), timeout_s: settings.writer_timeout_s(), retries: 0 };
    function.insert(&mut resources, deployment, settings, code, allowed);
    template(deployment, "writer", resources)
}

/// The stack in the reader's region: function, queue, event source. `stream` is the ARN of the notifications table's stream
/// there.
pub(crate) fn reader(
    deployment: &Deployment,
    services: &Services,
    settings: &Settings,
    code: &Code,
    stream: Option<&str>,
) -> Value {
    let config = &deployment.config;
    let (region, account) = (&config.reader_region, &services.account);
    let queue_arn = format!("arn:aws:sqs:{region}:{account}:{}", deployment.names.queue());
    let mut resources = Map::new();
    let mut allowed = vec![allow(&["sqs:SendMessage"], queue_arn)];
    let queue = json!({ "QueueName": deployment.names.queue(), "VisibilityTimeout": VISIBILITY_TIMEOUT_S });
    resources.insert("Queue".into(), resource("AWS::SQS::Queue", queue));
    match &config.post {
        PostConfig::Dynamo(dynamo) => allowed.push(allow(TABLE_ACTIONS, table_arn(services, region, &dynamo.table))),
        PostConfig::S3(s3) => {
            resources.insert("PostsBucket".into(), bucket(&s3.reader));
            allowed.extend(bucket_access(&s3.reader));
        }
        PostConfig::Mysql(_) | PostConfig::Redis(_) => {}
    }
    match &config.notification {
        NotificationConfig::Sns(sns) => {
            let permission = json!({
                "Action": "lambda:InvokeFunction",
                "FunctionName": { "Ref": "Function" },
                "Principal": "sns.amazonaws.com",
                "SourceArn": sns.topic_arn,
            });
            resources.insert("Permission".into(), resource("AWS::Lambda::Permission", permission));
        }
        NotificationConfig::Dynamo(dynamo) => {
            allowed.push(allow(TABLE_ACTIONS, table_arn(services, region, &dynamo.table)));
            let streams = table_arn(services, region, &dynamo.table) + "/stream/*";
            allowed.push(allow(STREAM_ACTIONS, streams));
            // Without the filter the reader would be invoked for every item that cleaning removes.
            let mapping = json!({
                "FunctionName": { "Ref": "Function" },
                "EventSourceArn": stream,
                "StartingPosition": "TRIM_HORIZON",
                "BatchSize": 1,
                "MaximumRetryAttempts": READER_RETRIES,
                "MaximumRecordAgeInSeconds": RECORD_AGE_MAX_S,
                "FilterCriteria": { "Filters": [{ "Pattern": r#"{"eventName":["INSERT"]}"# }] },
            });
            resources.insert("Mapping".into(), resource("AWS::Lambda::EventSourceMapping", mapping));
        }
        NotificationConfig::Amq(amq) => {
            let source = services.brokers.as_ref().map(|brokers| &brokers.source);
            if let Some(BrokerSource::Mapping { brokers, secrets }) = source {
                let reader = &deployment.spec.regions.reader;
                allowed.push(allow(BROKER_ACTIONS, "*"));
                let mapping = json!({
                    "FunctionName": { "Ref": "Function" },
                    "EventSourceArn": brokers.get(reader),
                    "Queues": [amq.queue],
                    "BatchSize": 1,
                    "SourceAccessConfigurations": [{ "Type": "BASIC_AUTH", "URI": secrets.get(reader) }],
                });
                resources.insert("Mapping".into(), resource("AWS::Lambda::EventSourceMapping", mapping));
            }
        }
    }
    let (name, timeout_s) = (deployment.names.reader(), settings.reader_timeout_s());
    let function = Function { name, timeout_s, retries: READER_RETRIES };
    function.insert(&mut resources, deployment, settings, code, allowed);
    let mut template = template(deployment, "reader", resources);
    template["Outputs"] = json!({ "QueueUrl": { "Value": { "Ref": "Queue" } } });
    template
}

fn template(deployment: &Deployment, side: &str, resources: Map<String, Value>) -> Value {
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!("The {side} of {}", deployment.spec),
        "Resources": resources,
    })
}

fn resource(kind: &str, properties: Value) -> Value {
    json!({ "Type": kind, "Properties": properties })
}

struct Function {
    name: String,
    timeout_s: u64,
    retries: u32,
}

impl Function {
    /// The function, its role, and how often a failed invocation without a waiting caller is repeated.
    fn insert(
        &self,
        resources: &mut Map<String, Value>,
        deployment: &Deployment,
        settings: &Settings,
        code: &Code,
        mut allowed: Vec<Value>,
    ) {
        allowed.push(allow(&["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "*"));
        allowed.push(allow(NETWORK_ACTIONS, "*"));
        resources.insert("Role".into(), role("lambda.amazonaws.com", "function", allowed));
        let function = json!({
            "FunctionName": self.name,
            "Runtime": "provided.al2023",
            "Architectures": ["x86_64"],
            "Handler": "bootstrap",
            "Code": { "S3Bucket": code.bucket, "S3Key": code.key },
            "Role": { "Fn::GetAtt": ["Role", "Arn"] },
            "MemorySize": settings.memory_mb,
            "Timeout": self.timeout_s,
            "Environment": { "Variables": deployment.config.to_variables() },
        });
        resources.insert("Function".into(), resource("AWS::Lambda::Function", function));
        let retries = json!({
            "FunctionName": { "Ref": "Function" },
            "Qualifier": "$LATEST",
            "MaximumRetryAttempts": self.retries,
        });
        resources.insert("Retries".into(), resource("AWS::Lambda::EventInvokeConfig", retries));
    }
}

const TABLE_ACTIONS: &[&str] =
    &["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem"];

const STREAM_ACTIONS: &[&str] =
    &["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"];

/// What an event source mapping needs of a broker (AWS Lambda Developer Guide, "Using Lambda with Amazon MQ").
const BROKER_ACTIONS: &[&str] = &["mq:DescribeBroker", "secretsmanager:GetSecretValue"];

/// What a function in a network needs.
const NETWORK_ACTIONS: &[&str] = &[
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
];

fn allow(actions: &[&str], on: impl Into<Value>) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": on.into() })
}

fn role(service: &str, policy: &str, statements: Vec<Value>) -> Value {
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

fn table_arn(services: &Services, region: &str, table: &str) -> String {
    format!("arn:aws:dynamodb:{region}:{}:table/{table}", services.account)
}

/// A global table with the partition key `k` and a stream.
fn global_table(name: &str, regions: [&String; 2]) -> Value {
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
fn bucket(name: &str) -> Value {
    let properties = json!({ "BucketName": name, "VersioningConfiguration": { "Status": "Enabled" } });
    resource("AWS::S3::Bucket", properties)
}

fn bucket_access(name: &str) -> [Value; 2] {
    let objects = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObjectVersion"];
    [
        allow(&objects, format!("arn:aws:s3:::{name}/*")),
        allow(&["s3:ListBucket", "s3:ListBucketVersions"], format!("arn:aws:s3:::{name}")),
    ]
}

/// The role in which S3 replicates (Amazon S3 User Guide, "Setting up permissions for live replication").
fn replication_role(source: &str, target: &str) -> Value {
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

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
