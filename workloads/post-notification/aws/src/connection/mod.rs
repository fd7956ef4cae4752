//! `connection_info.yaml`: where the services are. The original artifact's file loads unchanged.

mod check;
mod entries;
mod forget;
mod form;
mod model;
mod names;
mod parse;
mod passwords;
mod problem;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use form::is_region;
pub use model::{
    BrokersInfo, ByRegion, CacheInfo, ConnectionInfo, DynamoInfo, MysqlInfo, Network, Password, QueueInfo, S3Info,
    SnsInfo,
};
pub use problem::{Guide, Problem};
