//! The writer: stores a post, then publishes its notification.

use crate::host::{Clock, Entropy, NotificationStorage, Post, PostStorage, StorageError};
use crate::lineage::{Lineage, LineageError};
use crate::wire::{Event, WireError, reply_to};

/// What an event may leave out, from the function's environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriterDefaults {
    /// Whether lineages carry the post's write.
    pub antipode: bool,
    /// Artificial delay before the notification, in milliseconds.
    pub delay_ms: u64,
    /// Length of a post's content, in bytes.
    pub payload_bytes: u64,
}

/// The function instance at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Number or random name of the instance.
    pub id: u64,
    /// Whether this is its first invocation.
    pub cold: bool,
}

/// The writer of one invocation.
#[derive(Clone, Copy, Debug)]
pub struct Writer<'h, P, N, C, E> {
    /// The post storage's end in the writer's region.
    pub posts: &'h P,
    /// The notification storage's end in the writer's region.
    pub notifications: &'h N,
    /// Clock of the writer's region.
    pub clock: &'h C,
    /// Randomness.
    pub entropy: &'h E,
    /// What events may leave out.
    pub defaults: WriterDefaults,
    /// The instance at work.
    pub instance: Instance,
}

/// A writer that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriterError {
    /// The request is not an event.
    #[error("bad request: {0}")]
    Request(WireError),
    /// The post could not be stored.
    #[error("storing the post: {0}")]
    Post(StorageError),
    /// The notification could not be published.
    #[error("publishing the notification: {0}")]
    Notification(StorageError),
    /// The lineage could not be written.
    #[error(transparent)]
    Lineage(#[from] LineageError),
    /// The answer could not be written.
    #[error("writing the answer: {0}")]
    Reply(WireError),
}

impl<P: PostStorage, N: NotificationStorage, C: Clock, E: Entropy> Writer<'_, P, N, C, E> {
    /// Serves one request and returns the answer to the client.
    ///
    /// # Errors
    /// When the request is malformed or a storage failed; no notification was published unless publishing itself
    /// failed half-way.
    pub async fn handle(&self, request: &[u8]) -> Result<Vec<u8>, WriterError> {
        let started_at = self.clock.now();
        let mut event = Event::from_json(request).map_err(WriterError::Request)?;
        event.writer_start_at = Some(started_at);
        let antipode = event.antipode.unwrap_or(self.defaults.antipode);
        let mut lineage = Lineage::new(self.entropy.lineage_id());

        let key = event.key.clone();
        let post = Post {
            key: &key,
            bytes: event.payload_bytes.unwrap_or(self.defaults.payload_bytes),
            lineage: antipode.then_some(lineage.id),
        };
        let written = self.posts.write(post).await.map_err(WriterError::Post)?;
        event.post_written_at = Some(self.clock.now());
        if antipode {
            lineage.append(written.id);
        }
        event.context = Some(lineage.to_context()?.into());

        let delay_ms = event.delay_ms.unwrap_or(self.defaults.delay_ms);
        if delay_ms > 0 {
            self.clock.sleep_until(self.clock.now().plus_ms(delay_ms)).await;
        }
        event.notification_written_at = Some(self.clock.now());
        self.notifications.publish(&event).await.map_err(WriterError::Notification)?;

        event.post_bytes = Some(written.bytes);
        event.writer_instance = Some(self.instance.id);
        event.writer_cold = Some(self.instance.cold);
        reply_to(&event).map_err(WriterError::Reply)
    }
}
