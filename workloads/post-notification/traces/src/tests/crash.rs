//! Nothing half-done counts: whatever operation fails, what is stored is sound, and going on leads to the same store.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use matrix_plan::Cell;
use matrix_store::fs::{Fault, FaultyFilesystem, Loss};
use matrix_store::{ErrorKind, JournalState, Origin, Store, VerifyOptions};
use proptest::prelude::*;

use super::fixture::{cell, files, results, session, session_in_groups, tempdir};

struct Reference {
    cells: Vec<Cell>,
    results: BTreeMap<PathBuf, Vec<u8>>,
    operations: u64,
}

fn reference(group: Option<usize>) -> Reference {
    let directory = tempdir();
    let root = directory.path().join("results");
    let cells: Vec<Cell> = (0..3).map(cell).collect();
    let fs = FaultyFilesystem::counting();
    session_in_groups(&root, Arc::new(fs.clone()), &cells, group).unwrap();
    let results = results(&root);
    assert_eq!(results.len(), 6, "an object and a record each");
    assert!(files(&root.join("tmp")).is_empty());
    Reference { cells, results, operations: fs.operations() }
}

/// What is there is sound, and what counts as done is what it should be.
fn assert_sound(root: &Path, reference: &Reference, when: &str) {
    let Some(store) = Store::open_if_present(root).unwrap() else { return };
    let report = crate::verify(&store, VerifyOptions::default()).unwrap();
    assert!(report.is_sound(), "{when}: {:?}", report.faults);
    let keys: Vec<_> = reference.cells.iter().map(|cell| cell.key).collect();
    for (key, found) in keys.iter().zip(store.lookup(&keys, &Origin::default()).unwrap()) {
        if found.is_done() {
            let path = store.layout().record(key, &Origin::default());
            let relative = path.strip_prefix(root).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), reference.results[relative], "{when}");
        }
    }
    assert_journal_is_true(&store, when);
}

/// What the journal says is done is done, even after a power cut.
fn assert_journal_is_true(store: &Store, when: &str) {
    for id in store.runs().unwrap() {
        let mut states = BTreeMap::new();
        store.read_run(id.as_str(), |entry| states.extend(entry.event.cell_state())).unwrap();
        for (key, state) in states {
            let found = store.lookup(&[key], &Origin::default()).unwrap()[0];
            assert!(state != JournalState::Done || found.is_done(), "{when}: {} is {found:?}", key.short());
        }
    }
}

fn assert_complete(root: &Path, reference: &Reference, when: &str) {
    assert_sound(root, reference, when);
    assert!(results(root) == reference.results, "{when}: objects and records differ");
    let store = Store::open(root).unwrap();
    let keys: Vec<_> = reference.cells.iter().map(|cell| cell.key).collect();
    assert!(store.lookup(&keys, &Origin::default()).unwrap().iter().all(matrix_store::Lookup::is_done), "{when}");
    for run in store.runs().unwrap() {
        assert_eq!(store.run(run.as_str()).unwrap().journal().torn_bytes, 0, "{when}");
    }
}

#[test]
fn a_crash_at_any_operation_loses_only_what_was_in_flight() {
    let alone = crash_at_any_operation(None);
    assert!(alone > 60, "only {alone} operations");
}

#[test]
fn a_crash_at_any_operation_of_a_group_loses_only_the_group() {
    for of in [1, 2, 3] {
        crash_at_any_operation(Some(of));
    }
}

fn crash_at_any_operation(group: Option<usize>) -> u64 {
    let reference = reference(group);
    for loss in Loss::ALL {
        for nth in 0..reference.operations {
            let when = format!("crash at operation {nth}, losing {loss:?}");
            let directory = tempdir();
            let root = directory.path().join("results");
            let fs = FaultyFilesystem::failing(nth, Fault::Crash(loss));
            let ended = session_in_groups(&root, Arc::new(fs.clone()), &reference.cells, group);
            assert!(fs.crashed(), "{when}");
            // What a session said it had done is done, whatever happens after.
            if ended.is_ok() {
                assert_complete(&root, &reference, &when);
            }
            assert_eq!(ended.is_ok(), nth == reference.operations - 1, "{when}");
            assert_sound(&root, &reference, &when);
            session(&root, Arc::new(FaultyFilesystem::counting()), &reference.cells).expect(&when);
            assert_complete(&root, &reference, &when);
        }
    }
    reference.operations
}

#[test]
fn an_error_of_any_operation_is_told_and_does_no_harm() {
    let reference = reference(None);
    let full = io::ErrorKind::StorageFull;
    let read_only = io::ErrorKind::ReadOnlyFilesystem;
    let faults = [
        (Fault::Once(full), ErrorKind::Full),
        (Fault::From(full), ErrorKind::Full),
        (Fault::From(read_only), ErrorKind::NotWritable),
    ];
    for (fault, kind) in faults {
        for nth in 0..reference.operations {
            let when = format!("{fault:?} at operation {nth}");
            let directory = tempdir();
            let root = directory.path().join("results");
            match session(&root, Arc::new(FaultyFilesystem::failing(nth, fault)), &reference.cells) {
                Err(error) => assert_eq!(error.kind(), kind, "{when}: {error}"),
                // Only what happens after the work is done may fail in silence: taking the signature back.
                Ok(()) => assert_eq!(nth, reference.operations - 1, "{when}"),
            }
            if fault == Fault::Once(full) && root.join("tmp").exists() {
                assert!(files(&root.join("tmp")).len() <= 4, "{when}: leftovers of one write at most");
            }
            assert_sound(&root, &reference, &when);
            session(&root, Arc::new(FaultyFilesystem::counting()), &reference.cells).expect(&when);
            assert_complete(&root, &reference, &when);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn crash_after_crash_leads_to_the_same_store(crashes in prop::collection::vec((0u64..120, 0usize..5), 1..8)) {
        let reference = reference(None);
        let directory = tempdir();
        let root = directory.path().join("results");
        for (nth, loss) in crashes {
            let fs = FaultyFilesystem::failing(nth, Fault::Crash(Loss::ALL[loss]));
            let _ = session(&root, Arc::new(fs), &reference.cells);
            assert_sound(&root, &reference, "between crashes");
        }
        session(&root, Arc::new(FaultyFilesystem::counting()), &reference.cells).unwrap();
        assert_complete(&root, &reference, "after crashes");
    }
}
