//! Peering of the writer's network with each reader's: brokers talk over it.

use serde_json::{Value, json};

use super::names::{NETWORK, ROUTES, VPC};
use super::stack::Stack;
use super::value::reference;
use crate::site::{Cidr, SetupRegion, Site, StackSpec};

/// Part of the names of the stacks with the readers' routes.
const PEERING_ROUTES: &str = "peering-routes";
/// Output: the peering.
const PEERING_ID: &str = "PeeringId";

/// The stack in the writer's region: the peering with a reader's network, and the route to it. Both networks are of one
/// account, so that the service accepts it by itself.
pub(crate) fn peering(site: &Site<'_>, reader: &SetupRegion) -> StackSpec {
    let mut stack = Stack::of(site, &site.writer, &part(reader), "peering of the writer's and a reader's network");
    let own = stack.take("Vpc", "The writer's network", site.output(&site.writer, NETWORK, VPC));
    let peer = stack.take("PeerVpc", "The reader's network", site.output(reader, NETWORK, VPC));
    let routes = stack.take("RouteTable", "The writer's routes", site.output(&site.writer, NETWORK, ROUTES));
    let properties = json!({ "VpcId": own, "PeerVpcId": peer, "PeerRegion": reader.aws });
    stack.tagged("Peering", "AWS::EC2::VPCPeeringConnection", properties);
    route(&mut stack, "Route", routes, reader.cidr(), reference("Peering"));
    stack.give(PEERING_ID, reference("Peering"));
    stack.finish()
}

/// The stack in a reader's region: the route back.
pub(crate) fn peering_routes(site: &Site<'_>, reader: &SetupRegion) -> StackSpec {
    let mut stack = Stack::of(site, reader, PEERING_ROUTES, "route from a reader's to the writer's network");
    let routes = stack.take("RouteTable", "The reader's routes", site.output(reader, NETWORK, ROUTES));
    let peering = stack.take("Peering", "The peering", site.output(&site.writer, &part(reader), PEERING_ID));
    route(&mut stack, "Route", routes, site.writer.cidr(), peering);
    stack.finish()
}

/// Adds a route to a peer.
pub(super) fn route(stack: &mut Stack, id: &str, routes: Value, to: Cidr, peering: Value) {
    let properties = json!({
        "RouteTableId": routes,
        "DestinationCidrBlock": to.to_string(),
        "VpcPeeringConnectionId": peering,
    });
    stack.add(id, "AWS::EC2::Route", properties);
}

fn part(reader: &SetupRegion) -> String {
    format!("peering-{}", reader.short)
}
