//! Rows: what is kept of each planned request, and their canonical form.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::key::PostKey;
use crate::time::Micros;
use crate::wire::{Evaluation, Event};

/// How a request ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The reader read, whatever it found.
    Ok,
    /// No evaluation came in time.
    #[default]
    Lost,
    /// The writer failed.
    WriterError,
    /// The reader's storage failed.
    ReaderError,
    /// The barrier gave up at its deadline; there was no read.
    BarrierTimeout,
}

impl Outcome {
    /// Every outcome, in the order of tables.
    pub const ALL: [Self; 5] = [Self::Ok, Self::Lost, Self::WriterError, Self::ReaderError, Self::BarrierTimeout];

    /// The outcome's name in traces.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Lost => "lost",
            Self::WriterError => "writer_error",
            Self::ReaderError => "reader_error",
            Self::BarrierTimeout => "barrier_timeout",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Outcome {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text).ok_or(())
    }
}

/// What the client knows of a request.
#[derive(Clone, Copy, Debug)]
pub struct ClientSide {
    /// Number of the request within its attempt, from 0.
    pub i: u64,
    /// Key of the post.
    pub key: PostKey,
    /// When the request was sent.
    pub sent_at: Micros,
    /// When the writer's answer came, if the client waited for one.
    pub reply_at: Option<Micros>,
    /// Whether the writer failed.
    pub writer_failed: bool,
}

/// One planned request of an attempt. Times are microseconds since the attempt's epoch; `None` is not known or does not
/// apply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Number of the request, from 0.
    pub i: u64,
    /// Key of the post; empty where a source did not keep it.
    pub key: Option<PostKey>,
    /// How the request ended.
    pub outcome: Outcome,
    /// The client sent the request.
    pub client_sent_us: Option<i64>,
    /// The writer began.
    pub writer_start_us: Option<i64>,
    /// The post was stored.
    pub post_written_us: Option<i64>,
    /// Just before the notification was published.
    pub notification_written_us: Option<i64>,
    /// The writer's answer reached the client.
    pub reply_us: Option<i64>,
    /// The reader began.
    pub reader_received_us: Option<i64>,
    /// Time spent in the barrier (a duration).
    pub barrier_us: Option<i64>,
    /// Polls of the barrier.
    pub barrier_polls: Option<u64>,
    /// Start of the barrier's last question that found nothing.
    pub barrier_last_miss_us: Option<i64>,
    /// The read of the post began.
    pub read_start_us: Option<i64>,
    /// The read of the post ended.
    pub post_read_us: Option<i64>,
    /// Whether the read found the post.
    pub consistent_read: Option<bool>,
    /// The post became visible in the reader's region (known in the sim and where lag is configured).
    pub post_visible_us: Option<i64>,
    /// Logical bytes of the notification.
    pub notification_bytes: Option<u64>,
    /// Bytes of the lineage in it.
    pub lineage_bytes: Option<u64>,
    /// Logical bytes of the post as stored.
    pub post_bytes: Option<u64>,
    /// Function instance of the writer.
    pub writer_instance: Option<u64>,
    /// Function instance of the reader.
    pub reader_instance: Option<u64>,
    /// Whether the writer's instance was new.
    pub writer_cold: Option<bool>,
    /// Whether the reader's instance was new.
    pub reader_cold: Option<bool>,
}

/// The first line of a trace, without its end.
pub const HEADER: &str = "i,key,outcome,client_sent_us,writer_start_us,post_written_us,notification_written_us,reply_us,\
reader_received_us,barrier_us,barrier_polls,barrier_last_miss_us,read_start_us,post_read_us,consistent_read,\
post_visible_us,notification_bytes,lineage_bytes,post_bytes,writer_instance,reader_instance,writer_cold,reader_cold";

const COLUMNS: usize = 23;

/// Longest line of a trace that is read, in bytes with its end. A row's fields have at most 20 characters each: it stays far
/// below, as the header does.
pub const LONGEST_LINE: usize = 4096;

/// A line that is no row.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// Too few or too many columns.
    #[error("a row has {0} columns instead of 23")]
    Columns(usize),
    /// A value that its column cannot hold.
    #[error("column `{column}` cannot hold `{value}`")]
    Value {
        /// Name of the column.
        column: &'static str,
        /// The value found.
        value: String,
    },
}

impl Row {
    /// The row of one request, from what its client saw, the writer's reply and the evaluation, if they came.
    ///
    /// `visible_at` is the instant from which a read in the reader's region finds the post, where it is known. Times
    /// become relative to `epoch`.
    #[must_use]
    pub fn join(
        client: &ClientSide,
        reply: Option<&Event<'_>>,
        evaluation: Option<&Evaluation<'_>>,
        visible_at: Option<Micros>,
        epoch: Micros,
    ) -> Self {
        let since = |at: Option<Micros>| at.map(|at| at - epoch);
        let written = |from_reader: Option<Micros>, from_reply: Option<Micros>| since(from_reader.or(from_reply));
        let outcome = match evaluation {
            _ if client.writer_failed => Outcome::WriterError,
            Some(evaluation) => evaluation.outcome.unwrap_or(Outcome::Ok),
            None => Outcome::Lost,
        };
        Self {
            i: client.i,
            key: Some(client.key),
            outcome,
            client_sent_us: since(Some(client.sent_at)),
            writer_start_us: written(evaluation.and_then(|e| e.writer_start_at), reply.and_then(|r| r.writer_start_at)),
            post_written_us: written(evaluation.and_then(|e| e.post_written_at), reply.and_then(|r| r.post_written_at)),
            notification_written_us: written(
                evaluation.and_then(|e| e.notification_written_at),
                reply.and_then(|r| r.notification_written_at),
            ),
            reply_us: since(client.reply_at),
            reader_received_us: since(evaluation.map(|e| e.reader_received_at)),
            barrier_us: evaluation.and_then(|e| e.antipode_spent_ms).map(|ms| (ms * 1e3).round() as i64),
            barrier_polls: evaluation.and_then(|e| e.barrier_polls),
            barrier_last_miss_us: since(evaluation.and_then(|e| e.barrier_last_miss_at)),
            read_start_us: since(evaluation.and_then(|e| e.read_start_at)),
            post_read_us: since(evaluation.and_then(|e| e.post_read_at)),
            consistent_read: evaluation.and_then(|e| e.consistent_read),
            post_visible_us: since(visible_at),
            notification_bytes: evaluation.and_then(|e| e.notification_bytes),
            lineage_bytes: evaluation.and_then(|e| e.lineage_bytes),
            post_bytes: reply.and_then(|r| r.post_bytes),
            writer_instance: reply.and_then(|r| r.writer_instance),
            reader_instance: evaluation.and_then(|e| e.reader_instance),
            writer_cold: reply.and_then(|r| r.writer_cold),
            reader_cold: evaluation.and_then(|e| e.reader_cold),
        }
    }

