//! How each notification storage hands an event to the reader: what the event source sends, and what the reader makes
//! of it.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use super::event::Text;
use super::{DynamoItem, Event, json};
use crate::time::Micros;

/// A message that could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// Not JSON, or not of the documented shape.
    #[error("the message does not have the documented form: {0}")]
    Json(#[from] serde_json::Error),
    /// The body of an ActiveMQ message is not base64.
    #[error("the message's data is not base64: {0}")]
    Base64(#[from] base64::DecodeError),
    /// A text attribute of a DynamoDB item is not what it should be.
    #[error("attribute `{0}` of the item is missing or malformed")]
    Attribute(&'static str),
    /// Neither an event nor the envelope of a known source.
    #[error("the message is neither an event nor an envelope of SNS, ActiveMQ or a DynamoDB stream")]
    Unknown,
    /// The batch size of every event source is one.
    #[error("the envelope holds {0} messages, but the batch size of every event source is 1")]
    Batch(usize),
    /// The function answered with a failure.
    #[error("the function answered with status {0}: {1}")]
    Status(u16, String),
}

/// What an event source delivered to the reader.
#[derive(Clone, Debug, PartialEq)]
pub enum Delivered {
    /// An event.
    Event {
        /// The event's JSON text.
        json: Vec<u8>,
        /// Logical bytes of the notification: the message's text, or the item by DynamoDB's rule.
        notification_bytes: u64,
    },
    /// A change of a stream that is no insertion, for example of a key left over from another attempt. The original
    /// answers it with status 422.
    NotAnInsertion,
}

#[derive(Serialize, Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "Records", borrow, default, skip_serializing_if = "Option::is_none")]
    records: Option<Vec<Record<'a>>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    messages: Option<Vec<Message<'a>>>,
}

#[derive(Serialize, Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    data: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
struct Record<'a> {
    #[serde(rename = "Sns", borrow, default, skip_serializing_if = "Option::is_none")]
    sns: Option<Sns<'a>>,
    #[serde(rename = "eventName", borrow, default, skip_serializing_if = "Option::is_none")]
    event_name: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    dynamodb: Option<Change<'a>>,
}

#[derive(Serialize, Deserialize)]
struct Sns<'a> {
    #[serde(rename = "Message", borrow)]
    message: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
struct Change<'a> {
    #[serde(rename = "NewImage", borrow, default, skip_serializing_if = "Option::is_none")]
    new_image: Option<DynamoItem<'a>>,
}

/// What stands around the message in an envelope that [`deliver_sns`] makes. The service's own has more in it.
const SNS: (&str, &str) = ("{\"Records\":[{\"Sns\":{\"Message\":\"", "\"}}]}");

/// What SNS sends to a function: `{"Records":[{"Sns":{"Message":"<event>"}}]}`.
///
/// # Errors
/// Only if `serde_json` cannot write it, which it can.
pub fn deliver_sns(message: &str) -> Result<Vec<u8>, WireError> {
    Ok(json::envelope(SNS, message.as_bytes()))
}

/// What an ActiveMQ event source sends to a function: `{"messages":[{"data":"<base64 of the event>"}]}`.
///
/// # Errors
/// Only if `serde_json` cannot write it, which it can.
pub fn deliver_amq(message: &str) -> Result<Vec<u8>, WireError> {
    let messages = Some(vec![Message { data: BASE64.encode(message).into() }]);
    Ok(serde_json::to_vec(&Envelope { records: None, messages })?)
}

/// What a DynamoDB stream sends to a function for an inserted item:
/// `{"Records":[{"eventName":"INSERT","dynamodb":{"NewImage":{…}}}]}`.
///
/// # Errors
/// Only if `serde_json` cannot write it, which it can.
pub fn deliver_dynamo(item: DynamoItem<'_>) -> Result<Vec<u8>, WireError> {
    let change = Change { new_image: Some(item) };
    let record = Record { sns: None, event_name: Some("INSERT".into()), dynamodb: Some(change) };
    Ok(serde_json::to_vec(&Envelope { records: Some(vec![record]), messages: None })?)
}

