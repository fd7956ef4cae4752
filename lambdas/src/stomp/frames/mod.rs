//! Frames of STOMP 1.2 (<https://stomp.github.io/stomp-specification-1.2.html>): how they are written, and read as their
//! bytes come. No connection is made here.

mod frame;
mod parse;

pub use frame::Frame;
pub use parse::{FrameError, Parsed, parse};
