//! What CloudFormation may do when it makes, changes and deletes the functions' stacks, all of whose names begin with
//! `matrix-`. It can give functions the set-up's role and no other, and it can make no role: so nobody who may use it
//! gets more than is written here.

use serde_json::{Value, json};

use super::policy::{Allow, allow, allow_of};
use super::role_functions::{LOGS, arn, buckets, named};
use super::value::sub;
use crate::Datastore;
use crate::site::Site;

const FUNCTION_ACTIONS: (&str, &str) = (
    "lambda",
    "AddPermission CreateFunction DeleteFunction DeleteFunctionEventInvokeConfig GetFunction \
     GetFunctionCodeSigningConfig GetFunctionConfiguration GetFunctionEventInvokeConfig \
     GetFunctionRecursionConfig GetPolicy GetRuntimeManagementConfig ListTags PutFunctionEventInvokeConfig \
     RemovePermission TagResource UntagResource UpdateFunctionCode UpdateFunctionConfiguration \
     UpdateFunctionEventInvokeConfig",
);
const MAPPING_ACTIONS: (&str, &str) =
    ("lambda", "CreateEventSourceMapping DeleteEventSourceMapping UpdateEventSourceMapping");
/// What a function's log takes.
const LOG_ACTIONS: (&str, &str) = (
    "logs",
    "CreateLogGroup DeleteDataProtectionPolicy DeleteLogGroup DeleteRetentionPolicy DescribeIndexPolicies \
     GetDataProtectionPolicy ListTagsForResource PutRetentionPolicy TagResource UntagResource",
);
const QUEUE_ACTIONS: (&str, &str) = (
    "sqs",
    "CreateQueue DeleteQueue GetQueueAttributes GetQueueUrl ListQueueTags SetQueueAttributes TagQueue \
     UntagQueue",
);
const TOPIC_ACTIONS: (&str, &str) = (
    "sns",
    "CreateTopic DeleteTopic GetDataProtectionPolicy GetTopicAttributes ListSubscriptionsByTopic \
     ListTagsForResource SetTopicAttributes Subscribe TagResource UntagResource",
);
/// Subscriptions have no resources of their own in policies.
const SUBSCRIPTION_ACTIONS: (&str, &str) = ("sns", "GetSubscriptionAttributes SetSubscriptionAttributes Unsubscribe");
/// To make a replica, DynamoDB writes the table in the caller's name (Amazon DynamoDB Developer Guide, "Using IAM with
/// global tables").
const TABLE_ACTIONS: (&str, &str) = (
    "dynamodb",
    "BatchWriteItem CreateTable CreateTableReplica DeleteItem DeleteTable DeleteTableReplica Describe* \
     GetItem GetResourcePolicy ListTagsOfResource PutItem Query Scan TagResource UntagResource \
     UpdateContinuousBackups UpdateItem UpdateTable UpdateTimeToLive",
);
const BUCKET_ACTIONS: (&str, &str) = (
    "s3",
    "CreateBucket DeleteBucket GetAccelerateConfiguration GetAnalyticsConfiguration GetBucket* \
     GetEncryptionConfiguration GetIntelligentTieringConfiguration GetInventoryConfiguration \
     GetLifecycleConfiguration GetMetricsConfiguration GetReplicationConfiguration ListBucket \
     ListTagsForResource PutBucketTagging PutBucketVersioning TagResource UntagResource",
);
/// What Lambda reads about the network of a function that is put into one, and what CloudFormation reads to wait until the
/// function's interfaces are gone (CloudFormation Template Reference, `AWS::Lambda::Function VpcConfig`); descriptions know
/// no resources.
const NETWORK_ACTIONS: (&str, &str) =
    ("ec2", "DescribeNetworkInterfaces DescribeSecurityGroups DescribeSubnets DescribeVpcs");

/// What the role allows, for the set-up's datastores. `functions` is the functions' role.
pub(super) fn allowed(site: &Site<'_>, functions: &Value) -> Vec<Allow> {
    let function = arn("lambda", "function:matrix-*");
    let code = sub(format!("arn:${{AWS::Partition}}:s3:::{}-*/*", site.name("code")));
    let mut allowed = vec![
        allow_of(FUNCTION_ACTIONS, vec![function.clone()]).in_regions(site),
        allow(&["iam:GetRole"], vec![functions.clone()]),
        allow(&["iam:PassRole"], vec![functions.clone()]).when(
            "StringEquals",
            "iam:PassedToService",
            "lambda.amazonaws.com",
        ),
        allow(&["s3:GetObject", "s3:GetObjectVersion"], vec![code]),
        allow_of(LOG_ACTIONS, vec![arn("logs", LOGS), arn("logs", &format!("{LOGS}:*"))]).in_regions(site),
        // They know all logs or none.
        allow(&["logs:DescribeLogGroups", "logs:DescribeResourcePolicies"], vec![json!("*")]).in_regions(site),
        allow_of(QUEUE_ACTIONS, vec![arn("sqs", "matrix-*")]).in_regions(site),
    ];
    if site.has(Datastore::Dynamo) || site.has(Datastore::Amq) {
        let mapping = arn("lambda", "event-source-mapping:*");
        let seen = &["lambda:GetEventSourceMapping", "lambda:ListTags", "lambda:TagResource", "lambda:UntagResource"];
        allowed.extend([
            allow_of(MAPPING_ACTIONS, vec![json!("*")]).in_regions(site).when(
                "ArnLike",
                "lambda:FunctionArn",
                json!([function]),
            ),
            allow(seen, vec![mapping]).in_regions(site),
        ]);
    }
    if site.has(Datastore::Sns) {
        allowed.extend([
            allow_of(TOPIC_ACTIONS, named(site, "sns", "")).in_regions(site),
            allow_of(SUBSCRIPTION_ACTIONS, vec![json!("*")]).in_regions(site),
        ]);
    }
    if site.has(Datastore::Dynamo) {
        let service = "replication.dynamodb.amazonaws.com";
        let linked = sub(format!("arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/aws-service-role/{service}/*"));
        allowed.extend([
            allow_of(TABLE_ACTIONS, vec![arn("dynamodb", "table/matrix-*")]).in_regions(site),
            // Whether a table scales by itself is looked at whatever its mode is; it knows no resources.
            allow(&["application-autoscaling:Describe*"], vec![json!("*")]).in_regions(site),
            allow(&["iam:CreateServiceLinkedRole"], vec![linked]).when("StringEquals", "iam:AWSServiceName", service),
        ]);
    }
    if site.has(Datastore::S3) {
        allowed.push(allow_of(BUCKET_ACTIONS, buckets(site, "")));
    }
    if site.has_network() {
        allowed.push(allow_of(NETWORK_ACTIONS, vec![json!("*")]).in_regions(site));
    }
    allowed
}
