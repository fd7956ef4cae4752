//! `payload`: how long a post's content is.

use toml::de::DeValue;

use crate::axes::PostStorage;
use crate::point::Axes;
use crate::problem::Problem;
use matrix_core::walk::{Value, integer, text};

/// Length of the posts' content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// What the original artifact wrote, which depends on the post storage.
    Original,
    /// So many bytes, in every post storage.
    Bytes(u64),
}

impl Payload {
    /// The length in bytes in the given post storage.
    ///
    /// The original's lengths are those of `Antipode-SOSP23/antipode-post-notification`: 350,000 random bytes for
    /// DynamoDB, 1,000,000 for MySQL and S3; for Redis the text of a Python `bytes` literal of 1,000,000 random bytes,
    /// which is about 2,871,000 characters long.
    #[must_use]
    pub fn bytes(self, post_storage: PostStorage) -> u64 {
        match (self, post_storage) {
            (Self::Bytes(bytes), _) => bytes,
            (Self::Original, PostStorage::Dynamo) => 350_000,
            (Self::Original, PostStorage::Mysql | PostStorage::S3) => 1_000_000,
            (Self::Original, PostStorage::Redis) => 2_871_000,
        }
    }
}

/// The longest content that a post storage takes, in bytes: a DynamoDB item has at most 400 KiB including the names and
/// values of its other attributes (256 bytes are set aside for them), a Redis string 512 MiB, a MySQL LONGBLOB
/// 2^32 - 1 bytes, an S3 object written at once 5 GiB (the services' documentation).
fn capacity(post_storage: PostStorage) -> u64 {
    match post_storage {
        PostStorage::Dynamo => 400 * 1024 - 256,
        PostStorage::Redis => 512 << 20,
        PostStorage::Mysql => (1 << 32) - 1,
        PostStorage::S3 => 5 << 30,
    }
}

/// Reads `payload`.
pub(crate) fn payload(value: &Value<'_>, problems: &mut Vec<Problem>) -> Option<Payload> {
    if let DeValue::String(_) = value.get_ref() {
        let text = text(value, "`payload`", problems)?;
        if text == "original" {
            return Some(Payload::Original);
        }
        let problem = Problem::new(format!("unknown payload `{text}`")).at(value.span());
        problems.push(problem.unknown(text, "a number of bytes, or", &["original"]));
        return None;
    }
    integer(value, "`payload`", 1..=capacity(PostStorage::S3), problems).map(Payload::Bytes)
}

/// Notes a post storage that cannot hold the payload.
pub(crate) fn check(payload: Payload, value: &Value<'_>, points: &[Axes], problems: &mut Vec<Problem>) {
    for post_storage in PostStorage::ALL {
        let used = || points.iter().any(|axes| axes.combination.post_storage == *post_storage);
        if payload.bytes(*post_storage) > capacity(*post_storage) && used() {
            problems.push(
                Problem::new(format!("{post_storage} cannot hold posts of {} bytes", payload.bytes(*post_storage)))
                    .at(value.span())
                    .label(format!("{post_storage} takes at most {} bytes", capacity(*post_storage)))
                    .help("use a smaller payload, \"original\", or other post storages"),
            );
        }
    }
}
