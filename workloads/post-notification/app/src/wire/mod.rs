//! The messages: the event, how each notification storage carries it, and the evaluation.

mod evaluation;
mod event;
pub(crate) mod json;
mod number;
pub(crate) mod scan;
mod source;

pub use evaluation::Evaluation;
pub use event::{DynamoItem, Event, reply_event, reply_to};
pub use source::{Delivered, WireError, deliver_amq, deliver_dynamo, deliver_sns, receive};
