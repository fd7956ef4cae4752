//! Garbage goes, and nothing that anybody needs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use matrix_store::fs::{Fault, FaultyFilesystem, Filesystem, Loss, RealFilesystem};
use matrix_store::{ErrorKind, Garbage, Origin, Store, StoreError, VerifyOptions, WritableStore};
use proptest::prelude::*;

use super::fixture::{REQUESTS, cell, execution, files, finished, tempdir, write_rows};
use crate::{Attempt, Record};

/// What is put into a store besides finished cells of a run.
#[derive(Clone, Copy, Debug)]
enum Extra {
    /// An object that no record names.
    Object,
    /// A failed attempt that no run names.
    Failed,
    /// A finished attempt that no run names, whose result another one has replaced.
    Replaced,
    /// A record that a later one has replaced, with its object and an attempt that no run names.
    Superseded,
    /// An imported result: a record, its object, and an attempt that no run names.
    Imported,
    /// A file in `tmp/`.
    File,
    /// A directory in `tmp/`.
    Directory,
}

const EXTRAS: [Extra; 7] =
    [Extra::Object, Extra::Failed, Extra::Replaced, Extra::Superseded, Extra::Imported, Extra::File, Extra::Directory];

/// Adds one thing; the files that have to go in the end.
fn add(root: &Path, extra: Extra, number: u64) -> Result<BTreeSet<PathBuf>, StoreError> {
    let store = match extra {
        Extra::Superseded => WritableStore::join_with(root, "test", Arc::new(RealFilesystem), None)?,
        _ => Store::create_or_open_for_writing(root, "test")?,
    };
    let salt = 1000 + number;
    let cell = cell(salt);
    let told = matrix_driver::AttemptDetails { epoch_us: 0, ..matrix_driver::AttemptDetails::default() };
    let relative = |path: PathBuf| path.strip_prefix(root).unwrap().to_owned();
    let mut garbage = BTreeSet::new();
    match extra {
        Extra::Object => {
            let object = write_rows(&store, salt, REQUESTS)?;
            garbage.insert(relative(store.layout().object(&object.digest)));
        }
        Extra::Failed => {
            let attempt = Attempt::failed(execution(&store, &cell)?, &cell.inputs, "it broke".to_owned())?;
            store.write_attempt(&attempt)?;
            garbage.insert(relative(store.layout().attempt(&attempt.id)));
        }
        Extra::Replaced | Extra::Superseded | Extra::Imported => {
            let object = write_rows(&store, salt, REQUESTS)?;
            let attempt = Attempt::done(execution(&store, &cell)?, &told, object.digest)?;
            store.write_attempt(&attempt)?;
            if let Extra::Superseded = extra {
                let path = store.layout().record(&cell.key, &Origin::default());
                store.write_record(&Record::new(&cell, Origin::default(), &object, false)?)?;
                garbage.insert(relative(path));
            }
            if let Extra::Replaced | Extra::Superseded = extra {
                garbage.insert(relative(store.layout().object(&object.digest)));
                garbage.insert(relative(store.layout().attempt(&attempt.id)));
                let newer = write_rows(&store, salt + 500_000, REQUESTS)?;
                store.write_attempt(&Attempt::done(execution(&store, &cell)?, &told, newer.digest)?)?;
                store.replace_record(&Record::new(&cell, Origin::default(), &newer, false)?)?;
            } else {
                store.write_record(&Record::new(&cell, Origin::default(), &object, false)?)?;
            }
        }
        // The last ones: whoever writes sweeps them.
        Extra::File | Extra::Directory => {}
    }
    store.close()?;
    Ok(garbage)
}

fn leave(root: &Path, extra: Extra, number: usize) -> Option<PathBuf> {
    let file = match extra {
        Extra::File => format!("tmp/left-{number}"),
        Extra::Directory => format!("tmp/run-{number}/plan.json"),
        _ => return None,
    };
    fs::create_dir_all(root.join(&file).parent().unwrap()).unwrap();
    fs::write(root.join(&file), "by someone who was killed").unwrap();
    Some(file.into())
}

/// A store with finished cells and these things besides; which files have to go.
fn store_with(root: &Path, cells: u64, extras: &[Extra]) -> BTreeSet<PathBuf> {
    finished(root, cells);
    let mut garbage = BTreeSet::new();
    for (number, extra) in extras.iter().enumerate() {
        garbage.extend(add(root, *extra, number as u64).unwrap());
    }
    garbage.extend(extras.iter().enumerate().filter_map(|(number, extra)| leave(root, *extra, number)));
    garbage
}

fn collect(root: &Path, fs: Arc<dyn Filesystem>) -> Result<Garbage, StoreError> {
    let store = WritableStore::open_with(root, "matrix gc", fs)?;
    let garbage = store.collect_garbage()?;
    store.close()?;
    Ok(garbage)
}

/// Everything that counts; what is left over of the lock does not.
fn contents(root: &Path) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    let mut found = files(root);
    found.remove(Path::new("lock"));
    found
}

