//! The gather phase: rows out of what clients tell and what the queue holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use matrix_app::Row;
use matrix_driver::{Cancel, RowSink};
use matrix_plan::{CellInputs, Invocation};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::join::{Join, Taken};
use super::receive::{Batch, Receiver};
use super::saved::Messages;
use super::send::ClientResult;
use super::{LambdaError, Settings};
use crate::aws::Pause;

/// How often is looked whether to stop, what became visible, and whether a deadline has passed.
const TICK: Duration = Duration::from_millis(100);

/// Batches of messages, and requests told, that wait to be joined. Whoever has more waits.
const BACKLOG: usize = 256;

/// Clients that send requests and tell how they ended. When this is dropped they send no more.
pub(crate) struct Clients {
    pub(crate) told: mpsc::Receiver<ClientResult>,
    /// Asks them to send no more.
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) sending: JoinHandle<Result<(), LambdaError>>,
}

impl Drop for Clients {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.sending.abort();
    }
}

/// A channel of what clients tell.
pub(crate) fn telling() -> (mpsc::Sender<ClientResult>, mpsc::Receiver<ClientResult>) {
    mpsc::channel(BACKLOG)
}

/// A gathering under way.
pub(crate) struct Gathering<'a> {
    pub(crate) join: Join,
    pub(crate) inputs: &'a CellInputs,
    pub(crate) settings: &'a Settings,
    pub(crate) receiver: Receiver,
    /// Where messages are kept before the queue forgets them.
    pub(crate) keep: Option<Messages>,
    pub(crate) quarantine: Option<Messages>,
    /// Times that do not count, because nothing can be received.
    pub(crate) pause: Pause,
}

/// The queue's end of a gathering.
struct Queue {
    batches: mpsc::Receiver<Result<Batch, String>>,
    stop: Arc<AtomicBool>,
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Gathering<'_> {
    /// Gathers until every request has its row. With `clients` they are listened to at the same time.
    pub(crate) async fn gather(
        mut self,
        mut clients: Option<Clients>,
        rows: &mut dyn RowSink<Row>,
        cancel: &Cancel,
    ) -> Result<Join, LambdaError> {
        let mut queue = self.listen();
        let ended = self.collect(&mut clients, &mut queue, rows, cancel).await;
        drop(clients);
        // The requests for messages under way end by themselves, at most their wait later; what they bring is taken.
        queue.stop.store(true, Ordering::Relaxed);
        if ended? {
            self.join.give_up(rows)?;
        }
        self.end(Some(queue), rows, cancel).await
    }

    /// Makes the rows of what is known: what is missing is lost.
    pub(crate) async fn conclude(mut self, rows: &mut dyn RowSink<Row>, cancel: &Cancel) -> Result<Join, LambdaError> {
        self.join.give_up(rows)?;
        self.end(None, rows, cancel).await
    }

    /// Takes what the requests under way still bring, waits for what becomes visible, and makes the last rows.
    async fn end(
        mut self,
        mut queue: Option<Queue>,
        rows: &mut dyn RowSink<Row>,
        cancel: &Cancel,
    ) -> Result<Join, LambdaError> {
        let since = self.pause.stopwatch();
        while queue.is_some() || self.join.look(rows)? && since.elapsed() < self.settings.visible_deadline {
            if cancel.is_cancelled() {
                return Err(LambdaError::Cancelled);
            }
            tokio::select! {
                batch = next(&mut queue), if queue.is_some() => match batch {
                    Some(Ok(batch)) => drop(self.take(batch, rows)?),
                    // Every request has ended, or was given up.
                    Some(Err(_)) => {}
                    None => queue = None,
                },
                () = tokio::time::sleep(TICK) => {}
            }
        }
        if cancel.is_cancelled() {
            return Err(LambdaError::Cancelled);
        }
        self.join.finish(rows)?;
        self.join.note("queue_failures", self.receiver.failures());
        Ok(self.join)
    }

