//! The simulated post storages do what every post storage must: the application's suite, in virtual time.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use matrix_app::conformance::{Check, Failure, Finding, PostHarness, Replication, check_posts};
use matrix_app::{
    Clock, LineageId, Micros, Post, PostKey, PostStorage, StorageError, WORKLOAD_VERSION, WriteId, Written,
};
use matrix_plan::{
    Arrival, Axes, CellInputs, CellKey, Combination, Fingerprint, NotificationStorage, Platform, PostStorage as Storage,
};

use super::Setup;
use super::host::Invocation;
use super::posts::End;
use super::world::World;
use crate::Model;
use crate::draw::Purpose;
use crate::exec::{Next, TaskId};
use crate::faults::{Call, Faults};

/// Requests from this number on find that the storage never answers a poll.
const HUNG_FROM: u64 = 1 << 40;

/// The only task.
const SUITE: TaskId = TaskId { set: 0, slot: 0 };

struct Hanging;

impl Faults for Hanging {
    fn hangs(&self, i: u64, call: Call) -> bool {
        i >= HUNG_FROM && call == Call::Poll
    }
}

/// One end of the storage. Each call is an invocation of its own, with draws of its own.
struct Posts<'w> {
    world: &'w World<'w>,
    end: End,
    next: Cell<u64>,
    replication: &'w Control,
}

impl<'w> Posts<'w> {
    fn invocation(&self) -> Invocation<'w> {
        Invocation::of_posts(self.world, self.next.replace(self.next.get() + 2), self.end)
    }
}

impl PostStorage for Posts<'_> {
    async fn write<'a>(&self, post: Post<'a>) -> Result<Written<'a>, StorageError> {
        let written = self.invocation().write(post).await?;
        let key = PostKey::parse(post.key).expect("a key that was written");
        self.replication.written(self.world, key);
        Ok(written)
    }

    async fn read(&self, key: &str) -> Result<bool, StorageError> {
        self.invocation().read(key).await
    }

    async fn is_visible(&self, write: &WriteId<'_>, lineage: LineageId) -> Result<bool, StorageError> {
        self.invocation().is_visible(write, lineage).await
    }
}

/// Power over replication: while it is held nothing that is written becomes visible.
#[derive(Default)]
struct Control {
    held: Cell<bool>,
    /// What was written meanwhile, and when it would have become visible.
    kept: RefCell<Vec<(PostKey, Micros)>>,
    /// Every key that was written and not cleaned.
    keys: RefCell<Vec<PostKey>>,
}

impl Control {
    fn written(&self, world: &World<'_>, key: PostKey) {
        self.keys.borrow_mut().push(key);
        if self.held.get() {
            let mut posts = world.posts.borrow_mut();
            let post = posts.last_mut(&key).expect("what was written");
            self.kept.borrow_mut().push((key, post.visible_at));
            post.visible_at = Micros(i64::MAX);
        }
    }

    fn release(&self, world: &World<'_>) {
        self.held.set(false);
        for (key, visible_at) in self.kept.take() {
            if let Some(post) = world.posts.borrow_mut().last_mut(&key) {
                post.visible_at = visible_at.max(world.now());
            }
        }
    }
}

/// The clock of virtual time.
struct Agenda<'w>(&'w World<'w>);

impl Clock for Agenda<'_> {
    fn now(&self) -> Micros {
        self.0.now()
    }

    async fn sleep_until(&self, at: Micros) {
        self.0.agenda.sleep_until(at).await;
    }
}

struct Harness<'w> {
    world: &'w World<'w>,
    writer: Posts<'w>,
    reader: Posts<'w>,
    hung: Posts<'w>,
    clock: Agenda<'w>,
    replication: &'w Control,
    next: Cell<u64>,
}

impl<'w> Harness<'w> {
    fn new(world: &'w World<'w>, replication: &'w Control) -> Self {
        let posts = |end, from| Posts { world, end, next: Cell::new(from), replication };
        Self {
            world,
            writer: posts(End::Writer, 0),
            reader: posts(End::Reader, 1),
            hung: posts(End::Reader, HUNG_FROM),
            clock: Agenda(world),
            replication,
            next: Cell::new(0),
        }
    }

    fn number(&self) -> u64 {
        self.next.replace(self.next.get() + 1)
    }
}

impl<'w> PostHarness for Harness<'w> {
    type Posts = Posts<'w>;
    type Clock = Agenda<'w>;