    /// Appends the row as one line of a trace, `\n` included.
    pub fn write_csv(&self, out: &mut Vec<u8>) {
        let mut line = Line { out, buffer: itoa::Buffer::new() };
        line.out.extend_from_slice(line.buffer.format(self.i).as_bytes());
        line.text(self.key.as_ref().map_or("", PostKey::as_str));
        line.text(self.outcome.as_str());
        line.number(self.client_sent_us);
        line.number(self.writer_start_us);
        line.number(self.post_written_us);
        line.number(self.notification_written_us);
        line.number(self.reply_us);
        line.number(self.reader_received_us);
        line.number(self.barrier_us);
        line.number(self.barrier_polls);
        line.number(self.barrier_last_miss_us);
        line.number(self.read_start_us);
        line.number(self.post_read_us);
        line.number(self.consistent_read.map(u8::from));
        line.number(self.post_visible_us);
        line.number(self.notification_bytes);
        line.number(self.lineage_bytes);
        line.number(self.post_bytes);
        line.number(self.writer_instance);
        line.number(self.reader_instance);
        line.number(self.writer_cold.map(u8::from));
        line.number(self.reader_cold.map(u8::from));
        line.out.push(b'\n');
    }

    /// Reads one line of a trace, without its end.
    ///
    /// # Errors
    /// When the line is no row.
    pub fn parse_csv(line: &str) -> Result<Self, RowError> {
        let mut cells = Cells { names: HEADER.split(','), values: line.split(',') };
        let count = line.split(',').count();
        if count != COLUMNS {
            return Err(RowError::Columns(count));
        }
        Ok(Self {
            i: cells.required(|text| text.parse().ok())?,
            key: cells.optional(PostKey::parse)?,
            outcome: cells.required(|text| text.parse().ok())?,
            client_sent_us: cells.number()?,
            writer_start_us: cells.number()?,
            post_written_us: cells.number()?,
            notification_written_us: cells.number()?,
            reply_us: cells.number()?,
            reader_received_us: cells.number()?,
            barrier_us: cells.number()?,
            barrier_polls: cells.number()?,
            barrier_last_miss_us: cells.number()?,
            read_start_us: cells.number()?,
            post_read_us: cells.number()?,
            consistent_read: cells.optional(flag)?,
            post_visible_us: cells.number()?,
            notification_bytes: cells.number()?,
            lineage_bytes: cells.number()?,
            post_bytes: cells.number()?,
            writer_instance: cells.number()?,
            reader_instance: cells.number()?,
            writer_cold: cells.optional(flag)?,
            reader_cold: cells.optional(flag)?,
        })
    }

    /// The consistency window, *writer visibility latency* of the original: `post_read_at - writer_start_at`, in
    /// microseconds, whether the read found the post or not.
    #[must_use]
    pub fn window_us(&self) -> Option<i64> {
        Some(self.post_read_us? - self.writer_start_us?)
    }
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

struct Line<'a> {
    out: &'a mut Vec<u8>,
    buffer: itoa::Buffer,
}

impl Line<'_> {
    fn text(&mut self, text: &str) {
        self.out.push(b',');
        self.out.extend_from_slice(text.as_bytes());
    }

    fn number<I: itoa::Integer>(&mut self, number: Option<I>) {
        self.out.push(b',');
        if let Some(number) = number {
            self.out.extend_from_slice(self.buffer.format(number).as_bytes());
        }
    }
}

struct Cells<'a> {
    names: std::str::Split<'static, char>,
    values: std::str::Split<'a, char>,
}

impl<'a> Cells<'a> {
    fn optional<T>(&mut self, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, RowError> {
        let column = self.names.next().unwrap_or_default();
        let value = self.values.next().unwrap_or_default();
        if value.is_empty() {
            return Ok(None);
        }
        let error = || RowError::Value { column, value: Cow::Borrowed(value).into_owned() };
        read(value).map(Some).ok_or_else(error)
    }

    fn required<T>(&mut self, read: impl Fn(&str) -> Option<T>) -> Result<T, RowError> {
        let column = self.names.clone().next().unwrap_or_default();
        self.optional(read)?.ok_or_else(|| RowError::Value { column, value: String::new() })
    }

    fn number<T: FromStr>(&mut self) -> Result<Option<T>, RowError> {
        self.optional(|text| text.parse().ok())
    }
}
