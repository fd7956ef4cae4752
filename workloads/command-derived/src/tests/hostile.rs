//! Results as no run writes them: each is refused in words, and nothing panics.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

use matrix_bundle::bag::About;
use matrix_bundle::container::Container;
use matrix_bundle::item::{Item, Items};
use matrix_bundle::{BundleError, BundleReader, Extras, Findings, GenericOptions, Limits};
use matrix_core::Tally;
use matrix_store::generic::NoTraces;
use matrix_store::verify::Fault;
use matrix_store::{Digest, ErrorKind, GenericRecord, NewRecord, RowsRef, Store, VerifyOptions};

use super::fixture::{EXPERIMENT, faster, store};
use crate::bundle::{Contents, CreateOptions, Selection, check, extras};
use crate::{Chosen, DerivedError, Texts, newest};

/// Replaces every record of a store, and adds an object.
fn forge(place: &Path, object: &str, change: impl Fn(GenericRecord) -> GenericRecord) {
    let store = Store::create_or_open_for_writing(place, "a test").unwrap();
    store.keep_object(&Digest::of(object.as_bytes()), &mut object.as_bytes()).unwrap();
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
        forge(&place, "", |record| {
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

/// A bundle of files that are as its manifest says, checked.
fn check_of(path: &str, bytes: Vec<u8>, limits: Limits) -> Findings {
    let folder = tempfile::tempdir().unwrap();
    let (place, out) = (folder.path().join("store"), folder.path().join("forged.tar.zst"));
    let names = BTreeSet::from(["kv".to_owned()]);
    let about = About {
        agent: matrix_bundle::bag::AGENT,
        format: "3",
        date: "2020-11-22",
        description: String::new(),
        cells: &Tally::default(),
        experiments: &names,
        origins: &BTreeSet::new(),
        payload_bytes: bytes.len() as u64,
        files: 1,
    };
    let items = Items::from([(path.to_owned(), Item::of(bytes))]);
    let container = Container::new("kv-bundle".to_owned(), &about.fields(), items).unwrap();
    let store = store(&place, EXPERIMENT, None, |_| None);
    container.write(&store, None, File::create(&out).unwrap()).unwrap();
    check(BundleReader::open(&out, limits).unwrap(), false).unwrap()
}

#[test]
fn what_is_parsed_is_small_and_takes_little_memory_for_its_size() {
    let key = matrix_core::CellKey::of(b"");
    let record = format!("data/records/{key}/local.json");
    let usual = Limits::default();
    let little = Limits { max_memory_bytes: 1 << 20, ..usual };
    let zeros = |numbers: usize| format!("{{\"schema\":3,\"x\":[{}0]}}", "0,".repeat(numbers)).into_bytes();
    for (path, bytes, limits, what) in [
        (record.as_str(), vec![b' '; (8 << 20) + 1], usual, "8388609 bytes, where at most 8388608 are allowed"),
        ("data/attempts/a.json", vec![b' '; (8 << 20) + 1], usual, "8388609 bytes"),
        ("data/tables/deriver.txt", vec![b' '; (1 << 20) + 1], usual, "1048577 bytes"),
        (record.as_str(), zeros(100_000), little, "take more than 1048576 bytes"),
        // Which is refused for another reason where there is memory.
        (record.as_str(), zeros(100_000), usual, "unknown field"),
    ] {
        let findings = check_of(path, bytes, limits);
        let [fault] = &findings.faults[..] else { panic!("{findings:?}") };
        assert!(fault.file == Path::new(path) && fault.what.contains(what), "{fault:?}");
    }
}

#[test]
fn no_bundle_is_made_that_would_be_refused() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("store");
    drop(store(&place, EXPERIMENT, None, faster(4)));
    let one = std::cell::Cell::new(true);
    forge(&place, "", |record| {
        let costs = if one.take() { BTreeMap::from([("c".repeat(8 << 20), 1)]) } else { record.costs };
        let GenericRecord { workload, inputs, key, outputs, reading, rows, origin, .. } = record;
        GenericRecord::new(NewRecord { workload, inputs, key, costs, outputs, reading, rows }, origin).unwrap()
    });
    let selection = Selection { run: None, experiments: &Texts::new(), filter: None };
    let store = Store::open(&place).unwrap();
    let contents = Contents::of(&store, &selection).unwrap().unwrap();
    let error = contents.create(CreateOptions::default(), &folder.path().join("out")).unwrap_err();
    assert!(matches!(&error, DerivedError::Bundle(BundleError::Unfit { .. })), "{error}");
}

#[test]
fn rows_that_are_not_as_declared_are_faults() {
    for (value, said) in [("abc", "could not parse `abc`"), ("\0", "could not parse `\\u{0}`"), ("1.5", "`1.5`")] {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("store");
        drop(store(&place, EXPERIMENT, None, faster(4)));
        let text = format!("latency_us\n{value}\n");
        let sha256 = Digest::of(text.as_bytes());
        forge(&place, &text, |record| {
            let rows = RowsRef { bytes: text.len() as u64, rows: 1, sha256 };
            let reading = record.reading;
            record.with_rows(reading, BTreeMap::from([("rows".to_owned(), rows)])).unwrap()
        });
        let store = Store::open(&place).unwrap();
        let runs = newest(&store, &Texts::new()).unwrap();
        let out = folder.path().join("forged.tar.zst");
        let (extras, options) = (Extras::default(), GenericOptions::default());
        matrix_bundle::create_generic(&store, &runs, &extras, &options, &out).unwrap();
        let findings = check(BundleReader::open(&out, Limits::default()).unwrap(), false).unwrap();
        let of_rows = |fault: &&Fault| fault.file.starts_with("data/records");
        let faults: Vec<&Fault> = findings.faults.iter().filter(of_rows).collect();
        let is_said = |fault: &&Fault| fault.what.contains("a value is not of its column's type");
        assert!(!faults.is_empty() && faults.iter().all(is_said), "{findings:?}");
        let chosen = Chosen::only(&store).unwrap().unwrap();
        let error = matrix_command::results::load(&store, &chosen.experiment, &chosen.cells, None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Integrity, "{error}");
        let error = error.to_string();
        assert!(error.contains(&sha256.to_string()) && error.contains(said), "{error}");
        assert!(!error.contains("infer_schema_length"), "{error}");
    }
}
