//! The network of a region: for functions, brokers and Redis.

use serde_json::json;

use super::names::{NETWORK, ROUTES, SUBNET_A, SUBNET_B, VPC};
use super::stack::Stack;
use super::value::{reference, zone};
use super::{endpoints, security};
use crate::Datastore;
use crate::site::{Cidr, SetupRegion, Site, StackSpec, Subnet};

/// The stack of a region.
pub(crate) fn network(site: &Site<'_>, place: &SetupRegion) -> StackSpec {
    let mut stack = Stack::of(site, place, NETWORK, "network of functions, brokers and Redis");
    let vpc = json!({
        "CidrBlock": place.cidr().to_string(),
        "EnableDnsSupport": true,
        // Endpoints and brokers are found by name.
        "EnableDnsHostnames": true,
    });
    stack.tagged("Vpc", "AWS::EC2::VPC", vpc);
    stack.give(VPC, reference("Vpc"));
    stack.tagged("Routes", "AWS::EC2::RouteTable", json!({ "VpcId": reference("Vpc") }));
    if site.has(Datastore::Mysql) || site.has(Datastore::Amq) {
        // Peers' routes go into it.
        stack.give(ROUTES, reference("Routes"));
    }
    let second = site.has(Datastore::Redis).then_some((SUBNET_B, Subnet::B));
    for (id, which) in [(SUBNET_A, Subnet::A)].into_iter().chain(second) {
        subnet(&mut stack, id, place, place.cidr(), which);
        stack.give(id, reference(id));
    }
    gateway(&mut stack);
    security::groups(site, place, &mut stack);
    endpoints::endpoints(site, place, &mut stack);
    stack.finish()
}

/// A subnet of the stack's network, and its routes.
pub(super) fn subnet(stack: &mut Stack, id: &str, place: &SetupRegion, network: Cidr, subnet: Subnet) {
    let letter = if subnet == Subnet::A { 'a' } else { place.second_zone };
    let properties = json!({
        "VpcId": reference("Vpc"),
        "CidrBlock": network.subnet(subnet).to_string(),
        "AvailabilityZone": zone(letter),
        "MapPublicIpOnLaunch": false,
    });
    stack.tagged(id, "AWS::EC2::Subnet", properties);
    let properties = json!({ "SubnetId": reference(id), "RouteTableId": reference("Routes") });
    stack.add(&format!("{id}Routes"), "AWS::EC2::SubnetRouteTableAssociation", properties);
}

/// The way out, as in the original's network. Nothing of a set-up has a public address, so that nothing comes in by it.
fn gateway(stack: &mut Stack) {
    stack.tagged("Gateway", "AWS::EC2::InternetGateway", json!({}));
    let attachment = json!({ "VpcId": reference("Vpc"), "InternetGatewayId": reference("Gateway") });
    stack.add("GatewayAttachment", "AWS::EC2::VPCGatewayAttachment", attachment);
    let route = json!({
        "RouteTableId": reference("Routes"),
        "DestinationCidrBlock": "0.0.0.0/0",
        "GatewayId": reference("Gateway"),
    });
    stack.add("GatewayRoute", "AWS::EC2::Route", route);
    stack.mark("GatewayRoute", "DependsOn", json!(["GatewayAttachment"]));
}
