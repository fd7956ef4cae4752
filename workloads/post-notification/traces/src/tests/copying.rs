//! Copying from a store that is written meanwhile.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use matrix_plan::Cell;
use matrix_store::fs::{Filesystem, OutFile, RealFilesystem};
use matrix_store::{Copied, Origin, Store, VerifyOptions, WritableStore};

use super::fixture::{REQUESTS, cell, execution, finished, session, tempdir, write_rows};
use crate::{Attempt, PostNotification, Record};

/// The file system of a copy, at whose first file the store that is copied changes: a cell more is finished, and who has that store
/// alone writes over the result of another one.
#[derive(Debug, Default)]
struct Meanwhile(Mutex<Option<PathBuf>>);

impl Filesystem for Meanwhile {
    fn create(&self, path: &Path) -> io::Result<Box<dyn OutFile>> {
        if let Some(from) = self.0.lock().unwrap().take() {
            session(&from, Arc::new(RealFilesystem), &[cell(0), cell(1), cell(2)]).unwrap();
            replace(&from, &cell(0));
        }
        RealFilesystem.create(path)
    }
}

fn replace(root: &Path, cell: &Cell) {
    let store = Store::create_or_open_for_writing(root, "test").unwrap();
    let object = write_rows(&store, 500, REQUESTS).unwrap();
    let told = matrix_driver::AttemptDetails { epoch_us: 0, ..matrix_driver::AttemptDetails::default() };
    store.write_attempt(&Attempt::done(execution(&store, cell).unwrap(), &told, object.digest).unwrap()).unwrap();
    store.write_record(&Record::new(cell, Origin::default(), &object, false).unwrap()).unwrap();
    store.close().unwrap();
}

#[test]
fn what_arrives_comes_with_all_that_it_names_though_more_is_written_meanwhile() {
    let folder = tempdir();
    let (root, copy) = (folder.path().join("store"), folder.path().join("copy"));
    finished(&root, 2);
    let from = Store::open(&root).unwrap();
    let fs = Arc::new(Meanwhile::default());
    let mut copied = Vec::new();
    for changes in [true, false] {
        let to = WritableStore::open_with(&copy, "test", Arc::clone(&fs) as Arc<dyn Filesystem>).unwrap();
        *fs.0.lock().unwrap() = changes.then(|| root.clone());
        copied.push(to.copy_missing(&from).unwrap());
        to.close().unwrap();
        let report = Store::open(&copy).unwrap().verify::<PostNotification>(VerifyOptions::default()).unwrap();
        assert!(report.faults.is_empty(), "{:#?}", report.faults);
    }
    let differing = Vec::new();
    let expected = [
        // The result that was written over had come with the object that it no longer names.
        Copied { objects: 2, attempts: 2, records: 1, runs: 1, differing: differing.clone() },
        Copied { objects: 2, attempts: 2, records: 2, runs: 1, differing },
    ];
    assert_eq!(copied, expected);
}
