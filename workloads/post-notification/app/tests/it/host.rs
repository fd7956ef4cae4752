//! A host in memory, whose time moves on when everybody waits.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use matrix_app::host::ErrorKind;
use matrix_app::{
    Clock, Entropy, EvaluationSink, Event, LineageId, Micros, NotificationStorage, Post, PostStorage, StorageError,
    WriteId, Written, sizes,
};

/// What a poll of the barrier comes to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    Visible,
    Missing,
    Hangs,
    Fails(ErrorKind),
}

/// A host: every call takes a millisecond.
#[derive(Default)]
pub(crate) struct Host {
    pub(crate) now: Cell<i64>,
    pub(crate) wakes: RefCell<BTreeSet<i64>>,
    /// Answers to polls, in order; when they run out, everything is visible.
    pub(crate) answers: RefCell<VecDeque<Answer>>,
    /// When polls began, and what they polled for.
    pub(crate) polls: RefCell<Vec<(i64, String)>>,
    /// What writes, publications, reads and evaluations fail with.
    pub(crate) write_fails: Option<ErrorKind>,
    pub(crate) publish_fails: Option<ErrorKind>,
    pub(crate) read_fails: Option<ErrorKind>,
    /// Whether reads find the post.
    pub(crate) post_is_there: bool,
    /// The lineage stored beside the post.
    pub(crate) stored: RefCell<Vec<(String, u64, Option<LineageId>)>>,
    pub(crate) published: RefCell<Vec<String>>,
    pub(crate) evaluations: RefCell<Vec<String>>,
}

pub(crate) const CALL_US: i64 = 1000;

impl Host {
    pub(crate) fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self { answers: RefCell::new(answers.into_iter().collect()), ..Self::default() }
    }

    /// Runs a future to its end, however long it waits.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return output;
            }
            let next = self.wakes.borrow_mut().pop_first().expect("somebody waits for something");
            self.now.set(next.max(self.now.get()));
        }
    }

    async fn call(&self, service: &'static str, fails: Option<ErrorKind>) -> Result<(), StorageError> {
        self.sleep_until(self.now() + CALL_US).await;
        fails.map_or(Ok(()), |kind| Err(StorageError { service, kind, message: "as told".to_owned() }))
    }
}

impl Clock for Host {
    fn now(&self) -> Micros {
        Micros(self.now.get())
    }

    async fn sleep_until(&self, at: Micros) {
        poll_fn(|_| {
            if self.now.get() >= at.0 {
                return Poll::Ready(());
            }
            self.wakes.borrow_mut().insert(at.0);
            Poll::Pending
        })
        .await;
    }
}

impl Entropy for Host {
    fn lineage_id(&self) -> LineageId {
        LineageId(42)
    }
}

impl PostStorage for Host {
    async fn write<'a>(&self, post: Post<'a>) -> Result<Written<'a>, StorageError> {
        self.call("posts", self.write_fails).await?;
        self.stored.borrow_mut().push((post.key.to_owned(), post.bytes, post.lineage));
        let id = WriteId { key: post.key.into(), version: Some("v7".into()) };
        Ok(Written { id, bytes: sizes::s3(&post) })
    }

    async fn read(&self, _: &str) -> Result<bool, StorageError> {
        self.call("posts", self.read_fails).await?;
        Ok(self.post_is_there)
    }

    async fn is_visible(&self, write: &WriteId<'_>, lineage: LineageId) -> Result<bool, StorageError> {
        let question = format!("{}/{}/{}", write.key, write.version.as_deref().unwrap_or("-"), lineage);
        self.polls.borrow_mut().push((self.now.get(), question));
        let answer = self.answers.borrow_mut().pop_front().unwrap_or(Answer::Visible);
        let fails = match answer {
            Answer::Hangs => pending().await,
            Answer::Fails(kind) => Some(kind),
            Answer::Visible | Answer::Missing => None,
        };
        self.call("posts", fails).await?;
        Ok(matches!(answer, Answer::Visible))
    }
}

impl NotificationStorage for Host {
    async fn publish(&self, event: &Event<'_>) -> Result<(), StorageError> {
        self.call("notifications", self.publish_fails).await?;
        self.published.borrow_mut().push(event.to_json().unwrap());
        Ok(())
    }
}

impl EvaluationSink for Host {
    async fn send(&self, evaluation: &[u8]) -> Result<(), StorageError> {
        self.evaluations.borrow_mut().push(String::from_utf8(evaluation.to_vec()).unwrap());
        Ok(())
    }
}
