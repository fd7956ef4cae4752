//! Amazon MQ: a broker in each region; the writer's is connected with each reader's.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::names::{BROKER_GROUP, NETWORK, SUBNET_A};
use super::secrets::{BROKER_SECRET_NAME, SECRETS, USER};
use super::stack::Stack;
use super::value::{attribute, camel, first, password_of, reference};
use crate::site::{SetupRegion, Site, StackSpec};

/// Part of the stacks' names.
pub(crate) const AMQ: &str = "amq";
/// Output: ARN of the broker.
pub(crate) const BROKER_ARN: &str = "BrokerArn";
/// Output: name of the broker.
pub(crate) const BROKER_NAME: &str = "BrokerName";
/// Output: URL of STOMP, `stomp+ssl://HOST:PORT`.
pub(crate) const STOMP_ENDPOINT: &str = "StompEndpoint";
/// Output of readers' stacks: URL of OpenWire, `ssl://HOST:PORT`.
pub(crate) const OPENWIRE_ENDPOINT: &str = "OpenWireEndpoint";

const ENGINE: &str = "ACTIVEMQ";
const BROKER: &str = "Broker";

/// The stack of a region. The writer's comes last: its broker starts with a configuration that names the others, so that
/// no new revision has to be applied by a reboot.
pub(crate) fn broker(site: &Site<'_>, place: &SetupRegion) -> StackSpec {
    let purpose = if place.is_writer { "ActiveMQ: broker, connected to the readers'" } else { "ActiveMQ: broker" };
    let mut stack = Stack::of(site, place, AMQ, purpose);
    let services = &site.request.services;
    stack.take("Secret", "Secret of the user", site.output(&site.writer, SECRETS, BROKER_SECRET_NAME));
    let subnet = stack.take("Subnet", "Subnet of the broker", site.output(place, NETWORK, SUBNET_A));
    let group = stack.take("SecurityGroup", "Security group of the broker", site.output(place, NETWORK, BROKER_GROUP));
    let name = site.local_name(AMQ, place);
    let mut properties = json!({
        "BrokerName": name,
        "EngineType": ENGINE,
        "EngineVersion": services.amq_version,
        "HostInstanceType": services.amq_class,
        "DeploymentMode": "SINGLE_INSTANCE",
        "StorageType": "EFS",
        "AuthenticationStrategy": "SIMPLE",
        "AutoMinorVersionUpgrade": must_upgrade(&services.amq_version),
        "PubliclyAccessible": false,
        "SubnetIds": [subnet],
        "SecurityGroups": [group],
        "Users": [{ "Username": USER, "Password": password_of("Secret") }],
    });
    if place.is_writer {
        configuration(site, &mut stack, &name);
        properties["Configuration"] =
            json!({ "Id": reference("Configuration"), "Revision": attribute("Configuration", "Revision") });
    }
    stack.tagged(BROKER, "AWS::AmazonMQ::Broker", properties);
    stack.give(BROKER_ARN, attribute(BROKER, "Arn"));
    stack.give(BROKER_NAME, json!(name));
    stack.give(STOMP_ENDPOINT, first(&attribute(BROKER, "StompEndpoints")));
    if !place.is_writer {
        stack.give(OPENWIRE_ENDPOINT, first(&attribute(BROKER, "OpenWireEndpoints")));
    }
    stack.finish()
}

/// Patches come by themselves, in the weekly window, from 5.18 on: the service takes no broker without. Before, they can
/// be turned off, as the original does.
fn must_upgrade(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (5, 18)
}

/// The writer's configuration: a duplex connector to each reader's broker. The password is the one that the same user has
/// in this broker.
fn configuration(site: &Site<'_>, stack: &mut Stack, name: &str) {
    let mut connectors = String::new();
    for reader in &site.readers {
        let endpoint = format!("{}Endpoint", camel(&reader.aws));
        let from = site.output(reader, AMQ, OPENWIRE_ENDPOINT);
        stack.take(&endpoint, "OpenWire endpoint of a reader's broker", from);
        let connector = format!("{}-to-{}", site.writer.short, reader.short);
        let _ = writeln!(
            connectors,
            r#"    <networkConnector duplex="true" name="{connector}" uri="static:(${{{endpoint}}})" userName="{USER}"/>"#
        );
    }
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n\
         <broker xmlns=\"http://activemq.apache.org/schema/core\">\n  \
         <networkConnectors>\n{connectors}  </networkConnectors>\n</broker>\n"
    );
    let properties: Value = json!({
        "Name": name,
        "Description": "Connects the writer's broker with each reader's",
        "EngineType": ENGINE,
        "EngineVersion": site.request.services.amq_version,
        "Data": { "Fn::Base64": { "Fn::Sub": xml } },
    });
    stack.tagged("Configuration", "AWS::AmazonMQ::Configuration", properties);
}
