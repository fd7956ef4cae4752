//! Secrets Manager: users with passwords that it generates. No template, parameter or output shows one.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::stack::Stack;
use super::value::reference;
use crate::Datastore;
use crate::site::{Site, StackSpec};

/// Part of the stack's name.
pub(crate) const SECRETS: &str = "secrets";
/// Output: ARN of the database's secret.
pub(crate) const MYSQL_SECRET: &str = "MysqlSecretArn";
/// Output: ARN of the brokers' secret in the writer's region. Its replicas' differ in the region alone.
pub(crate) const BROKER_SECRET: &str = "BrokerSecretArn";
/// Output: name of the brokers' secret, in every region.
pub(crate) const BROKER_SECRET_NAME: &str = "BrokerSecretName";
/// User of the database and of the brokers.
pub(crate) const USER: &str = "matrix";

/// Length of the passwords: Aurora takes at most 41 characters, brokers at least 12.
const PASSWORD_LENGTH: u32 = 32;

/// The datastores of these whose secrets a region has: all in the writer's, where they are made. An event source mapping
/// takes a secret of its own region, so that the brokers' is replicated to the readers'.
pub(crate) fn secrets_in(stores: &BTreeSet<Datastore>, is_writer: bool) -> Vec<Datastore> {
    let has = |store: &Datastore| stores.contains(store) && (is_writer || *store == Datastore::Amq);
    [Datastore::Mysql, Datastore::Amq].into_iter().filter(has).collect()
}

/// The stack in the writer's region.
pub(crate) fn secrets(site: &Site<'_>) -> StackSpec {
    let made = secrets_in(&site.request.stores, true);
    let replicated = secrets_in(&site.request.stores, false);
    let with_replicas = |store: Datastore, mut properties: Value| {
        if replicated.contains(&store) {
            let replicas: Vec<Value> = site.readers.iter().map(|reader| json!({ "Region": reader.aws })).collect();
            properties["ReplicaRegions"] = json!(replicas);
        }
        properties
    };
    let mut stack = Stack::of(site, &site.writer, SECRETS, "generated passwords");
    if made.contains(&Datastore::Mysql) {
        let properties = with_replicas(Datastore::Mysql, secret(&site.name("mysql"), "User of the database"));
        stack.tagged("Mysql", "AWS::SecretsManager::Secret", properties);
        stack.give(MYSQL_SECRET, reference("Mysql"));
    }
    if made.contains(&Datastore::Amq) {
        let properties = with_replicas(Datastore::Amq, secret(&broker_secret(site), "User of the brokers"));
        stack.tagged("Broker", "AWS::SecretsManager::Secret", properties);
        stack.give(BROKER_SECRET, reference("Broker"));
        stack.give(BROKER_SECRET_NAME, json!(broker_secret(site)));
    }
    stack.finish()
}

/// Name of the brokers' secret.
pub(crate) fn broker_secret(site: &Site<'_>) -> String {
    site.name("mq")
}

fn secret(name: &str, description: &str) -> Value {
    json!({
        "Name": name,
        "Description": description,
        "GenerateSecretString": {
            "SecretStringTemplate": json!({ "username": USER }).to_string(),
            "GenerateStringKey": "password",
            "PasswordLength": PASSWORD_LENGTH,
            // Neither Aurora nor the brokers take every mark.
            "ExcludePunctuation": true,
        },
    })
}
