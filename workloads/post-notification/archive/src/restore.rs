//! From a bundle back to a store, in which an evaluator can go on.

use std::collections::BTreeSet;
use std::path::Path;

use matrix_bundle::layout::BundlePath;
use matrix_bundle::new_directory::NewDirectory;
use matrix_bundle::restore::{another_name, keep_object, open};
use matrix_bundle::{BundleError, BundleReader, Extras};
use matrix_store::{Digest, ImportedRun, RunId, Sealed, WritableStore};
use matrix_traces::Record;

use crate::contents::Contents;
use crate::inventory::Inventory;
use crate::rows::{must_count, rows_of};

/// What came out of a bundle besides its store.
#[derive(Debug)]
pub struct Restored {
    /// Everything in it except the rows.
    pub inventory: Inventory,
    /// What its maker put beside the results, as it stands there; sources are in the inventory.
    pub extras: Extras,
    /// The digest of the program that was put in, if one was. It is not part of the store.
    pub binary: Option<Digest>,
}

/// Makes a store of a bundle: objects, records, attempts, and runs with their journals. `target` becomes the store, whole
/// or not at all. What is in it is not waited for to be on the disk: there is still the bundle.
///
/// # Errors
/// When `target` exists and is not an empty directory, the bundle is not what it should be, or the store cannot be
/// written.
pub fn to_store(reader: BundleReader, target: &Path) -> Result<Restored, BundleError> {
    let directory = NewDirectory::begin(target)?;
    let store = open(&directory.path())?;
    let contents = read_into(reader, &store)?;
    let binary = contents.binary();
    let Contents { inventory, extras, .. } = contents;
    fill(&store, &inventory)?;
    store.close()?;
    directory.finish()?;
    Ok(Restored { inventory, extras, binary })
}

/// Reads a bundle to its end, its objects into a store, and every row of them. The first fault ends it.
pub(crate) fn read_into(mut reader: BundleReader, store: &WritableStore) -> Result<Contents, BundleError> {
    let mut objects = Vec::new();
    let mut keep = |reader: &mut BundleReader, digest, _| {
        objects.push(digest);
        keep_object(reader, digest, store)
    };
    let contents = Contents::read(&mut reader, true, &mut keep, &mut Err)?;
    let seen = rows_of(store, objects, &mut Err)?;
    must_count(&contents.inventory, &seen)?;
    if contents.check(&reader, &mut Err)?.is_none() || reader.end().is_none() {
        return Err(BundleError::contents(".", "the end of the bundle was not reached"));
    }
    Ok(contents)
}

/// Writes what an inventory has, when the objects are there.
pub(crate) fn fill(store: &WritableStore, inventory: &Inventory) -> Result<(), BundleError> {
    for record in inventory.records.values() {
        store.write_record(record)?;
    }
    for attempt in inventory.attempts.values() {
        store.write_attempt(attempt)?;
    }
    let records = inventory.records.values().filter_map(Record::digest);
    store.write_received(records, inventory.attempts.keys().cloned(), inventory.left_out.clone())?;
    fill_runs(store, inventory)
}

/// Writes the runs of an inventory.
pub(crate) fn fill_runs(store: &WritableStore, inventory: &Inventory) -> Result<(), BundleError> {
    let mut taken: BTreeSet<RunId> = inventory.journals.keys().map(|(run, _)| run.clone()).collect();
    let mut written: BTreeSet<&RunId> = BTreeSet::new();
    for (name, journal) in &inventory.journals {
        let run = &name.0;
        let files = inventory.files_of_run(name)?;
        let missing = |file: &str| {
            let place = BundlePath::Journal(run.clone(), name.1).to_string();
            BundleError::contents(&place, format!("its first line does not name {file}"))
        };
        let unpacking = || BundleError::io("unpacking a run");
        let experiment = files.get("experiment.toml").and_then(|file| inventory.experiments.get(file));
        let experiment = experiment.ok_or_else(|| missing("experiment.toml"))?;
        let plan = files.get("plan.json").and_then(|file| inventory.plans.get(file));
        let plan = plan.ok_or_else(|| missing("plan.json"))?.bytes().map_err(unpacking())?;
        let model = files.get("model.toml").and_then(|file| inventory.models.get(file));
        let mut journal = journal.open().map_err(unpacking())?;
        let imported = ImportedRun { experiment, model: model.map(Vec::as_slice), plan: &plan, journal: &mut journal };
        // Two runs of one name, made in two places within one second.
        let name = if written.insert(run) { run.clone() } else { another_name(run, &mut taken)? };
        store.import_run(name, imported)?;
    }
    Ok(())
}