    fn listen(&self) -> Queue {
        let (sender, batches) = mpsc::channel(BACKLOG);
        let stop = Arc::new(AtomicBool::new(false));
        for _ in 0..self.settings.receivers.max(1) {
            tokio::spawn(self.receiver.clone().receive(sender.clone(), Arc::clone(&stop)));
        }
        Queue { batches, stop }
    }

    /// Joins until every request has ended on both sides (`false`) or too long has nothing come (`true`).
    async fn collect(
        &mut self,
        clients: &mut Option<Clients>,
        queue: &mut Queue,
        rows: &mut dyn RowSink<Row>,
        cancel: &Cancel,
    ) -> Result<bool, LambdaError> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut progress = self.pause.stopwatch();
        let (mut listening, mut sending) = match clients {
            Some(Clients { told, sending, .. }) => (Some(told), Some(sending)),
            None => (None, None),
        };
        let (mut sent, mut silent) = (sending.is_none(), listening.is_none());
        loop {
            if sent && silent && self.join.is_complete() {
                return Ok(false);
            }
            tokio::select! {
                told = told(&mut listening), if !silent => match told {
                    Some(told) => {
                        progress.restart();
                        self.join.told(told, rows)?;
                        self.join.hopeful()?;
                    }
                    None => silent = true,
                },
                result = all_sent(&mut sending), if !sent => {
                    sent = true;
                    result?;
                }
                Some(batch) = queue.batches.recv() => match batch {
                    Ok(batch) => if self.take(batch, rows)? {
                        progress.restart();
                    },
                    Err(why) => return Err(self.receiver.gone(why)),
                },
                _ = ticks.tick() => {
                    if cancel.is_cancelled() {
                        return Err(LambdaError::Cancelled);
                    }
                    self.join.look(rows)?;
                    if sent && silent && progress.elapsed() > self.patience() {
                        return Ok(true);
                    }
                }
            }
        }
    }

    /// Takes a batch; says whether an evaluation was in it.
    fn take(&mut self, batch: Batch, rows: &mut dyn RowSink<Row>) -> Result<bool, LambdaError> {
        if let Some(keep) = &mut self.keep {
            keep.append(&batch.bodies)?;
        }
        let mut evaluated = false;
        for body in &batch.bodies {
            match (self.join.message(body, rows)?, &mut self.quarantine) {
                (Taken::Stray, Some(quarantine)) => quarantine.append([body])?,
                (taken, _) => evaluated |= taken == Taken::Evaluation,
            }
        }
        tokio::spawn(self.receiver.clone().delete(batch));
        Ok(evaluated)
    }

    fn patience(&self) -> Duration {
        patience(self.inputs, self.settings, self.join.waits_for_published())
    }
}

/// How long nothing may come while requests wait for their evaluations. `published` says whether it is known of any that
/// its notification was published.
pub(crate) fn patience(inputs: &CellInputs, settings: &Settings, published: bool) -> Duration {
    let unanswered = inputs.invocation == Invocation::Event;
    let mut patience = settings.gather_deadline;
    if inputs.axes.antipode && (unanswered || published) {
        let barrier = Duration::from_millis(inputs.barrier.deadline_ms);
        patience = patience.max(barrier + settings.barrier_margin);
    }
    if unanswered {
        patience += Duration::from_millis(inputs.axes.delay_ms);
    }
    patience
}

async fn next(queue: &mut Option<Queue>) -> Option<Result<Batch, String>> {
    match queue {
        Some(queue) => queue.batches.recv().await,
        None => None,
    }
}

async fn told(listening: &mut Option<&mut mpsc::Receiver<ClientResult>>) -> Option<ClientResult> {
    match listening {
        Some(told) => told.recv().await,
        None => None,
    }
}

async fn all_sent(sending: &mut Option<&mut JoinHandle<Result<(), LambdaError>>>) -> Result<(), LambdaError> {
    match sending {
        // The task is not aborted before its end was seen.
        Some(sending) => (&mut **sending).await.unwrap_or(Err(LambdaError::Cancelled)),
        None => Ok(()),
    }
}
