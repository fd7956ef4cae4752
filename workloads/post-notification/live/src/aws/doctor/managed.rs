//! What the set-up's stacks and the services behind them say: databases, caches, brokers and peerings by Cloud Control.

use aws_sdk_cloudcontrol::Client;
use futures_util::future::join_all;
use matrix_aws::setup::SETUP_TAG;
use serde_json::Value;

use super::Finding;
use crate::aws::Operator;
use crate::cloud::{CloudError, Part, Standing};

/// Types that are asked for one by one. Buckets, tables, topics and queues are asked of their own services, by the names in
/// the file of endpoints (`presence.rs`, `replication.rs`).
const ASKED: [&str; 7] = [
    "AWS::AmazonMQ::Broker",
    "AWS::EC2::VPCPeeringConnection",
    "AWS::ElastiCache::GlobalReplicationGroup",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::RDS::GlobalCluster",
];

/// What services call something that works (CloudFormation resource schemas and the services' API references).
const WORKS: [&str; 5] = ["available", "active", "running", "associated", "enabled"];

impl Operator {
    /// Whether the stacks of the set-up `name` in a region are complete, and what is in them works.
    pub(super) async fn managed(&self, name: &str, region: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        let stacks = self.stacks(region);
        let found = match stacks.tagged(SETUP_TAG, Some(name)).await {
            Ok(found) => found,
            Err(error) => {
                let (about, fix) = (format!("stacks in {region}"), "ask again");
                return vec![Finding::unanswered(about, &error, "cloudformation:DescribeStacks", fix)];
            }
        };
        for stack in found {
            let about = format!("stack {} in {region}", stack.name);
            if stack.standing() != Standing::Complete {
                let reason = stacks.reason(&stack.id).await.map(|reason| format!(": {reason}"));
                let seen = format!("{}{}", stack.status, reason.unwrap_or_default());
                let fix = "`matrix aws setup` waits for it or makes it again (docs/aws.md#when-something-fails)";
                findings.push(Finding::problem(about, seen, fix));
                continue;
            }
            findings.push(Finding::ok(about, stack.status.clone()));
            match stacks.parts(&stack.id).await {
                Ok(parts) => {
                    let asked = parts.iter().filter(|part| ASKED.contains(&part.kind.as_str()));
                    findings.extend(join_all(asked.map(|part| self.part(region, part))).await);
                }
                Err(error) => {
                    let about = format!("parts of {}", stack.name);
                    let action = "cloudformation:ListStackResources";
                    findings.push(Finding::unanswered(about, &error, action, "ask again"));
                }
            }
        }
        findings
    }

    async fn part(&self, region: &str, part: &Part) -> Finding {
        let id = part.physical.clone().unwrap_or_default();
        let about = format!("{} {id} in {region}", part.kind.trim_start_matches("AWS::"));
        let client = Client::new(&self.config(region));
        let answer = client.get_resource().type_name(&part.kind).identifier(&id).send().await;
        match answer {
            Ok(answer) => {
                let properties = answer.resource_description.and_then(|resource| resource.properties);
                let properties: Option<Value> = properties.and_then(|text| serde_json::from_str(&text).ok());
                judged(about, &part.kind, &properties.unwrap_or_default())
            }
            Err(error) if error.as_service_error().is_some_and(|it| it.is_resource_not_found_exception()) => {
                let fix = "`matrix aws clean`, then `matrix aws setup`: what was deleted by hand no stack makes again";
                Finding::problem(about, "it is not there, though its stack says so", fix)
            }
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|it| it.is_unsupported_action_exception() || it.is_type_not_found_exception()) =>
            {
                Finding::not_checked(about, "Cloud Control does not know the type", "its stack is complete")
            }
            Err(error) => {
                let action = "cloudformation:GetResource, and to read the service";
                let error = CloudError::call("asking Cloud Control", &error);
                Finding::unanswered(about, &error, action, "ask again; and look at the service's console")
            }
        }
    }
}

/// What a resource's properties say. Not every type has a status: that it is there is then all that is known.
fn judged(about: String, kind: &str, properties: &Value) -> Finding {
    let status = ["Status", "BrokerState", "DBInstanceStatus"].iter().find_map(|name| properties.get(name)?.as_str());
    if let Some(status) = status
        && !WORKS.contains(&status.to_lowercase().as_str())
    {
        return Finding::problem(
            about,
            format!("its status is {status}"),
            "wait until the service is done, then ask again",
        );
    }
    if kind == "AWS::ElastiCache::GlobalReplicationGroup" {
        let members = properties.get("Members").and_then(Value::as_array).map_or(0, Vec::len);
        if members < 2 {
            let seen = format!("it has {members} members, so nothing is replicated");
            return Finding::problem(about, seen, "`matrix aws setup` joins the readers' clusters (docs/aws.md#redis)");
        }
        return Finding::ok(about, format!("{members} members, {}", status.unwrap_or("no status told")));
    }
    Finding::ok(about, status.map_or_else(|| "it is there".to_owned(), str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Verdict;

    /// *Synthetic* properties, by the resource schema of each type.
    #[test]
    fn synthetic_properties_are_judged_by_their_status_and_their_members() {
        let judge = |kind: &str, properties: Value| judged("it".into(), kind, &properties).verdict;
        let global = "AWS::ElastiCache::GlobalReplicationGroup";
        let member = serde_json::json!({ "ReplicationGroupId": "a", "ReplicationGroupRegion": "us-east-1" });
        let members =
            |count: usize| serde_json::json!({ "Status": "available", "Members": vec![member.clone(); count] });
        assert_eq!(judge(global, members(2)), Verdict::Ok);
        assert_eq!(judge(global, members(1)), Verdict::Problem);
        assert_eq!(judge(global, serde_json::json!({ "Status": "deleting" })), Verdict::Problem);
        assert_eq!(judge("AWS::RDS::GlobalCluster", serde_json::json!({})), Verdict::Ok);
    }
}
