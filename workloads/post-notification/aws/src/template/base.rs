//! What every region has: the bucket of the functions' code, and where readers run, the queue of evaluations.

use serde_json::json;

use super::stack::Stack;
use super::value::{attribute, reference, sub};
use crate::site::{SetupRegion, Site, StackSpec};

/// Part of the stack's name.
pub(crate) const BASE: &str = "base";
/// Output: name of the bucket of the functions' code.
pub(crate) const CODE_BUCKET: &str = "CodeBucket";
/// Part of the name of the queues of evaluations.
pub(crate) const EVALUATIONS: &str = "evaluations";
/// Output: URL of the queue of evaluations.
pub(crate) const QUEUE_URL: &str = "EvaluationsUrl";
/// Output: ARN of the queue of evaluations.
pub(crate) const QUEUE_ARN: &str = "EvaluationsArn";

/// Seconds for which a message that was handed out is not handed out again: as in the functions' own stacks.
const VISIBILITY_TIMEOUT_S: u32 = 20;

/// The stack of a region.
pub(crate) fn base(site: &Site<'_>, place: &SetupRegion) -> StackSpec {
    let purpose = if place.is_writer { "bucket of code" } else { "bucket of code, queue of evaluations" };
    let mut stack = Stack::of(site, place, BASE, purpose);
    stack.tagged("Code", "AWS::S3::Bucket", json!({ "BucketName": sub(code_bucket(site)) }));
    stack.give(CODE_BUCKET, reference("Code"));
    if !place.is_writer {
        queue(site, &mut stack);
    }
    stack.finish()
}

fn queue(site: &Site<'_>, stack: &mut Stack) {
    let properties = json!({ "QueueName": site.name(EVALUATIONS), "VisibilityTimeout": VISIBILITY_TIMEOUT_S });
    stack.tagged("Evaluations", "AWS::SQS::Queue", properties);
    stack.give(QUEUE_URL, reference("Evaluations"));
    stack.give(QUEUE_ARN, attribute("Evaluations", "Arn"));
}

/// Name of the bucket of code in the stack's region, for `Fn::Sub`. Names of buckets are everybody's: it carries the
/// account.
fn code_bucket(site: &Site<'_>) -> String {
    format!("{}-${{AWS::Region}}-${{AWS::AccountId}}", site.name("code"))
}