fn assert_sound(root: &Path, when: &str) {
    let store = Store::open(root).unwrap();
    let report = crate::verify(&store, VerifyOptions::default()).unwrap();
    assert!(report.is_sound(), "{when}: {:?}", report.faults);
    for record in store.records::<Record>().unwrap() {
        let record = record.unwrap();
        assert_eq!(store.open_object(&record.object.sha256).unwrap().check().unwrap(), record.object.bytes, "{when}");
    }
    for id in store.attempts().unwrap() {
        store.attempt::<Attempt>(&id).unwrap().unwrap();
    }
    for id in store.runs().unwrap() {
        let run = store.run(id.as_str()).unwrap();
        run.experiment().unwrap();
        run.plan().unwrap();
        run.model().unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn exactly_what_nothing_needs_goes(
        cells in 0u64..3,
        extras in prop::collection::vec(prop::sample::select(&EXTRAS[..]), 0..8),
    ) {
        let directory = tempdir();
        let root = directory.path();
        let garbage = store_with(root, cells, &extras);
        let before = contents(root);
        let told = Store::open(root).unwrap().garbage().unwrap();
        prop_assert_eq!(&contents(root), &before, "looking changes nothing");
        prop_assert_eq!(told.is_empty(), garbage.is_empty());

        let removed = collect(root, Arc::new(RealFilesystem)).unwrap();
        prop_assert_eq!(&removed, &told, "what was said to go went");
        let after = contents(root);
        let gone: BTreeSet<PathBuf> = before.keys().filter(|path| !after.contains_key(*path)).cloned().collect();
        prop_assert_eq!(&gone, &garbage);
        prop_assert!(after.iter().all(|(path, bytes)| before.get(path) == Some(bytes)), "the rest is as it was");
        let bytes: u64 = gone.iter().map(|path| before[path].len() as u64).sum();
        prop_assert_eq!(removed.files().map(|file| file.bytes).sum::<u64>(), bytes);
        assert_sound(root, "after");
        let notes = crate::verify(&Store::open(root).unwrap(), VerifyOptions::default()).unwrap().notes;
        prop_assert_eq!(notes, []);
        prop_assert!(collect(root, Arc::new(RealFilesystem)).unwrap().is_empty());
    }
}

#[test]
fn a_crash_at_any_operation_loses_nothing_that_is_needed() {
    let reference = tempdir();
    let garbage = store_with(reference.path(), 2, &EXTRAS);
    assert_eq!(garbage.len(), 9);
    let counting = FaultyFilesystem::counting();
    let copy = |to: &Path| {
        for (path, bytes) in files(reference.path()) {
            fs::create_dir_all(to.join(&path).parent().unwrap()).unwrap();
            fs::write(to.join(path), bytes).unwrap();
        }
    };
    let clean = tempdir();
    copy(clean.path());
    collect(clean.path(), Arc::new(counting.clone())).unwrap();
    let clean = contents(clean.path());
    assert!(counting.operations() >= 10, "{}", counting.operations());
    for loss in Loss::ALL {
        for nth in 0..counting.operations() {
            let when = format!("crash at operation {nth}, losing {loss:?}");
            let directory = tempdir();
            let root = directory.path();
            copy(root);
            let crashing = FaultyFilesystem::failing(nth, Fault::Crash(loss));
            let ended = collect(root, Arc::new(crashing.clone()));
            assert!(crashing.crashed() && (ended.is_err() || nth == counting.operations() - 1), "{when}");
            let left = contents(root);
            assert!(clean.iter().all(|(path, bytes)| left.get(path) == Some(bytes)), "{when}");
            assert_sound(root, &when);
            collect(root, Arc::new(FaultyFilesystem::counting())).expect(&when);
            assert!(contents(root) == clean, "{when}");
        }
    }
}

#[test]
fn where_something_cannot_be_read_nothing_is_removed() {
    for folder in ["cells", "attempts", "runs"] {
        let directory = tempdir();
        let root = directory.path();
        store_with(root, 1, &[Extra::Object, Extra::File]);
        let damaged = files(root)
            .into_keys()
            .find(|path| path.starts_with(folder) && (folder != "runs" || path.ends_with("journal.jsonl")));
        let path = root.join(damaged.unwrap());
        let mut bytes = fs::read(&path).unwrap();
        bytes[20] ^= 1;
        fs::write(&path, bytes).unwrap();
        let before = contents(root);
        assert_eq!(Store::open(root).unwrap().garbage().unwrap_err().kind(), ErrorKind::Integrity, "{folder}");
        assert_eq!(collect(root, Arc::new(RealFilesystem)).unwrap_err().kind(), ErrorKind::Integrity, "{folder}");
        assert!(contents(root) == before, "{folder}");
    }
}

#[test]
fn while_another_writes_nothing_is_known() {
    let directory = tempdir();
    let root = directory.path();
    finished(root, 1);
    let writer = Store::create_or_open_for_writing(root, "matrix run a.toml").unwrap();
    let begun = write_rows(&writer, 77, 1).unwrap();
    assert_eq!(Store::open(root).unwrap().garbage().unwrap_err().kind(), ErrorKind::Locked);
    assert_eq!(collect(root, Arc::new(RealFilesystem)).unwrap_err().kind(), ErrorKind::Locked);
    drop(writer);
    assert_eq!(Store::open(root).unwrap().garbage().unwrap().objects.len(), 1);
    assert!(Store::open(root).unwrap().open_object(&begun.digest).is_ok());
}
