//! Talking to an ActiveMQ broker by STOMP 1.2 (<https://stomp.github.io/stomp-specification-1.2.html>), whose frames are in
//! `matrix_stomp`.

mod client;
mod error;
mod transport;

pub use client::{Client, Credentials, Message, Mode};
pub use error::StompError;
