//! Addresses, routes and rules of security groups.

use matrix_aws::StackSpec;
use matrix_aws::setup::{Parameter, StackId};
use serde_json::Value;

use crate::requests::{all, crowded, stacks};
use crate::walk::{of_kind, resources};

/// First and last address of a block.
fn block(cidr: &Value) -> (u32, u32) {
    let (address, bits) = cidr.as_str().unwrap().split_once('/').unwrap();
    let address = u32::from(address.parse::<std::net::Ipv4Addr>().unwrap());
    let size = 1_u64 << (32 - bits.parse::<u32>().unwrap());
    assert_eq!(u64::from(address) % size, 0, "{cidr} begins within a block");
    (address, u32::try_from(u64::from(address) + size - 1).unwrap())
}

#[test]
fn no_two_networks_have_an_address_in_common() {
    for request in all().into_iter().chain(crowded()) {
        let stacks = stacks(&request);
        let mut networks: Vec<_> =
            of_kind(&stacks, "AWS::EC2::VPC").iter().map(|(_, vpc)| block(&vpc["CidrBlock"])).collect();
        networks.sort_unstable();
        assert!(networks.windows(2).all(|pair| pair[0].1 < pair[1].0), "{networks:?}");
        for stack in &stacks {
            let (mut vpc, mut subnets) = (None, Vec::new());
            for (_, kind, properties) in resources(stack) {
                match kind {
                    "AWS::EC2::VPC" => vpc = Some(block(&properties["CidrBlock"])),
                    "AWS::EC2::Subnet" => subnets.push(block(&properties["CidrBlock"])),
                    _ => {}
                }
            }
            subnets.sort_unstable();
            assert!(subnets.windows(2).all(|pair| pair[0].1 < pair[1].0), "{subnets:?}");
            let inside = |subnet: &(u32, u32)| vpc.is_some_and(|vpc| vpc.0 <= subnet.0 && subnet.1 <= vpc.1);
            assert!(subnets.iter().all(inside), "{}", stack.id);
        }
    }
}

fn rules(properties: &Value, direction: &str) -> Vec<Value> {
    properties.get(direction).and_then(Value::as_array).cloned().unwrap_or_default()
}

#[test]
fn nobody_is_let_in_from_everywhere_and_only_named_ports_are_open() {
    let mut seen = 0;
    for request in all() {
        let stacks = stacks(&request);
        let mut ingress: Vec<Value> =
            of_kind(&stacks, "AWS::EC2::SecurityGroupIngress").into_iter().map(|(_, rule)| rule.clone()).collect();
        for (stack, group) in of_kind(&stacks, "AWS::EC2::SecurityGroup") {
            ingress.extend(rules(group, "SecurityGroupIngress"));
            let egress = rules(group, "SecurityGroupEgress");
            // Without any, the service lets everything out.
            assert!(!egress.is_empty(), "{}", stack.id);
            for rule in egress {
                let nowhere = rule["CidrIp"] == "255.255.255.255/32";
                let anywhere = rule["CidrIp"] == "0.0.0.0/0" || rule.get("CidrIpv6").is_some();
                assert!(nowhere || rule["IpProtocol"] == "tcp", "{rule}");
                assert!(!anywhere || (rule["FromPort"] == 443 && rule["ToPort"] == 443), "{rule}");
            }
        }
        for rule in ingress {
            seen += 1;
            assert!(rule["IpProtocol"] == "tcp" && rule["FromPort"] == rule["ToPort"], "{rule}");
            assert!([443, 3306, 6379, 61614, 61617].iter().any(|port| rule["FromPort"] == *port), "{rule}");
            assert!(rule.get("CidrIpv6").is_none(), "{rule}");
            if let Some(cidr) = rule.get("CidrIp") {
                let (first, last) = block(cidr);
                // 10.0.0.0/8, and no more than a network of it.
                assert!(first >> 24 == 10 && last - first < 1 << 16, "{rule}");
            }
        }
        for (stack, instance) in of_kind(&stacks, "AWS::RDS::DBInstance") {
            assert_eq!(instance["PubliclyAccessible"], false, "{}", stack.id);
        }
        for (stack, broker) in of_kind(&stacks, "AWS::AmazonMQ::Broker") {
            assert_eq!(broker["PubliclyAccessible"], false, "{}", stack.id);
        }
    }
    assert!(seen > 0);
}

/// The stack whose output a parameter is.
fn origin<'a>(stack: &'a StackSpec, reference: &Value) -> &'a StackId {
    match &stack.parameters[reference["Ref"].as_str().unwrap()] {
        Parameter::Output(from) => &from.stack,
        Parameter::Text(text) => panic!("{text}"),
    }
}

/// Every peering of networks of different stacks has a route on either side, to the other's addresses.
#[test]
fn peers_have_routes_to_each_other() {
    for request in all().into_iter().chain(crowded()) {
        let stacks = stacks(&request);
        let cidr_of = |id: &StackId| {
            let stack = stacks.iter().find(|stack| stack.id == *id).unwrap();
            resources(stack).find(|(_, kind, _)| *kind == "AWS::EC2::VPC").unwrap().2["CidrBlock"].clone()
        };
        for stack in &stacks {
            let Some((_, _, peering)) = resources(stack).find(|(_, kind, _)| *kind == "AWS::EC2::VPCPeeringConnection")
            else {
                continue;
            };
            let side = |vpc: &Value| {
                if vpc["Ref"] == "Vpc" && !stack.parameters.contains_key("Vpc") {
                    stack.id.clone()
                } else {
                    origin(stack, vpc).clone()
                }
            };
            let (near, far) = (side(&peering["VpcId"]), side(&peering["PeerVpcId"]));
            // Routes by this peering: here, and in the stack that takes its id.
            let mut routes = Vec::new();
            let takers =
                stacks.iter().filter(|other| other.id == stack.id || other.needs().any(|needed| *needed == stack.id));
            for taker in takers {
                for (_, kind, route) in resources(taker) {
                    if kind == "AWS::EC2::Route" && route.get("VpcPeeringConnectionId").is_some() {
                        let at = &route["RouteTableId"];
                        let table = if at["Ref"] == "Routes" { &taker.id } else { origin(taker, at) };
                        routes.push((table.clone(), route["DestinationCidrBlock"].clone()));
                    }
                }
            }
            routes.sort_by_key(|(table, to)| (table.clone(), to.to_string()));
            let mut expected = vec![(near.clone(), cidr_of(&far)), (far.clone(), cidr_of(&near))];
            expected.sort_by_key(|(table, to)| (table.clone(), to.to_string()));
            assert_eq!(routes, expected, "{}", stack.id);
        }
    }
}
