//! The archive inside a bundle: POSIX ustar with plain files only, and nothing left to choose in their headers.

mod header;
mod reader;
mod writer;

pub use header::{decode, fits};
pub(crate) use reader::TarReader;
pub use writer::TarWriter;
