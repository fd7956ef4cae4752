//! A table of DynamoDB: emptying and counting it.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, WriteRequest};
use aws_types::SdkConfig;
use matrix_app::StorageError;
use matrix_app::host::ErrorKind;

use crate::admin::Contents;
use crate::aws::{classify, region};
use crate::failure::failure;

const SERVICE: &str = "dynamo";

/// Most requests in one batch of writes (a limit of DynamoDB).
const BATCH: usize = 25;

/// How often a batch is sent again for what the service left undone, with a pause that doubles from 50 ms.
const BATCH_ATTEMPTS: u32 = 8;

/// A table whose partition key is the string `k`, at one region's end.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) client: Client,
    pub(crate) name: String,
}

impl Table {
    pub(crate) fn new(name: &str, aws: &SdkConfig, region_name: &str) -> Self {
        let settings = Builder::from(aws).region(region(region_name)).build();
        Self { client: Client::from_conf(settings), name: name.to_owned() }
    }

    /// One page of items, and the key after which the next begins. `projection` names the attributes; all when missing.
    async fn page(
        &self,
        after: Option<Item>,
        projection: Option<&str>,
    ) -> Result<(Vec<Item>, Option<Item>), StorageError> {
        let answer = self
            .client
            .scan()
            .table_name(&self.name)
            .consistent_read(true)
            .set_projection_expression(projection.map(str::to_owned))
            .set_exclusive_start_key(after)
            .send()
            .await
            .map_err(|error| classify(SERVICE, error))?;
        Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key.filter(|key| !key.is_empty())))
    }

    /// Deletes every item, a page at a time.
    pub(crate) async fn clean(&self) -> Result<(), StorageError> {
        let mut after = None;
        loop {
            let (items, next) = self.page(after, Some("k")).await?;
            for batch in items.chunks(BATCH) {
                self.delete(batch).await?;
            }
            if next.is_none() {
                return Ok(());
            }
            after = next;
        }
    }

    async fn delete(&self, keys: &[Item]) -> Result<(), StorageError> {
        let requests = keys
            .iter()
            .map(|key| {
                let delete = DeleteRequest::builder().set_key(Some(key.clone())).build()?;
                Ok(WriteRequest::builder().delete_request(delete).build())
            })
            .collect::<Result<Vec<_>, aws_sdk_dynamodb::error::BuildError>>()
            .map_err(|error| failure(SERVICE, ErrorKind::Malformed, error))?;
        let mut left = HashMap::from([(self.name.clone(), requests)]);
        for attempt in 0..BATCH_ATTEMPTS {
            let answer = self.client.batch_write_item().set_request_items(Some(left)).send().await;
            left = answer.map_err(|error| classify(SERVICE, error))?.unprocessed_items.unwrap_or_default();
            if left.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
        }
        Err(failure(SERVICE, ErrorKind::Throttled, "a batch of deletions was left undone"))
    }

    pub(crate) async fn contents(&self) -> Result<Contents, StorageError> {
        let mut contents = Contents::default();
        let mut after = None;
        loop {
            let (items, next) = self.page(after, None).await?;
            contents.items += items.len() as u64;
            contents.bytes += items.iter().map(item_bytes).sum::<u64>();
            if next.is_none() {
                return Ok(contents);
            }
            after = next;
        }
    }

    pub(crate) async fn is_empty(&self) -> Result<bool, StorageError> {
        let mut after = None;
        loop {
            let (items, next) = self.page(after, Some("k")).await?;
            if !items.is_empty() || next.is_none() {
                return Ok(items.is_empty());
            }
            after = next;
        }
    }
}

/// Has what is kept in a table examined and emptied. The table, its replicas and its stream come with the deployment; a stream holds the
/// removals afterwards, which the reader ignores.
macro_rules! admin_of_table {
    ($type:ident) => {
        impl crate::admin::Admin for $type {
            async fn build(&self) -> Result<(), matrix_app::StorageError> {
                Ok(())
            }
            async fn clean(&self) -> Result<(), matrix_app::StorageError> {
                self.0.clean().await
            }
            async fn contents(&self) -> Result<crate::admin::Contents, matrix_app::StorageError> {
                self.0.contents().await
            }
            async fn is_empty(&self) -> Result<bool, matrix_app::StorageError> {
                self.0.is_empty().await
            }
        }
    };
}
pub(crate) use admin_of_table;

type Item = HashMap<String, AttributeValue>;

/// Size of an item of strings and blobs (Amazon DynamoDB Developer Guide, "DynamoDB item sizes and formats"). Nobody here
/// writes another type.
fn item_bytes(item: &Item) -> u64 {
    let value = |value: &AttributeValue| match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::B(blob) => blob.as_ref().len(),
        _ => 0,
    };
    let mut bytes = 0;
    #[expect(clippy::iter_over_hash_type, reason = "a sum does not depend on the order")]
    for (name, content) in item {
        bytes += (name.len() + value(content)) as u64;
    }
    bytes
}
