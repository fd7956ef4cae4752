//! An experiment that three machines divided.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use matrix_bundle::{BundleError, BundleReader, Limits};
use matrix_command::run::{Input, Part, plan};
use matrix_core::{Again, Reason, Shard, key};
use matrix_store::{NewRun, Store};

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

/// How many cells are missing, and of which shards, after runs of these texts and shards of three. What a run does not
/// prepare itself has another key there than where it is prepared.
fn missing_after(runs: &[(&str, u32)]) -> (u64, Option<String>) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create_or_open_for_writing(&folder.path().join("store"), "a test").unwrap();
    for (number, (text, shard)) in runs.iter().enumerate() {
        let input = Input::new("kv.toml", (*text).to_owned(), Path::new("."), None).unwrap();
        let part = Part::new(&input, None, Shard::new(*shard, 3), &|_| true).unwrap();
        let mut plan = plan(None, &input, &part, &Again::None).unwrap();
        for cell in plan.cells.iter_mut().filter(|cell| cell.reason == Reason::OtherShard) {
            cell.key = key::key_of(&serde_json::json!({ "not prepared": cell.key.to_string() })).unwrap();
        }
        let plan = serde_json::to_vec(&plan).unwrap();
        let (time, experiment) = (format!("20201122T13000{number}Z"), text.as_bytes());
        store.create_run(&NewRun { time: &time, name: "kv", experiment, model: None, plan: &plan }).unwrap();
    }
    let shards = Shards::of(&store, &store.all_runs().unwrap()).unwrap();
    (shards.left_out(), shards.missing())
}

#[test]
fn shards_of_texts_that_mean_the_same_unite_and_a_missing_cell_counts_once() {
    let commented =
        EXPERIMENT.replace("seed = 7", "# Another machine's.\nseed = 7").replace("at_most = 0.5", "at_most = 0.4");
    let other = EXPERIMENT.replace("\"{threads}\",", "\"{threads}\", \"-x\",");
    let same = commented.as_str();
    assert_eq!(missing_after(&[(EXPERIMENT, 1), (same, 2), (EXPERIMENT, 3)]), (0, None));
    assert_eq!(missing_after(&[(EXPERIMENT, 1), (same, 1)]), (12, Some("2/3 of kv, 3/3 of kv".to_owned())));
    // What an earlier version lacks is missed by nobody, and it stands for nothing of a later one.
    assert_eq!(missing_after(&[(EXPERIMENT, 1), (&other, 1), (&other, 2), (&other, 3)]), (0, None));
    assert_eq!(missing_after(&[(EXPERIMENT, 3), (&other, 1), (&other, 2)]), (6, Some("3/3 of kv".to_owned())));
    // Other values are other cells.
    let fewer = EXPERIMENT.replace("[1, 2, 4]", "[1, 2]");
    assert!(missing_after(&[(&fewer, 1), (&fewer, 2), (&fewer, 3), (EXPERIMENT, 1)]).1.is_some());
}
