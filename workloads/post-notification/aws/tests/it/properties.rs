//! What holds for the stacks of every request.

use std::collections::{BTreeMap, BTreeSet};

use matrix_aws::Datastore;
use matrix_aws::setup::{Parameter, Removal, SETUP_TAG, TEMPLATE_BODY_MAX, removal_order};
use serde_json::{Value, json};

use crate::requests::{all, crowded, request, stacks};
use crate::walk::{each, references, resources};

#[test]
fn parameters_are_given_by_earlier_stacks_and_all_are_used() {
    for request in all() {
        let mut made = BTreeMap::new();
        for stack in stacks(&request) {
            let template = &stack.template;
            let declared: BTreeSet<&String> =
                template.get("Parameters").and_then(Value::as_object).into_iter().flat_map(|all| all.keys()).collect();
            assert_eq!(declared, stack.parameters.keys().collect(), "{}", stack.id);
            for (name, value) in &stack.parameters {
                let Parameter::Output(from) = value else { panic!("{name} of {}", stack.id) };
                let outputs: &BTreeSet<String> = made.get(&from.stack).expect("a stack that was made before");
                assert!(outputs.contains(&from.output), "{from:?}");
            }
            let used: BTreeSet<String> = references(template).into_iter().collect();
            for name in &declared {
                assert!(used.contains(*name), "{} does not use {name}", stack.id);
            }
            for name in used {
                let known =
                    name.starts_with("AWS::") || declared.contains(&name) || template["Resources"].get(&name).is_some();
                assert!(known, "{} refers to {name}", stack.id);
            }
            let outputs = template.get("Outputs").and_then(Value::as_object);
            let outputs = outputs.into_iter().flat_map(|all| all.keys().cloned()).collect();
            assert!(made.insert(stack.id.clone(), outputs).is_none(), "{} twice", stack.id);
        }
    }
}

#[test]
fn stacks_are_removed_after_their_users_unless_they_hold_them() {
    for request in all() {
        let stacks = stacks(&request);
        let order = removal_order(&stacks);
        assert_eq!(order.len(), stacks.len());
        for (at, stack) in order.iter().enumerate() {
            for earlier in &stack.after {
                let other = order.iter().position(|other| other.id == *earlier).unwrap();
                assert!(at < other, "{} is removed before {earlier}", stack.id);
            }
            for needed in stack.needs() {
                let other = order.iter().position(|other| other.id == *needed).unwrap();
                let first = order[other].removal == Removal::BeforeItsUsers;
                assert_eq!(other < at, first, "{} needs {needed}", stack.id);
            }
        }
    }
}

/// Types whose resources can have no tags.
const UNTAGGABLE: [&str; 4] = [
    "AWS::EC2::Route",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPCGatewayAttachment",
];

#[test]
fn everything_is_tagged_with_the_set_up_s_name() {
    for request in all() {
        let tags = json!([{ "Key": SETUP_TAG, "Value": request.name }]);
        for stack in stacks(&request) {
            for (id, kind, properties) in resources(&stack) {
                if kind == "AWS::DynamoDB::GlobalTable" {
                    let replicas = properties["Replicas"].as_array().unwrap();
                    assert_eq!(replicas.len(), 1 + request.readers.len());
                    assert!(replicas.iter().all(|replica| replica["Tags"] == tags), "{id} of {}", stack.id);
                } else if !UNTAGGABLE.contains(&kind) {
                    assert_eq!(properties["Tags"], tags, "{id} of {}", stack.id);
                }
            }
        }
    }
}

/// What each service is made for.
fn stores_of(kind: &str) -> &'static [Datastore] {
    use Datastore::{Amq, Dynamo, Mysql, Redis, Sns};
    match kind.split("::").nth(1).unwrap() {
        "RDS" => &[Mysql],
        "DynamoDB" => &[Dynamo],
        "ElastiCache" => &[Redis],
        "SNS" => &[Sns],
        "AmazonMQ" => &[Amq],
        "SecretsManager" => &[Mysql, Amq],
        "EC2" => &[Mysql, Redis, Amq],
        // Roles, code and evaluations; buckets of posts are told apart by their stack.
        "IAM" | "SQS" => &Datastore::ALL,
        "S3" => &Datastore::ALL,
        other => panic!("{other}: say what it is for"),
    }
}

