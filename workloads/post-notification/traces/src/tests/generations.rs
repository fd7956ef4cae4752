//! Results that are replaced by several runners at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use matrix_core::Reason;
use matrix_plan::Cell;
use matrix_store::fs::RealFilesystem;
use matrix_store::{Copied, Digest, Event, NewRun, Origin, Run, Store, VerifyOptions, WritableStore};

use super::fixture::{REQUESTS, execution, finished, tempdir, write_rows};
use crate::{Attempt, PostNotification, Record};

fn joined(root: &Path) -> WritableStore {
    WritableStore::join_with(root, "test", Arc::new(RealFilesystem), None).unwrap()
}

/// Joins the run that replaces this cell, and executes the cell with rows of its own. The run, and the digest of the rows.
fn replace(store: &WritableStore, cell: &Cell, salt: u64) -> (Run, Digest) {
    let new = NewRun { time: "20261122T140000Z", name: "again", experiment: b"", model: None, plan: b"{}" };
    let (run, journal, _) =
        store.join_run(&Digest::of(b"again"), &new, &[(cell.key, Reason::Fresh)], &|_| Ok(true)).unwrap();
    let object = write_rows(store, salt, REQUESTS).unwrap();
    let told = matrix_driver::AttemptDetails { epoch_us: 0, ..matrix_driver::AttemptDetails::default() };
    let attempt = Attempt::done(execution(store, cell).unwrap(), &told, object.digest).unwrap();
    store.write_attempt(&attempt).unwrap();
    store.write_record(&Record::new(cell, Origin::default(), &object, false).unwrap()).unwrap();
    journal.append(&Event::Done { attempt: attempt.id, cell: cell.key }).unwrap();
    (run, object.digest)
}

fn counts(store: &Store, cell: &Cell) -> Digest {
    store.record::<Record>(&cell.key, &Origin::default()).unwrap().unwrap().object.sha256
}

fn notes(root: &Path) -> Vec<String> {
    let report = Store::open(root).unwrap().verify::<PostNotification>(VerifyOptions::default()).unwrap();
    assert!(report.faults.is_empty(), "{:#?}", report.faults);
    report.notes.iter().map(|note| note.what.clone()).filter(|note| note.contains("replaced")).collect()
}

#[test]
fn runners_of_one_run_replace_a_result_once_and_a_later_run_once_more() {
    let (folder, other) = (tempdir(), tempdir());
    let (root, copy) = (folder.path().join("store"), other.path().join("copy"));
    let cells = finished(&root, 2);
    let (first, second) = (joined(&root), joined(&root));
    let (run, by_first) = replace(&first, &cells[0], 100);
    let (same, by_second) = replace(&second, &cells[0], 200);
    assert_eq!((run.id(), run.generation()), (same.id(), Some(1)));
    assert_ne!(by_first, by_second);
    // Whoever opened the store before sees what it saw, and everybody else the later result.
    assert_eq!(counts(&Store::open(&root).unwrap(), &cells[0]), by_first);
    let left = |run: &Run, cell: &Cell| {
        let store = Store::open(&root).unwrap();
        store.left_of(run, [(cell.key, Reason::Fresh)].into_iter()).unwrap().len()
    };
    assert_eq!((left(&run, &cells[0]), left(&run, &cells[1])), (0, 1));
    let run = first.run(run.id().as_str()).unwrap();
    first.journal(&run).append(&Event::Finished).unwrap();
    drop((first, second));

    let third = joined(&root);
    let (later, by_third) = replace(&third, &cells[0], 300);
    assert_eq!((later.generation(), counts(&third, &cells[0])), (Some(2), by_third));
    third.close().unwrap();
    assert_eq!(notes(&root), ["2 records were replaced by later ones: `matrix gc` removes them"]);

    // A copy gets what counts, and what counts less replaces nothing.
    let from = Store::open(&root).unwrap();
    let to = Store::create_or_open_for_writing(&copy, "test").unwrap();
    assert_eq!(to.copy_missing(&from).unwrap().records, 2);
    to.close().unwrap();
    let copied = Store::open(&copy).unwrap();
    assert_eq!(counts(&copied, &cells[0]), by_third);
    let store = Store::create_or_open_for_writing(&root, "matrix gc").unwrap();
    assert_eq!(store.collect_garbage().unwrap().records.len(), 2);
    // The copy has objects of records that are gone here.
    assert_eq!(store.copy_missing(&copied).unwrap(), Copied { objects: 3, ..Copied::default() });
    // Who has the store alone writes over the result that counts.
    let object = write_rows(&store, 100, REQUESTS).unwrap();
    store.write_record(&Record::new(&cells[0], Origin::default(), &object, false).unwrap()).unwrap();
    store.close().unwrap();
    assert_eq!((counts(&Store::open(&root).unwrap(), &cells[0]), notes(&root).len()), (by_first, 0));
}

#[test]
fn a_copy_hides_no_result_that_the_other_store_measured_itself() {
    let folder = tempdir();
    let [ours, theirs] = ["ours", "theirs"].map(|name| folder.path().join(name));
    let cells = finished(&theirs, 2);
    finished(&ours, 1);
    let write = |root: &Path, salt: u64| {
        let store = Store::create_or_open_for_writing(root, "test").unwrap();
        let object = write_rows(&store, salt, REQUESTS).unwrap();
        store.write_record(&Record::new(&cells[0], Origin::default(), &object, false).unwrap()).unwrap();
        store.close().unwrap();
        object.digest
    };
    let copy = |from: &Path, to: &Path| {
        let store = Store::create_or_open_for_writing(to, "test").unwrap();
        let copied = store.copy_missing(&Store::open(from).unwrap()).unwrap();
        store.close().unwrap();
        // Journals have times of their own.
        let differing: Vec<PathBuf> = copied.differing.into_iter().filter(|path| path.starts_with("cells")).collect();
        (copied.records, differing)
    };
    let file = |name: &str| PathBuf::from("cells").join(cells[0].key.to_string()).join(name);
    // Each store measured the cell, and theirs was replaced then.
    let measured = write(&ours, 500);
    let store = joined(&theirs);
    let (_, replaced) = replace(&store, &cells[0], 100);
    drop(store);
    for _ in 0..2 {
        assert_eq!(copy(&theirs, &ours).1, [file("local.json")]);
        assert_eq!(counts(&Store::open(&ours).unwrap(), &cells[0]), measured);
        assert_eq!(copy(&ours, &theirs), (0, vec![file("local.1.json")]));
        assert_eq!(counts(&Store::open(&theirs).unwrap(), &cells[0]), replaced);
    }
    // A store that has what theirs replaced gets what replaced it, and the other way round nothing is to be said.
    let before = folder.path().join("before");
    finished(&before, 1);
    assert_eq!(copy(&before, &theirs), (0, vec![]));
    assert_eq!(copy(&theirs, &before), (2, vec![]));
    assert_eq!(counts(&Store::open(&before).unwrap(), &cells[0]), replaced);
}
