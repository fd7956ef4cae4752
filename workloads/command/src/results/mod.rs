//! From rows to metrics, verdicts, figures' numbers and tables.

mod check;
mod compare;
mod elsewhere;
mod export;
mod figures;
mod load;
mod notes;
mod numbers;
mod tables;

pub use check::wrong_rows;
pub use compare::{Change, Matched, changes, matched};
pub use export::export;
pub use load::{Loaded, LoadedCell, load, notes_of};
pub(crate) use notes::PASSED_OVER;
pub use notes::notes_now;
pub use tables::{Finding, MetricRow, Text, cells_csv, claims_csv, findings, metrics, metrics_csv, summary, untried};
