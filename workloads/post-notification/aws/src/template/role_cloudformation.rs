//! What CloudFormation may do when it makes, changes and deletes the functions' stacks, all of whose names begin with
//! `matrix-`. It can give functions the set-up's role and no other, and it can make no role: so nobody who may use it
//! gets more than is written here.

use serde_json::{Value, json};

use super::policy::{Allow, allow};
use super::role_functions::{LOGS, arn, buckets, named};
use super::value::sub;
use crate::Datastore;
use crate::site::Site;

const FUNCTION_ACTIONS: &[&str] = &[
    "lambda:AddPermission",
    "lambda:CreateFunction",
    "lambda:DeleteFunction",
    "lambda:DeleteFunctionEventInvokeConfig",
    "lambda:GetFunction",
    "lambda:GetFunctionCodeSigningConfig",
    "lambda:GetFunctionConfiguration",
    "lambda:GetFunctionEventInvokeConfig",
    "lambda:GetFunctionRecursionConfig",
    "lambda:GetPolicy",
    "lambda:GetRuntimeManagementConfig",
    "lambda:ListTags",
    "lambda:PutFunctionEventInvokeConfig",
    "lambda:RemovePermission",
    "lambda:TagResource",
    "lambda:UntagResource",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
    "lambda:UpdateFunctionEventInvokeConfig",
];
const MAPPING_ACTIONS: &[&str] =
    &["lambda:CreateEventSourceMapping", "lambda:DeleteEventSourceMapping", "lambda:UpdateEventSourceMapping"];
/// What a function's log takes.
const LOG_ACTIONS: &[&str] = &[
    "logs:CreateLogGroup",
    "logs:DeleteDataProtectionPolicy",
    "logs:DeleteLogGroup",
    "logs:DeleteRetentionPolicy",
    "logs:DescribeIndexPolicies",
    "logs:GetDataProtectionPolicy",
    "logs:ListTagsForResource",
    "logs:PutRetentionPolicy",
    "logs:TagResource",
    "logs:UntagResource",
];
const QUEUE_ACTIONS: &[&str] = &[
    "sqs:CreateQueue",
    "sqs:DeleteQueue",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ListQueueTags",
    "sqs:SetQueueAttributes",
    "sqs:TagQueue",
    "sqs:UntagQueue",
];
const TOPIC_ACTIONS: &[&str] = &[
    "sns:CreateTopic",
    "sns:DeleteTopic",
    "sns:GetDataProtectionPolicy",
    "sns:GetTopicAttributes",
    "sns:ListSubscriptionsByTopic",
    "sns:ListTagsForResource",
    "sns:SetTopicAttributes",
    "sns:Subscribe",
    "sns:TagResource",
    "sns:UntagResource",
];
/// Subscriptions have no resources of their own in policies.
const SUBSCRIPTION_ACTIONS: &[&str] =
    &["sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes", "sns:Unsubscribe"];
/// To make a replica, DynamoDB writes the table in the caller's name (Amazon DynamoDB Developer Guide, "Using IAM with
/// global tables").
const TABLE_ACTIONS: &[&str] = &[
    "dynamodb:BatchWriteItem",
    "dynamodb:CreateTable",
    "dynamodb:CreateTableReplica",
    "dynamodb:DeleteItem",
    "dynamodb:DeleteTable",
    "dynamodb:DeleteTableReplica",
    "dynamodb:Describe*",
    "dynamodb:GetItem",
    "dynamodb:GetResourcePolicy",
    "dynamodb:ListTagsOfResource",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:Scan",
    "dynamodb:TagResource",
    "dynamodb:UntagResource",
    "dynamodb:UpdateContinuousBackups",
    "dynamodb:UpdateItem",
    "dynamodb:UpdateTable",
    "dynamodb:UpdateTimeToLive",
];
const BUCKET_ACTIONS: &[&str] = &[
    "s3:CreateBucket",
    "s3:DeleteBucket",
    "s3:GetAccelerateConfiguration",
    "s3:GetAnalyticsConfiguration",
    "s3:GetBucket*",
    "s3:GetEncryptionConfiguration",
    "s3:GetIntelligentTieringConfiguration",
    "s3:GetInventoryConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetMetricsConfiguration",
    "s3:GetReplicationConfiguration",
    "s3:ListBucket",
    "s3:ListTagsForResource",
    "s3:PutBucketTagging",
    "s3:PutBucketVersioning",
    "s3:TagResource",
    "s3:UntagResource",
];
/// What Lambda asks about the network of a function that is put into one, and what CloudFormation asks to wait until the
/// function's interfaces are gone (CloudFormation Template Reference, `AWS::Lambda::Function VpcConfig`); descriptions know
/// no resources.
const NETWORK_ACTIONS: &[&str] =
    &["ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"];

