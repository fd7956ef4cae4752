//! The suite passes a storage in memory, and finds each of its defects.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::host::{Clock, Post, PostStorage, StorageError, Written};
use crate::key::PostKey;
use crate::lineage::{LineageId, WriteId};
use crate::time::Micros;

/// What is wrong with the storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Defect {
    FindsEverything,
    FailsOnRepetition,
    LosesLineage,
    IgnoresLineage,
    ChangesVersion,
    MiscountsBytes,
    IgnoresTheHold,
    NeverReplicates,
    NeverCleans,
    SeesTooEarly,
}

const DEFECTS: [Defect; 10] = [
    Defect::FindsEverything,
    Defect::FailsOnRepetition,
    Defect::LosesLineage,
    Defect::IgnoresLineage,
    Defect::ChangesVersion,
    Defect::MiscountsBytes,
    Defect::IgnoresTheHold,
    Defect::NeverReplicates,
    Defect::NeverCleans,
    Defect::SeesTooEarly,
];

/// One version of a post.
#[derive(Clone, Debug)]
struct Stored {
    version: u64,
    lineage: Option<LineageId>,
    bytes: u64,
}

/// A clock that goes on by being looked at: each poll of a sleeper is a tenth of a millisecond.
#[derive(Default)]
struct Ticking(Cell<i64>);

impl Clock for Ticking {
    fn now(&self) -> Micros {
        Micros(self.0.get())
    }

    async fn sleep_until(&self, at: Micros) {
        poll_fn(|_| {
            if self.0.get() >= at.0 {
                return Poll::Ready(());
            }
            self.0.set(self.0.get() + 100);
            Poll::Pending
        })
        .await;
    }
}

/// One end of a storage.
struct End {
    posts: RefCell<BTreeMap<String, Vec<Stored>>>,
    hangs: bool,
    replica: bool,
    defect: Option<Defect>,
}

struct Memory {
    writer: End,
    reader: End,
    hung: End,
    clock: Ticking,
    next: Cell<u64>,
    held: Cell<bool>,
    defect: Option<Defect>,
}

impl End {
    fn new(defect: Option<Defect>, replica: bool, hangs: bool) -> Self {
        Self { posts: RefCell::default(), hangs, replica, defect }
    }

    fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }
}

impl PostStorage for End {
    async fn write<'a>(&self, post: Post<'a>) -> Result<Written<'a>, StorageError> {
        let mut posts = self.posts.borrow_mut();
        let versions = posts.entry(post.key.to_owned()).or_default();
        if self.has(Defect::FailsOnRepetition) && !versions.is_empty() {
            let kind = crate::host::ErrorKind::Refused;
            return Err(StorageError { service: "memory", kind, message: "duplicate key".into() });
        }
        let version = versions.len() as u64;
        let lineage = post.lineage.filter(|_| !self.has(Defect::LosesLineage));
        let bytes = post.bytes + u64::from(self.has(Defect::MiscountsBytes));
        versions.push(Stored { version, lineage, bytes });
        let id = WriteId { key: post.key.into(), version: Some(version.to_string().into()) };
        Ok(Written { id, bytes: post.bytes })
    }

    async fn read(&self, key: &str) -> Result<bool, StorageError> {
        Ok(self.has(Defect::FindsEverything) || self.posts.borrow().contains_key(key))
    }

    async fn is_visible(&self, write: &WriteId<'_>, lineage: LineageId) -> Result<bool, StorageError> {
        if self.hangs {
            return pending().await;
        }
        if self.replica && self.has(Defect::SeesTooEarly) {
            return Ok(true);
        }
        let posts = self.posts.borrow();
        let mut versions = posts.get(&*write.key).into_iter().flatten();
        Ok(versions.any(|stored| {
            write.version.as_deref() == Some(&stored.version.to_string())
                && stored.lineage.is_some_and(|own| own == lineage || self.has(Defect::IgnoresLineage))
        }))
    }
}

impl Memory {
    fn new(defect: Option<Defect>) -> Self {
        Self {
            writer: End::new(defect, false, false),
            reader: End::new(defect, true, false),
            hung: End::new(defect, true, true),
            clock: Ticking::default(),
            next: Cell::new(0),
            held: Cell::new(false),
            defect,
        }
    }

    fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    /// Called between any two steps of the suite: replication is immediate unless it is held.
    fn replicate(&self) {
        if self.has(Defect::NeverReplicates) || self.held.get() && !self.has(Defect::IgnoresTheHold) {
            return;
        }
        let mut posts = self.writer.posts.borrow().clone();
        if self.has(Defect::ChangesVersion) {
            posts.values_mut().flatten().for_each(|stored| stored.version += 100);
        }
        *self.reader.posts.borrow_mut() = posts;
    }
}

impl PostHarness for Memory {
    type Posts = End;
    type Clock = Ticking;

    fn writer(&self) -> &End {
        self.replicate();
        &self.writer
    }

    fn reader(&self) -> &End {
        self.replicate();
        &self.reader
    }

    fn hung(&self) -> Option<&End> {
        Some(&self.hung)
    }

    fn clock(&self) -> &Ticking {
        &self.clock
    }

    fn fresh_key(&self) -> Option<PostKey> {
        PostKey::new(self.next.replace(self.next.get() + 1), 0)
    }

    fn fresh_lineage(&self) -> LineageId {
        LineageId(u128::from(self.next.replace(self.next.get() + 1)))
    }

    fn has_versions(&self) -> bool {
        true
    }

    async fn hold(&self) -> Result<Replication, StorageError> {
        self.replicate();
        self.held.set(true);
        Ok(Replication::Held)
    }

    async fn release(&self) -> Result<(), StorageError> {
        self.held.set(false);
        self.replicate();
        Ok(())
    }

    async fn clean(&self) -> Result<(), StorageError> {
        if !self.has(Defect::NeverCleans) {
            self.writer.posts.borrow_mut().clear();
        }
        self.replicate();
        Ok(())
    }

    async fn is_empty(&self) -> Result<bool, StorageError> {
        Ok(self.contents().await? == [(0, 0); 2])
    }

    async fn contents(&self) -> Result<[(u64, u64); 2], StorageError> {
        self.replicate();
        Ok([&self.writer, &self.reader].map(|end| {
            let posts = end.posts.borrow();
            let sizes = posts.values().flatten().map(|stored| stored.bytes);
            (sizes.clone().count() as u64, sizes.sum())
        }))
    }
}

fn run(memory: &Memory) -> Result<Vec<Check>, Failure> {
    let mut suite = pin!(check_posts(memory));
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(result) = suite.as_mut().poll(&mut context) {
            return result;
        }
    }
}

#[test]
fn a_storage_in_order_passes_every_check() {
    let checks = run(&Memory::new(None)).unwrap();
    assert_eq!(checks.len(), 10);
    assert!(checks.iter().all(|check| check.finding == Finding::Holds), "{checks:?}");
}

#[test]
fn every_defect_is_found() {
    for defect in DEFECTS {
        let result = run(&Memory::new(Some(defect)));
        assert!(result.is_err(), "{defect:?} passed: {result:?}");
    }
}
