//! What CloudFormation's role allows, compared with what the published schemas of resources say that their handlers call.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use matrix_aws::setup::FUNCTIONS_STACKS;
use serde_json::Value;

use crate::requests::{full, stacks};
use crate::tools::{cache, installed};
use crate::walk::of_kind;

/// The schemas, in the package of cfn-lint.
fn schemas() -> PathBuf {
    let lib = installed(&cache(), "lib").unwrap();
    let python = fs::read_dir(lib).unwrap().map(|entry| entry.unwrap().path());
    let mut found = python.map(|python| python.join("site-packages/cfnlint/data/schemas")).filter(|path| path.exists());
    found.next().expect("schemas in the package of cfn-lint")
}

fn json(path: PathBuf) -> Value {
    serde_json::from_slice(&fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))).unwrap()
}

/// What the handlers of a type call to make, read, change and delete a resource.
fn handlers(kind: &str) -> BTreeSet<String> {
    let schemas = schemas();
    let index = json(schemas.join("providers/us-east-1.json"));
    let file = index[kind].as_str().unwrap_or_else(|| panic!("no schema of {kind}"));
    let schema = json(schemas.join("resources").join(format!("{file}.json")));
    let lists =
        ["create", "read", "update", "delete"].map(|handler| schema["handlers"][handler]["permissions"].clone());
    let permissions = lists.iter().filter_map(Value::as_array).flatten();
    permissions.map(|permission| permission.as_str().unwrap().to_owned()).collect()
}

/// What is called only for properties that no template here sets, by type and property: actions, with spaces between them.
/// One ends with `*` where all that begin so are meant.
const FOR_OTHER_PROPERTIES: &[(&str, &str, &str)] = &[
    ("*", "encryption with keys of one's own", "kms:*"),
    ("AWS::Lambda::Function", "file systems", "elasticfilesystem:* s3files:*"),
    ("AWS::Lambda::Function", "layers", "lambda:GetLayerVersion"),
    (
        "AWS::Lambda::Function",
        "signed code",
        "lambda:DeleteFunctionCodeSigningConfig lambda:GetCodeSigningConfig lambda:PutFunctionCodeSigningConfig",
    ),
    ("AWS::Lambda::Function", "reserved concurrency", "lambda:DeleteFunctionConcurrency lambda:PutFunctionConcurrency"),
    (
        "AWS::Lambda::Function",
        "RuntimeManagementConfig",
        "lambda:AssociateRuntimeAlias lambda:PutRuntimeManagementConfig",
    ),
    ("AWS::Lambda::Function", "RecursiveLoop", "lambda:PutFunctionRecursionConfig"),
    (
        "AWS::Lambda::Function",
        "capacity providers",
        "lambda:GetFunctionScalingConfig lambda:PassCapacityProvider lambda:PublishVersion \
         lambda:PutFunctionScalingConfig",
    ),
    (
        "AWS::Logs::LogGroup",
        "DataProtectionPolicy",
        "firehose:* logs:CreateLogDelivery logs:PutDataProtectionPolicy s3:*",
    ),
    ("AWS::Logs::LogGroup", "ResourcePolicyDocument", "logs:DeleteResourcePolicy logs:PutResourcePolicy"),
    ("AWS::Logs::LogGroup", "FieldIndexPolicies", "logs:DeleteIndexPolicy logs:PutIndexPolicy"),
    ("AWS::Logs::LogGroup", "KmsKeyId", "logs:AssociateKmsKey logs:DisassociateKmsKey"),
    (
        "AWS::Logs::LogGroup",
        "protection and tokens",
        "logs:PutBearerTokenAuthentication logs:PutLogGroupDeletionProtection",
    ),
    ("AWS::SNS::Topic", "DataProtectionPolicy", "sns:PutDataProtectionPolicy"),
    (
        "AWS::DynamoDB::GlobalTable",
        "provisioned capacity",
        "application-autoscaling:Delete* application-autoscaling:Deregister* application-autoscaling:Put* \
         application-autoscaling:Register* cloudwatch:PutMetricData dynamodb:UpdateTableReplicaAutoScaling",
    ),
    ("AWS::DynamoDB::GlobalTable", "ContributorInsightsSpecification", "dynamodb:UpdateContributorInsights"),
    ("AWS::DynamoDB::GlobalTable", "replicas of other accounts", "dynamodb:DisassociateTableReplica"),
    (
        "AWS::DynamoDB::GlobalTable",
        "KinesisStreamSpecification",
        "dynamodb:DisableKinesisStreamingDestination dynamodb:EnableKinesisStreamingDestination \
         dynamodb:UpdateKinesisStreamingDestination kinesis:*",
    ),
    ("AWS::DynamoDB::GlobalTable", "ResourcePolicy", "dynamodb:DeleteResourcePolicy dynamodb:PutResourcePolicy"),
    // A bucket is made, changed and removed by one call for each property that is set; it is read by all of them.
    ("AWS::S3::Bucket", "tables of metadata", "s3:*BucketMetadata* s3tables:*"),
    (
        "AWS::S3::Bucket",
        "all but names, tags and versions",
        "s3:DeleteBucketAnalyticsConfiguration s3:DeleteBucketCors s3:DeleteBucketEncryption \
         s3:DeleteBucketLifecycle s3:DeleteBucketMetricsConfiguration s3:DeleteBucketReplication \
         s3:DeleteBucketWebsite s3:DeleteObject s3:PutAccelerateConfiguration s3:PutAnalyticsConfiguration \
         s3:PutBucketAbac s3:PutBucketAcl s3:PutBucketCORS s3:PutBucketLogging s3:PutBucketNotification \
         s3:PutBucketObjectLockConfiguration s3:PutBucketOwnershipControls s3:PutBucketPublicAccessBlock \
         s3:PutBucketReplication s3:PutBucketWebsite s3:PutEncryptionConfiguration \
         s3:PutIntelligentTieringConfiguration s3:PutInventoryConfiguration s3:PutLifecycleConfiguration \
         s3:PutMetricsConfiguration s3:PutObjectAcl s3:PutObjectLockConfiguration s3:PutReplicationConfiguration",
    ),
];

