//! Results whose rows are not what they say.

use std::path::Path;

use matrix_store::{Digest, GenericRecord, RowsRef, Store};

use super::fixture::{EXPERIMENT, faster, store};
use crate::{WrongFile, follow};

/// Replaces the first result of a store, which is then of one generation more; its rows are `text`, and it says that there are `rows`.
fn replace(place: &Path, text: &str, rows: u64, forge: &dyn Fn(&mut GenericRecord)) -> WrongFile {
    let store = Store::create_or_open_for_writing(place, "a test").unwrap();
    let mut record = store.records::<GenericRecord>().unwrap().next().unwrap().unwrap();
    let sha256 = Digest::of(text.as_bytes());
    store.keep_object(&sha256, &mut text.as_bytes()).unwrap();
    record.rows.insert("rows".to_owned(), RowsRef { bytes: text.len() as u64, rows, sha256 });
    forge(&mut record);
    let (reading, rows) = (record.reading, record.rows.clone());
    let record = record.with_rows(reading, rows).unwrap();
    store.replace_record(&record).unwrap();
    store.close().unwrap();
    WrongFile::Record(record.key, record.origin)
}

#[test]
fn rows_that_are_not_as_their_result_and_its_experiment_say_are_a_fault() {
    type Forge<'a> = &'a dyn Fn(&mut GenericRecord);
    let nothing: Forge<'_> = &|_| ();
    let forgeries: [(&str, u64, Forge<'_>, &str); 11] = [
        ("latency_us\n7\n8\n", 2, nothing, ""),
        ("latency_us\n7\n8\n", 9, nothing, "it says that there are 9; there are 2"),
        ("", 1, nothing, "its columns are not those of the experiment"),
        ("other\n7\n", 1, nothing, "its columns are not those of the experiment"),
        ("latency_us\n7,8\n", 1, nothing, "2 fields instead of 1"),
        ("latency_us\nmuch\n", 1, nothing, "a value is not of its column's type"),
        ("latency_us\n7", 1, nothing, "cut short"),
        ("latency_us\n7\n", 1, &|record| record.workload = "other".to_owned(), "its workload is other, and command"),
        (
            "latency_us\n7\n",
            1,
            &|record| record.rows.extend(record.rows.get("rows").copied().map(|rows| ("../more".to_owned(), rows))),
            "it has rows of `../more`, which is no source of its experiment",
        ),
        (
            "latency_us\n7\n",
            1,
            &|record| {
                let rows = record.rows.remove("rows").unwrap();
                record.reading = Digest::of(b"another");
                record.rows.insert("other".to_owned(), rows);
            },
            "",
        ),
        // Of rows that were read in another way nothing is known.
        ("other\n7\n", 8, &|record| record.reading = Digest::of(b"another"), ""),
    ];
    for (text, rows, forge, what) in forgeries {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("store");
        drop(store(&place, EXPERIMENT, None, faster(4)));
        let replaced = replace(&place, text, rows, forge);
        let store = Store::open(&place).unwrap();
        let wrong = follow(&store).unwrap().wrong;
        let files: Vec<&WrongFile> = wrong.iter().map(|(file, _)| file).collect();
        assert_eq!(files, Vec::from_iter((!what.is_empty()).then_some(&replaced)), "{what}: {wrong:?}");
        assert!(wrong.iter().all(|(_, wrong)| wrong.contains(what)), "{what}: {wrong:?}");
        assert!(store.path().join(replaced.in_store(&store).unwrap()).is_file(), "{replaced:?}");
    }
}