/// Takes an event out of whatever carried it: SNS, ActiveMQ, a DynamoDB stream, or a direct invocation.
///
/// # Errors
/// When `wire` is none of these, or holds more than one message.
pub fn receive(wire: &[u8]) -> Result<Delivered, WireError> {
    if let Some(message) = json::enclosed(SNS, wire) {
        // A message that is not UTF-8 is refused when it is read as an event.
        return Ok(text_event(message));
    }
    let Envelope { records, messages } = serde_json::from_slice(wire)?;
    match (records, messages) {
        (Some(records), None) => {
            let record = only(records)?;
            match (record.sns, record.event_name.as_deref(), record.dynamodb) {
                (Some(sns), _, _) => Ok(text_event(sns.message.into_owned().into_bytes())),
                (None, Some("INSERT"), Some(Change { new_image: Some(image) })) => item_event(&image),
                (None, Some(name), _) if name != "INSERT" => Ok(Delivered::NotAnInsertion),
                _ => Err(WireError::Unknown),
            }
        }
        (None, Some(messages)) => Ok(text_event(BASE64.decode(only(messages)?.data.as_bytes())?)),
        (None, None) => Ok(text_event(wire.to_vec())),
        (Some(_), Some(_)) => Err(WireError::Unknown),
    }
}

fn text_event(json: Vec<u8>) -> Delivered {
    Delivered::Event { notification_bytes: json.len() as u64, json }
}

fn only<T>(mut batch: Vec<T>) -> Result<T, WireError> {
    match (batch.pop(), batch.len()) {
        (Some(item), 0) => Ok(item),
        (_, rest) => Err(WireError::Batch(if rest == 0 { 0 } else { rest + 1 })),
    }
}

/// The event in an item, as JSON text like every other source's.
fn item_event(item: &DynamoItem<'_>) -> Result<Delivered, WireError> {
    let notification_bytes = item.logical_bytes();
    let time = |text: Option<&Text<'_>>, name| {
        text.map(|text| text.s.parse().ok().and_then(Micros::from_seconds).ok_or(WireError::Attribute(name)))
            .transpose()
    };
    let count = |text: &Option<Text<'_>>, name| {
        text.as_ref().map(|text| text.s.parse::<u64>().map_err(|_| WireError::Attribute(name))).transpose()
    };
    let client_sent_at = time(Some(&item.client_sent_at), "client_sent_at")?;
    let mut event = Event::new(
        item.k.s.parse().map_err(|_| WireError::Attribute("k"))?,
        &*item.v.s,
        client_sent_at.ok_or(WireError::Attribute("client_sent_at"))?,
    );
    event.writer_start_at = time(item.writer_start_at.as_ref(), "writer_start_at")?;
    event.post_written_at = time(item.post_written_at.as_ref(), "post_written_at")?;
    event.notification_written_at = time(item.notification_written_at.as_ref(), "notification_written_at")?;
    event.context = item.context.as_ref().map(|text| Cow::Borrowed(&*text.s));
    event.attempt = item.attempt.as_ref().map(|text| Cow::Borrowed(&*text.s));
    event.antipode = count(&item.antipode, "antipode")?.map(|n| n != 0);
    event.delay_ms = count(&item.delay_ms, "delay_ms")?;
    event.payload_bytes = count(&item.payload_bytes, "payload_bytes")?;
    event.barrier_min_ms = count(&item.barrier_min_ms, "barrier_min_ms")?;
    event.barrier_max_ms = count(&item.barrier_max_ms, "barrier_max_ms")?;
    event.barrier_deadline_ms = count(&item.barrier_deadline_ms, "barrier_deadline_ms")?;
    Ok(Delivered::Event { json: event.to_json()?.into_bytes(), notification_bytes })
}
