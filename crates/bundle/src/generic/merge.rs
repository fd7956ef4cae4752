//! The union of bundles of format 3.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use matrix_store::{
    AttemptId, Digest, GenericAttempt, GenericRecord, ImportedRun, ObjectRef, RecordFile, RunId, Sealed, Store,
    StoreError, WritableStore,
};

use super::restore::restore_generic;
use crate::error::{BundleError, Conflict};
use crate::limits::Limits;
use crate::new_directory::NewDirectory;
use crate::packed::Packed;
use crate::reader::BundleReader;
use crate::restore;
use crate::runs::packed_journal;
use crate::temporary::Folder;

/// Makes one store of several bundles: all their records, attempts, runs and objects. Which comes first makes no
/// difference, nor does it if one comes twice.
///
/// # Errors
/// When a bundle is not what it should be, when two results of one cell and origin differ, or two attempts of one name
/// (all such conflicts are told), or when the store cannot be written.
pub fn unite_generic(bundles: &[PathBuf], limits: Limits, target: &Path) -> Result<(), BundleError> {
    let directory = NewDirectory::begin(target)?;
    let union = restore::open(&directory.path())?;
    let (mut conflicts, mut found) = (Vec::new(), BTreeMap::new());
    for bundle in bundles {
        let folder = Folder::new()?;
        let place = folder.path().join("store");
        restore_generic(BundleReader::open(bundle, limits)?, &place)?;
        let store = Store::open(&place)?;
        unite(&store, &union, &mut conflicts)?;
        runs(&store, &mut found)?;
    }
    if !conflicts.is_empty() {
        conflicts.sort();
        conflicts.dedup();
        return Err(BundleError::Conflicts(conflicts));
    }
    keep(&found, &union)?;
    union.close()?;
    directory.finish()
}

fn unite(from: &Store, union: &WritableStore, conflicts: &mut Vec<Conflict>) -> Result<(), BundleError> {
    for record in from.records::<GenericRecord>()? {
        let record = record?;
        match union.record::<GenericRecord>(&record.key, &record.origin)? {
            None => {
                let objects = record.objects().into_iter().map(|ObjectRef { sha256, bytes }| (sha256, bytes));
                copy_objects(from, union, objects)?;
                union.write_record(&record)?;
            }
            Some(other) if other == record => {}
            Some(other) => conflicts.push(of_results(&record, &other)),
        }
    }
    let mut attempts = BTreeSet::new();
    for id in from.attempts()? {
        let Some(attempt) = from.attempt::<GenericAttempt>(&id)? else { continue };
        match union.attempt::<GenericAttempt>(&id)? {
            None => {
                copy_objects(from, union, attempt.outputs.values().map(|output| (output.sha256, output.bytes)))?;
                union.write_attempt(&attempt)?;
            }
            Some(other) if other == attempt => {}
            Some(other) => conflicts.push(of_attempts(&id, &attempt, &other)?),
        }
        attempts.insert(id);
    }
    let (ours, theirs) = (union.received()?, from.received()?);
    attempts.extend(ours.attempts);
    let left_out = ours.left_out.union(&theirs.left_out).filter(|id| !attempts.contains(*id)).cloned().collect();
    let records = ours.records.into_iter().chain(theirs.records);
    union.write_received(records, attempts.iter().cloned(), left_out)?;
    Ok(())
}

fn copy_objects(
    from: &Store,
    union: &WritableStore,
    objects: impl Iterator<Item = (Digest, u64)>,
) -> Result<(), StoreError> {
    for (digest, bytes) in objects {
        union.keep_object(&digest, &mut from.open_object(&digest)?.with_max_bytes(bytes))?;
    }
    Ok(())
}

fn of_results(one: &GenericRecord, other: &GenericRecord) -> Conflict {
    let mut objects: Vec<_> =
        [one, other].into_iter().filter_map(|record| Some(record.objects().first()?.sha256)).collect();
    objects.sort();
    Conflict::Results { key: one.key, origin: one.origin.clone(), objects }
}

fn of_attempts(id: &AttemptId, one: &GenericAttempt, other: &GenericAttempt) -> Result<Conflict, StoreError> {
    let mut files = vec![Digest::of(&one.to_bytes()?), Digest::of(&other.to_bytes()?)];
    files.sort();
    Ok(Conflict::Attempts { id: id.to_string(), files })
}

/// A run of one of the bundles.
struct Found {
    id: RunId,
    experiment: Vec<u8>,
    plan: Packed,
    journal: Packed,
}

/// Adds the runs of a store, by the digests of their journals. Of the names of one run the first counts.
fn runs(from: &Store, found: &mut BTreeMap<Digest, Found>) -> Result<(), BundleError> {
    for id in from.all_runs()? {
        let run = from.run(id.as_str())?;
        let journal = packed_journal(&run)?;
        if found.get(&journal.digest()).is_none_or(|known| id < known.id) {
            let plan = Packed::of(&run.plan()?).map_err(BundleError::io("compressing a plan"))?;
            found.insert(journal.digest(), Found { id, experiment: run.experiment()?, plan, journal });
        }
    }
    Ok(())
}

/// Keeps these runs. Runs of one name whose journals differ were made in two places within one second, or went on in one of
/// them: all stay, and the order of their digests decides which keeps the name.
fn keep(found: &BTreeMap<Digest, Found>, union: &WritableStore) -> Result<(), BundleError> {
    let mut taken: BTreeSet<RunId> = found.values().map(|run| run.id.clone()).collect();
    let mut named = BTreeSet::new();
    for Found { id, experiment, plan, journal } in found.values() {
        let name = if named.insert(id) { id.clone() } else { restore::another_name(id, &mut taken)? };
        let unpacking = || BundleError::io("unpacking a run");
        let plan = plan.bytes().map_err(unpacking())?;
        let mut journal = journal.open().map_err(unpacking())?;
        union.import_run(name, ImportedRun { experiment, model: None, plan: &plan, journal: &mut journal })?;
    }
    Ok(())
}
