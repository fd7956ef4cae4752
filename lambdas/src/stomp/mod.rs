//! STOMP 1.2, as much of it as talking to an ActiveMQ broker needs (<https://stomp.github.io/stomp-specification-1.2.html>).

mod client;
mod error;
mod frame;
mod parse;
mod transport;

pub use client::{Client, Credentials, Message, Mode};
pub use error::StompError;
pub use frame::Frame;
pub use parse::{FrameError, Parsed, parse};
