//! Replay: simulated cells of a bundle run again and compared byte for byte, measured ones compared with a fresh
//! measurement.

mod bundle;
mod measured;
mod simulated;

pub use bundle::{Cell, Replay, Status, replay};
