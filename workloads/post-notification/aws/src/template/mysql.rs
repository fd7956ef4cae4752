//! Aurora MySQL: a global database.

use serde_json::json;

use super::database_network::{DATABASE_GROUP, DATABASE_NETWORK, SUBNET_GROUP};
use super::names::MYSQL_PORT;
use super::secrets::{MYSQL_SECRET, SECRETS, USER};
use super::stack::Stack;
use super::value::{attribute, password_of, reference, zone};
use crate::site::{SetupRegion, Site, StackSpec};

/// Part of the stacks' names.
pub(crate) const MYSQL: &str = "mysql";
/// Output: host of the region's instance.
pub(crate) const MYSQL_HOST: &str = "Host";
/// The database in the database server.
pub(crate) const DATABASE: &str = "matrix";

const ENGINE: &str = "aurora-mysql";
const GLOBAL: &str = "GlobalCluster";

/// The stack of a region: a cluster with one instance in zone `a`. In the writer's region also the global cluster that
/// the readers' clusters join.
pub(crate) fn mysql(site: &Site<'_>, place: &SetupRegion) -> StackSpec {
    let purpose = if place.is_writer { "Aurora MySQL: global database" } else { "Aurora MySQL: replica" };
    let mut stack = Stack::of(site, place, MYSQL, purpose);
    let services = &site.request.services;
    let subnets = site.output(place, DATABASE_NETWORK, SUBNET_GROUP);
    let group = site.output(place, DATABASE_NETWORK, DATABASE_GROUP);
    let mut cluster = json!({
        "DBClusterIdentifier": site.local_name(MYSQL, place),
        "Engine": ENGINE,
        "EngineVersion": services.mysql_version,
        "DBSubnetGroupName": stack.take("SubnetGroup", "Subnets of the database", subnets),
        "VpcSecurityGroupIds": [stack.take("SecurityGroup", "Security group of the database", group)],
        // As in the original: encryption would need a key in each region, and posts are noise.
        "StorageEncrypted": false,
        "BackupRetentionPeriod": 1,
        "DeletionProtection": false,
    });
    if place.is_writer {
        let secret = site.output(&site.writer, SECRETS, MYSQL_SECRET);
        stack.take("Secret", "Secret of the user", secret);
        global_cluster(site, &mut stack);
        cluster["GlobalClusterIdentifier"] = reference(GLOBAL);
        cluster["MasterUsername"] = json!(USER);
        cluster["MasterUserPassword"] = password_of("Secret");
        cluster["DatabaseName"] = json!(DATABASE);
        cluster["Port"] = json!(MYSQL_PORT);
    } else {
        // Taken from the primary's stack, so that there is a primary to replicate.
        let global = site.output(&site.writer, MYSQL, GLOBAL);
        cluster["GlobalClusterIdentifier"] = stack.take("GlobalCluster", "Global cluster to join", global);
        // One at a time: a global cluster that is being changed may refuse a member (InvalidGlobalClusterStateFault).
        stack.after(site.readers_before(place, MYSQL));
    }
    stack.tagged("Cluster", "AWS::RDS::DBCluster", cluster);
    leave_no_snapshot(&mut stack, "Cluster");
    instance(site, &mut stack, place);
    if place.is_writer {
        stack.give(GLOBAL, reference(GLOBAL));
    }
    stack.finish()
}

fn global_cluster(site: &Site<'_>, stack: &mut Stack) {
    let properties = json!({
        "GlobalClusterIdentifier": site.name(MYSQL),
        "Engine": ENGINE,
        "EngineVersion": site.request.services.mysql_version,
        "StorageEncrypted": false,
        "DeletionProtection": false,
    });
    stack.tagged(GLOBAL, "AWS::RDS::GlobalCluster", properties);
    leave_no_snapshot(stack, GLOBAL);
}

/// An instance without any monitoring, which would take its time from queries.
fn instance(site: &Site<'_>, stack: &mut Stack, place: &SetupRegion) {
    let properties = json!({
        "DBInstanceIdentifier": site.local_name("mysql-instance", place),
        "DBClusterIdentifier": reference("Cluster"),
        "Engine": ENGINE,
        "DBInstanceClass": site.request.services.mysql_class,
        "AvailabilityZone": zone('a'),
        "PubliclyAccessible": false,
        "AutoMinorVersionUpgrade": false,
        "EnablePerformanceInsights": false,
        "MonitoringInterval": 0,
    });
    stack.tagged("Instance", "AWS::RDS::DBInstance", properties);
    leave_no_snapshot(stack, "Instance");
    stack.give(MYSQL_HOST, attribute("Instance", "Endpoint.Address"));
}

fn leave_no_snapshot(stack: &mut Stack, id: &str) {
    stack.mark(id, "DeletionPolicy", "Delete");
    stack.mark(id, "UpdateReplacePolicy", "Delete");
}
