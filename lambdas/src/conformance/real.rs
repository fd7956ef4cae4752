//! A real post storage under test.
#![allow(async_fn_in_trait, reason = "hosts are current-thread: no Send bound is wanted")]

use std::cell::Cell;
use std::time::Duration;

use aws_types::SdkConfig;
use matrix_app::conformance::{PostHarness, Replication};
use matrix_app::key::PostKey;
use matrix_app::{Entropy as _, LineageId, StorageError};

use super::HungServer;
use crate::admin::{Admin as _, Contents};
use crate::config::{FunctionConfig, PostConfig, Side};
use crate::function::{FunctionError, SystemClock, SystemEntropy};
use crate::{AnyPost, aws};

/// Power over the replication of the storage under test.
pub trait ReplicationControl {
    /// Holds it back.
    ///
    /// # Errors
    /// When that failed; where it is impossible says the answer.
    async fn hold(&self) -> Result<Replication, StorageError>;

    /// Lets it go on.
    ///
    /// # Errors
    /// When that failed.
    async fn release(&self) -> Result<(), StorageError>;
}

/// No power at all.
#[derive(Clone, Copy, Debug)]
pub struct Uncontrolled;

impl ReplicationControl for Uncontrolled {
    async fn hold(&self) -> Result<Replication, StorageError> {
        Ok(Replication::NotControllable("the endpoints' file does not say how".to_owned()))
    }

    async fn release(&self) -> Result<(), StorageError> {
        Ok(())
    }
}

/// A post storage at both its ends, and a reader's end on a server that hangs.
#[derive(Debug)]
pub struct RealPosts<R> {
    writer: AnyPost,
    reader: AnyPost,
    hung: AnyPost,
    versions: bool,
    clock: SystemClock,
    entropy: SystemEntropy,
    next: Cell<u64>,
    replication: R,
    _server: HungServer,
}

impl<R: ReplicationControl> RealPosts<R> {
    /// The storage of the given configuration, with its database and tables.
    ///
    /// # Errors
    /// When the storage refuses to create them, or the system has no port or randomness to give.
    pub async fn new(config: &FunctionConfig, aws: &SdkConfig, replication: R) -> Result<Self, FunctionError> {
        let server = HungServer::start().await.map_err(|error| FunctionError::Runtime(error.to_string()))?;
        let mut hung = config.clone();
        match &mut hung.post {
            PostConfig::Mysql(mysql) => mysql.reader = server.endpoint(),
            PostConfig::Redis(redis) => redis.reader = server.endpoint(),
            PostConfig::Dynamo(_) | PostConfig::S3(_) => {}
        }
        let credentials = aws.credentials_provider();
        let missing = || FunctionError::Runtime("the configuration of AWS has no credentials".to_owned());
        let credentials = credentials.ok_or_else(missing)?;
        let hung_aws = aws::config(Some(&server.url()), credentials);
        let posts = Self {
            writer: AnyPost::new(config, aws, Side::Writer),
            reader: AnyPost::new(config, aws, Side::Reader),
            hung: AnyPost::new(&hung, &hung_aws, Side::Reader),
            versions: matches!(config.post, PostConfig::S3(_)),
            clock: SystemClock::start(),
            entropy: SystemEntropy::new()?,
            next: Cell::new(0),
            replication,
            _server: server,
        };
        posts.writer.build().await?;
        built_at(&posts.reader).await?;
        Ok(posts)
    }
}

/// Waits until what was built at the writer's end is there at the reader's: a database and tables arrive by replication.
///
/// # Errors
/// With the reader's last refusal, when they do not arrive within half a minute.
pub async fn built_at(reader: &AnyPost) -> Result<(), StorageError> {
    let mut left = BUILD_POLLS;
    loop {
        match reader.is_empty().await {
            Err(_) if left > 0 => left -= 1,
            answer => return answer.map(drop),
        }
        tokio::time::sleep(BUILD_PAUSE).await;
    }
}

/// How often, and after which pauses, the reader's end is asked for what was built at the writer's.
const BUILD_POLLS: u32 = 300;
const BUILD_PAUSE: Duration = Duration::from_millis(100);

impl<R: ReplicationControl> PostHarness for RealPosts<R> {
    type Posts = AnyPost;
    type Clock = SystemClock;

    fn writer(&self) -> &AnyPost {
        &self.writer
    }

    fn reader(&self) -> &AnyPost {
        &self.reader
    }

    fn hung(&self) -> Option<&AnyPost> {
        Some(&self.hung)
    }

    fn clock(&self) -> &SystemClock {
        &self.clock
    }

    fn fresh_key(&self) -> Option<PostKey> {
        let n = self.next.replace(self.next.get() + 1);
        let letters = (self.entropy.lineage_id().0 & u128::from(u64::MAX)) as u64;
        PostKey::new(n, letters)
    }

    fn fresh_lineage(&self) -> LineageId {
        self.entropy.lineage_id()
    }

    fn has_versions(&self) -> bool {
        self.versions
    }

    async fn hold(&self) -> Result<Replication, StorageError> {
        self.replication.hold().await
    }

    async fn release(&self) -> Result<(), StorageError> {
        self.replication.release().await
    }

    async fn clean(&self) -> Result<(), StorageError> {
        self.writer.clean().await?;
        self.reader.clean().await
    }

    async fn is_empty(&self) -> Result<bool, StorageError> {
        Ok(self.writer.is_empty().await? && self.reader.is_empty().await?)
    }

    async fn contents(&self) -> Result<[(u64, u64); 2], StorageError> {
        let pair = |contents: Contents| (contents.items, contents.bytes);
        Ok([pair(self.writer.contents().await?), pair(self.reader.contents().await?)])
    }
}
