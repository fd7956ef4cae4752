//! `connection_info.yaml`: where the services are. The original artifact's file loads unchanged.

mod model;

pub use model::{
    BrokersInfo, ByRegion, CacheInfo, ConnectionInfo, DynamoInfo, MysqlInfo, Network, Password, QueueInfo, S3Info,
    SnsInfo,
};
