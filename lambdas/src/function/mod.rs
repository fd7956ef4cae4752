//! The functions: what the deployed binaries do with each invocation.

mod control;
mod host;
mod reader;
mod serve;
mod writer;

pub use control::{Control, ControlBody, ControlReply, Stats};
pub use host::{InstanceState, SystemClock, SystemEntropy};
pub use reader::ReaderFunction;
pub use serve::{Function, FunctionError, serve};
pub use writer::WriterFunction;
