//! Results as no run writes them: each is refused in words, and nothing panics.

use std::path::Path;

use matrix_store::generic::NoTraces;
use matrix_store::{ErrorKind, GenericRecord, RowsRef, Store, VerifyOptions};

use super::fixture::{EXPERIMENT, faster, store};
use crate::bundle::{Contents, CreateOptions, Selection, extras};
use crate::{Chosen, Texts, newest};

/// Replaces every record of a store.
fn forge(place: &Path, change: impl Fn(GenericRecord) -> GenericRecord) {
    let store = Store::open_for_writing(place, "a test").unwrap();
    let records: Vec<GenericRecord> = store.records().unwrap().map(Result::unwrap).collect();
    records.into_iter().for_each(|record| store.replace_record(&change(record)).unwrap());
    store.close().unwrap();
}

#[test]
fn numbers_that_nothing_measures_are_damage_and_overflow_nothing() {
    let is_refused = |place: &Path, what: &str| {
        let store = Store::open(place).unwrap();
        let report = store.verify::<NoTraces>(VerifyOptions { rows: true }).unwrap();
        let said = report.faults.iter().filter(|fault| fault.what.contains(what)).count();
        assert_eq!(said, 18, "{report:?}");
        let selection = Selection { run: None, experiments: &Texts::new(), filter: None };
        let contents = Contents::of(&store, &selection).unwrap().unwrap();
        let error = contents.create(CreateOptions::default(), &place.with_extension("out")).unwrap_err();
        assert!(error.kind() == ErrorKind::Integrity && error.to_string().contains(what), "{error}");
    };
    for cost in [i64::MAX, -1] {
        let folder = tempfile::tempdir().unwrap();
        drop(store(&folder.path().join("store"), EXPERIMENT, None, |_| Some(cost)));
        is_refused(&folder.path().join("store"), &format!("its cost `run.wall_us` cannot be {cost}"));
    }
    let most = 1 << 53;
    let changes: [fn(&mut RowsRef); 2] = [|rows| rows.rows = 1 << 63, |rows| rows.bytes = (1 << 53) + 1];
    for change in changes {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("store");
        drop(store(&place, EXPERIMENT, None, faster(4)));
        forge(&place, |record| {
            let mut rows = record.rows.clone();
            rows.values_mut().for_each(change);
            let reading = record.reading;
            record.with_rows(reading, rows).unwrap()
        });
        is_refused(&place, "rows or bytes");
    }
    // As many as there may be are added up to no more than there are numbers.
    let folder = tempfile::tempdir().unwrap();
    drop(store(&folder.path().join("store"), EXPERIMENT, None, |_| Some(most)));
    let store = Store::open(&folder.path().join("store")).unwrap();
    assert!(store.verify::<NoTraces>(VerifyOptions { rows: true }).unwrap().faults.is_empty());
    let chosen = Chosen::of_runs(&store, &newest(&store, &Texts::new()).unwrap()).unwrap();
    extras(&store, &chosen, None).unwrap();
}
