//! Traces to tables, with Polars.
//!
//! Polars reads the traces and derives columns; only exact sums and two compact columns of reads are kept. Tables and
//! claims are made of those.

pub mod build;
pub mod changes;
pub mod claims;
pub mod csv;
pub mod declared;
pub mod error;
mod export;
pub mod load;
pub mod nature;
pub mod tables;
pub mod traces;

#[cfg(test)]
mod testing;

pub use build::{
    Pools, WindowSummary, consistency_window, delay, inconsistencies, storage_overhead, summary, visibility_latency,
    window_summary,
};
pub use changes::{Change, changes};
pub use claims::{ClaimFinding, ClaimResult, claims_text, evaluate};
pub use csv::{CsvRow, to_csv};
pub use error::{ExportError, LoadError, LoadErrorKind};
pub use export::export;
pub use load::{CellData, Keep, Loaded, Options, load};
pub use nature::Nature;
pub use traces::{CellMeta, Outcomes, StatedBytes, Traces};
