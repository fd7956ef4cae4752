//! Templates of every combination.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;

use aws_credential_types::provider::SharedCredentialsProvider;
use matrix_lambdas::config::{BrokerEndpoint, Endpoint, Secret};
use matrix_package::Packages;
use matrix_plan::{NotificationStorage, PostStorage, Region};

use super::*;
use crate::lambda::{BrokerSource, Brokers, DeploymentSpec, MysqlServers, Servers, Site};

fn services() -> Services {
    let each = |host: &str| {
        let region = |name: &str| Region::new(name).unwrap();
        let end = |name: &str| Endpoint { host: format!("{host}.{name}.example"), port: 1 };
        BTreeMap::from(["eu", "us"].map(|name| (region(name), end(name))))
    };
    let arns = |kind: &str| each("x").into_keys().map(|region| (region, format!("arn:aws:{kind}"))).collect();
    let brokers = each("mq").into_iter().map(|(region, at)| (region, BrokerEndpoint { at, tls: true })).collect();
    let credentials = aws_credential_types::Credentials::new("test", "test", None, None, "test");
    Services {
        aws: matrix_lambdas::aws::config(Some("http://localhost"), SharedCredentialsProvider::new(credentials)),
        account: "123456789012".into(),
        regions: Region::BUILT_IN.map(|(short, aws)| (Region::new(short).unwrap(), aws.to_owned())).into(),
        mysql: Some(MysqlServers {
            servers: Servers::each(each("db")),
            user: "matrix".into(),
            password: Secret::new("hidden"),
            database: "matrix".into(),
        }),
        redis: Some(Servers::each(each("redis"))),
        brokers: Some(Brokers {
            servers: brokers,
            user: "matrix".into(),
            password: Secret::new("hidden"),
            ca_file: None,
            source: BrokerSource::Mapping { brokers: arns("mq"), secrets: arns("secretsmanager") },
        }),
        inside: std::collections::BTreeSet::new(),
        given: matrix_aws::ConnectionInfo::default(),
        renewal: None,
        site: Site::Aws,
        visible_log: None,
    }
}

/// Names that something refers to.
fn references(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                match (name.as_str(), inner) {
                    ("Ref" | "DependsOn", Value::String(to)) => into.push(to.clone()),
                    ("Fn::GetAtt", Value::Array(path)) => into.push(path[0].as_str().unwrap().to_owned()),
                    _ => references(inner, into),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| references(inner, into)),
        _ => {}
    }
}

#[test]
fn every_combination_has_two_whole_stacks_with_one_source_for_its_reader() {
    let services = services();
    let settings = Settings::new("night", Packages { writer: Vec::new(), reader: Vec::new() });
    let code = Code { bucket: "code".into(), key: "package.zip".into() };
    for post_storage in PostStorage::ALL.iter().copied() {
        for notification_storage in NotificationStorage::ALL.iter().copied() {
            let spec = DeploymentSpec { post_storage, notification_storage, regions: "eu->us".parse().unwrap() };
            let deployment = Deployment::new(&spec, &services, &settings).unwrap();
            let stream = "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/s";
            let stream = (notification_storage == NotificationStorage::Dynamo).then_some(stream);
            let stacks = [
                writer(&deployment, &services, &settings, &code).unwrap(),
                reader(&deployment, &services, &settings, &code, stream).unwrap(),
            ];
            let mut sources = Vec::new();
            for Template { body: stack, parameters } in &stacks {
                assert!(!stack.to_string().contains("hidden"), "{spec}: a password stands in a template");
                let resources = stack["Resources"].as_object().unwrap();
                let mut named = Vec::new();
                references(stack, &mut named);
                let there = |name: &String| resources.contains_key(name) || parameters.contains_key(name);
                assert!(named.iter().all(there), "{spec}: {named:?}");
                let kinds = resources.values().map(|resource| resource["Type"].as_str().unwrap());
                // CloudFormation's role is for these.
                let known =
                    |kind: &str| matrix_aws::setup::FUNCTIONS_STACKS.contains(&kind) || kind == "AWS::IAM::Role";
                assert!(kinds.clone().all(known), "{spec}");
                let source = ["AWS::SNS::Subscription", "AWS::Lambda::EventSourceMapping"];
                sources.extend(kinds.filter(|kind| source.contains(kind)));
                let function = &resources["Function"]["Properties"];
                let value = |value: &Value| match value["Ref"].as_str() {
                    Some(parameter) => parameters[parameter].clone(),
                    None => value.as_str().unwrap().to_owned(),
                };
                let variables = function["Environment"]["Variables"].as_object().unwrap();
                let variables: BTreeMap<String, String> =
                    variables.iter().map(|(name, variable)| (name.clone(), value(variable))).collect();
                let read = matrix_lambdas::FunctionConfig::from_variables(&variables).unwrap();
                assert_eq!(read, deployment.config);
            }
            assert_eq!(sources.len(), 1, "{spec}");
            assert!(stacks[0].body["Resources"]["Function"]["Properties"]["Timeout"].as_u64() >= Some(60));
            // Above the deadline of the longest barrier.
            assert_eq!(stacks[1].body["Resources"]["Function"]["Properties"]["Timeout"], 135);
        }
    }
}
