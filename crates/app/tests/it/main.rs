//! The application over a small host in memory.

mod barrier;
mod functions;
mod host;
mod purity;
mod wire;
