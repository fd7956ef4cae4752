//! The writer's function.

use aws_types::SdkConfig;
use matrix_app::{Clock as _, Writer};

use super::{Control, ControlReply, Function, FunctionError, InstanceState, Stats, SystemClock, SystemEntropy};
use crate::admin::Admin as _;
use crate::config::{FunctionConfig, Side};
use crate::{AnyNotification, AnyPost};

/// A writer's instance: opened once, it serves many invocations over the same connections.
#[derive(Debug)]
pub struct WriterFunction {
    config: FunctionConfig,
    posts: AnyPost,
    notifications: AnyNotification,
    entropy: SystemEntropy,
    instance: InstanceState,
}

impl WriterFunction {
    /// An instance with the given configuration. It makes no connection yet.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn new(config: FunctionConfig, aws: &SdkConfig) -> Result<Self, FunctionError> {
        Ok(Self {
            posts: AnyPost::new(&config, aws, Side::Writer),
            notifications: AnyNotification::new(&config, aws, Side::Writer),
            entropy: SystemEntropy::new()?,
            instance: InstanceState::new()?,
            config,
        })
    }
}

impl Function for WriterFunction {
    async fn handle(&self, payload: &[u8]) -> Result<Vec<u8>, FunctionError> {
        let instance = self.instance.invoked();
        match Control::find(payload) {
            Some(control) => control_reply(control, &self.posts, &self.notifications).await,
            None => {
                let clock = SystemClock::start();
                let writer = Writer {
                    posts: &self.posts,
                    notifications: &self.notifications,
                    clock: &clock,
                    entropy: &self.entropy,
                    defaults: self.config.writer_defaults(),
                    instance,
                };
                Ok(writer.handle(payload).await?)
            }
        }
    }
}

/// Does what a control request asks for, at one end of the storages.
pub(super) async fn control_reply(
    control: Control,
    posts: &AnyPost,
    notifications: &AnyNotification,
) -> Result<Vec<u8>, FunctionError> {
    let reply = match control {
        Control::Clean => {
            // What only functions reach only they can build; what is there stays as it is.
            posts.build().await?;
            notifications.build().await?;
            posts.clean().await?;
            notifications.clean().await?;
            ControlReply::cleaned()
        }
        Control::Stats => ControlReply::stats(Stats::new(posts.contents().await?, notifications.contents().await?)),
        Control::Remove => {
            posts.remove().await?;
            ControlReply::removed()
        }
        Control::Clock => ControlReply::clock(SystemClock::start().now()),
    };
    Ok(serde_json::to_vec(&reply)?)
}
