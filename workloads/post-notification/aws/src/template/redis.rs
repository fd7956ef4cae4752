//! ElastiCache for Redis: a global datastore.

use serde_json::{Value, json};

use super::names::{NETWORK, REDIS_GROUP, REDIS_PORT, SUBNET_A, SUBNET_B};
use super::stack::Stack;
use super::value::{attribute, reference, zone};
use crate::site::{SetupRegion, Site, StackSpec};

/// Part of the stacks' names.
pub(crate) const REDIS: &str = "redis";
/// Part of the name of the stack that joins the regions.
const REDIS_GLOBAL: &str = "redis-global";
/// Output: host of the primary endpoint; in a reader's region, too, it is the one that answers there.
pub(crate) const REDIS_HOST: &str = "Host";
/// The replication group; also an output of the writer's stack.
const GROUP: &str = "ReplicationGroup";
const GLOBAL_ID: &str = "GlobalReplicationGroupId";

/// The stack of a region: a primary node in zone `a` and a replica in another zone. In a reader's region it joins the
/// global datastore, which decides engine, version and size.
pub(crate) fn redis(site: &Site<'_>, place: &SetupRegion) -> StackSpec {
    let purpose = if place.is_writer { "Redis: primary and its replica" } else { "Redis: global datastore's replica" };
    let mut stack = Stack::of(site, place, REDIS, purpose);
    let subnet_a = stack.take("SubnetA", "Subnet of the first node", site.output(place, NETWORK, SUBNET_A));
    let subnet_b = stack.take("SubnetB", "Subnet of the second node", site.output(place, NETWORK, SUBNET_B));
    let group = stack.take("SecurityGroup", "Security group of Redis", site.output(place, NETWORK, REDIS_GROUP));
    let subnets = json!({
        "CacheSubnetGroupName": site.name(REDIS),
        "Description": "Subnets of Redis",
        "SubnetIds": [subnet_a, subnet_b],
    });
    stack.tagged("Subnets", "AWS::ElastiCache::SubnetGroup", subnets);
    let mut properties = json!({
        "ReplicationGroupId": site.local_name(REDIS, place),
        "ReplicationGroupDescription": "Posts",
        "NumCacheClusters": 2,
        "PreferredCacheClusterAZs": [zone('a'), zone(place.second_zone)],
        "AutomaticFailoverEnabled": true,
        "MultiAZEnabled": true,
        "AutoMinorVersionUpgrade": false,
        "SnapshotRetentionLimit": 0,
        "CacheSubnetGroupName": reference("Subnets"),
        "SecurityGroupIds": [group],
    });
    if place.is_writer {
        primary(site, &mut properties);
    } else {
        let from = site.output(&site.writer, REDIS_GLOBAL, GLOBAL_ID);
        properties["GlobalReplicationGroupId"] = stack.take("GlobalDatastore", "Global datastore to join", from);
        // The service refuses a member while another's change is under way (InvalidGlobalReplicationGroupState).
        stack.after(site.readers_before(place, REDIS));
    }
    insert(&mut stack, properties);
    if place.is_writer {
        stack.give(GROUP, reference(GROUP));
    }
    stack.finish()
}

/// What a global datastore's secondaries have from it.
fn primary(site: &Site<'_>, properties: &mut Value) {
    let services = &site.request.services;
    properties["Engine"] = json!("redis");
    properties["EngineVersion"] = json!(services.redis_version);
    properties["CacheNodeType"] = json!(services.redis_class);
    properties["Port"] = json!(REDIS_PORT);
    // Functions speak plain Redis; the security group lets nobody else in.
    properties["TransitEncryptionEnabled"] = json!(false);
    properties["AtRestEncryptionEnabled"] = json!(false);
}

fn insert(stack: &mut Stack, properties: Value) {
    stack.tagged(GROUP, "AWS::ElastiCache::ReplicationGroup", properties);
    stack.mark(GROUP, "DeletionPolicy", "Delete");
    stack.mark(GROUP, "UpdateReplacePolicy", "Delete");
    stack.give(REDIS_HOST, attribute(GROUP, "PrimaryEndPoint.Address"));
}

/// The stack that makes the primary a global datastore. It is removed first: that lets go of the secondaries, which the
/// service refuses to delete while they belong to it.
pub(crate) fn redis_global(site: &Site<'_>) -> StackSpec {
    let mut stack = Stack::of(site, &site.writer, REDIS_GLOBAL, "Redis: global datastore");
    stack.removed_first();
    let primary = stack.take("Primary", "Primary replication group", site.output(&site.writer, REDIS, GROUP));
    let member = json!({
        "ReplicationGroupId": primary,
        "ReplicationGroupRegion": reference("AWS::Region"),
        "Role": "PRIMARY",
    });
    let properties = json!({
        "GlobalReplicationGroupIdSuffix": site.name(REDIS),
        "GlobalReplicationGroupDescription": "Posts",
        "Members": [member],
    });
    stack.tagged("Global", "AWS::ElastiCache::GlobalReplicationGroup", properties);
    stack.give(GLOBAL_ID, attribute("Global", "GlobalReplicationGroupId"));
    stack.finish()
}
