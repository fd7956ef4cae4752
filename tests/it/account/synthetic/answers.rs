//! Requests to answers: the query protocol of CloudFormation and STS, and JSON for the rest.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::cloud::{Cloud, Id, Refused, Stack};
use super::http::{Answer, Request};
use super::values::{ACCOUNT, Scope};

pub(super) fn answer(cloud: &mut Cloud, request: &Request) -> Answer {
    if cloud.faults.denied.contains(request.service.as_str()) {
        return failed(request, 403, "AccessDenied", "User is not authorized to perform it");
    }
    if let Some((service, left)) = &mut cloud.faults.expired
        && *service == request.service
        && *left > 0
    {
        *left -= 1;
        return failed(request, 403, "ExpiredToken", "The security token included in the request is expired");
    }
    match request.service.as_str() {
        "sts" => {
            xml("GetCallerIdentity", &format!("<Account>{ACCOUNT}</Account><Arn>arn:aws:iam::{ACCOUNT}:user/me</Arn>"))
        }
        "cloudformation" => cloudformation(cloud, request),
        "tagging" => Some((200, tagged(cloud, request).to_string())),
        "lambda" => {
            let limit = json!({ "ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000 });
            Some((200, json!({ "AccountLimit": limit, "AccountUsage": {} }).to_string()))
        }
        "cloudcontrolapi" => Some(resource(cloud, request)),
        "dynamodb" => {
            Some((400, json!({ "__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException" }).to_string()))
        }
        "secretsmanager" => {
            let secret = json!({ "username": "antipode", "password": "synthetic" }).to_string();
            Some((200, json!({ "SecretString": secret }).to_string()))
        }
        "sqs" => {
            let asked: Value = serde_json::from_str(&request.body).unwrap();
            let name = asked["QueueUrl"].as_str().unwrap().rsplit('/').next().unwrap();
            match is_there(cloud, "AWS::SQS::Queue", name) {
                true => Some((200, json!({ "Attributes": { "QueueArn": "arn" } }).to_string())),
                false => {
                    let code = "com.amazonaws.sqs#QueueDoesNotExist";
                    Some((400, json!({ "__type": code, "message": "The specified queue does not exist." }).to_string()))
                }
            }
        }
        "sns" => {
            let form = request.form();
            match is_there(cloud, "AWS::SNS::Topic", form["TopicArn"].rsplit(':').next().unwrap()) {
                true => xml("GetTopicAttributes", "<Attributes/>"),
                false => failed(request, 404, "NotFound", "Topic does not exist"),
            }
        }
        // HEAD of a bucket; what is in buckets is asked for with a query.
        "s3" if !request.path.contains('?') => {
            let is_there = is_there(cloud, "AWS::S3::Bucket", request.path.trim_matches('/'));
            Some((if is_there { 200 } else { 404 }, String::new()))
        }
        "s3" => Some((404, "<Error><Code>NoSuchBucket</Code></Error>".into())),
        "rds" => {
            let of =
                |name: &str| request.path.split(['?', '&']).find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            let offered = cloud.faults.only_aurora.or_else(|| of("EngineVersion")).unwrap_or_default();
            let fits = of("EngineVersion").is_none_or(|version| version == offered);
            let option = format!(
                "<OrderableDBInstanceOption><EngineVersion>{offered}</EngineVersion></OrderableDBInstanceOption>"
            );
            xml("DescribeOrderableDBInstanceOptions", if fits { &option } else { "" })
        }
        "elasticache" => xml("DescribeCacheEngineVersions", "<EngineVersion>6.2.6</EngineVersion>"),
        "mq" => {
            let option =
                json!({ "supportedDeploymentModes": ["SINGLE_INSTANCE"], "supportedEngineVersions": ["5.18"] });
            Some((200, json!({ "brokerInstanceOptions": [option] }).to_string()))
        }
        other => panic!("{other} {} {}", request.path, request.target),
    }
}

/// Whether a stack made it and nobody deleted it.
fn is_there(cloud: &Cloud, kind: &str, name: &str) -> bool {
    let mut parts = cloud.stacks.iter().flat_map(|(id, stack)| parts(id, stack));
    !cloud.faults.deleted.contains(name) && parts.any(|(_, it, physical)| it == kind && physical == name)
}

/// An error in the service's protocol.
fn failed(request: &Request, status: u16, code: &str, message: &str) -> Answer {
    if request.service == "s3" && !request.path.contains('?') {
        return Some((status, String::new()));
    }
    if matches!(request.service.as_str(), "cloudformation" | "sns" | "sts" | "s3") {
        let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
        let is_s3 = request.service == "s3";
        return Some((status, if is_s3 { error } else { format!("<ErrorResponse>{error}</ErrorResponse>") }));
    }
    Some((status, json!({ "__type": format!("{code}Exception"), "message": message }).to_string()))
}

pub(super) fn throttled(request: &Request) -> Answer {
    if request.target.is_empty() && request.service != "lambda" && request.service != "s3" {
        return refused(("Throttling", "Rate exceeded".into()));
    }
    Some((429, json!({ "__type": "ThrottlingException", "message": "Rate exceeded" }).to_string()))
}

fn xml(operation: &str, result: &str) -> Answer {
    Some((200, format!("<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>")))
}

fn refused((code, message): Refused) -> Answer {
    Some((
        400,
        format!("<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"),
    ))
}

fn cloudformation(cloud: &mut Cloud, request: &Request) -> Answer {
    let form = request.form();
    let action = form["Action"].as_str();
    let name = form.get("StackName").map_or("", String::as_str);
    let id: Id = (request.region.clone(), name.to_owned());
    let pairs = |list: &str, key: &str, value: &str| -> BTreeMap<String, String> {
        let at = |number: usize, of: &str| form.get(&format!("{list}.member.{number}.{of}")).cloned();
        (1..).map_while(|number| Some((at(number, key)?, at(number, value).unwrap_or_default()))).collect()
    };
    let done = match action {
        "CreateStack" | "UpdateStack" => {
            let template = serde_json::from_str(&form["TemplateBody"]).unwrap();
            let (parameters, tags) =
                (pairs("Parameters", "ParameterKey", "ParameterValue"), pairs("Tags", "Key", "Value"));
            let done = if action == "CreateStack" {
                cloud.create(&id, template, parameters, tags)
            } else {
                cloud.update(&id, template, parameters, tags)
            };
            done.map(|arn| format!("<StackId>{arn}</StackId>"))
        }
        "DeleteStack" => cloud.delete(name, &request.region).map(|()| String::new()),
        "DescribeStacks" if name.is_empty() => {
            let here = cloud.stacks.iter().filter(|(id, _)| id.0 == request.region);
            Ok(stacks(here.map(|(id, stack)| described(id, stack))))
        }
        "DescribeStacks" => cloud.look(name, &request.region).map(|(id, stack)| stacks([described(&id, &stack)])),
        "DescribeStackEvents" => {
            let found = cloud.stacks.iter().find(|(id, stack)| id.1 == name || stack.arn == name);
            let events =
                found.into_iter().flat_map(|(id, stack)| stack.events.iter().rev().map(move |it| (id, stack, it)));
            let mut text = String::new();
            for (id, stack, (resource, status, reason)) in events {
                let physical = if *resource == id.1 { &stack.arn } else { resource };
                let _ = write!(
                    text,
                    "<member><StackId>{}</StackId><EventId>1</EventId><StackName>{}</StackName>\
                     <LogicalResourceId>{resource}</LogicalResourceId><PhysicalResourceId>{physical}</PhysicalResourceId>\
                     <ResourceStatus>{status}</ResourceStatus><ResourceStatusReason>{reason}</ResourceStatusReason>\
                     <Timestamp>2026-01-01T00:00:00Z</Timestamp></member>",
                    stack.arn, id.1
                );
            }
            Ok(format!("<StackEvents>{text}</StackEvents>"))
        }
        "ListStackResources" => {
            let found =
                cloud.stacks.iter().find(|(id, stack)| id.1 == name && id.0 == request.region || stack.arn == name);
            let mut text = String::new();
            for (id, kind, physical) in found.into_iter().flat_map(|(id, stack)| parts(id, stack)) {
                let _ = write!(
                    text,
                    "<member><LogicalResourceId>{id}</LogicalResourceId><PhysicalResourceId>{physical}</PhysicalResourceId>\
                     <ResourceType>{kind}</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus>\
                     <LastUpdatedTimestamp>2026-01-01T00:00:00Z</LastUpdatedTimestamp></member>"
                );
            }
            Ok(format!("<StackResourceSummaries>{text}</StackResourceSummaries>"))
        }
        other => panic!("{other}"),
    };
    match done {
        Ok(result) => xml(action, &result),
        Err(error) => refused(error),
    }
}

fn stacks(described: impl IntoIterator<Item = String>) -> String {
    format!("<Stacks>{}</Stacks>", described.into_iter().collect::<String>())
}

fn described(id: &Id, stack: &Stack) -> String {
    let pairs = |of: &BTreeMap<String, String>, key: &str, value: &str| -> String {
        of.iter().map(|(k, v)| format!("<member><{key}>{k}</{key}><{value}>{v}</{value}></member>")).collect()
    };
    let (minute, second) = (stack.changed_at / 60 % 60, stack.changed_at % 60);
    format!(
        "<member><StackId>{}</StackId><StackName>{}</StackName><StackStatus>{}</StackStatus>\
         <CreationTime>2026-01-01T00:00:00Z</CreationTime>\
         <LastUpdatedTime>2026-01-01T00:{minute:02}:{second:02}Z</LastUpdatedTime>\
         <Tags>{}</Tags><Outputs>{}</Outputs></member>",
        stack.arn,
        id.1,
        stack.status,
        pairs(&stack.tags, "Key", "Value"),
        pairs(&stack.outputs, "OutputKey", "OutputValue"),
    )
}

/// Logical id, type and physical id of a stack's resources.
fn parts(id: &Id, stack: &Stack) -> Vec<(String, String, String)> {
    let resources = stack.template["Resources"].as_object().unwrap();
    let scope = Scope { region: &id.0, stack: &id.1, resources, parameters: &stack.parameters };
    let part = |(name, resource): (&String, &Value)| {
        (name.clone(), resource["Type"].as_str().unwrap().to_owned(), scope.physical(name))
    };
    resources.iter().map(part).collect()
}

fn tagged(cloud: &Cloud, request: &Request) -> Value {
    let mut list = Vec::new();
    for (id, stack) in cloud.stacks.iter().filter(|(id, _)| id.0 == request.region) {
        for (name, kind, physical) in parts(id, stack) {
            let tags = &stack.template["Resources"][name.as_str()]["Properties"]["Tags"];
            if tags.to_string().contains("matrix:setup") {
                let arn = format!(
                    "arn:aws:{}:{}:{ACCOUNT}:{physical}",
                    kind.split("::").nth(1).unwrap().to_lowercase(),
                    id.0
                );
                list.push(json!({ "ResourceARN": arn, "Tags": [] }));
            }
        }
    }
    json!({ "ResourceTagMappingList": list, "PaginationToken": "" })
}

/// Cloud Control's answer: properties that the types' schemas name.
fn resource(cloud: &Cloud, request: &Request) -> (u16, String) {
    let asked: Value = serde_json::from_str(&request.body).unwrap();
    let (kind, id) = (asked["TypeName"].as_str().unwrap(), asked["Identifier"].as_str().unwrap());
    // Roles are of the whole account.
    let stacks = cloud.stacks.iter().filter(|(it, _)| it.0 == request.region || kind == "AWS::IAM::Role");
    if cloud.faults.deleted.contains(id)
        || !stacks.flat_map(|(id, stack)| parts(id, stack)).any(|(_, it, physical)| it == kind && physical == id)
    {
        return (400, json!({ "__type": "com.amazonaws.cloudapiservice#ResourceNotFoundException" }).to_string());
    }
    let properties = match kind {
        "AWS::ElastiCache::GlobalReplicationGroup" => {
            let member = |region: &str| json!({ "ReplicationGroupId": "r", "ReplicationGroupRegion": region });
            json!({ "Status": "available", "Members": [member("eu-central-1"), member("us-east-1")] })
        }
        "AWS::RDS::DBInstance" => json!({ "DBInstanceStatus": "available" }),
        _ => json!({}),
    };
    let description = json!({ "Identifier": id, "Properties": properties.to_string() });
    (200, json!({ "TypeName": kind, "ResourceDescription": description }).to_string())
}
