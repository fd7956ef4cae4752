//! Joining what clients saw with what readers sent.

use std::collections::BTreeMap;

use matrix_app::{ClientSide, Evaluation, Event, Micros, Row};
use matrix_driver::{Reasons, RowSink};

use super::LambdaError;
use super::send::{ClientResult, Trouble};
use super::visible::VisibleLog;

/// The requests of an attempt that have no row yet, and what was counted. It holds a request from when the first of
/// its two sides is told until its row is made.
pub(crate) struct Join {
    epoch: Micros,
    nonce: String,
    requests: u64,
    /// Requests whose evaluation is missing.
    waiting: BTreeMap<u64, ClientResult>,
    /// Evaluations whose client has not told yet.
    early: BTreeMap<u64, String>,
    /// Requests that are complete but for when their post became visible.
    hidden: BTreeMap<u64, (ClientResult, Option<String>)>,
    visible: Option<VisibleLog>,
    told: u64,
    evaluated: Bits,
    notes: BTreeMap<String, u64>,
    reasons: Reasons,
    /// The reason of all requests so far, and how many they are: gone with the first that did not fail, or failed otherwise.
    alike: Option<(String, u64)>,
}

/// Requests that failed, the first of all and for one reason, after which no other is sent.
const HOPELESS_AFTER: u64 = 20;

/// What a message of the queue was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// An evaluation of this attempt.
    Evaluation,
    /// One that is known already.
    Duplicate,
    /// Of another attempt, or none.
    Stray,
}

/// Counts that are always told, even when they are 0.
const ALWAYS: [&str; 6] = ["cold_starts", "duplicates", "retried", "strays", "throttled", "unanswered"];

impl Join {
    pub(crate) fn new(epoch: Micros, nonce: &str, requests: u64, visible: Option<VisibleLog>) -> Self {
        Self {
            epoch,
            nonce: nonce.to_owned(),
            requests,
            waiting: BTreeMap::new(),
            early: BTreeMap::new(),
            hidden: BTreeMap::new(),
            visible,
            told: 0,
            evaluated: Bits::default(),
            notes: ALWAYS.iter().map(|name| ((*name).to_owned(), 0)).collect(),
            reasons: Reasons::default(),
            alike: None,
        }
    }

    pub(crate) fn note(&mut self, name: &str, count: u64) {
        if count > 0 {
            *self.notes.entry(name.to_owned()).or_default() += count;
        }
    }

    /// What was counted, and why requests failed.
    pub(crate) fn into_notes(self) -> (BTreeMap<String, u64>, Reasons) {
        (self.notes, self.reasons)
    }

    /// Ends what would only go on failing: the first requests all failed, all for one reason, and no evaluation came.
    pub(crate) fn hopeful(&mut self) -> Result<(), LambdaError> {
        match &self.alike {
            Some((why, failed))
                if *failed >= HOPELESS_AFTER && *failed < self.requests && self.evaluated.0.is_empty() =>
            {
                Err(LambdaError::Hopeless {
                    failed: *failed,
                    requests: self.requests,
                    why: why.clone(),
                    reasons: std::mem::take(&mut self.reasons),
                })
            }
            _ => Ok(()),
        }
    }

    /// Takes a client's side.
    pub(crate) fn told(&mut self, told: ClientResult, rows: &mut dyn RowSink<Row>) -> Result<(), LambdaError> {
        self.told += 1;
        self.note("throttled", told.throttled);
        match told.trouble {
            Some(Trouble::Failed) => self.note("writer_failures", 1),
            Some(Trouble::Unanswered) => self.note("unanswered", 1),
            None => {}
        }
        self.alike = match (&told.why, self.alike.take()) {
            (Some(why), Some((known, failed))) if *why == known => Some((known, failed + 1)),
            (Some(why), None) if self.told == 1 => Some((why.clone(), 1)),
            _ => None,
        };
        if let Some(why) = &told.why {
            self.reasons.add(why);
        }
        // A request that was throttled to the end was tried once more than it was retried.
        let gave_up = u64::from(told.throttled > 0 && told.client.writer_failed && told.reply.is_none());
        self.note("retried", told.throttled - gave_up.min(told.throttled));
        match self.early.remove(&told.client.i) {
            Some(evaluation) => self.complete(told, Some(evaluation), rows),
            // Nobody will evaluate what was not published.
            None if told.client.writer_failed => self.complete(told, None, rows),
            None => {
                self.waiting.insert(told.client.i, told);
                Ok(())
            }
        }
    }

