//! Names and ports that templates of several topics share, apart from all of them: so no topic needs one that needs it.

/// Part of the names of the stacks of networks.
pub(crate) const NETWORK: &str = "network";
/// Output: the VPC.
pub(crate) const VPC: &str = "VpcId";
/// Output: the subnet in zone `a`, of functions, brokers and primaries.
pub(crate) const SUBNET_A: &str = "SubnetA";
/// Output: the subnet in another zone, of Redis's second node.
pub(crate) const SUBNET_B: &str = "SubnetB";
/// Output: the route table of both subnets.
pub(crate) const ROUTES: &str = "RouteTable";
/// Output: security group of the functions.
pub(crate) const FUNCTIONS_GROUP: &str = "FunctionsGroup";
/// Output: security group of Redis.
pub(crate) const REDIS_GROUP: &str = "RedisGroup";
/// Output: security group of the broker.
pub(crate) const BROKER_GROUP: &str = "BrokerGroup";
/// Resource: security group of the endpoints of AWS's services.
pub(crate) const ENDPOINTS_GROUP: &str = "EndpointsGroup";
/// TCP port of MySQL.
pub(crate) const MYSQL_PORT: u16 = 3306;
/// TCP port of Redis.
pub(crate) const REDIS_PORT: u16 = 6379;

/// Part of the name of the stack of roles.
pub(crate) const ROLES: &str = "roles";
/// Output: ARN of the role in which CloudFormation makes the functions' stacks.
pub(crate) const CLOUDFORMATION_ROLE: &str = "CloudFormationRoleArn";
/// Output: ARN of the functions' role.
pub(crate) const FUNCTIONS_ROLE: &str = "FunctionsRoleArn";
/// Output: ARN of the role in which S3 replicates posts.
pub(crate) const REPLICATION_ROLE: &str = "ReplicationRoleArn";
