//! The reader's function.

use aws_types::SdkConfig;
use matrix_app::wire::{Delivered, receive};
use matrix_app::{Event, Handled, Reader, ReaderError};
use serde::Serialize;

use super::writer::control_reply;
use super::{Control, Function, FunctionError, InstanceState, SystemClock};
use crate::config::{FunctionConfig, Side};
use crate::{AnyNotification, AnyPost, EvaluationQueue};

/// A reader's instance: opened once, it serves many invocations over the same connections.
#[derive(Debug)]
pub struct ReaderFunction {
    config: FunctionConfig,
    posts: AnyPost,
    notifications: AnyNotification,
    evaluations: EvaluationQueue,
    instance: InstanceState,
}

impl ReaderFunction {
    /// An instance with the given configuration. It makes no connection yet.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn new(config: FunctionConfig, aws: &SdkConfig) -> Result<Self, FunctionError> {
        Ok(Self {
            posts: AnyPost::new(&config, aws, Side::Reader),
            notifications: AnyNotification::new(&config, aws, Side::Reader),
            evaluations: EvaluationQueue::new(&config.evaluations, aws, &config.reader_region),
            instance: InstanceState::new()?,
            config,
        })
    }
}

impl ReaderFunction {
    /// Whether a delivery is another deployment's: a topic or a stream that several share brings everybody everything. One
    /// that does not say whose it is is this one's, and what cannot be read is left to the application.
    fn is_foreign(&self, payload: &[u8]) -> bool {
        let Some(deployment) = &self.config.deployment else { return false };
        let Ok(Delivered::Event { json, .. }) = receive(payload) else { return false };
        let event = Event::from_json(&json).ok();
        event.and_then(|event| event.attempt).is_some_and(|attempt| !attempt.starts_with(deployment.as_str()))
    }
}

/// What the reader answers. Event sources do not look at it.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(rename = "statusCode")]
    status_code: u16,
    body: &'a str,
}

impl Function for ReaderFunction {
    /// Only a failure to send the evaluation fails the invocation, because only that can be fixed by another try. A
    /// delivery that is no notification never will be one: failing would make an ordered event source deliver it again
    /// and again and hold up what comes after.
    async fn handle(&self, payload: &[u8]) -> Result<Vec<u8>, FunctionError> {
        let instance = self.instance.invoked();
        if let Some(control) = Control::find(payload) {
            return control_reply(control, &self.posts, &self.notifications).await;
        }
        let clock = SystemClock::start();
        if self.is_foreign(payload) {
            let body = "a notification of another deployment";
            return Ok(serde_json::to_vec(&Answer { status_code: 422, body })?);
        }
        let reader = Reader {
            posts: &self.posts,
            evaluations: &self.evaluations,
            clock: &clock,
            defaults: self.config.reader_defaults(),
            instance,
        };
        let text;
        let (status_code, body) = match reader.handle(payload).await {
            Ok(Handled::Evaluated(outcome)) => (200, outcome.as_str()),
            Ok(Handled::Ignored) => (422, "not an insertion"),
            Err(error @ ReaderError::Evaluation(_)) => return Err(error.into()),
            Err(error @ (ReaderError::Notification(_) | ReaderError::Lineage(_))) => {
                text = error.to_string();
                // The function's log is the only place where this shows.
                eprintln!("{text}");
                (400, text.as_str())
            }
        };
        Ok(serde_json::to_vec(&Answer { status_code, body })?)
    }
}
