//! DynamoDB: posts as items of a global table.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_types::SdkConfig;
use matrix_app::{LineageId, Post, PostStorage, StorageError, WriteId, Written, sizes};

use crate::aws::classify;
use crate::config::DynamoPostConfig;
use crate::content::content;
use crate::dynamo::{Table, admin_of_table};

const SERVICE: &str = "dynamo";

/// One region's replica of the table of posts.
#[derive(Debug)]
pub struct DynamoPosts(Table);

impl DynamoPosts {
    /// The table's replica in the given region.
    #[must_use]
    pub fn new(config: &DynamoPostConfig, aws: &SdkConfig, region_name: &str) -> Self {
        Self(Table::new(&config.table, aws, region_name))
    }

    /// The lineage of a post, and whether the post is there at all. The read is consistent within the region, so that
    /// what is missing is missing in the whole region.
    async fn lineage_of(&self, key: &str) -> Result<Option<Option<String>>, StorageError> {
        let answer = self
            .0
            .client
            .get_item()
            .table_name(&self.0.name)
            .key("k", AttributeValue::S(key.to_owned()))
            .consistent_read(true)
            .projection_expression("k, cid")
            .send()
            .await
            .map_err(|error| classify(SERVICE, error))?;
        Ok(answer.item.map(|mut item| match item.remove("cid") {
            Some(AttributeValue::S(id)) => Some(id),
            _ => None,
        }))
    }
}

impl PostStorage for DynamoPosts {
    async fn write<'a>(&self, post: Post<'a>) -> Result<Written<'a>, StorageError> {
        let mut request = self
            .0
            .client
            .put_item()
            .table_name(&self.0.name)
            .item("k", AttributeValue::S(post.key.to_owned()))
            .item("b", AttributeValue::B(Blob::new(content(post.key, post.bytes))));
        if let Some(lineage) = post.lineage {
            request = request.item("cid", AttributeValue::S(lineage.to_string()));
        }
        request.send().await.map_err(|error| classify(SERVICE, error))?;
        Ok(Written { id: WriteId { key: post.key.into(), version: None }, bytes: sizes::dynamo(&post) })
    }

    async fn read(&self, key: &str) -> Result<bool, StorageError> {
        Ok(self.lineage_of(key).await?.is_some())
    }

    async fn is_visible(&self, write: &WriteId<'_>, lineage: LineageId) -> Result<bool, StorageError> {
        let found = self.lineage_of(&write.key).await?;
        Ok(found.flatten().is_some_and(|id| id == lineage.to_string()))
    }
}

admin_of_table!(DynamoPosts);
