//! The event: what the client sends to the writer, and, completed by the writer, what the notification carries.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::number::{flag_option, whole, whole_option};
use super::scan::Scan;
use super::{WireError, json};
use crate::barrier::BarrierPolicy;
use crate::time::Micros;

/// An event. The first seven fields are the original artifact's; it ignores the rest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Event<'a> {
    /// Number of the request within its attempt.
    #[serde(deserialize_with = "whole")]
    pub i: u64,
    /// Key of the post.
    #[serde(borrow)]
    pub key: Cow<'a, str>,
    /// When the client sent the request.
    pub client_sent_at: Micros,
    /// When the writer began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer_start_at: Option<Micros>,
    /// When the post was stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_written_at: Option<Micros>,
    /// The lineage, as a context.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Cow<'a, str>>,
    /// Just before the notification was published, after the artificial delay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification_written_at: Option<Micros>,

    /// Nonce of the attempt, by which strays of other attempts are known.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Cow<'a, str>>,
    /// Whether the reader waits in a barrier. Missing: as the function's environment says.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "flag_option")]
    pub antipode: Option<bool>,
    /// Artificial delay before the notification, in milliseconds. Missing: as the environment says.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole_option")]
    pub delay_ms: Option<u64>,
    /// Length of the post's content in bytes. Missing: as the environment says.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole_option")]
    pub payload_bytes: Option<u64>,
    /// Barrier policy in milliseconds. Missing: as the environment says.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole_option")]
    pub barrier_min_ms: Option<u64>,
    /// See [`Self::barrier_min_ms`].
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole_option")]
    pub barrier_max_ms: Option<u64>,
    /// See [`Self::barrier_min_ms`].
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole_option")]
    pub barrier_deadline_ms: Option<u64>,

    /// Only in the writer's reply: logical bytes that the post storage keeps for the post.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole_option")]
    pub post_bytes: Option<u64>,
    /// Only in the writer's reply: the function instance that served it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole_option")]
    pub writer_instance: Option<u64>,
    /// Only in the writer's reply: whether this was the instance's first invocation.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "flag_option")]
    pub writer_cold: Option<bool>,
}

impl<'a> Event<'a> {
    /// An event with the fields of the original's client and nothing more.
    #[must_use]
    pub fn new(i: u64, key: impl Into<Cow<'a, str>>, client_sent_at: Micros) -> Self {
        Self { i, key: key.into(), client_sent_at, ..Self::default() }
    }

    /// Sets the barrier policy that travels with the request.
    #[must_use]
    pub fn with_barrier(mut self, policy: BarrierPolicy) -> Self {
        self.barrier_min_ms = Some(policy.min_ms);
        self.barrier_max_ms = Some(policy.max_ms);
        self.barrier_deadline_ms = Some(policy.deadline_ms);
        self
    }

    /// The event's barrier policy; what it lacks is taken from `defaults`.
    #[must_use]
    pub fn barrier_policy(&self, defaults: BarrierPolicy) -> BarrierPolicy {
        BarrierPolicy {
            min_ms: self.barrier_min_ms.unwrap_or(defaults.min_ms),
            max_ms: self.barrier_max_ms.unwrap_or(defaults.max_ms),
            deadline_ms: self.barrier_deadline_ms.unwrap_or(defaults.deadline_ms),
        }
    }

    /// The event as JSON text: the `Message` of SNS, the body of an ActiveMQ message, the payload of an invocation.
    ///
    /// # Errors
    /// Only if `serde_json` cannot write it, which it can.
    pub fn to_json(&self) -> Result<String, WireError> {
        String::from_utf8(self.json_bytes()?).map_err(|_| WireError::Unknown)
    }

    /// As the derived `Serialize` does it: a test compares them.
    fn json_bytes(&self) -> Result<Vec<u8>, WireError> {
        let mut out = Vec::with_capacity(1024);
        out.extend_from_slice(b"{\"i\":");
        json::number(&mut out, self.i);
        json::fields!(out, self: key client_sent_at);
        json::fields!(out, self, optional: writer_start_at post_written_at context notification_written_at attempt antipode delay_ms
            payload_bytes barrier_min_ms barrier_max_ms barrier_deadline_ms post_bytes writer_instance writer_cold);
        out.push(b'}');
        Ok(out)
    }

    /// Reads what [`Self::to_json`] writes.
    fn scan(json: &'a str) -> Option<Self> {
        let mut scan = Scan::new(json);
        scan.expect("{\"i\":")?;
        let i = scan.number()?;
        scan.expect(",\"key\":")?;
        let key = scan.text()?;
        scan.expect(",\"client_sent_at\":")?;
        let event = Self {
            i,
            key,
            client_sent_at: scan.time()?,
            writer_start_at: scan.optional(",\"writer_start_at\":", Scan::time)?,
            post_written_at: scan.optional(",\"post_written_at\":", Scan::time)?,
            context: scan.optional(",\"context\":", Scan::text)?,
            notification_written_at: scan.optional(",\"notification_written_at\":", Scan::time)?,
            attempt: scan.optional(",\"attempt\":", Scan::text)?,
            antipode: scan.optional(",\"antipode\":", Scan::flag)?,
            delay_ms: scan.optional(",\"delay_ms\":", Scan::number)?,
            payload_bytes: scan.optional(",\"payload_bytes\":", Scan::number)?,
            barrier_min_ms: scan.optional(",\"barrier_min_ms\":", Scan::number)?,
            barrier_max_ms: scan.optional(",\"barrier_max_ms\":", Scan::number)?,
            barrier_deadline_ms: scan.optional(",\"barrier_deadline_ms\":", Scan::number)?,
            post_bytes: scan.optional(",\"post_bytes\":", Scan::number)?,
            writer_instance: scan.optional(",\"writer_instance\":", Scan::number)?,
            writer_cold: scan.optional(",\"writer_cold\":", Scan::flag)?,
        };
        scan.expect("}")?;
        scan.end().map(|()| event)
    }

