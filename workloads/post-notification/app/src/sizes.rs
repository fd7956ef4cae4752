//! Logical sizes of stored posts: what an application pays for, by the services' documented rules where there are any.
//! Every storage, simulated or real, counts by these.

use crate::host::Post;
use crate::lineage::LineageId;

/// Attribute, column and metadata names, which some services count.
const KEY: &str = "k";
const CONTENT: &str = "b";
const CONTEXT_ID: &str = "cid";

/// A DynamoDB item: the UTF-8 bytes of each attribute's name and value (Amazon DynamoDB Developer Guide, "DynamoDB item
/// sizes and formats"). `k` and `b`, and with antipode `cid`.
#[must_use]
pub fn dynamo(post: &Post<'_>) -> u64 {
    let attributes = length(KEY) + length(post.key) + length(CONTENT) + post.bytes;
    attributes + post.lineage.map_or(0, |id| length(CONTEXT_ID) + decimal(id))
}

/// An S3 object: its content and its user metadata, of which each key and value counts its UTF-8 bytes (Amazon S3 User
/// Guide, "Working with object metadata"). With antipode `cid`.
#[must_use]
pub fn s3(post: &Post<'_>) -> u64 {
    post.bytes + post.lineage.map_or(0, |id| length(CONTEXT_ID) + decimal(id))
}

/// A MySQL row: the bytes of its columns' values: key and content, and with antipode the context id. Logical: what the
/// engine adds (row headers, pages, indexes) is not in it.
#[must_use]
pub fn mysql(post: &Post<'_>) -> u64 {
    length(post.key) + post.bytes + post.lineage.map_or(0, decimal)
}

/// Redis entries: the bytes of keys and values: the post, and with antipode the entry from the context id to the key.
/// Logical: what the server adds (objects, hash table, allocator) is not in it.
#[must_use]
pub fn redis(post: &Post<'_>) -> u64 {
    length(post.key) + post.bytes + post.lineage.map_or(0, |id| decimal(id) + length(post.key))
}

fn length(text: &str) -> u64 {
    text.len() as u64
}

/// Digits of a context id.
fn decimal(LineageId(id): LineageId) -> u64 {
    1 + u64::from(id.checked_ilog10().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(lineage: Option<LineageId>) -> [u64; 4] {
        let post = Post { key: "17QX4ZD0PA", bytes: 350_000, lineage };
        [dynamo(&post), s3(&post), mysql(&post), redis(&post)]
    }

    #[test]
    fn sizes_agree_with_the_published_ones() {
        // Published (PN, antipode_lambda): a DynamoDB item grows from 350,012 to 350,054 bytes.
        assert_eq!(sizes(None), [350_012, 350_000, 350_010, 350_010]);
        assert_eq!(sizes(Some(LineageId(u128::MAX))), [350_054, 350_042, 350_049, 350_059]);
    }

    #[test]
    fn a_short_context_id_counts_its_digits() {
        for id in [0, 9, 10, 99, 100, u128::MAX] {
            let digits = LineageId(id).to_string().len() as u64;
            assert_eq!(decimal(LineageId(id)), digits);
        }
    }
}
