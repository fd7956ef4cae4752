//! Roles of IAM, which is the same in all regions: one stack.

use serde_json::{Value, json};

use super::names::{CLOUDFORMATION_ROLE, FUNCTIONS_ROLE, REPLICATION_ROLE, ROLES};
use super::policy::{Allow, allow, document, trust};
use super::s3::posts_bucket;
use super::stack::Stack;
use super::value::{attribute, sub};
use super::{role_cloudformation, role_functions};
use crate::Datastore;
use crate::site::{Site, StackSpec};

/// The stack in the writer's region.
pub(crate) fn roles(site: &Site<'_>) -> StackSpec {
    let mut stack = Stack::of(site, &site.writer, ROLES, "roles of CloudFormation, functions and S3");
    // Lambda removes the network interfaces of functions in the functions' role, some time after the functions.
    stack.removed_last();
    let functions = role_functions::allowed(site);
    role(&mut stack, "FunctionsRole", "lambda.amazonaws.com", &functions, FUNCTIONS_ROLE);
    let cloudformation = role_cloudformation::allowed(site, &attribute("FunctionsRole", "Arn"));
    role(&mut stack, "CloudFormationRole", "cloudformation.amazonaws.com", &cloudformation, CLOUDFORMATION_ROLE);
    if site.has(Datastore::S3) {
        role(&mut stack, "ReplicationRole", "s3.amazonaws.com", &replication(site), REPLICATION_ROLE);
    }
    stack.finish()
}

fn role(stack: &mut Stack, id: &str, service: &str, allowed: &[Allow], output: &str) {
    let properties = json!({
        "AssumeRolePolicyDocument": trust(service),
        "Policies": [{ "PolicyName": "matrix", "PolicyDocument": document(allowed) }],
    });
    stack.tagged(id, "AWS::IAM::Role", properties);
    stack.give(output, attribute(id, "Arn"));
}

/// What S3 needs (Amazon S3 User Guide, "Setting up permissions for live replication").
fn replication(site: &Site<'_>) -> Vec<Allow> {
    let bucket =
        |region: &str, rest: &str| sub(format!("arn:${{AWS::Partition}}:s3:::{}{rest}", posts_bucket(site, region)));
    let source = &site.writer.aws;
    let targets: Vec<Value> = site.readers.iter().map(|reader| bucket(&reader.aws, "/*")).collect();
    vec![
        allow(&["s3:GetReplicationConfiguration", "s3:ListBucket"], vec![bucket(source, "")]),
        allow(
            &["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"],
            vec![bucket(source, "/*")],
        ),
        allow(&["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"], targets),
    ]
}
