//! The real storages, and the Lambda functions that run the application on them.
//!
//! A storage is opened from its part of a [`FunctionConfig`], which is also what a deployed function reads from its
//! environment. [`AnyPost`] and [`AnyNotification`] choose one at the edge; everything below is dispatched statically.

pub mod admin;
pub mod aws;
pub mod config;
pub mod conformance;
mod content;
mod dynamo;
mod failure;
pub mod function;
mod idle;
pub mod notification;
pub mod post;
pub mod queue;
pub mod stomp;

pub use admin::{Admin, Contents};
pub use config::{ConfigError, FunctionConfig, NotificationConfig, PostConfig};
pub use notification::AnyNotification;
pub use post::AnyPost;
pub use queue::EvaluationQueue;
