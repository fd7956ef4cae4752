//! What a bundle is about: everything in it except the rows, which are too many to hold.

mod facts;
mod gather;
mod plans;
mod union;

use std::collections::{BTreeMap, BTreeSet};

use matrix_plan::{CellKey, Filter};
use matrix_store::journal::MAX_LINE_BYTES;
use matrix_store::{AttemptId, Digest, JournalSummary, Origin, RunId};
use matrix_traces::{Attempt, Record};

use facts::Known;
pub use facts::States;
pub(crate) use facts::{CellFacts, Facts, MissingAttempt};
use matrix_bundle::layout::BundlePath;
pub use matrix_bundle::tree::{Tree, tree_digest};
use matrix_bundle::{BundleError, Packed};

/// Which part of a store goes into a bundle. The default is all of it.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only the cells that this run planned, and no other run.
    pub run: Option<String>,
    /// Only the cells that runs of experiments of these names planned; whatever was planned without any.
    pub experiments: BTreeSet<String>,
    /// Only the cells that match.
    pub filter: Option<Filter>,
}

/// Everything of a bundle except the rows and what its maker adds. Memory grows with the number of records and attempts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inventory {
    /// The cells that the bundle is about, done or not.
    pub cells: BTreeSet<CellKey>,
    /// Their results.
    pub records: BTreeMap<(CellKey, Origin), Record>,
    /// Their attempts.
    pub attempts: BTreeMap<AttemptId, Attempt>,
    /// Attempts whose end the journals tell, and that are not among the attempts: they were left out, with their cells.
    pub left_out: BTreeSet<AttemptId>,
    /// Journals of runs, by the run's name and the digest of the journal.
    pub journals: BTreeMap<(RunId, Digest), Packed>,
    /// Experiments, byte for byte.
    pub experiments: BTreeMap<Digest, Vec<u8>>,
    /// Plans, byte for byte.
    pub plans: BTreeMap<Digest, Packed>,
    /// Models, byte for byte.
    pub models: BTreeMap<Digest, Vec<u8>>,
    /// Source trees of runners.
    pub sources: BTreeMap<Digest, Tree>,
    /// Who the origins are, where they want that known.
    pub agents: BTreeMap<Origin, BTreeSet<String>>,
    known: Known,
}

impl Inventory {
    /// The objects that the records name, each with its number of bytes.
    #[must_use]
    pub fn objects(&self) -> BTreeMap<Digest, u64> {
        self.records.values().map(|record| (record.object.sha256, record.object.bytes)).collect()
    }

    /// The files of a run, by name: those that the first line of its journal names.
    ///
    /// # Errors
    /// When there is no such journal, or its first line is damaged.
    pub fn files_of_run(&self, journal: &(RunId, Digest)) -> Result<BTreeMap<String, Digest>, BundleError> {
        let place = BundlePath::Journal(journal.0.clone(), journal.1).to_string();
        let text = self.journals.get(journal).ok_or_else(|| BundleError::contents(&place, "it is missing"))?;
        let line = text.first_line(MAX_LINE_BYTES).map_err(BundleError::io("unpacking a journal"))?;
        let first = JournalSummary::read(place.as_ref(), line.as_slice(), |_| {});
        Ok(first.map_err(|error| BundleError::of_file(&place, error))?.files)
    }

    /// The origins of the records, in order.
    #[must_use]
    pub fn origins(&self) -> BTreeSet<Origin> {
        // There are few, each of many records.
        let mut origins = BTreeSet::new();
        for (_, origin) in self.records.keys() {
            if !origins.contains(origin) {
                origins.insert(origin.clone());
            }
        }
        origins
    }
}
