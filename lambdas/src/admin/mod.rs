//! What is done to storages before and after a run: build, clean, count, and look.

mod contents;

pub use contents::{Admin, Contents};
