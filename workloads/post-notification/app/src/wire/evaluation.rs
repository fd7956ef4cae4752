//! The evaluation: what the reader found, sent to the queue of its region.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::number::{flag_option, whole, whole_option};
use super::scan::Scan;
use super::{WireError, json};
use crate::row::Outcome;
use crate::time::Micros;

/// An evaluation. The fields up to `notification_size_bytes` are the original artifact's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation<'a> {
    /// Number of the request within its attempt.
    #[serde(deserialize_with = "whole")]
    pub i: u64,
    /// When the client sent the request.
    pub client_sent_at: Micros,
    /// When the writer began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer_start_at: Option<Micros>,
    /// When the post was stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_written_at: Option<Micros>,
    /// When the reader began.
    pub reader_received_at: Micros,
    /// From the writing of the notification to the reader's beginning, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification_to_reader_spent_ms: Option<f64>,
    /// When the read of the post ended; missing when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_read_at: Option<Micros>,
    /// Whether the read found the post (0 or 1); missing when there was no read.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "zero_or_one",
        deserialize_with = "flag_option"
    )]
    pub consistent_read: Option<bool>,
    /// Time in the barrier, in milliseconds; missing without antipode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub antipode_spent_ms: Option<f64>,
    /// Bytes of the notification. In the original's evaluations: the size of a Python object in memory. Ours repeats
    /// [`Self::notification_bytes`] here, so that the original's scripts can read it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole_option")]
    pub notification_size_bytes: Option<u64>,

    /// Logical bytes of the notification.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole_option")]
    pub notification_bytes: Option<u64>,
    /// Key of the post.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Cow<'a, str>>,
    /// Nonce of the attempt.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Cow<'a, str>>,
    /// When the notification was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification_written_at: Option<Micros>,
    /// Polls of the barrier.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole_option")]
    pub barrier_polls: Option<u64>,
    /// Start of the barrier's last question that found nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barrier_last_miss_at: Option<Micros>,
    /// When the read of the post began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_start_at: Option<Micros>,
    /// Bytes of the context.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole_option")]
    pub lineage_bytes: Option<u64>,
    /// The function instance that served it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole_option")]
    pub reader_instance: Option<u64>,
    /// Whether this was the instance's first invocation.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "flag_option")]
    pub reader_cold: Option<bool>,
    /// How the reader ended; missing in the original's: `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// What went wrong, when something did.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Cow<'a, str>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, clippy::ref_option, reason = "serde's signature")]
fn zero_or_one<S: serde::Serializer>(flag: &Option<bool>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(u8::from(*flag == Some(true)))
}

#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(rename = "responsePayload", borrow, default)]
    response_payload: Option<Payload<'a>>,
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    body: Cow<'a, str>,
}

impl<'a> Evaluation<'a> {
    /// The evaluation as JSON.
    ///
    /// # Errors
    /// Only if `serde_json` cannot write it, which it can.
    pub fn to_json(&self) -> Result<Vec<u8>, WireError> {
        let mut out = Vec::with_capacity(1024);
        // As the derived `Serialize` does it: a test compares them.
        out.extend_from_slice(b"{\"i\":");
        json::number(&mut out, self.i);
        json::fields!(out, self: client_sent_at);
        json::fields!(out, self, optional: writer_start_at post_written_at);
        json::fields!(out, self: reader_received_at);
        json::fields!(out, self, optional: notification_to_reader_spent_ms post_read_at);
        if let Some(consistent) = self.consistent_read {
            out.extend_from_slice(if consistent { b",\"consistent_read\":1" } else { b",\"consistent_read\":0" });
        }
        json::fields!(out, self, optional: antipode_spent_ms notification_size_bytes notification_bytes key attempt
            notification_written_at barrier_polls barrier_last_miss_at read_start_at lineage_bytes reader_instance reader_cold
            outcome error);
        out.push(b'}');
        Ok(out)
    }

    /// Reads what [`Self::to_json`] writes.
    fn scan(json: &'a str) -> Option<Self> {
        let mut scan = Scan::new(json);
        scan.expect("{\"i\":")?;
        let i = scan.number()?;
        scan.expect(",\"client_sent_at\":")?;
        let client_sent_at = scan.time()?;
        let writer_start_at = scan.optional(",\"writer_start_at\":", Scan::time)?;
        let post_written_at = scan.optional(",\"post_written_at\":", Scan::time)?;
        scan.expect(",\"reader_received_at\":")?;
        let zero_or_one =
            |scan: &mut Scan<'a>| if scan.literal("1") { Some(true) } else { scan.expect("0").map(|()| false) };
        let evaluation = Self {
            i,
            client_sent_at,
            writer_start_at,
            post_written_at,
            reader_received_at: scan.time()?,
            notification_to_reader_spent_ms: scan
                .optional(",\"notification_to_reader_spent_ms\":", Scan::milliseconds)?,
            post_read_at: scan.optional(",\"post_read_at\":", Scan::time)?,
            consistent_read: scan.optional(",\"consistent_read\":", zero_or_one)?,
            antipode_spent_ms: scan.optional(",\"antipode_spent_ms\":", Scan::milliseconds)?,
            notification_size_bytes: scan.optional(",\"notification_size_bytes\":", Scan::number)?,
            notification_bytes: scan.optional(",\"notification_bytes\":", Scan::number)?,
            key: scan.optional(",\"key\":", Scan::text)?,
            attempt: scan.optional(",\"attempt\":", Scan::text)?,
            notification_written_at: scan.optional(",\"notification_written_at\":", Scan::time)?,
            barrier_polls: scan.optional(",\"barrier_polls\":", Scan::number)?,
            barrier_last_miss_at: scan.optional(",\"barrier_last_miss_at\":", Scan::time)?,
            read_start_at: scan.optional(",\"read_start_at\":", Scan::time)?,
            lineage_bytes: scan.optional(",\"lineage_bytes\":", Scan::number)?,
            reader_instance: scan.optional(",\"reader_instance\":", Scan::number)?,
            reader_cold: scan.optional(",\"reader_cold\":", Scan::flag)?,
            outcome: scan.optional(",\"outcome\":", |scan| scan.text()?.parse().ok())?,
            error: scan.optional(",\"error\":", Scan::text)?,
        };
        scan.expect("}")?;
        scan.end().map(|()| evaluation)
    }

    /// Reads an evaluation. See [`Self::unwrap_message`] for messages that may be wrapped.
    ///
    /// # Errors
    /// When `json` is not an evaluation.
    pub fn from_json(json: &'a [u8]) -> Result<Self, WireError> {
        match std::str::from_utf8(json).ok().and_then(Self::scan) {
            Some(evaluation) => Ok(evaluation),
            None => Ok(serde_json::from_slice(json)?),
        }
    }

    /// The evaluation's JSON text in a queue's message: the message itself, or, where a function's destination wrapped
    /// it, its `responsePayload.body`. A message that begins as an evaluation is one; whether it is JSON to its end is for
    /// [`Self::from_json`] to say.
    ///
    /// # Errors
    /// When another message is not JSON.
    pub fn unwrap_message(message: &str) -> Result<Cow<'_, str>, WireError> {
        if message.starts_with("{\"i\":") {
            return Ok(Cow::Borrowed(message));
        }
        let wrapped: Wrapped<'_> = serde_json::from_str(message)?;
        Ok(wrapped.response_payload.map_or(Cow::Borrowed(message), |payload| payload.body))
    }
}
