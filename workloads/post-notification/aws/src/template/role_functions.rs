//! What the functions' role allows: what Writer and Reader do, and what the Lambda service does in their name.

use serde_json::{Value, json};

use super::policy::{Allow, allow};
use super::secrets::broker_secret;
use super::value::sub;
use crate::Datastore;
use crate::site::Site;

/// As in the functions' own stacks: items are put and read, and removed when stores are cleaned.
const TABLE_ACTIONS: &[&str] =
    &["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem"];
const STREAM_ACTIONS: &[&str] = &["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"];
const OBJECT_ACTIONS: &[&str] = &["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObjectVersion"];

/// What a function in a network needs (AWS Lambda Developer Guide, "Giving Lambda functions access to resources in an
/// Amazon VPC"), and an event source mapping in a broker's. Descriptions cannot be narrowed to resources.
const NETWORK_ACTIONS: &[&str] = &[
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
];

/// The logs of functions.
pub(super) const LOGS: &str = "log-group:/aws/lambda/matrix-*";

/// What the role allows, for the set-up's datastores.
pub(super) fn allowed(site: &Site<'_>) -> Vec<Allow> {
    let mut allowed = vec![
        allow(
            &["logs:CreateLogStream", "logs:PutLogEvents"],
            vec![arn("logs", LOGS), arn("logs", &format!("{LOGS}:*"))],
        )
        .in_regions(site),
        allow(&["sqs:SendMessage"], named(site, "sqs", "")).in_regions(site),
    ];
    if site.has(Datastore::Dynamo) {
        let streams = site.stems().map(|stem| arn("dynamodb", &format!("table/{stem}*/stream/*"))).collect();
        allowed.extend([
            allow(TABLE_ACTIONS, named(site, "dynamodb", "table/")).in_regions(site),
            allow(STREAM_ACTIONS, streams).in_regions(site),
            // Knows no resources.
            allow(&["dynamodb:ListStreams"], vec![json!("*")]).in_regions(site),
        ]);
    }
    if site.has(Datastore::S3) {
        allowed.extend([
            allow(OBJECT_ACTIONS, buckets(site, "/*")),
            allow(&["s3:ListBucket", "s3:ListBucketVersions"], buckets(site, "")),
        ]);
    }
    if site.has(Datastore::Sns) {
        allowed.push(allow(&["sns:Publish"], named(site, "sns", "")).in_regions(site));
    }
    if site.has(Datastore::Amq) {
        let broker = arn("mq", &format!("broker:{}-*", site.name(super::AMQ)));
        let secret = arn("secretsmanager", &format!("secret:{}-??????", broker_secret(site)));
        allowed.extend([
            allow(&["mq:DescribeBroker"], vec![broker]).in_regions(site),
            allow(&["secretsmanager:GetSecretValue"], vec![secret]).in_regions(site),
        ]);
    }
    if site.has_network() {
        allowed.push(allow(NETWORK_ACTIONS, vec![json!("*")]).in_regions(site));
    }
    allowed
}

/// The ARN of a resource of this account, in any region.
pub(super) fn arn(service: &str, resource: &str) -> Value {
    sub(format!("arn:${{AWS::Partition}}:{service}:*:${{AWS::AccountId}}:{resource}"))
}

/// Everything of a service whose name is the set-up's or the functions'.
pub(super) fn named(site: &Site<'_>, service: &str, kind: &str) -> Vec<Value> {
    site.stems().map(|stem| arn(service, &format!("{kind}{stem}*"))).collect()
}

/// The set-up's and the functions' buckets of posts.
pub(super) fn buckets(site: &Site<'_>, rest: &str) -> Vec<Value> {
    site.stems().map(|stem| sub(format!("arn:${{AWS::Partition}}:s3:::{stem}*posts*{rest}"))).collect()
}
