//! What is expected of a cell before anybody has run it. Every number is an assumption with a source; none is measured
//! here, and none is of this implementation. They err on the side of more.

use matrix_plan::{Barrier, PostStorage};

/// Mean consistency windows that the authors published, notified by SNS: without antipode and with, in milliseconds (`plot`
/// of `Antipode-SOSP23/antipode-post-notification` at 1945ec4; of its two region pairs the longer window). Other
/// notification storages are expected to be like SNS.
pub(super) fn windows_ms(storage: PostStorage) -> (f64, f64) {
    match storage {
        PostStorage::Redis => (499.49, 909.48),
        PostStorage::Dynamo => (679.25, 2058.26),
        PostStorage::Mysql => (1219.94, 1662.87),
        PostStorage::S3 => (846.36, 18532.72),
    }
}

/// What a reader does besides waiting: reading, and sending its evaluation, in milliseconds. Assumed.
pub(super) const READER_MS: f64 = 250.0;

/// Way from the client to the writer's function and back, in milliseconds. Assumed.
pub(super) const CLIENT_MS: f64 = 100.0;

/// A question of the barrier, in milliseconds. Assumed.
pub(super) const POLL_MS: f64 = 10.0;

/// Cleaning and settling around a cell, in minutes: a queue may be purged once in 60 seconds, and is before and after.
pub(super) const SETTLING_MINUTES: f64 = 2.0;

/// Shards of a DynamoDB stream, each of which serves one reader at a time: a new table on demand has four partitions
/// (it takes 4,000 write units a second, and a partition 1,000).
pub(super) const STREAM_SHARDS: f64 = 4.0;

/// Names and small attributes of an item, headers of an object, in bytes. Assumed.
pub(super) const POST_OVERHEAD_BYTES: u64 = 200;

/// A notification on its way, its lineage and the service's envelope included, in bytes. Assumed.
pub(super) const NOTIFICATION_BYTES: u64 = 1000;

/// Requests of SQS for an evaluation: it is sent, received and deleted, each by itself at worst.
pub(super) const SQS_REQUESTS: f64 = 3.0;

/// Bytes of one write of Aurora's storage, and of one read (its documentation: writes are counted in 4 KB, pages have 16).
pub(super) const AURORA_WRITE_BYTES: u64 = 4096;
pub(super) const AURORA_PAGE_BYTES: u64 = 16_384;

/// How long the barrier is expected to wait, in milliseconds, when the notification was held back by `delay_ms`.
pub(super) fn wait_ms(storage: PostStorage, delay_ms: u64, barrier: Barrier) -> f64 {
    let (without, with) = windows_ms(storage);
    (with - without - delay_ms as f64).clamp(0.0, barrier.deadline_ms as f64)
}

/// Questions that are expected to find nothing during such a wait.
pub(super) fn missed_polls(wait_ms: f64, barrier: Barrier) -> u64 {
    let (mut elapsed, mut pause, mut misses) = (0.0, barrier.min_ms, 0);
    while elapsed < wait_ms {
        misses += 1;
        elapsed += POLL_MS + pause as f64;
        pause = pause.saturating_mul(2).clamp(barrier.min_ms, barrier.max_ms.max(barrier.min_ms));
    }
    misses
}
