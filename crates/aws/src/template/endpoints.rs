//! Endpoints of AWS's services in a region's network: functions in it have no other way to them.

use serde_json::json;

use super::network::SUBNET_A;
use super::security::ENDPOINTS_GROUP;
use super::stack::Stack;
use super::value::{camel, reference, sub};
use crate::Datastore;
use crate::setup::{Place, Site};

/// Adds the endpoints that the region needs.
pub(super) fn endpoints(site: &Site<'_>, place: &Place, stack: &mut Stack) {
    for service in interfaces(site, place) {
        let properties = json!({
            "VpcId": reference("Vpc"),
            "VpcEndpointType": "Interface",
            "ServiceName": name(service),
            "SubnetIds": [reference(SUBNET_A)],
            "SecurityGroupIds": [reference(ENDPOINTS_GROUP)],
            "PrivateDnsEnabled": true,
        });
        stack.tagged(&format!("{}Endpoint", camel(service)), "AWS::EC2::VPCEndpoint", properties);
    }
    for service in gateways(site) {
        let properties = json!({
            "VpcId": reference("Vpc"),
            "VpcEndpointType": "Gateway",
            "ServiceName": name(service),
            "RouteTableIds": [reference("Routes")],
        });
        stack.tagged(&format!("{}Endpoint", camel(service)), "AWS::EC2::VPCEndpoint", properties);
    }
}

/// Whether there are endpoints with addresses of their own.
pub(super) fn has_interfaces(site: &Site<'_>, place: &Place) -> bool {
    !interfaces(site, place).is_empty()
}

/// Whether there are endpoints by routes.
pub(super) fn has_gateways(site: &Site<'_>) -> bool {
    !gateways(site).is_empty()
}

/// Readers send evaluations, writers publish to the topic. An event source mapping of a broker calls the function, takes
/// the function's role and reads the secret from within the broker's network (AWS Lambda Developer Guide, "Process Amazon
/// MQ messages with Lambda").
fn interfaces(site: &Site<'_>, place: &Place) -> Vec<&'static str> {
    if place.is_writer {
        return if site.has(Datastore::Sns) { vec!["sns"] } else { Vec::new() };
    }
    let mut services = vec!["sqs"];
    if site.has(Datastore::Amq) {
        services.extend(["lambda", "secretsmanager", "sts"]);
    }
    services
}

fn gateways(site: &Site<'_>) -> Vec<&'static str> {
    let gateways = [(Datastore::Dynamo, "dynamodb"), (Datastore::S3, "s3")];
    gateways.into_iter().filter(|(store, _)| site.has(*store)).map(|(_, service)| service).collect()
}

fn name(service: &str) -> serde_json::Value {
    sub(format!("com.amazonaws.${{AWS::Region}}.{service}"))
}
