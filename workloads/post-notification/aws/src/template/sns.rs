//! SNS: a topic in the writer's region. Readers in other regions subscribe to it.

use serde_json::json;

use super::stack::Stack;
use super::value::reference;
use crate::site::{Site, StackSpec};

/// Part of the stack's name.
pub(crate) const SNS: &str = "sns";
/// Output: ARN of the topic.
pub(crate) const TOPIC: &str = "TopicArn";

/// The stack in the writer's region.
pub(crate) fn sns(site: &Site<'_>) -> StackSpec {
    let mut stack = Stack::of(site, &site.writer, SNS, "SNS: topic of notifications");
    stack.tagged("Topic", "AWS::SNS::Topic", json!({ "TopicName": site.name("notifications") }));
    stack.give(TOPIC, reference("Topic"));
    stack.finish()
}
