//! Security groups of a region's network: who may talk to whom, by which port.

use serde_json::{Value, json};

use super::names::{BROKER_GROUP, ENDPOINTS_GROUP, FUNCTIONS_GROUP, MYSQL_PORT, REDIS_GROUP, REDIS_PORT};
use super::stack::Stack;
use super::value::reference;
use crate::Datastore;
use crate::site::{Cidr, SetupRegion, Site};

/// Port of STOMP over TLS: functions publish by it.
pub(crate) const STOMP_PORT: u16 = 61614;
/// Port of OpenWire over TLS: brokers speak it with each other, and event source mappings with brokers.
const OPENWIRE_PORT: u16 = 61617;
const HTTPS_PORT: u16 = 443;

/// The groups that the region needs.
pub(super) fn groups(site: &Site<'_>, place: &SetupRegion, stack: &mut Stack) {
    let own = place.cidr();
    group(stack, FUNCTIONS_GROUP, "Functions", Vec::new(), functions_egress(site, place));
    stack.give(FUNCTIONS_GROUP, reference(FUNCTIONS_GROUP));
    if site.has(Datastore::Redis) {
        group(stack, REDIS_GROUP, "Redis", vec![from_group(REDIS_PORT, FUNCTIONS_GROUP)], Vec::new());
        stack.give(REDIS_GROUP, reference(REDIS_GROUP));
    }
    if site.has(Datastore::Amq) {
        let mut ingress = vec![from_group(STOMP_PORT, FUNCTIONS_GROUP)];
        let mut egress = Vec::new();
        if place.is_writer {
            egress.extend(site.readers.iter().map(|reader| to(OPENWIRE_PORT, reader.cidr())));
        } else {
            ingress.push(from(OPENWIRE_PORT, site.writer.cidr()));
            // The event source mapping has its interfaces in the broker's own group.
            egress.extend([to(OPENWIRE_PORT, own), to(HTTPS_PORT, own)]);
        }
        group(stack, BROKER_GROUP, "Broker, and the event source mappings to it", ingress, egress);
        stack.give(BROKER_GROUP, reference(BROKER_GROUP));
        if !place.is_writer {
            mapping_ingress(stack);
        }
    }
    if super::endpoints::has_interfaces(site, place) {
        let mut ingress = vec![from_group(HTTPS_PORT, FUNCTIONS_GROUP)];
        if site.has(Datastore::Amq) && !place.is_writer {
            ingress.push(from_group(HTTPS_PORT, BROKER_GROUP));
        }
        group(stack, ENDPOINTS_GROUP, "Endpoints of services", ingress, Vec::new());
    }
}

fn functions_egress(site: &Site<'_>, place: &SetupRegion) -> Vec<Value> {
    let own = place.cidr();
    let mut egress = Vec::new();
    if super::endpoints::has_gateways(site) {
        // Gateway endpoints are reached by the services' public addresses, whose prefix lists CloudFormation cannot look
        // up. Functions have no public address of their own: they get no further than these endpoints.
        egress.push(json!({
            "IpProtocol": "tcp", "FromPort": HTTPS_PORT, "ToPort": HTTPS_PORT, "CidrIp": "0.0.0.0/0",
        }));
    } else if super::endpoints::has_interfaces(site, place) {
        egress.push(to(HTTPS_PORT, own));
    }
    if site.has(Datastore::Redis) {
        egress.push(to(REDIS_PORT, own));
    }
    if site.has(Datastore::Amq) {
        egress.push(to(STOMP_PORT, own));
    }
    if site.has(Datastore::Mysql) {
        egress.push(to(MYSQL_PORT, place.database_cidr()));
    }
    egress
}

/// A group cannot name itself among its own rules.
fn mapping_ingress(stack: &mut Stack) {
    let properties = json!({
        "GroupId": reference(BROKER_GROUP),
        "IpProtocol": "tcp",
        "FromPort": OPENWIRE_PORT,
        "ToPort": OPENWIRE_PORT,
        "SourceSecurityGroupId": reference(BROKER_GROUP),
    });
    stack.add("BrokerGroupFromMappings", "AWS::EC2::SecurityGroupIngress", properties);
}

/// Adds a group of the stack's VPC.
pub(super) fn group(stack: &mut Stack, id: &str, what: &str, ingress: Vec<Value>, mut egress: Vec<Value>) {
    if egress.is_empty() {
        egress.push(nowhere());
    }
    let mut properties = json!({ "VpcId": reference("Vpc"), "GroupDescription": what, "SecurityGroupEgress": egress });
    if !ingress.is_empty() {
        properties["SecurityGroupIngress"] = Value::Array(ingress);
    }
    stack.tagged(id, "AWS::EC2::SecurityGroup", properties);
}

/// A rule that matches nothing. Without any rule the service adds one that lets everything out.
fn nowhere() -> Value {
    json!({ "IpProtocol": "icmp", "FromPort": 252, "ToPort": 86, "CidrIp": "255.255.255.255/32" })
}

/// Lets in from addresses.
pub(super) fn from(port: u16, cidr: Cidr) -> Value {
    to(port, cidr)
}

/// Lets out to addresses.
fn to(port: u16, cidr: Cidr) -> Value {
    json!({ "IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": cidr.to_string() })
}

fn from_group(port: u16, group: &str) -> Value {
    json!({
        "IpProtocol": "tcp", "FromPort": port, "ToPort": port, "SourceSecurityGroupId": reference(group),
    })
}
