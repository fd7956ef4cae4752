//! Gather folders of the original artifact (`Antipode-SOSP23/antipode-post-notification`): [`import`](import()) reads them
//! into a store, [`export`](export()) writes them so that the original's own scripts read them.
//!
//! ```text
//! gather/<post>-<notification>/[antipode__]<writer>-<reader>__<requests>__delay-<ms>ms-<YYYYmmddHHMMSS>/
//!     traces.csv   one line per result
//!     tags.yml     what was run, and sums
//!     traces.info  a description for people; not read
//! ```
//!
//! What becomes of each value stands with [`row`] (times) and [`imported`] (everything that rows and cells have no place
//! for).

pub mod error;
pub mod export;
pub mod import;
pub mod imported;
pub mod name;
pub mod row;
pub mod source;
pub mod tags;
pub mod traces;

mod describe;
mod number;
mod plot_config;
mod scan;
mod staging;
mod stamp;
mod sums;
mod yaml;

pub use error::{ExportError, ImportError, ParseError, Problem};
pub use export::{ExportOptions, ExportReport, Prepared, export, prepare};
pub use import::{ImportOptions, ImportReport, check, import};
pub use imported::{Imported, origin};
pub use name::{FolderName, FoundName, PairName};
pub use source::{ExportCell, Source, StoreSource};
pub use staging::partial;
pub use stamp::Stamp;
pub use tags::{Scalar, Tags, parse_tags};
pub use traces::{Latency, TraceRow, Traces, parse_traces};
