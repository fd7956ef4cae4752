//! The union of bundles: whatever the order, however often.

use std::fs;

use matrix_bundle::{BundleError, Conflict, ErrorKind};
use matrix_store::Store;
use proptest::prelude::*;

use super::fixture::{Fate, TestRun, bundle, bundle_of, execute, extras, files, options, reader, store, tempdir};
use crate::{MergeOptions, Selection, VerifyOptions, create, merge, to_store, verify};

fn merged(bundles: &[&[u8]]) -> Result<Vec<u8>, BundleError> {
    let directory = tempdir();
    let options = MergeOptions { allow_incomplete: true, ..MergeOptions::default() };
    let mut out = Vec::new();
    let made = merge(
        bundles.iter().map(|bytes| reader(bytes)),
        directory.path(),
        &mut |store, _| {
            let mut made = extras(store);
            made.source.clear();
            Ok(made)
        },
        &options,
        &mut out,
    );
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "nothing is left over");
    made.map(|_| out)
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![3 => Just(Fate::Done(0)), 1 => Just(Fate::Failed), 1 => Just(Fate::Partial), 1 => Just(Fate::Pending)]
}

/// Runs with the same results for the same cells, as simulated ones have, or with other origins.
fn run() -> impl Strategy<Value = TestRun> {
    let cells = prop::collection::btree_map(0u64..6, fate(), 1..5);
    (cells, 0u32..24, prop::sample::select(vec!["local", "eval-1"]), prop::sample::select(vec!["test", "other"]))
        .prop_map(|(cells, hour, origin, name)| {
            let of_origin = if origin == "local" { 0 } else { 100 };
            let cells = cells.into_iter().map(|(delay, fate)| match fate {
                Fate::Done(_) => (delay, Fate::Done(delay + of_origin)),
                other => (delay, other),
            });
            TestRun { hour, name, cells: cells.collect(), origin }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn merging_is_commutative_associative_and_idempotent(mut runs in prop::collection::vec(run(), 3)) {
        // Attempts of two runs are not made at the same instant.
        for (n, run) in runs.iter_mut().enumerate() {
            run.hour = (run.hour % 8) * 3 + n as u32;
        }
        let bundles: Vec<Vec<u8>> = runs.iter().map(bundle).collect();
        let [a, b, c] = [&bundles[0], &bundles[1], &bundles[2]].map(Vec::as_slice);
        let all = merged(&[a, b, c]).unwrap();
        prop_assert!(verify(reader(&all).unwrap(), VerifyOptions::default()).unwrap().is_sound());
        prop_assert!(merged(&[c, a, b]).unwrap() == all, "commutative");
        let (ab, bc) = (merged(&[a, b]).unwrap(), merged(&[b, c]).unwrap());
        prop_assert!(merged(&[&ab, c]).unwrap() == all, "associative");
        prop_assert!(merged(&[a, &bc]).unwrap() == all, "associative");
        prop_assert!(merged(&[&all, &all]).unwrap() == all, "idempotent");
        prop_assert!(merged(&[a]).unwrap() == a, "one alone");
        prop_assert!(merged(&[&all, b, a, &bc]).unwrap() == all, "what is in it already");
    }
}

/// A bundle of the cells of a store whose delay is below this, with what follows from them; of all, if that is none.
fn part(store: &Store, below: u64) -> Vec<u8> {
    let filter = matrix_plan::Filter::parse(&format!("delay_ms < {below}"), &matrix_plan::Regions::default()).unwrap();
    let selection = Selection { filter: Some(filter), ..Selection::default() };
    let mut bytes = Vec::new();
    match create(store, &selection, &extras(store), &options(), &mut bytes) {
        Err(BundleError::Empty) => bytes = bundle_of(store).0,
        made => drop(made.unwrap()),
    }
    merged(&[&bytes]).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn selections_merge_to_sound_bundles_whatever_they_leave_out(
        mut runs in prop::collection::vec(run(), 2),
        parts in prop::collection::vec((0usize..2, 1u64..7), 3),
    ) {
        for (n, run) in runs.iter_mut().enumerate() {
            run.hour = (run.hour % 8) * 3 + n as u32;
        }
        let stores: Vec<_> = runs.iter().map(store).collect();
        let bundles: Vec<Vec<u8>> = parts.iter().map(|&(run, below)| part(&stores[run].1, below)).collect();
        let [a, b, c] = [&bundles[0], &bundles[1], &bundles[2]].map(Vec::as_slice);
        let all = merged(&[a, b, c]).unwrap();
        prop_assert_eq!(verify(reader(&all).unwrap(), VerifyOptions::default()).unwrap().faults, []);
        prop_assert!(merged(&[c, b, a]).unwrap() == all, "commutative");
        let (ab, bc) = (merged(&[a, b]).unwrap(), merged(&[b, c]).unwrap());
        prop_assert!(merged(&[&ab, c]).unwrap() == all, "associative");
        prop_assert!(merged(&[a, &bc]).unwrap() == all, "associative");
        prop_assert!(merged(&[&all, a]).unwrap() == all, "idempotent");
        let directory = tempdir();
        let target = directory.path().join("store");
        to_store(reader(&all).unwrap(), &target).unwrap();
        let restored = Store::open(&target).unwrap();
        prop_assert_eq!(matrix_traces::verify(&restored, matrix_store::VerifyOptions::default()).unwrap().faults, []);
        // An evaluator measures what was left out, too.
        execute(&target, &TestRun { hour: 23, origin: "eval-2", ..TestRun::new(&[(0, Fate::Done(5)), (5, Fate::Done(6))]) });
        let extended = Store::open(&target).unwrap();
        prop_assert_eq!(matrix_traces::verify(&extended, matrix_store::VerifyOptions::default()).unwrap().faults, []);
        let extended = bundle_of(&extended).0;
        prop_assert_eq!(verify(reader(&extended).unwrap(), VerifyOptions::default()).unwrap().faults, []);
    }
}

#[test]
fn two_results_of_one_cell_are_a_conflict() {
    let early = |salt| TestRun { hour: 1, ..TestRun::new(&[(0, Fate::Done(salt)), (100, Fate::Done(7))]) };
    let a = bundle(&early(1));
    let b = bundle(&TestRun { hour: 2, ..early(2) });
    let error = merged(&[&a, &b]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    insta::assert_snapshot!(error.to_string());
    assert_eq!(merged(&[&b, &a]).unwrap_err().to_string(), error.to_string());
    let BundleError::Conflicts(conflicts) = error else { panic!("{error}") };
    assert!(matches!(&conflicts[..], [Conflict::Results { objects, .. }] if objects.len() == 2));
    let c = bundle(&TestRun { hour: 2, origin: "eval-1", ..early(2) });
    let both = merged(&[&a, &c]).unwrap();
    let report = verify(reader(&both).unwrap(), VerifyOptions::default()).unwrap();
    assert_eq!(report.faults, []);
    assert_eq!(report.info.unwrap().origins, ["eval-1", "local"]);
}

#[test]
fn a_run_that_went_on_replaces_its_beginning() {
    let (_directory, before) = store(&TestRun::new(&[(0, Fate::Done(1)), (100, Fate::Pending)]));
    let (old, _) = super::fixture::bundle_of(&before);
    let run = before.runs().unwrap().remove(0);
    let writer = Store::create_or_open_for_writing(before.path(), "test").unwrap();
    writer.journal(&before.run(run.as_str()).unwrap()).append(&matrix_store::Event::Resumed).unwrap();
    drop(writer);
    let (new, _) = super::fixture::bundle_of(&Store::open(before.path()).unwrap());
    let both = merged(&[&old, &new]).unwrap();
    assert!(both == merged(&[&new]).unwrap());
    assert!(both == merged(&[&new, &old]).unwrap());
}

#[test]
fn runs_of_the_same_second_stand_side_by_side() {
    let one = bundle(&TestRun::new(&[(0, Fate::Done(1))]));
    let other = bundle(&TestRun { origin: "eval-1", ..TestRun::new(&[(100, Fate::Done(2))]) });
    let both = merged(&[&one, &other]).unwrap();
    assert!(both == merged(&[&other, &one]).unwrap());
    let directory = tempdir();
    let target = directory.path().join("store");
    to_store(reader(&both).unwrap(), &target).unwrap();
    let store = Store::open(&target).unwrap();
    let runs: Vec<String> = store.runs().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(runs, ["20261122T130000Z-test", "20261122T130000Z-test-2"]);
    assert!(matrix_traces::verify(&store, matrix_store::VerifyOptions::default()).unwrap().is_sound());
    // An evaluator goes on in it.
    execute(&target, &TestRun { hour: 20, ..TestRun::new(&[(500, Fate::Done(5))]) });
    assert!(matrix_traces::verify(&store, matrix_store::VerifyOptions::default()).unwrap().is_sound());
    assert!(files(&target).keys().any(|path| path.starts_with("cells")));
}