#[test]
fn only_what_the_stores_need_is_made_and_all_of_it() {
    for request in all() {
        let stacks = stacks(&request);
        let mut made: BTreeSet<&str> = BTreeSet::new();
        for stack in &stacks {
            for (id, kind, _) in resources(stack) {
                let needed = stores_of(kind).iter().any(|store| request.stores.contains(store));
                assert!(needed, "{id} of {} for {:?}", stack.id, request.stores);
                made.insert(kind.split("::").nth(1).unwrap());
            }
        }
        let has = |store| request.stores.contains(&store);
        assert_eq!(made.contains("RDS"), has(Datastore::Mysql));
        assert_eq!(made.contains("DynamoDB"), has(Datastore::Dynamo));
        assert_eq!(made.contains("ElastiCache"), has(Datastore::Redis));
        assert_eq!(made.contains("SNS"), has(Datastore::Sns));
        assert_eq!(made.contains("AmazonMQ"), has(Datastore::Amq));
        assert_eq!(made.contains("EC2"), request.stores.iter().any(|store| store.needs_vpc()));
        assert_eq!(stacks.iter().any(|stack| stack.id.name.ends_with("-s3")), has(Datastore::S3));
    }
}

#[test]
fn passwords_are_nowhere_but_in_secrets() {
    let mut seen = 0;
    for request in all() {
        for stack in stacks(&request) {
            each(&stack.template["Resources"], "", &mut |key, value| {
                if key.ends_with("Password") {
                    let text = value["Fn::Sub"].as_str().unwrap();
                    assert_eq!(text, "{{resolve:secretsmanager:${Secret}:SecretString:password}}");
                    seen += 1;
                }
            });
            let shown = [&stack.template["Outputs"], &stack.template["Parameters"]].map(Value::to_string).concat();
            assert!(!shown.contains("resolve:"), "{shown}");
        }
    }
    assert!(seen > 0);
}

#[test]
fn templates_fit_into_a_call_with_as_many_readers_as_there_are_regions() {
    let requests = crowded();
    for request in &requests {
        let longest = stacks(request).iter().map(|stack| stack.template_body().len()).max().unwrap();
        assert!(longest < TEMPLATE_BODY_MAX, "{longest}");
    }
    assert!(requests[0].readers.len() > 20, "{}", requests[0].readers.len());
}

#[test]
fn the_same_request_makes_the_same_stacks() {
    for stores in [&Datastore::ALL[..], &Datastore::ALL[3..5]] {
        let one = request(&["eu", "us"], stores);
        assert_eq!(stacks(&one), stacks(&one.clone()));
        // A further reader changes nothing in the regions that there are, but for what names it at the writer's.
        let two = stacks(&request(&["eu", "us", "sg"], stores));
        for stack in stacks(&one).iter().filter(|stack| stack.id.region == "us-east-1") {
            assert!(two.contains(stack), "{}", stack.id);
        }
    }
}

#[test]
fn only_the_table_of_posts_is_warmed_and_only_when_asked_for() {
    let warmed = |units| {
        let stacks =
            stacks(&matrix_aws::SetupRequest { write_units: units, ..request(&["eu", "us"], &[Datastore::Dynamo]) });
        let dynamo = stacks.iter().find(|stack| stack.id.name.ends_with("-dynamo")).unwrap();
        let of = |table: &str| dynamo.template["Resources"][table]["Properties"]["WarmThroughput"].clone();
        (of("PostsTable"), of("NotificationsTable"))
    };
    assert_eq!(warmed(None), (Value::Null, Value::Null));
    assert_eq!(warmed(Some(11_000)), (json!({ "WriteUnitsPerSecond": 11_000 }), Value::Null));
}
