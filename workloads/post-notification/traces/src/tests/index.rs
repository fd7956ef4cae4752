//! The index answers as the records would, and notices what is gone.

use std::fs::{self, File, FileTimes};
use std::sync::Arc;

use matrix_store::fs::RealFilesystem;
use matrix_store::{ErrorKind, Lookup, Origin, Store};
use proptest::prelude::*;

use super::fixture::{cell, finished, session, tempdir};
use crate::Record;

fn lookup(root: &std::path::Path, key: matrix_core::CellKey) -> Result<Lookup, matrix_store::StoreError> {
    Store::open(root).unwrap().lookup(&[key], &Origin::default()).map(|found| found[0])
}

#[test]
fn records_that_have_not_changed_are_not_read() {
    let directory = tempdir();
    let root = directory.path();
    let cells = finished(root, 2);
    let record = Store::open(root).unwrap().layout().record(&cells[0].key, &Origin::default());
    let times = fs::metadata(&record).unwrap();
    // A change that the file's size, inode and time do not show.
    let text = fs::read_to_string(&record).unwrap().replacen("\"misses\"", "\"mosses\"", 1);
    fs::write(&record, text).unwrap();
    let times = FileTimes::new().set_modified(times.modified().unwrap());
    File::options().write(true).open(&record).unwrap().set_times(times).unwrap();
    assert!(lookup(root, cells[0].key).unwrap().is_done());
    fs::remove_file(root.join("index")).unwrap();
    assert_eq!(lookup(root, cells[0].key).unwrap_err().kind(), ErrorKind::Integrity);
}

#[test]
fn what_is_deleted_cut_or_changed_is_noticed() {
    let directory = tempdir();
    let root = directory.path();
    let cells = finished(root, 4);
    let store = Store::open(root).unwrap();
    let record = |n: usize| store.layout().record(&cells[n].key, &Origin::default());
    let object = |n: usize| {
        let digest = store.record::<Record>(&cells[n].key, &Origin::default()).unwrap().unwrap().object.sha256;
        (digest, store.layout().object(&digest))
    };

    fs::remove_file(record(0)).unwrap();
    assert_eq!(lookup(root, cells[0].key).unwrap(), Lookup::Missing);
    let (digest, path) = object(1);
    fs::remove_file(path).unwrap();
    assert_eq!(lookup(root, cells[1].key).unwrap(), Lookup::ObjectMissing { object: digest });
    let (digest, path) = object(2);
    let whole = fs::read(&path).unwrap();
    let index = fs::read(root.join("index")).unwrap();
    // Of another size it is missing, whether the index knows its size or not.
    for with_index in [true, false] {
        for length in [0, 5, 6, 9, 100, whole.len() - 1] {
            fs::write(&path, &whole[..length]).unwrap();
            let found = lookup(root, cells[2].key).unwrap();
            assert_eq!(found, Lookup::ObjectMissing { object: digest }, "{length}, with an index: {with_index}");
        }
        fs::write(&path, [whole.as_slice(), b"0"].concat()).unwrap();
        assert_eq!(lookup(root, cells[2].key).unwrap(), Lookup::ObjectMissing { object: digest });
        fs::write(&path, &whole).unwrap();
        assert!(lookup(root, cells[2].key).unwrap().is_done());
        let _ = fs::remove_file(root.join("index"));
    }
    fs::write(root.join("index"), index).unwrap();
    let text = fs::read_to_string(record(3)).unwrap();
    fs::write(record(3), text + " ").unwrap();
    assert_eq!(lookup(root, cells[3].key).unwrap_err().kind(), ErrorKind::Integrity);
    assert_eq!(lookup(root, cell(99).key).unwrap(), Lookup::Missing);
}

#[test]
fn a_session_adds_to_the_index_what_an_earlier_one_could_not() {
    let directory = tempdir();
    let root = directory.path();
    let mut cells = finished(root, 3);
    let whole = fs::read_to_string(root.join("index")).unwrap();
    fs::remove_file(root.join("index")).unwrap();
    cells.push(cell(3));
    session(root, Arc::new(RealFilesystem), &cells).unwrap();
    let index = fs::read_to_string(root.join("index")).unwrap();
    assert_eq!(index.lines().count(), whole.lines().count() + 1);
    let mut lines = whole.lines().filter(|line| !line.starts_with("sha256"));
    assert!(lines.all(|line| index.contains(line)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_index_changes_no_answer(flips in prop::collection::vec((any::<prop::sample::Index>(), 0u8..8), 40)) {
        let directory = tempdir();
        let root = directory.path();
        let cells = finished(root, 3);
        let missing = Store::open(root).unwrap().layout().record(&cells[1].key, &Origin::default());
        fs::remove_file(missing).unwrap();
        let keys: Vec<_> = cells.iter().map(|cell| cell.key).collect();
        let expected = Store::open(root).unwrap().lookup(&keys, &Origin::default()).unwrap();
        prop_assert_eq!(expected.iter().filter(|found| found.is_done()).count(), 2);
        let index = fs::read(root.join("index")).unwrap();
        for (at, bit) in flips {
            let mut damaged = index.clone();
            damaged[at.index(index.len())] ^= 1 << bit;
            fs::write(root.join("index"), damaged).unwrap();
            let found = Store::open(root).unwrap().lookup(&keys, &Origin::default()).unwrap();
            prop_assert_eq!(&found, &expected);
        }
    }
}
