//! An experiment of a store as the newest run planned it, and its results.

use std::collections::{BTreeMap, BTreeSet};

use matrix_command::results::{self, Loaded};
use matrix_command::run::PlanDocument;
use matrix_core::CellKey;
use matrix_report::environment;
use matrix_store::{Digest, GenericRecord, Origin, Sealed, Store};

use crate::attempts::{self, Tried};
use crate::chosen::{Chosen, Texts, newest};
use crate::error::DerivedError;

/// An experiment of a store, and what the newest run of it planned.
pub(super) struct Part {
    pub(super) chosen: Chosen,
    pub(super) plan: PlanDocument,
}

/// The newest run of each experiment of programs, or the newest that saved one of these texts.
pub(super) fn parts(store: &Store, texts: &Texts) -> Result<Vec<Part>, DerivedError> {
    let mut parts = Vec::new();
    for id in newest(store, texts)? {
        if let Some(plan) = PlanDocument::of_run(&store.run_documents(id.as_str())?)? {
            for chosen in Chosen::of_runs(store, std::slice::from_ref(&id))? {
                parts.push(Part { chosen, plan: plan.clone() });
            }
        }
    }
    Ok(parts)
}

/// The names of the experiments of programs in a store.
///
/// # Errors
/// When the store cannot be read, or a plan is not what it should be.
pub fn experiments(store: &Store) -> Result<BTreeSet<String>, DerivedError> {
    Ok(parts(store, &Texts::new())?.into_iter().map(|part| part.plan.experiment).collect())
}

/// The digests of a store's records, for [`records_digest`](matrix_report::page::records_digest); `texts` as for
/// [`newest`](crate::newest).
///
/// # Errors
/// When the store cannot be read, or a record is not what it should be.
pub fn records(store: &Store, texts: &Texts) -> Result<Vec<(CellKey, Origin, Option<Digest>)>, DerivedError> {
    let mut records = BTreeMap::new();
    for part in parts(store, texts)? {
        for cell in &part.chosen.cells {
            for origin in store.origins(&cell.key)? {
                if let Some(record) = store.record::<GenericRecord>(&cell.key, &origin)? {
                    records.insert((cell.key, origin), record.digest());
                }
            }
        }
    }
    Ok(records.into_iter().map(|((key, origin), digest)| (key, origin, digest)).collect())
}

/// The results of an experiment, and the attempts at its cells.
pub(super) struct PartResults<'a> {
    pub(super) store: &'a Store,
    pub(super) plan: &'a PlanDocument,
    pub(super) loaded: Loaded<'a>,
    pub(super) tried: Tried,
}

impl<'a> PartResults<'a> {
    pub(super) fn of(store: &'a Store, part: &'a Part) -> Result<Self, DerivedError> {
        let Part { chosen, plan } = part;
        let loaded = results::load(store, &chosen.experiment, &chosen.cells, None)?;
        Ok(Self { store, plan, loaded, tried: attempts::of_cells(store, &chosen.cells)? })
    }

    /// What the attempts ran on, each once.
    pub(super) fn environments(&self) -> BTreeSet<String> {
        self.tried.values().flatten().map(|attempt| environment(&attempt.provenance)).collect()
    }
}
