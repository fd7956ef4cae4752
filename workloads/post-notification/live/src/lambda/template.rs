//! CloudFormation templates: one stack in the writer's region and one in the reader's.

use std::collections::BTreeMap;

use matrix_lambdas::config::{NotificationConfig, PostConfig};
use serde_json::{Map, Value, json};

use super::deployment::Deployment;
use super::resources::{
    BROKER_ACTIONS, NETWORK_ACTIONS, STREAM_ACTIONS, TABLE_ACTIONS, allow, bucket, bucket_access, global_table,
    replication_role, resource, role, table_arn,
};
use super::{LambdaError, Services, Settings};

/// A template and the values of its parameters, which stand in no template that can be read back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Template {
    pub(crate) body: Value,
    pub(crate) parameters: BTreeMap<String, String>,
}

/// Variables of functions that are secrets, and the parameters that carry them.
const SECRETS: [(&str, &str); 2] = [("MYSQL_PASSWORD", "MysqlPassword"), ("MQ_PASSWORD", "BrokerPassword")];

/// Days for which the log of a function is kept.
const LOG_DAYS: u32 = 30;

/// Where a function's package is.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) bucket: String,
    pub(crate) key: String,
}

/// Deliveries of a notification that a failing reader gets again, by every source.
const READER_RETRIES: u32 = 2;

/// Age in seconds after which an ordered source gives up a notification.
const RECORD_AGE_MAX_S: u32 = 3600;

/// Seconds for which a message that was handed out is not handed out again.
const VISIBILITY_TIMEOUT_S: u32 = 20;

/// The stack in the writer's region: function, stores, topic and its subscription. What is given it does not make.
pub(crate) fn writer(
    deployment: &Deployment,
    services: &Services,
    settings: &Settings,
    code: &Code,
) -> Result<Template, LambdaError> {
    let (config, given) = (&deployment.config, &services.given);
    let mut resources = Map::new();
    let mut allowed = Vec::new();
    let replicas = [&config.writer_region, &config.reader_region];
    match &config.post {
        PostConfig::Dynamo(dynamo) => {
            if given.dynamo.is_none() {
                resources.insert("PostsTable".into(), global_table(&dynamo.table, replicas));
            }
            allowed.push(allow(TABLE_ACTIONS, table_arn(services, &config.writer_region, &dynamo.table)));
        }
        PostConfig::S3(s3) => {
            if given.s3.is_none() {
                resources.insert("PostsBucket".into(), bucket(&s3.writer));
                resources.insert("ReplicationRole".into(), replication_role(&s3.writer, &s3.reader));
            }
            allowed.extend(bucket_access(&s3.writer));
        }
        PostConfig::Mysql(_) | PostConfig::Redis(_) => {}
    }
    match &config.notification {
        NotificationConfig::Sns(sns) => {
            let mut topic = json!(sns.topic_arn);
            if given.sns.is_none() {
                let properties = json!({ "TopicName": deployment.names.notifications() });
                resources.insert("Topic".into(), resource("AWS::SNS::Topic", properties));
                topic = json!({ "Ref": "Topic" });
            }
            // It belongs where the topic is, and reaches across regions.
            let (region, account) = (&config.reader_region, &services.account);
            let reader = format!("arn:aws:lambda:{region}:{account}:function:{}", deployment.names.reader());
            let mut subscription = json!({ "TopicArn": topic, "Protocol": "lambda", "Endpoint": reader });
            if given.sns.is_some() {
                // A topic that deployments share brings each its own notifications.
                subscription["FilterPolicyScope"] = json!("MessageBody");
                subscription["FilterPolicy"] = json!({ "attempt": own_attempts(deployment) });
            }
            resources.insert("Subscription".into(), resource("AWS::SNS::Subscription", subscription));
            allowed.push(allow(&["sns:Publish"], sns.topic_arn.clone()));
        }
        NotificationConfig::Dynamo(dynamo) => {
            if given.dynamo.is_none() {
                resources.insert("NotificationsTable".into(), global_table(&dynamo.table, replicas));
            }
            allowed.push(allow(TABLE_ACTIONS, table_arn(services, &config.writer_region, &dynamo.table)));
        }
        NotificationConfig::Amq(_) => {}
    }
    let function = Function {
        name: deployment.names.writer(),
        region: &config.writer_region,
        timeout_s: settings.writer_timeout_s(),
        retries: 0,
    };
    function.insert(&mut resources, deployment, services, settings, code, allowed)?;
    Ok(template(deployment, "writer", resources))
}

