//! The host of the application: one invocation's view of the simulated world.

use std::cell::Cell;

use matrix_app::host::{ErrorKind, StorageError};
use matrix_app::reader::ReaderDefaults;
use matrix_app::wire::{deliver_amq, deliver_dynamo, deliver_sns};
use matrix_app::writer::{Instance, WriterDefaults};
use matrix_app::{
    Clock, Entropy, EvaluationSink, Event, Handled, LineageId, Micros, NotificationStorage, Post, PostKey, PostStorage,
    Reader, ReaderError, WriteId, Writer, WriterError, Written, sizes,
};
use matrix_plan::PostStorage as Storage;

use super::posts::{End, StoredPost, version_text};
use super::world::World;
use crate::draw::Purpose;
use crate::faults::Call;

/// One invocation of a function.
pub(crate) struct Invocation<'w> {
    world: &'w World<'w>,
    /// Place of the request.
    place: u32,
    /// Number of the request: the address of its draws.
    i: u64,
    /// The end of the storages that it reaches.
    end: End,
    /// Polls so far.
    polls: Cell<u32>,
}

/// Serves a request with the application's writer.
pub(crate) async fn write<'w>(world: &'w World<'w>, place: u32) -> Result<Vec<u8>, WriterError> {
    let (host, wire, instance) = begin(world, place, End::Writer);
    let setup = world.setup;
    let writer = Writer {
        posts: &host,
        notifications: &host,
        clock: &host,
        entropy: &host,
        defaults: WriterDefaults {
            antipode: setup.antipode,
            delay_ms: setup.delay_ms,
            payload_bytes: setup.payload_bytes,
        },
        instance,
    };
    writer.handle(&wire).await
}

/// Serves a notification with the application's reader.
pub(crate) async fn read<'w>(world: &'w World<'w>, place: u32) -> Result<Handled, ReaderError> {
    let (host, wire, instance) = begin(world, place, End::Reader);
    let defaults = ReaderDefaults { antipode: world.setup.antipode, barrier: world.setup.barrier };
    let reader = Reader { posts: &host, evaluations: &host, clock: &host, defaults, instance };
    reader.handle(&wire).await
}

fn begin<'w>(world: &'w World<'w>, place: u32, end: End) -> (Invocation<'w>, Vec<u8>, Instance) {
    let mut requests = world.requests.borrow_mut();
    let request = requests.get_mut(place);
    let wire = std::mem::take(&mut request.wire);
    (Invocation { world, place, i: request.i, end, polls: Cell::new(0) }, wire, request.instance[end as usize])
}

#[cfg(test)]
impl<'w> Invocation<'w> {
    /// An invocation that calls only the post storage, at one of its ends; it has no request.
    pub(super) fn of_posts(world: &'w World<'w>, i: u64, end: End) -> Self {
        Self { world, place: 0, i, end, polls: Cell::new(0) }
    }
}

impl Invocation<'_> {
    fn draw(&self, purpose: Purpose, index: u32) -> u64 {
        self.world.setup.draws.at(self.i, purpose, index)
    }

    async fn spend(&self, microseconds: i64) {
        self.world.agenda.sleep_until(self.world.now() + microseconds).await;
    }

    /// Suffers the injected faults of a call.
    async fn suffer(&self, call: Call, service: &'static str) -> Result<(), StorageError> {
        if self.world.faults.hangs(self.i, call) {
            std::future::pending::<()>().await;
        }
        match self.world.faults.fails(self.i, call) {
            Some(kind) => Err(StorageError { service, kind, message: "injected".to_owned() }),
            None => Ok(()),
        }
    }

    fn service(&self) -> &'static str {
        self.world.setup.post.storage.as_str()
    }
}

impl Clock for Invocation<'_> {
    fn now(&self) -> Micros {
        self.world.now()
    }

    async fn sleep_until(&self, at: Micros) {
        self.world.agenda.sleep_until(at).await;
    }
}

impl Entropy for Invocation<'_> {
    fn lineage_id(&self) -> LineageId {
        LineageId(self.world.setup.draws.wide(self.i, Purpose::Lineage))
    }
}

