//! The evaluation: what the reader found, sent to the queue of its region.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::WireError;
use super::number::{flag_option, whole, whole_option};
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
    /// Questions that the barrier asked.
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
        Ok(serde_json::to_vec(self)?)
    }

    /// Reads an evaluation. See [`Self::unwrap_message`] for messages that may be wrapped.
    ///
    /// # Errors
    /// When `json` is not an evaluation.
    pub fn from_json(json: &'a [u8]) -> Result<Self, WireError> {
        Ok(serde_json::from_slice(json)?)
    }

    /// The evaluation's JSON text in a queue's message: the message itself, or, where a function's destination wrapped
    /// it, its `responsePayload.body`.
    ///
    /// # Errors
    /// When the message is not JSON.
    pub fn unwrap_message(message: &str) -> Result<Cow<'_, str>, WireError> {
        let wrapped: Wrapped<'_> = serde_json::from_str(message)?;
        Ok(wrapped.response_payload.map_or(Cow::Borrowed(message), |payload| payload.body))
    }
}