/// The stack in the reader's region: function, queue, event source. `stream` is the ARN of the notifications table's stream
/// there.
pub(crate) fn reader(
    deployment: &Deployment,
    services: &Services,
    settings: &Settings,
    code: &Code,
    stream: Option<&str>,
) -> Result<Template, LambdaError> {
    let (config, given) = (&deployment.config, &services.given);
    let (region, account) = (&config.reader_region, &services.account);
    let own_arn = || format!("arn:aws:sqs:{region}:{account}:{}", deployment.names.queue());
    let queue_arn = services.given_queue_arn(region).unwrap_or_else(own_arn);
    let mut resources = Map::new();
    let mut allowed = vec![allow(&["sqs:SendMessage"], queue_arn)];
    if given.evaluations.is_none() {
        let queue = json!({ "QueueName": deployment.names.queue(), "VisibilityTimeout": VISIBILITY_TIMEOUT_S });
        resources.insert("Queue".into(), resource("AWS::SQS::Queue", queue));
    }
    match &config.post {
        PostConfig::Dynamo(dynamo) => allowed.push(allow(TABLE_ACTIONS, table_arn(services, region, &dynamo.table))),
        PostConfig::S3(s3) => {
            if given.s3.is_none() {
                resources.insert("PostsBucket".into(), bucket(&s3.reader));
            }
            allowed.extend(bucket_access(&s3.reader));
        }
        PostConfig::Mysql(_) | PostConfig::Redis(_) => {}
    }
    match &config.notification {
        NotificationConfig::Sns(sns) => {
            let permission = json!({
                "Action": "lambda:InvokeFunction",
                "FunctionName": { "Ref": "Function" },
                "Principal": "sns.amazonaws.com",
                "SourceArn": sns.topic_arn,
            });
            resources.insert("Permission".into(), resource("AWS::Lambda::Permission", permission));
        }
        NotificationConfig::Dynamo(dynamo) => {
            allowed.push(allow(TABLE_ACTIONS, table_arn(services, region, &dynamo.table)));
            let streams = table_arn(services, region, &dynamo.table) + "/stream/*";
            allowed.push(allow(STREAM_ACTIONS, streams));
            // Without the filter the reader would be invoked for every item that cleaning removes, and in a table that
            // deployments share for those of the others.
            let mut pattern = json!({ "eventName": ["INSERT"] });
            if given.dynamo.is_some() {
                pattern["dynamodb"] = json!({ "NewImage": { "attempt": { "S": own_attempts(deployment) } } });
            }
            let mapping = json!({
                "FunctionName": { "Ref": "Function" },
                "EventSourceArn": stream,
                "StartingPosition": "TRIM_HORIZON",
                "BatchSize": 1,
                "MaximumRetryAttempts": READER_RETRIES,
                "MaximumRecordAgeInSeconds": RECORD_AGE_MAX_S,
                "FilterCriteria": { "Filters": [{ "Pattern": pattern.to_string() }] },
            });
            resources.insert("Mapping".into(), resource("AWS::Lambda::EventSourceMapping", mapping));
        }
        NotificationConfig::Amq(amq) => {
            let reader = &deployment.spec.regions.reader;
            if let Some((broker, secret)) = services.brokers.as_ref().and_then(|brokers| brokers.mapping(reader)) {
                allowed.push(allow(BROKER_ACTIONS, "*"));
                let mapping = json!({
                    "FunctionName": { "Ref": "Function" },
                    "EventSourceArn": broker,
                    "Queues": [amq.queue],
                    "BatchSize": 1,
                    "SourceAccessConfigurations": [{ "Type": "BASIC_AUTH", "URI": secret }],
                });
                resources.insert("Mapping".into(), resource("AWS::Lambda::EventSourceMapping", mapping));
            }
        }
    }
    let (name, timeout_s) = (deployment.names.reader(), settings.reader_timeout_s());
    let function = Function { name, region, timeout_s, retries: READER_RETRIES };
    function.insert(&mut resources, deployment, services, settings, code, allowed)?;
    Ok(template(deployment, "reader", resources))
}