impl PostStorage for Invocation<'_> {
    async fn write<'a>(&self, post: Post<'a>) -> Result<Written<'a>, StorageError> {
        let World { setup, posts, .. } = self.world;
        self.spend(setup.post.write.sample(self.draw(Purpose::Write, 0))).await;
        self.suffer(Call::Write, self.service()).await?;
        let key = PostKey::parse(post.key).ok_or_else(|| StorageError {
            service: self.service(),
            kind: ErrorKind::Refused,
            message: format!("`{}` is no key of a post", post.key),
        })?;
        let version = (setup.post.storage == Storage::S3).then(|| setup.draws.wide(self.i, Purpose::Version));
        let lag_us = setup.post.lag.sample(self.draw(Purpose::Lag, 0));
        posts.borrow_mut().commit(key, post.lineage, version, self.world.now(), lag_us);
        let bytes = match setup.post.storage {
            Storage::Mysql => sizes::mysql(&post),
            Storage::Dynamo => sizes::dynamo(&post),
            Storage::S3 => sizes::s3(&post),
            Storage::Redis => sizes::redis(&post),
        };
        let id = WriteId { key: post.key.into(), version: version.map(|version| version_text(version).into()) };
        Ok(Written { id, bytes })
    }

    async fn read(&self, key: &str) -> Result<bool, StorageError> {
        let World { setup, posts, .. } = self.world;
        let asked_at = self.world.now();
        let found = posts.borrow().at(self.end, key, asked_at).next().is_some();
        let mut takes_us = setup.post.read.sample(self.draw(Purpose::Read, 0));
        if let (true, Some(transfer)) = (found, &setup.post.transfer) {
            takes_us += transfer.sample(self.draw(Purpose::Transfer, 0));
        }
        self.spend(takes_us).await;
        self.suffer(Call::Read, self.service()).await?;
        Ok(found)
    }

    async fn is_visible(&self, write: &WriteId<'_>, lineage: LineageId) -> Result<bool, StorageError> {
        let World { setup, posts, .. } = self.world;
        let asked_at = self.world.now();
        let visible = {
            let posts = posts.borrow();
            let of_version = |post: &&StoredPost| post.version.map(version_text).as_deref() == write.version.as_deref();
            let mut writes = posts.at(self.end, &write.key, asked_at);
            // Where there are no versions another write takes a post's place.
            let found =
                if write.version.is_some() { writes.find(of_version) } else { writes.next().filter(of_version) };
            found.is_some_and(|post| post.lineage == Some(lineage))
        };
        let poll = self.polls.replace(self.polls.get() + 1);
        self.spend(setup.post.poll.sample(self.draw(Purpose::Poll, poll))).await;
        self.suffer(Call::Poll, self.service()).await?;
        Ok(visible)
    }
}

impl NotificationStorage for Invocation<'_> {
    async fn publish(&self, event: &Event<'_>) -> Result<(), StorageError> {
        let Self { world, place, i, .. } = self;
        self.suffer(Call::Publish, "notification").await?;
        let delivered = match world.setup.notification.storage {
            matrix_plan::NotificationStorage::Sns => event.to_json().and_then(|message| deliver_sns(&message)),
            matrix_plan::NotificationStorage::Amq => event.to_json().and_then(|message| deliver_amq(&message)),
            matrix_plan::NotificationStorage::Dynamo => deliver_dynamo(event.to_dynamo_item()),
        };
        let mut wire = delivered.map_err(|error| StorageError {
            service: world.setup.notification.storage.as_str(),
            kind: ErrorKind::Malformed,
            message: error.to_string(),
        })?;
        world.faults.deliver(*i, &mut wire);
        let publish_us = world.setup.notification.publish.sample(self.draw(Purpose::Publish, 0));
        world.carry(*place, wire, publish_us);
        self.spend(publish_us).await;
        Ok(())
    }
}

impl EvaluationSink for Invocation<'_> {
    async fn send(&self, evaluation: &[u8]) -> Result<(), StorageError> {
        self.suffer(Call::Evaluate, "queue").await?;
        self.world.requests.borrow_mut().get_mut(self.place).evaluation = evaluation.to_vec();
        Ok(())
    }
}
