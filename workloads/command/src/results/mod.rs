//! From rows to metrics, verdicts, figures' numbers and tables.

mod compare;
mod load;
mod tables;

pub use compare::{Change, Matched, changes, matched};
pub use load::{Loaded, LoadedCell, load, notes_of};
pub use tables::{
    Finding, Text, cells_csv, claims_csv, export_csv, figure_csv, findings, metrics_csv, summary, untried,
};