    /// Takes a message of the queue.
    pub(crate) fn message(&mut self, message: &str, rows: &mut dyn RowSink<Row>) -> Result<Taken, LambdaError> {
        let Some(body) = Evaluation::unwrap_message(message).ok() else { return Ok(self.stray()) };
        let Some((i, ours)) = Evaluation::from_json(body.as_bytes()).ok().map(|evaluation| {
            (evaluation.i, evaluation.attempt.as_deref() == Some(&self.nonce) && evaluation.i < self.requests)
        }) else {
            return Ok(self.stray());
        };
        if !ours {
            return Ok(self.stray());
        }
        if !self.evaluated.insert(i) {
            self.note("duplicates", 1);
            return Ok(Taken::Duplicate);
        }
        match self.waiting.remove(&i) {
            Some(told) => self.complete(told, Some(body.into_owned()), rows)?,
            None => drop(self.early.insert(i, body.into_owned())),
        }
        Ok(Taken::Evaluation)
    }

    fn stray(&mut self) -> Taken {
        self.note("strays", 1);
        Taken::Stray
    }

    /// Whether every request has ended on both sides.
    pub(crate) fn is_complete(&self) -> bool {
        self.told == self.requests && self.waiting.is_empty()
    }

    /// Whether a request waits whose notification is known to be published.
    pub(crate) fn waits_for_published(&self) -> bool {
        self.waiting.values().any(|told| told.reply.is_some())
    }

    /// Looks what became visible, and makes the rows that waited for it. Says whether any still wait.
    pub(crate) fn look(&mut self, rows: &mut dyn RowSink<Row>) -> Result<bool, LambdaError> {
        if let Some(visible) = &mut self.visible {
            visible.read()?;
            let known: Vec<u64> =
                self.hidden.iter().filter(|(_, (told, _))| visible.knows(&told.client.key)).map(|(i, _)| *i).collect();
            for i in known {
                if let Some((told, evaluation)) = self.hidden.remove(&i) {
                    self.row(&told, evaluation.as_deref(), rows)?;
                }
            }
        }
        Ok(!self.hidden.is_empty())
    }

    /// Gives up waiting for evaluations: what is missing is lost.
    pub(crate) fn give_up(&mut self, rows: &mut dyn RowSink<Row>) -> Result<(), LambdaError> {
        for told in std::mem::take(&mut self.waiting).into_values() {
            self.complete(told, None, rows)?;
        }
        Ok(())
    }

    /// Makes the rows of what is left.
    pub(crate) fn finish(&mut self, rows: &mut dyn RowSink<Row>) -> Result<(), LambdaError> {
        self.give_up(rows)?;
        self.look(rows)?;
        for (told, evaluation) in std::mem::take(&mut self.hidden).into_values() {
            self.row(&told, evaluation.as_deref(), rows)?;
        }
        // Of requests whose row was made without them.
        self.note("late", self.early.len() as u64);
        Ok(())
    }

    fn complete(
        &mut self,
        told: ClientResult,
        evaluation: Option<String>,
        rows: &mut dyn RowSink<Row>,
    ) -> Result<(), LambdaError> {
        match &self.visible {
            // What no writer confirmed may never become visible.
            Some(visible) if !visible.knows(&told.client.key) && !told.client.writer_failed => {
                self.hidden.insert(told.client.i, (told, evaluation));
                Ok(())
            }
            _ => self.row(&told, evaluation.as_deref(), rows),
        }
    }

    fn row(
        &mut self,
        told: &ClientResult,
        evaluation: Option<&str>,
        rows: &mut dyn RowSink<Row>,
    ) -> Result<(), LambdaError> {
        // Both were read before.
        let reply = told.reply.as_deref().and_then(|json| Event::from_json(json.as_bytes()).ok());
        let evaluation = evaluation.and_then(|json| Evaluation::from_json(json.as_bytes()).ok());
        if let Some(why) = evaluation.as_ref().and_then(|evaluation| evaluation.error.as_deref()) {
            self.reasons.add(why);
        }
        let client: &ClientSide = &told.client;
        let visible_at = self.visible.as_mut().and_then(|visible| visible.take(&client.key));
        let row = Row::join(client, reply.as_ref(), evaluation.as_ref(), visible_at, self.epoch);
        let cold = u64::from(row.writer_cold == Some(true)) + u64::from(row.reader_cold == Some(true));
        self.note("cold_starts", cold);
        Ok(rows.push(row)?)
    }
}

/// A set of small numbers.
#[derive(Default)]
struct Bits(Vec<u64>);

impl Bits {
    /// Adds a number; `false` if it was there.
    fn insert(&mut self, n: u64) -> bool {
        let (word, bit) = ((n / 64) as usize, 1_u64 << (n % 64));
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#[path = "join_tests.rs"]
mod tests;
