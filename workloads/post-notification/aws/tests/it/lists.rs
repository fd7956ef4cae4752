//! Which stacks there are, as snapshots.

use std::fmt::Write as _;

use matrix_aws::Datastore::{Amq, Dynamo, Mysql, Redis, S3, Sns};
use matrix_aws::setup::{Parameter, Removal, removal_order};
use matrix_aws::{Datastore, SetupRequest};

use crate::requests::{full, request, stacks};

fn list(request: &SetupRequest) -> String {
    let mut text = String::new();
    let stacks = stacks(request);
    for stack in &stacks {
        writeln!(text, "{}: {}", stack.id, stack.purpose).unwrap();
        if stack.removal == Removal::BeforeItsUsers {
            writeln!(text, "  removed first").unwrap();
        }
        for earlier in &stack.after {
            writeln!(text, "  after {earlier}").unwrap();
        }
        for (name, value) in &stack.parameters {
            match value {
                Parameter::Text(value) => writeln!(text, "  {name} = {value:?}").unwrap(),
                Parameter::Output(from) => writeln!(text, "  {name} = {} of {}", from.output, from.stack).unwrap(),
            }
        }
    }
    text
}

fn list_of(regions: &[&str], stores: &[Datastore]) -> String {
    list(&request(regions, stores))
}

#[test]
fn each_needs_only_what_was_made_before() {
    insta::assert_snapshot!("all_stores", list(&full()));
    insta::assert_snapshot!("stores_without_a_network", list_of(&["eu", "us"], &[Dynamo, S3, Sns]));
    insta::assert_snapshot!("mysql_with_sns", list_of(&["eu", "us"], &[Mysql, Sns]));
    insta::assert_snapshot!("redis_with_amq", list_of(&["us", "eu"], &[Redis, Amq]));
}

#[test]
fn they_are_removed_in_this_order() {
    let stacks = stacks(&full());
    let order: Vec<String> = removal_order(&stacks).iter().map(|stack| stack.id.to_string()).collect();
    insta::assert_snapshot!("removal_order", order.join("\n"));
}
