//! The columns of tables that state where their numbers come from.

use std::sync::Arc;

use crate::nature::Nature;
use crate::tables::Source;
use crate::traces::CellMeta;

impl Source {
    /// The source of tables made of `cells`, the done ones of `planned`, of the named experiment.
    #[must_use]
    pub fn new(experiment: &str, planned: u64, cells: &[Arc<CellMeta>]) -> Self {
        let nature = Nature::of(cells.iter().map(AsRef::as_ref));
        Self { experiment: experiment.to_owned(), nature, planned, done: cells.len() as u64 }
    }
}
