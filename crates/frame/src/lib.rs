//! Rows of any workload as Polars frames.
//!
//! Rows are CSV in one canonical form: a header, then a line for each row. [`Source`] reads them block by block, so that
//! memory does not grow with their number, and computes what metrics and figures need: exact sums, exact percentiles,
//! distributions. [`Export`] writes all rows of an experiment as one tidy file.

mod aggregate;
mod blocks;
mod column;
mod distribution;
mod error;
mod export;
mod mask;
mod read;
mod select;

pub use aggregate::{Request, Summary};
pub use blocks::Reading;
pub use column::exact_sum;
pub use distribution::Distribution;
pub use error::FrameError;
pub use export::{Export, Form};
pub use read::{Block, Column, Open, Reader, Source};

#[cfg(test)]
mod tests;
