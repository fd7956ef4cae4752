//! The choice of a post storage, at the edge.

use aws_types::SdkConfig;
use matrix_app::{LineageId, Post, PostStorage, StorageError, WriteId, Written};

use super::{DynamoPosts, MysqlPosts, RedisPosts, S3Posts};
use crate::admin::{admin_of_each, each};
use crate::config::{FunctionConfig, PostConfig, Side};

/// Any of the post storages, at one of its ends.
#[derive(Debug)]
#[expect(missing_docs, reason = "the variants are the storages")]
pub enum AnyPost {
    Mysql(MysqlPosts),
    Dynamo(DynamoPosts),
    S3(S3Posts),
    Redis(RedisPosts),
}

impl AnyPost {
    /// The end of the configured storage on the given side. No connection is made yet.
    #[must_use]
    pub fn new(config: &FunctionConfig, aws: &SdkConfig, side: Side) -> Self {
        let region = config.region(side);
        match &config.post {
            PostConfig::Mysql(mysql) => Self::Mysql(MysqlPosts::new(mysql, side)),
            PostConfig::Dynamo(dynamo) => Self::Dynamo(DynamoPosts::new(dynamo, aws, region)),
            PostConfig::S3(s3) => Self::S3(S3Posts::new(s3, aws, region, side)),
            PostConfig::Redis(redis) => Self::Redis(RedisPosts::new(redis, side)),
        }
    }
}

impl PostStorage for AnyPost {
    async fn write<'a>(&self, post: Post<'a>) -> Result<Written<'a>, StorageError> {
        each!(AnyPost { Mysql Dynamo S3 Redis }: self, posts => posts.write(post).await)
    }

    async fn read(&self, key: &str) -> Result<bool, StorageError> {
        each!(AnyPost { Mysql Dynamo S3 Redis }: self, posts => posts.read(key).await)
    }

    async fn is_visible(&self, write: &WriteId<'_>, lineage: LineageId) -> Result<bool, StorageError> {
        each!(AnyPost { Mysql Dynamo S3 Redis }: self, posts => posts.is_visible(write, lineage).await)
    }
}

admin_of_each!(AnyPost { Mysql Dynamo S3 Redis });
