//! Endpoints of AWS's services in a region's network: functions in it have no other way to them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::names::ENDPOINTS_GROUP;
use super::names::SUBNET_A;
use super::policy::own_callers;
use super::stack::Stack;
use super::value::{camel, reference, sub};
use crate::Datastore;
use crate::site::{SetupRegion, Site};

/// The subnets in which an endpoint has an address: each is of another zone, and costs by the hour.
const SUBNETS: [&str; 1] = [SUBNET_A];

/// The endpoints that nobody but functions in their role uses. The others serve the event source mapping of a broker, which
/// calls them as a service, too.
const CALLED_BY_FUNCTIONS: [&str; 2] = ["sns", "sqs"];

/// How many addresses endpoints have in a region with these datastores: each is charged by the hour. Endpoints by routes
/// are free.
pub(crate) fn endpoint_addresses(stores: &BTreeSet<Datastore>, is_writer: bool) -> usize {
    interfaces(stores, is_writer).len() * SUBNETS.len()
}

/// Adds the endpoints that the region needs.
pub(super) fn endpoints(site: &Site<'_>, place: &SetupRegion, stack: &mut Stack) {
    for service in interfaces(&site.request.stores, place.is_writer) {
        let mut properties = json!({
            "VpcId": reference("Vpc"),
            "VpcEndpointType": "Interface",
            "ServiceName": name(service),
            "SubnetIds": SUBNETS.map(reference),
            "SecurityGroupIds": [reference(ENDPOINTS_GROUP)],
            "PrivateDnsEnabled": true,
        });
        if CALLED_BY_FUNCTIONS.contains(&service) {
            properties["PolicyDocument"] = own_callers();
        }
        stack.tagged(&format!("{}Endpoint", camel(service)), "AWS::EC2::VPCEndpoint", properties);
    }
    for service in gateways(site) {
        let properties = json!({
            "VpcId": reference("Vpc"),
            "VpcEndpointType": "Gateway",
            "ServiceName": name(service),
            "RouteTableIds": [reference("Routes")],
            "PolicyDocument": own_callers(),
        });
        stack.tagged(&format!("{}Endpoint", camel(service)), "AWS::EC2::VPCEndpoint", properties);
    }
}

/// Whether there are endpoints with addresses of their own.
pub(super) fn has_interfaces(site: &Site<'_>, place: &SetupRegion) -> bool {
    !interfaces(&site.request.stores, place.is_writer).is_empty()
}

/// Whether there are endpoints by routes.
pub(super) fn has_gateways(site: &Site<'_>) -> bool {
    !gateways(site).is_empty()
}

/// None without a network. Readers send evaluations, writers publish to the topic. An event source mapping of a broker calls the function, takes
/// the function's role and reads the secret from within the broker's network (AWS Lambda Developer Guide, "Process Amazon
/// MQ messages with Lambda").
fn interfaces(stores: &BTreeSet<Datastore>, is_writer: bool) -> Vec<&'static str> {
    if !stores.iter().any(|store| store.needs_vpc()) {
        return Vec::new();
    }
    if is_writer {
        return if stores.contains(&Datastore::Sns) { vec!["sns"] } else { Vec::new() };
    }
    let mut services = vec!["sqs"];
    if stores.contains(&Datastore::Amq) {
        services.extend(["lambda", "secretsmanager", "sts"]);
    }
    services
}

fn gateways(site: &Site<'_>) -> Vec<&'static str> {
    let gateways = [(Datastore::Dynamo, "dynamodb"), (Datastore::S3, "s3")];
    gateways.into_iter().filter(|(store, _)| site.has(*store)).map(|(_, service)| service).collect()
}

fn name(service: &str) -> Value {
    sub(format!("com.amazonaws.${{AWS::Region}}.{service}"))
}
