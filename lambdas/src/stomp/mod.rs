//! Talking to an ActiveMQ broker by STOMP 1.2 (<https://stomp.github.io/stomp-specification-1.2.html>).

mod client;
mod error;
mod frames;
mod transport;

pub use client::{Client, Credentials, Message, Mode};
pub use error::StompError;
pub use frames::{Frame, FrameError, Parsed, parse};
