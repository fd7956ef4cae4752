//! An experiment that three machines divided.

use std::collections::BTreeSet;
use std::path::PathBuf;

use matrix_bundle::{BundleError, BundleReader, Limits};
use matrix_core::Shard;
use matrix_store::Store;

use super::fixture::{EXPERIMENT, faster, store};
use crate::bundle::{Contents, CreateOptions, Selection, check, merge};
use crate::{Chosen, DerivedError, Shards, Texts, newest};

#[test]
fn shards_are_bundles_of_their_own_that_unite_and_one_that_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = |number: u32| -> PathBuf {
        let place = folder.path().join(format!("store-{number}"));
        let store = store(&place, EXPERIMENT, Shard::new(number, 3), faster(4));
        let shards = Shards::of(&store, &newest(&store, &Texts::new()).unwrap()).unwrap();
        assert_eq!((shards.only().map(BTreeSet::len), shards.left_out()), (Some(6), 12));
        let out = folder.path().join(format!("{number}.tar.zst"));
        let selection = Selection { run: None, experiments: &Texts::new(), filter: None };
        let contents = Contents::of(&store, &selection).unwrap().unwrap();
        let made = contents.create(CreateOptions::default(), &out).unwrap();
        assert_eq!((made.info.cells.done, made.left_out), (6, 12));
        let findings = check(BundleReader::open(&out, Limits::default()).unwrap(), false).unwrap();
        assert!(findings.faults.is_empty(), "{findings:?}");
        out
    };
    let [one, two, three] = [1, 2, 3].map(bundle);
    let out = folder.path().join("united.tar.zst");
    let unite = |files: &[&PathBuf], allow: bool| {
        let files: Vec<PathBuf> = files.iter().map(|file| (*file).clone()).collect();
        merge(&files, Limits::default(), allow, &out)
    };
    let missing = unite(&[&three, &one], false).unwrap_err();
    assert!(
        matches!(&missing, DerivedError::Bundle(BundleError::MissingShards(which)) if which == "2/3 of kv"),
        "{missing}"
    );
    assert!(!out.exists());
    let made = unite(&[&three, &one], true).unwrap();
    assert_eq!((made.info.cells.done, made.left_out, made.missing_shards.as_deref()), (12, 6, Some("2/3 of kv")));
    assert!(check(BundleReader::open(&out, Limits::default()).unwrap(), false).unwrap().faults.is_empty());

    let made = unite(&[&three, &one, &two], false).unwrap();
    assert_eq!((made.info.cells.done, made.left_out, made.missing_shards), (18, 0, None));
    let bytes = std::fs::read(&out).unwrap();
    unite(&[&two, &three, &one, &two], false).unwrap();
    assert!(bytes == std::fs::read(&out).unwrap(), "the order of bundles makes no difference");
    let place = folder.path().join("united");
    matrix_bundle::restore_generic(BundleReader::open(&out, Limits::default()).unwrap(), &place).unwrap();
    let united = Store::open(&place).unwrap();
    assert_eq!(Chosen::only(&united).unwrap().unwrap().cells.len(), 18);
    assert_eq!(
        check(BundleReader::open(&out, Limits::default()).unwrap(), false).unwrap().claims,
        ["kv: C1: supported"]
    );
}