/// What a filter lets pass: attempts of this deployment, whose nonces begin with its identity.
fn own_attempts(deployment: &Deployment) -> Value {
    json!([{ "prefix": deployment.config.deployment }])
}

/// The template of these resources, with the passwords of their functions taken out of it.
fn template(deployment: &Deployment, side: &str, resources: Map<String, Value>) -> Template {
    let mut body = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!("The {side} of {}", deployment.spec),
        "Resources": resources,
    });
    let (mut declared, mut parameters) = (Map::new(), BTreeMap::new());
    for (variable, parameter) in SECRETS {
        let at = format!("/Resources/Function/Properties/Environment/Variables/{variable}");
        let Some(value) = body.pointer_mut(&at) else { continue };
        // An empty password is no secret.
        let Some(secret) = value.as_str().filter(|secret| !secret.is_empty()).map(str::to_owned) else { continue };
        *value = json!({ "Ref": parameter });
        declared.insert(parameter.to_owned(), json!({ "Type": "String", "NoEcho": true }));
        parameters.insert(parameter.to_owned(), secret);
    }
    if !declared.is_empty() {
        body["Parameters"] = Value::Object(declared);
    }
    Template { body, parameters }
}

struct Function<'a> {
    name: String,
    /// AWS name of its region.
    region: &'a str,
    timeout_s: u64,
    retries: u32,
}

impl Function<'_> {
    /// The function, its role unless it is given, and how often a failed invocation without a waiting caller is repeated.
    fn insert(
        &self,
        resources: &mut Map<String, Value>,
        deployment: &Deployment,
        services: &Services,
        settings: &Settings,
        code: &Code,
        mut allowed: Vec<Value>,
    ) -> Result<(), LambdaError> {
        // It goes with the stack: a function that could make it would leave one behind.
        let log = json!({ "LogGroupName": format!("/aws/lambda/{}", self.name), "RetentionInDays": LOG_DAYS });
        resources.insert("Log".into(), resource("AWS::Logs::LogGroup", log));
        allowed.push(allow(&["logs:CreateLogStream", "logs:PutLogEvents"], "*"));
        let network = deployment.network(services, self.region)?;
        if network.is_some() {
            allowed.push(allow(NETWORK_ACTIONS, "*"));
        }
        let role_arn = match &services.given.lambda_role_arn {
            Some(arn) => json!(arn),
            None => {
                resources.insert("Role".into(), role("lambda.amazonaws.com", "function", allowed));
                json!({ "Fn::GetAtt": ["Role", "Arn"] })
            }
        };
        let mut function = json!({
            "FunctionName": self.name,
            "Runtime": "provided.al2023",
            "Architectures": ["x86_64"],
            "Handler": "bootstrap",
            "Code": { "S3Bucket": code.bucket, "S3Key": code.key },
            "Role": role_arn,
            "MemorySize": settings.memory_mb,
            "Timeout": self.timeout_s,
            "Environment": { "Variables": deployment.config.to_variables() },
        });
        if let Some(network) = network {
            let (subnets, groups) = ([&network.subnet_id], [&network.security_group_id]);
            function["VpcConfig"] = json!({ "SubnetIds": subnets, "SecurityGroupIds": groups });
        }
        let mut function = resource("AWS::Lambda::Function", function);
        function["DependsOn"] = json!("Log");
        resources.insert("Function".into(), function);
        let retries = json!({
            "FunctionName": { "Ref": "Function" },
            "Qualifier": "$LATEST",
            "MaximumRetryAttempts": self.retries,
        });
        resources.insert("Retries".into(), resource("AWS::Lambda::EventInvokeConfig", retries));
        Ok(())
    }
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