/// What the role allows, for the set-up's datastores. `functions` is the functions' role.
pub(super) fn allowed(site: &Site<'_>, functions: &Value) -> Vec<Allow> {
    let function = arn("lambda", "function:matrix-*");
    let code = sub(format!("arn:${{AWS::Partition}}:s3:::{}-*/*", site.name("code")));
    let mut allowed = vec![
        allow(FUNCTION_ACTIONS, vec![function.clone()]).in_regions(site),
        allow(&["iam:GetRole"], vec![functions.clone()]),
        allow(&["iam:PassRole"], vec![functions.clone()]).when(
            "StringEquals",
            "iam:PassedToService",
            "lambda.amazonaws.com",
        ),
        allow(&["s3:GetObject", "s3:GetObjectVersion"], vec![code]),
        allow(LOG_ACTIONS, vec![arn("logs", LOGS), arn("logs", &format!("{LOGS}:*"))]).in_regions(site),
        // They know all logs or none.
        allow(&["logs:DescribeLogGroups", "logs:DescribeResourcePolicies"], vec![json!("*")]).in_regions(site),
        allow(QUEUE_ACTIONS, vec![arn("sqs", "matrix-*")]).in_regions(site),
    ];
    if site.has(Datastore::Dynamo) || site.has(Datastore::Amq) {
        let mapping = arn("lambda", "event-source-mapping:*");
        let seen = &["lambda:GetEventSourceMapping", "lambda:ListTags", "lambda:TagResource", "lambda:UntagResource"];
        allowed.extend([
            allow(MAPPING_ACTIONS, vec![json!("*")]).in_regions(site).when(
                "ArnLike",
                "lambda:FunctionArn",
                json!([function]),
            ),
            allow(seen, vec![mapping]).in_regions(site),
        ]);
    }
    if site.has(Datastore::Sns) {
        allowed.extend([
            allow(TOPIC_ACTIONS, named(site, "sns", "")).in_regions(site),
            allow(SUBSCRIPTION_ACTIONS, vec![json!("*")]).in_regions(site),
        ]);
    }
    if site.has(Datastore::Dynamo) {
        let service = "replication.dynamodb.amazonaws.com";
        let linked = sub(format!("arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/aws-service-role/{service}/*"));
        allowed.extend([
            allow(TABLE_ACTIONS, vec![arn("dynamodb", "table/matrix-*")]).in_regions(site),
            // Whether a table scales by itself is looked at whatever its mode is; it knows no resources.
            allow(&["application-autoscaling:Describe*"], vec![json!("*")]).in_regions(site),
            allow(&["iam:CreateServiceLinkedRole"], vec![linked]).when("StringEquals", "iam:AWSServiceName", service),
        ]);
    }
    if site.has(Datastore::S3) {
        allowed.push(allow(BUCKET_ACTIONS, buckets(site, "")));
    }
    if site.has_network() {
        allowed.push(allow(NETWORK_ACTIONS, vec![json!("*")]).in_regions(site));
    }
    allowed
}