    fn writer(&self) -> &Posts<'w> {
        &self.writer
    }

    fn reader(&self) -> &Posts<'w> {
        &self.reader
    }

    fn hung(&self) -> Option<&Posts<'w>> {
        Some(&self.hung)
    }

    fn clock(&self) -> &Agenda<'w> {
        &self.clock
    }

    fn fresh_key(&self) -> Option<PostKey> {
        self.world.setup.key(self.number())
    }

    fn fresh_lineage(&self) -> LineageId {
        LineageId(self.world.setup.draws.wide(self.number(), Purpose::Lineage))
    }

    fn has_versions(&self) -> bool {
        self.world.setup.post.storage == Storage::S3
    }

    fn sizeless(&self) -> Option<&str> {
        Some("the simulator keeps no content: the size is told by the write alone")
    }

    async fn hold(&self) -> Result<Replication, StorageError> {
        self.replication.held.set(true);
        Ok(Replication::Held)
    }

    async fn release(&self) -> Result<(), StorageError> {
        self.replication.release(self.world);
        Ok(())
    }

    /// Forgets every post, as a cell does when its request has ended.
    async fn clean(&self) -> Result<(), StorageError> {
        for key in self.replication.keys.take() {
            self.world.forget(&key);
        }
        Ok(())
    }

    async fn is_empty(&self) -> Result<bool, StorageError> {
        Ok(self.contents().await? == [(0, 0); 2])
    }

    async fn contents(&self) -> Result<[(u64, u64); 2], StorageError> {
        let (posts, now) = (self.world.posts.borrow(), self.world.now());
        let mut keys = self.replication.keys.borrow().clone();
        keys.sort_unstable();
        keys.dedup();
        Ok([End::Writer, End::Reader].map(|end| {
            let found = keys.iter().filter(|key| posts.at(end, key.as_str(), now).next().is_some());
            (found.count() as u64, 0)
        }))
    }
}

fn setup(storage: Storage) -> Setup {
    let combination = Combination::new(storage, NotificationStorage::Sns, "eu->us".parse().unwrap());
    let axes = Axes { combination, delay_ms: 0, antipode: true };
    let fingerprint = Fingerprint::new(&serde_json::json!({})).unwrap();
    let defaults = CellInputs::with_defaults(axes, Platform::Sim, fingerprint, WORKLOAD_VERSION);
    let inputs = CellInputs { arrival: Arrival::Concurrency(1), payload_bytes: 1, seed: 1, ..defaults };
    let model = Model::builtin(Model::BUILTIN_NAME).unwrap();
    Setup::new(&model, &inputs, &CellKey::of(b"conformance"), "nonce".to_owned()).unwrap()
}

/// Runs the suite in virtual time, after `spoil` had its way with the parameters.
fn check(storage: Storage, spoil: impl Fn(&mut Setup)) -> Result<Vec<Check>, Failure> {
    let mut setup = setup(storage);
    spoil(&mut setup);
    let (world, replication) = (World::new(&setup, &Hanging), Control::default());
    let harness = Harness::new(&world, &replication);
    let mut suite = pin!(check_posts(&harness));
    let mut context = Context::from_waker(Waker::noop());
    world.agenda.set_current(SUITE);
    loop {
        if let Poll::Ready(result) = suite.as_mut().poll(&mut context) {
            return result;
        }
        assert!(matches!(world.agenda.next(), Some(Next::Wake(SUITE))), "{storage}: nothing can happen any more");
    }
}

#[test]
fn every_simulated_post_storage_does_what_the_real_ones_do() {
    for storage in Storage::ALL {
        let checks = check(*storage, |_| {}).unwrap_or_else(|failure| panic!("{storage}: {failure}"));
        for check in &checks {
            println!("{storage}: {check}");
        }
        // What is not tried is known beforehand: sizes, and versions where there are none.
        let expected = 1 + usize::from(*storage != Storage::S3);
        let not_tried = checks.iter().filter(|check| check.finding != Finding::Holds).count();
        assert_eq!((checks.len(), not_tried), (10, expected), "{checks:?}");
    }
}

#[test]
fn a_model_whose_posts_never_come_is_found_out() {
    // An hour: longer than the suite's patience.
    let hour = crate::model::Law::Constant { value_ms: 3_600_000.0 }.table(1.0, 0.0);
    assert!(check(Storage::Redis, |setup| setup.services.post.lag = hour.clone()).is_err());
}