    /// Reads an event from JSON text.
    ///
    /// # Errors
    /// When the text is not an event.
    pub fn from_json(json: &'a [u8]) -> Result<Self, WireError> {
        match std::str::from_utf8(json).ok().and_then(Self::scan) {
            Some(event) => Ok(event),
            None => Ok(serde_json::from_slice(json)?),
        }
    }

    /// The event as an item of the DynamoDB notifications table.
    #[must_use]
    pub fn to_dynamo_item(&self) -> DynamoItem<'_> {
        let time = |at: Option<Micros>| at.map(|at| Text::of(at.to_string()));
        let count = |n: Option<u64>| n.map(|n| Text::of(n.to_string()));
        let text = |text: &Option<Cow<'a, str>>| text.as_ref().map(|text| Text::of(text.to_string()));
        DynamoItem {
            k: Text::of(self.i.to_string()),
            v: Text::of(&*self.key),
            client_sent_at: Text::of(self.client_sent_at.to_string()),
            writer_start_at: time(self.writer_start_at),
            post_written_at: time(self.post_written_at),
            notification_written_at: time(self.notification_written_at),
            context: text(&self.context),
            attempt: text(&self.attempt),
            antipode: self.antipode.map(|on| Text::of(if on { "1" } else { "0" })),
            delay_ms: count(self.delay_ms),
            payload_bytes: count(self.payload_bytes),
            barrier_min_ms: count(self.barrier_min_ms),
            barrier_max_ms: count(self.barrier_max_ms),
            barrier_deadline_ms: count(self.barrier_deadline_ms),
        }
    }
}

/// A string attribute of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Text<'a> {
    #[serde(rename = "S", borrow)]
    pub(super) s: Cow<'a, str>,
}

impl<'a> Text<'a> {
    fn of(s: impl Into<Cow<'a, str>>) -> Self {
        Self { s: s.into() }
    }
}

macro_rules! item {
    ($($name:ident)*) => {
        /// An item of the DynamoDB notifications table. Every attribute is a string (`S`): the attributes are the event's
        /// fields; `k` is its `i` and `v` its key.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub struct DynamoItem<'a> {
            #[serde(borrow)]
            pub(super) k: Text<'a>,
            #[serde(borrow)]
            pub(super) v: Text<'a>,
            #[serde(borrow)]
            pub(super) client_sent_at: Text<'a>,
            $(#[serde(borrow, default, skip_serializing_if = "Option::is_none")] pub(super) $name: Option<Text<'a>>,)*
        }

        impl DynamoItem<'_> {
            /// The attributes that are there, by name, in a fixed order.
            pub fn attributes(&self) -> impl Iterator<Item = (&'static str, &str)> {
                let first = [("k", &self.k), ("v", &self.v), ("client_sent_at", &self.client_sent_at)];
                let others = [$((stringify!($name), self.$name.as_ref())),*];
                let others = others.into_iter().filter_map(|(name, value)| Some((name, value?)));
                first.into_iter().chain(others).map(|(name, value)| (name, &*value.s))
            }
        }
    };
}
item!(writer_start_at post_written_at notification_written_at context attempt antipode delay_ms payload_bytes
    barrier_min_ms barrier_max_ms barrier_deadline_ms);

impl DynamoItem<'_> {
    /// Logical size in bytes, by DynamoDB's rule: the UTF-8 bytes of each attribute's name and string value
    /// (Amazon DynamoDB Developer Guide, "DynamoDB item sizes and formats").
    #[must_use]
    pub fn logical_bytes(&self) -> u64 {
        self.attributes().map(|(name, value)| (name.len() + value.len()) as u64).sum()
    }
}

/// What the writer's function answers.
#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(rename = "statusCode")]
    status_code: u16,
    #[serde(borrow)]
    body: Cow<'a, str>,
}

/// What stands around the event in an answer that [`reply_to`] makes.
const REPLY: (&str, &str) = ("{\"statusCode\":200,\"body\":\"", "\"}");

/// The writer's answer to the client: `{"statusCode":200,"body":"<event as JSON>"}`.
///
/// # Errors
/// Only if `serde_json` cannot write it, which it can.
pub fn reply_to(event: &Event<'_>) -> Result<Vec<u8>, WireError> {
    Ok(json::envelope(REPLY, &event.json_bytes()?))
}

/// The event's JSON text in a writer's answer.
///
/// # Errors
/// When the answer does not have the documented form, or its status is not 200.
pub fn reply_event(reply: &[u8]) -> Result<Cow<'_, str>, WireError> {
    if let Some(body) = json::enclosed(REPLY, reply).and_then(|body| String::from_utf8(body).ok()) {
        return Ok(Cow::Owned(body));
    }
    let reply: Reply<'_> = serde_json::from_slice(reply)?;
    if reply.status_code == 200 {
        Ok(reply.body)
    } else {
        Err(WireError::Status(reply.status_code, reply.body.into_owned()))
    }
}
