//! What costs by the hour, counted in the templates and in the cost.

use std::collections::BTreeMap;

use matrix_aws::cost::{Prices, setup_cost};

use crate::requests::{all, stacks};
use crate::walk::of_kind;

/// Numbers of what costs by the hour, by kind and region.
type Counts<'a> = BTreeMap<(&'a str, &'a str), usize>;

/// The kinds, as the lines of the cost begin.
const KINDS: [&str; 5] = ["interface endpoints", "secrets", "Aurora instance", "ElastiCache nodes", "ActiveMQ broker"];

#[test]
fn what_costs_by_the_hour_is_what_the_templates_make() {
    let prices = Prices::builtin().unwrap();
    for request in all() {
        let stacks = stacks(&request);
        let mut made = Counts::new();
        let mut add = |kind: usize, region, count| *made.entry((KINDS[kind], region)).or_default() += count;
        for (stack, endpoint) in of_kind(&stacks, "AWS::EC2::VPCEndpoint") {
            match endpoint["VpcEndpointType"].as_str().unwrap() {
                "Interface" => {
                    // One address in each zone, and each costs.
                    add(0, stack.id.region.as_str(), endpoint["SubnetIds"].as_array().unwrap().len());
                }
                // Free.
                other => assert_eq!(other, "Gateway"),
            }
        }
        for (stack, secret) in of_kind(&stacks, "AWS::SecretsManager::Secret") {
            add(1, stack.id.region.as_str(), 1);
            // A replica costs as much as a secret.
            for replica in secret.get("ReplicaRegions").into_iter().flat_map(|list| list.as_array().unwrap()) {
                add(1, replica["Region"].as_str().unwrap(), 1);
            }
        }
        for (stack, _) in of_kind(&stacks, "AWS::RDS::DBInstance") {
            add(2, stack.id.region.as_str(), 1);
        }
        for (stack, group) in of_kind(&stacks, "AWS::ElastiCache::ReplicationGroup") {
            add(3, stack.id.region.as_str(), group["NumCacheClusters"].as_u64().unwrap() as usize);
        }
        for (stack, _) in of_kind(&stacks, "AWS::AmazonMQ::Broker") {
            add(4, stack.id.region.as_str(), 1);
        }

        let cost = setup_cost(&request, &prices).unwrap();
        let mut charged = Counts::new();
        for line in &cost.lines {
            let kind = KINDS.iter().find(|kind| line.resource.starts_with(**kind)).unwrap();
            *charged.entry((*kind, line.region.as_str())).or_default() += line.count as usize;
        }
        assert_eq!(charged, made, "{:?} in {} regions", request.stores, request.readers.len() + 1);
    }
}