/// Whether a pattern of actions covers one, or a pattern that the schema has.
fn covers(pattern: &str, action: &str) -> bool {
    let mut rest = action;
    let mut parts = pattern.split('*');
    let Some(after) = rest.strip_prefix(parts.next().unwrap()) else { return false };
    rest = after;
    let parts: Vec<&str> = parts.collect();
    for part in &parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    // Without a `*` at its end it must reach to the end.
    rest.is_empty() || parts.last().is_some_and(|last| last.is_empty())
}

#[test]
fn the_role_of_cloudformation_allows_what_the_handlers_of_every_type_call() {
    let stacks = stacks(&full());
    let roles = of_kind(&stacks, "AWS::IAM::Role");
    let of_cloudformation =
        |role: &Value| role["AssumeRolePolicyDocument"].to_string().contains("cloudformation.amazonaws.com");
    let (_, role) = roles.into_iter().find(|(_, role)| of_cloudformation(role)).unwrap();
    let statements = role["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap();
    let allowed = statements.iter().flat_map(|statement| statement["Action"].as_array().unwrap());
    let allowed: Vec<&str> = allowed.map(|action| action.as_str().unwrap()).collect();
    let each = |(of, why, actions): &(&'static str, &'static str, &'static str)| {
        let (of, why) = (*of, *why);
        actions.split(' ').map(move |one| (of, why, one))
    };
    let mut missing = BTreeSet::new();
    let mut excused = BTreeSet::new();
    for kind in FUNCTIONS_STACKS {
        let called = handlers(kind);
        assert!(!called.is_empty(), "{kind} has handlers");
        for action in called.iter().filter(|action| !allowed.iter().any(|pattern| covers(pattern, action))) {
            let excuses = FOR_OTHER_PROPERTIES.iter().filter(|(of, ..)| *of == "*" || *of == kind);
            let mut excuses = excuses.flat_map(each);
            match excuses.find(|(.., pattern)| covers(pattern, action)) {
                Some(excuse) => drop(excused.insert(excuse)),
                None => drop(missing.insert(format!("{kind}: {action}"))),
            }
        }
    }
    assert_eq!(missing, BTreeSet::new(), "allow it, or say which property it is for");
    let all: BTreeSet<_> = FOR_OTHER_PROPERTIES.iter().flat_map(each).collect();
    assert_eq!(excused, all, "what no schema lists any more needs no excuse");
}

#[test]
fn patterns_cover_what_they_should() {
    for (pattern, action, expected) in [
        ("s3:GetBucket*", "s3:GetBucketAcl", true),
        ("s3:GetBucket*", "s3:GetObject", false),
        ("s3:GetObject", "s3:GetObjectAcl", false),
        ("s3:*BucketMetadata*", "s3:DeleteBucketMetadataTableConfiguration", true),
        ("dynamodb:Describe*", "dynamodb:Describe*", true),
        ("kms:*", "s3:kms:Decrypt", false),
    ] {
        assert_eq!(covers(pattern, action), expected, "{pattern} {action}");
    }
}
