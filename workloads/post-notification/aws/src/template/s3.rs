//! S3: a versioned bucket of posts in each region, replicated from the writer's.

use serde_json::{Value, json};

use super::names::{REPLICATION_ROLE, ROLES};
use super::stack::Stack;
use super::value::{attribute, camel, reference, sub};
use crate::site::{SetupRegion, Site, StackSpec};

/// Part of the stacks' names.
pub(crate) const S3: &str = "s3";
/// Output: name of the bucket.
pub(crate) const POSTS_BUCKET: &str = "PostsBucket";
/// Output: ARN of the bucket.
const POSTS_BUCKET_ARN: &str = "PostsBucketArn";

/// Name of a region's bucket of posts, for `Fn::Sub`. Names of buckets are everybody's: it carries the account.
pub(crate) fn posts_bucket(site: &Site<'_>, region: &str) -> String {
    format!("{}-{region}-${{AWS::AccountId}}", site.name("posts"))
}

/// The stack in a reader's region.
pub(crate) fn reader_bucket(site: &Site<'_>, place: &SetupRegion) -> StackSpec {
    let mut stack = Stack::of(site, place, S3, "S3: replica's bucket of posts");
    stack.tagged("Posts", "AWS::S3::Bucket", bucket(site));
    stack.give(POSTS_BUCKET, reference("Posts"));
    stack.give(POSTS_BUCKET_ARN, attribute("Posts", "Arn"));
    stack.finish()
}

/// The stack in the writer's region.
pub(crate) fn writer_bucket(site: &Site<'_>) -> StackSpec {
    let mut stack = Stack::of(site, &site.writer, S3, "S3: bucket of posts, replicated to the readers' regions");
    let role = stack.take(
        "ReplicationRole",
        "Role in which S3 replicates",
        site.output(&site.writer, ROLES, REPLICATION_ROLE),
    );
    let mut rules = Vec::new();
    for (priority, reader) in site.readers.iter().enumerate() {
        let name = format!("{}Bucket", camel(&reader.aws));
        let target = stack.take(&name, "ARN of the replica's bucket", site.output(reader, S3, POSTS_BUCKET_ARN));
        // No replication time control: the experiment shows how replication lags by itself.
        rules.push(json!({
            "Id": format!("to-{}", reader.short),
            "Status": "Enabled",
            "Priority": priority,
            "Filter": { "Prefix": "" },
            "DeleteMarkerReplication": { "Status": "Disabled" },
            "Destination": { "Bucket": target },
        }));
    }
    let mut properties = bucket(site);
    properties["ReplicationConfiguration"] = json!({ "Role": role, "Rules": rules });
    stack.tagged("Posts", "AWS::S3::Bucket", properties);
    stack.give(POSTS_BUCKET, reference("Posts"));
    stack.finish()
}

fn bucket(site: &Site<'_>) -> Value {
    json!({
        "BucketName": sub(posts_bucket(site, "${AWS::Region}")),
        "VersioningConfiguration": { "Status": "Enabled" },
    })
}
