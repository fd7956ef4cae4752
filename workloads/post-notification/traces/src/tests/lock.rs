//! One writer, any number of readers, and no trace of a writer that wrote nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use matrix_store::{ErrorKind, Origin, Store, StoreError};

use super::fixture::{finished, tempdir, write_rows};
use crate::TraceSink;

#[test]
fn a_second_writer_is_told_who_the_first_is() {
    let directory = tempdir();
    let root = directory.path().join("deep/results");
    let first = Store::create_or_open_for_writing(&root, "matrix run quick.toml").unwrap();
    let sink = TraceSink::new(&first, 1).unwrap();
    Store::open(&root).unwrap();
    let error = Store::create_or_open_for_writing(&root, "matrix resume").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    let StoreError::Locked { holder: Some(holder), .. } = &error else { panic!("{error}") };
    assert_eq!((holder.command.as_str(), holder.pid), ("matrix run quick.toml", std::process::id()));
    assert!(error.to_string().contains("matrix run quick.toml"));
    assert!(error.help().is_some());

    // Whatever can still write keeps the lock.
    drop(first);
    assert_eq!(Store::create_or_open_for_writing(&root, "b").unwrap_err().kind(), ErrorKind::Locked);
    drop(sink);
    Store::create_or_open_for_writing(&root, "matrix resume").unwrap();
    assert_eq!(fs::read(root.join("lock")).unwrap(), b"");
}

#[test]
fn a_signature_left_by_the_dead_is_not_taken_for_the_holders() {
    let directory = tempdir();
    let root = directory.path();
    finished(root, 1);
    fs::write(root.join("lock"), r#"{"command":"matrix run a.toml","pid":4294967294,"since":"2026-11-22T13:00:00Z"}"#)
        .unwrap();
    let _first = Store::create_or_open_for_writing(root, "matrix run b.toml").unwrap();
    let error = Store::create_or_open_for_writing(root, "c").unwrap_err();
    if cfg!(target_os = "linux") {
        // The system knows who it is.
        let StoreError::Locked { holder, .. } = &error else { panic!("{error}") };
        assert!(holder.as_ref().is_none_or(|holder| holder.pid == std::process::id()), "{error}");
    }
}

fn times(root: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let mut found = BTreeMap::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        found.insert(directory.clone(), fs::metadata(&directory).unwrap().modified().unwrap());
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                found.insert(path.clone(), fs::metadata(&path).unwrap().modified().unwrap());
            }
        }
    }
    found
}

#[test]
fn opening_for_writing_writes_nothing() {
    let directory = tempdir();
    let root = directory.path();
    let cells = finished(root, 2);
    fs::write(root.join("tmp/left"), "by someone who was killed").unwrap();
    fs::remove_file(root.join("index")).unwrap();
    let before = times(root);
    let store = Store::create_or_open_for_writing(root, "matrix run").unwrap();
    assert!(store.lookup(&[cells[0].key], &Origin::default()).unwrap()[0].is_done());
    store.close().unwrap();
    assert_eq!(times(root), before);

    let store = Store::create_or_open_for_writing(root, "matrix run").unwrap();
    write_rows(&store, 0, 1).unwrap();
    store.close().unwrap();
    assert!(!root.join("tmp/left").exists(), "the first write sweeps");
}

#[test]
fn bundles_and_a_text_may_lie_beside_a_store() {
    let directory = tempdir();
    let root = directory.path();
    let beside = ["README.md", "quick.tar.zst", "quick.tar.zst.sig"];
    for name in beside {
        fs::write(root.join(name), "not ours").unwrap();
    }
    finished(root, 1);
    let store = Store::open(root).unwrap();
    let report = crate::verify(&store, matrix_store::VerifyOptions::default()).unwrap();
    assert!(report.is_sound() && report.notes.is_empty(), "{report:?}");
    let store = Store::create_or_open_for_writing(root, "gc").unwrap();
    store.collect_garbage().unwrap();
    store.close().unwrap();
    for name in beside {
        assert_eq!(fs::read_to_string(root.join(name)).unwrap(), "not ours");
    }
    // Anything else is a directory of something else.
    let other = tempdir();
    fs::write(other.path().join("README.txt"), "").unwrap();
    let error = Store::create_or_open_for_writing(other.path(), "run").unwrap_err();
    assert!(matches!(error, StoreError::NotAStore { .. }), "{error}");
}
