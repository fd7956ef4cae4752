//! Post storages.

mod any;
mod dynamo;
mod mysql;
mod redis;
mod s3;

pub use any::AnyPost;
pub use dynamo::DynamoPosts;
pub use mysql::MysqlPosts;
pub use redis::RedisPosts;
pub use s3::S3Posts;
