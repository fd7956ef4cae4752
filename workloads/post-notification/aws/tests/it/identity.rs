//! Roles: least privilege.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::requests::{all, crowded, full, stacks};
use crate::walk::of_kind;

/// Actions that know no resources, so that they can only be allowed on all. Of them, those that change something are about
/// functions named `matrix-*` by their condition, about network interfaces in the set-up's regions, or about subscriptions
/// there.
const ON_ALL: [&str; 16] = [
    "application-autoscaling:Describe*",
    "dynamodb:ListStreams",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "lambda:CreateEventSourceMapping",
    "lambda:DeleteEventSourceMapping",
    "lambda:UpdateEventSourceMapping",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "sns:GetSubscriptionAttributes",
    "sns:SetSubscriptionAttributes",
    "sns:Unsubscribe",
];

fn list(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(Value::to_string).collect(),
        one => vec![one.to_string()],
    }
}

#[test]
fn roles_allow_named_actions_on_named_things() {
    let mut on_all = BTreeSet::new();
    for request in all() {
        let stacks = stacks(&request);
        let roles = of_kind(&stacks, "AWS::IAM::Role");
        let names_of_things = format!("{}-", request.name);
        assert!(roles.len() >= 2);
        for (_, role) in roles {
            assert!(role.get("ManagedPolicyArns").is_none(), "{role}");
            for statement in role["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap() {
                for action in list(&statement["Action"]) {
                    let action = action.trim_matches('"').to_owned();
                    let (service, name) = action.split_once(':').unwrap();
                    assert!(!service.contains('*') && name != "*" && !name.starts_with('*'), "{statement}");
                    for resource in list(&statement["Resource"]) {
                        if resource == "\"*\"" {
                            on_all.insert(action.clone());
                            continue;
                        }
                        let named = resource.contains("matrix-")
                            || resource.contains(&names_of_things)
                            || resource.contains("FunctionsRole")
                            || resource.contains("event-source-mapping:")
                            || resource.contains("role/aws-service-role/replication.dynamodb.amazonaws.com/");
                        assert!(named, "{action} on {resource}");
                    }
                }
                let global =
                    ["iam:", "s3:"].iter().any(|service| statement["Action"][0].as_str().unwrap().starts_with(service));
                let bound = statement["Condition"]["StringEquals"].get("aws:RequestedRegion").is_some();
                assert!(global || bound, "{statement}");
            }
        }
    }
    let expected: BTreeSet<String> = ON_ALL.iter().map(|&action| action.to_owned()).collect();
    assert_eq!(on_all, expected);
}

/// A role's policies may have 10,240 characters, white space not counted (IAM quotas).
#[test]
fn policies_fit_into_a_role() {
    for request in [full()].into_iter().chain(crowded()) {
        let stacks = stacks(&request);
        for (_, role) in of_kind(&stacks, "AWS::IAM::Role") {
            let length = role["Policies"][0]["PolicyDocument"].to_string().len();
            assert!(length < 10_240, "{length}");
        }
    }
}

#[test]
fn the_roles_of_a_full_set_up() {
    let stacks = stacks(&full());
    let mut text = String::new();
    for (_, role) in of_kind(&stacks, "AWS::IAM::Role") {
        text += &format!("{}\n", role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"]);
        for statement in role["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap() {
            let actions = list(&statement["Action"]).join(" ").replace('"', "");
            let on = list(&statement["Resource"])
                .join(" ")
                .replace("${AWS::Partition}", "aws")
                .replace("${AWS::AccountId}", "ACCOUNT");
            let when = statement.get("Condition").map_or(String::new(), |when| format!("\n    when {when}"));
            text += &format!("  {actions}\n    on {on}{when}\n");
        }
    }
    insta::assert_snapshot!("roles", text);
}
