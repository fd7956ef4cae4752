//! The reader: is triggered by a notification, waits in the barrier when antipode is on, and reads the post.

use std::borrow::Cow;

use crate::barrier::{BarrierPolicy, BarrierReport, barrier};
use crate::host::{Clock, EvaluationSink, PostStorage, StorageError};
use crate::lineage::{Lineage, LineageError};
use crate::row::Outcome;
use crate::time::Micros;
use crate::wire::{Delivered, Evaluation, Event, WireError, receive};
use crate::writer::Instance;

/// What an event may leave out, from the function's environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaderDefaults {
    /// Whether the reader waits in a barrier.
    pub antipode: bool,
    /// How the barrier polls.
    pub barrier: BarrierPolicy,
}

/// The reader of one invocation.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'h, P, Q, C> {
    /// The post storage's end in the reader's region.
    pub posts: &'h P,
    /// Where evaluations go.
    pub evaluations: &'h Q,
    /// Clock of the reader's region.
    pub clock: &'h C,
    /// What events may leave out.
    pub defaults: ReaderDefaults,
    /// The instance at work.
    pub instance: Instance,
}

/// How an invocation of the reader ended, when it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handled {
    /// An evaluation was sent; whether all went well stands in it.
    Evaluated(Outcome),
    /// The change was no insertion: nothing was done (status 422 in the original).
    Ignored,
}

/// A reader that failed before it could evaluate anything.
#[derive(Debug, thiserror::Error)]
pub enum ReaderError {
    /// What the event source delivered is no notification.
    #[error("bad notification: {0}")]
    Notification(#[from] WireError),
    /// The notification's context is no lineage.
    #[error("bad notification: {0}")]
    Lineage(#[from] LineageError),
    /// The evaluation could not be sent.
    #[error("sending the evaluation: {0}")]
    Evaluation(#[from] StorageError),
}

/// What the reader has found out so far.
#[derive(Default)]
struct Findings {
    barrier: Option<BarrierReport>,
    read_start_at: Option<Micros>,
    read: Option<(Micros, bool)>,
}

impl<P: PostStorage, Q: EvaluationSink, C: Clock> Reader<'_, P, Q, C> {
    /// Serves what an event source delivered.
    ///
    /// A storage that fails and a barrier that gives up are outcomes, reported in the evaluation: the invocation
    /// itself succeeds, so that an ordered event source is not blocked by retries.
    ///
    /// # Errors
    /// When the delivery cannot be understood, or the evaluation cannot be sent.
    pub async fn handle(&self, wire: &[u8]) -> Result<Handled, ReaderError> {
        let received_at = self.clock.now();
        let (json, notification_bytes) = match receive(wire)? {
            Delivered::Event { json, notification_bytes } => (json, notification_bytes),
            Delivered::NotAnInsertion => return Ok(Handled::Ignored),
        };
        let event = Event::from_json(&json)?;
        let lineage = event.context.as_deref().map(Lineage::from_context).transpose()?;

        let mut findings = Findings::default();
        let result = self.find_out(&event, lineage.as_ref(), &mut findings).await;
        let (outcome, error) = match result {
            Ok(outcome) => (outcome, None),
            Err(error) => (Outcome::ReaderError, Some(Cow::Owned(error.to_string()))),
        };
        let evaluation = Evaluation {
            i: event.i,
            client_sent_at: event.client_sent_at,
            writer_start_at: event.writer_start_at,
            post_written_at: event.post_written_at,
            reader_received_at: received_at,
            notification_to_reader_spent_ms: event.notification_written_at.map(|at| milliseconds(received_at - at)),
            post_read_at: findings.read.map(|(at, _)| at),
            consistent_read: findings.read.map(|(_, found)| found),
            antipode_spent_ms: findings.barrier.map(|report| milliseconds(report.waited_us)),
            notification_size_bytes: Some(notification_bytes),
            notification_bytes: Some(notification_bytes),
            key: Some(Cow::Borrowed(&event.key)),
            attempt: event.attempt.as_deref().map(Cow::Borrowed),
            notification_written_at: event.notification_written_at,
            barrier_polls: findings.barrier.map(|report| u64::from(report.polls)),
            barrier_last_miss_at: findings.barrier.and_then(|report| report.last_miss_at),
            read_start_at: findings.read_start_at,
            lineage_bytes: event.context.as_ref().map(|context| context.len() as u64),
            reader_instance: Some(self.instance.id),
            reader_cold: Some(self.instance.cold),
            outcome: Some(outcome),
            error,
        };
        self.evaluations.send(&evaluation.to_json()?).await?;
        Ok(Handled::Evaluated(outcome))
    }

    async fn find_out(
        &self,
        event: &Event<'_>,
        lineage: Option<&Lineage<'_>>,
        findings: &mut Findings,
    ) -> Result<Outcome, StorageError> {
        if event.antipode.unwrap_or(self.defaults.antipode)
            && let Some(lineage) = lineage
        {
            let policy = event.barrier_policy(self.defaults.barrier);
            let report = barrier(self.posts, self.clock, lineage, policy).await?;
            findings.barrier = Some(report);
            if !report.visible {
                return Ok(Outcome::BarrierTimeout);
            }
        }
        findings.read_start_at = Some(self.clock.now());
        let found = self.posts.read(&event.key).await?;
        findings.read = Some((self.clock.now(), found));
        Ok(Outcome::Ok)
    }
}

/// Microseconds as milliseconds: exact to the microsecond when read back.
fn milliseconds(microseconds: i64) -> f64 {
    microseconds as f64 / 1e3
}
