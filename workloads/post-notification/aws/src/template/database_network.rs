//! The network of a region's database: apart from the functions', and peered with it.

use serde_json::json;

use super::names::{MYSQL_PORT, NETWORK, ROUTES, VPC};
use super::network::subnet;
use super::peering::route;
use super::security;
use super::stack::Stack;
use super::value::reference;
use crate::site::{SetupRegion, Site, StackSpec, Subnet};

/// Part of the stacks' names.
pub(crate) const DATABASE_NETWORK: &str = "mysql-network";
/// Output: security group of the database.
pub(crate) const DATABASE_GROUP: &str = "DatabaseGroup";
/// Output: the database's group of subnets.
pub(crate) const SUBNET_GROUP: &str = "SubnetGroup";

/// The stack of a region. No route leads out of it but the one to the functions.
pub(crate) fn database_network(site: &Site<'_>, place: &SetupRegion) -> StackSpec {
    let mut stack = Stack::of(site, place, DATABASE_NETWORK, "network of the database");
    let functions = stack.take("FunctionsVpc", "The functions' network", site.output(place, NETWORK, VPC));
    let functions_routes = stack.take("FunctionsRoutes", "The functions' routes", site.output(place, NETWORK, ROUTES));
    let vpc = json!({
        "CidrBlock": place.database_cidr().to_string(),
        "EnableDnsSupport": true,
        "EnableDnsHostnames": true,
    });
    stack.tagged("Vpc", "AWS::EC2::VPC", vpc);
    stack.tagged("Routes", "AWS::EC2::RouteTable", json!({ "VpcId": reference("Vpc") }));
    for (id, which) in [("SubnetA", Subnet::A), ("SubnetB", Subnet::B)] {
        subnet(&mut stack, id, place, place.database_cidr(), which);
    }
    let peering = json!({ "VpcId": functions, "PeerVpcId": reference("Vpc") });
    stack.tagged("Peering", "AWS::EC2::VPCPeeringConnection", peering);
    let ours = place.cidr().subnet(Subnet::A);
    route(&mut stack, "RouteToFunctions", reference("Routes"), place.cidr(), reference("Peering"));
    route(&mut stack, "RouteToDatabase", functions_routes, place.database_cidr(), reference("Peering"));
    security::group(&mut stack, DATABASE_GROUP, "Database", vec![security::from(MYSQL_PORT, ours)], Vec::new());
    let subnets = json!({
        "DBSubnetGroupDescription": "Subnets of the database",
        "SubnetIds": [reference("SubnetA"), reference("SubnetB")],
    });
    stack.tagged(SUBNET_GROUP, "AWS::RDS::DBSubnetGroup", subnets);
    stack.give(SUBNET_GROUP, reference(SUBNET_GROUP));
    stack.give(DATABASE_GROUP, reference(DATABASE_GROUP));
    stack.finish()
}
