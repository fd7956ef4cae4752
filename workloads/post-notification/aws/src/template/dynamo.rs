//! DynamoDB: global tables of posts and of notifications.

use serde_json::{Value, json};

use super::stack::Stack;
use super::value::reference;
use crate::site::{Site, StackSpec};

/// Part of the stack's name.
pub(crate) const DYNAMO: &str = "dynamo";
/// Output: name of the table of posts.
pub(crate) const POSTS_TABLE: &str = "PostsTable";
/// Output: name of the table of notifications.
pub(crate) const NOTIFICATIONS_TABLE: &str = "NotificationsTable";
/// Output: write units a second that the table of posts was warmed for.
pub(crate) const WRITE_UNITS: &str = "WriteUnits";
/// What [`crate::setup::lookups`] calls the ARN of a replica's stream: no stack can give it, for the attribute
/// `StreamArn` is that of the stack's own region.
pub(crate) const NOTIFICATIONS_STREAM: &str = "NotificationsStreamArn";

/// The stack in the writer's region, which makes the replicas elsewhere, too.
pub(crate) fn dynamo(site: &Site<'_>) -> StackSpec {
    let mut stack = Stack::of(site, &site.writer, DYNAMO, "DynamoDB: global tables of posts and notifications");
    for (id, name) in [(POSTS_TABLE, site.name("posts")), (NOTIFICATIONS_TABLE, notifications_table(site))] {
        let mut table = global_table(site, &stack, &name);
        if let Some(units) = site.request.write_units.filter(|_| id == POSTS_TABLE) {
            table["WarmThroughput"] = json!({ "WriteUnitsPerSecond": units });
            // A later set-up may need more, and DynamoDB takes no less.
            stack.give(WRITE_UNITS, json!(units.to_string()));
        }
        stack.add(id, "AWS::DynamoDB::GlobalTable", table);
        stack.give(id, reference(id));
    }
    stack.finish()
}

/// Name of the table of notifications.
pub(crate) fn notifications_table(site: &Site<'_>) -> String {
    site.name("notifications")
}

/// A table with the partition key `k`, on demand. Replication rests on its stream.
fn global_table(site: &Site<'_>, stack: &Stack, name: &str) -> Value {
    // A replica has tags of its own; the table as a whole has none.
    let replicas: Vec<Value> =
        site.places().map(|place| json!({ "Region": place.aws, "Tags": stack.tags() })).collect();
    json!({
        "TableName": name,
        "AttributeDefinitions": [{ "AttributeName": "k", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "k", "KeyType": "HASH" }],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": { "StreamViewType": "NEW_AND_OLD_IMAGES" },
        "Replicas": replicas,
    })
}
