//! Whether servers can be reached: from here by TCP, or by the functions that are inside their network.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_lambda::types::InvocationType;
use matrix_aws::{ConnectionInfo, Datastore};
use matrix_lambdas::function::{Control, ControlReply};
use tokio::net::TcpStream;

use super::Finding;
use crate::aws::Operator;
use crate::cloud::RUN_TAG;
use crate::lambda::{Answer, invoke};

/// How long a connection may take to open.
const OPENS_WITHIN: Duration = Duration::from_secs(4);

/// How long a function is asked when it is throttled.
const PATIENCE: Duration = Duration::from_secs(5);

/// A deployed function.
#[derive(Clone, Debug)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) region: String,
}

/// A server of the file.
struct Server<'a> {
    store: Datastore,
    /// Whether only functions inside the network reach it.
    inside: bool,
    host: &'a str,
    port: u16,
}

impl Operator {
    /// The functions of all runs in these regions. Where they cannot be asked for, there are none.
    pub(super) async fn functions(&self, regions: &BTreeSet<String>) -> Vec<Function> {
        let mut functions = Vec::new();
        for region in regions {
            // A function has the name of its stack.
            for stack in self.stacks(region).tagged(RUN_TAG, None).await.unwrap_or_default() {
                functions.push(Function { name: stack.name, region: region.clone() });
            }
        }
        functions
    }

    /// Whether each server of the file can be reached.
    pub(super) async fn reach(&self, info: &ConnectionInfo, functions: &[Function]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for Server { store, inside, host, port } in servers(info) {
            let about = format!("{store} at {host}:{port}");
            let opened = tokio::time::timeout(OPENS_WITHIN, TcpStream::connect((host, port))).await;
            let why = match opened {
                Ok(Ok(_)) => {
                    findings.push(Finding::ok(about, "it is reached from here"));
                    continue;
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("no answer within {} s", OPENS_WITHIN.as_secs()),
            };
            if !inside {
                let fix = format!("look at its security group and at the address (docs/aws.md#{store})");
                findings.push(Finding::problem(about, why, fix));
                continue;
            }
            findings.push(self.by_functions(about, store, functions).await);
        }
        findings
    }

    /// Has the functions that use a store count what is in it.
    async fn by_functions(&self, about: String, store: Datastore, functions: &[Function]) -> Finding {
        let part = format!("-{store}-");
        let users: Vec<&Function> = functions.iter().filter(|function| function.name.contains(&part)).collect();
        if users.is_empty() {
            let fix = "deploy some (`matrix live build FILE`), then ask again";
            return Finding::not_checked(
                about,
                "it is inside the network, and no functions that use it are deployed",
                fix,
            );
        }
        for function in &users {
            let client = aws_sdk_lambda::Client::new(&self.config(&function.region));
            let payload = Control::Stats.to_json().as_bytes().to_vec();
            let invoked = invoke(&client, &function.name, payload, &InvocationType::RequestResponse, PATIENCE).await;
            let told = match &invoked.answer {
                Answer::Reply(reply) => serde_json::from_slice::<ControlReply>(reply.as_ref())
                    .ok()
                    .and_then(|reply| reply.body.stats)
                    .ok_or_else(|| "it does not tell what is stored".to_owned()),
                Answer::Accepted => Err("it does not answer".to_owned()),
                Answer::Refused => Err("AWS refuses the credentials".to_owned()),
                Answer::Failed(why) | Answer::Unknown(why) => Err(why.clone()),
            };
            if let Err(why) = told {
                let seen = format!("function {} in {}: {why}", function.name, function.region);
                let fix =
                    format!("look at security groups and routes (docs/aws.md#{store}), and at the function's log");
                return Finding::problem(about, seen, fix);
            }
        }
        Finding::ok(about, format!("{} deployed functions reach their ends of it", users.len()))
    }
}

fn servers(info: &ConnectionInfo) -> Vec<Server<'_>> {
    let mut servers = Vec::new();
    if let Some(mysql) = &info.mysql {
        let hosts = mysql.writer_hosts.values().chain(mysql.reader_hosts.values());
        let (inside, port) = (mysql.vpc_required, mysql.port);
        servers.extend(hosts.map(|host| Server { store: Datastore::Mysql, inside, host, port }));
    }
    if let Some(cache) = &info.cache {
        let hosts = cache.writer_hosts.values().chain(cache.reader_hosts.values());
        let (inside, port) = (cache.vpc_required, cache.port);
        servers.extend(hosts.map(|host| Server { store: Datastore::Redis, inside, host, port }));
    }
    if let Some(mq) = &info.mq {
        let (inside, port) = (mq.vpc_required, mq.stomp_port);
        servers.extend(mq.hosts.values().map(|host| Server { store: Datastore::Amq, inside, host, port }));
    }
    servers
}
