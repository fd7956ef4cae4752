//! Objects: the same rows give the same bytes, and nothing else is taken for an object.

use std::fs;
use std::io::{Read, Write};

use matrix_app::row::HEADER;
use matrix_driver::RowSink;
use matrix_store::{Digest, ErrorKind, Origin, Sealed, Store, StoreError};
use proptest::prelude::*;

use super::fixture::{REQUESTS, cell, finished, row, tempdir, write_rows};
use crate::{Record, TraceSink};

fn trace(salt: u64, requests: u64) -> Vec<u8> {
    let mut text = HEADER.as_bytes().to_vec();
    text.push(b'\n');
    (0..requests).for_each(|i| row(salt, i).write_csv(&mut text));
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_arrival_does_not_matter(order in Just((0u64..2000).collect::<Vec<_>>()).prop_shuffle()) {
        let directory = tempdir();
        let mut compressed = Vec::new();
        for shuffled in [true, false] {
            let root = directory.path().join(shuffled.to_string());
            let store = Store::create_or_open_for_writing(&root, "test").unwrap();
            let mut sink = TraceSink::new(&store, 2000).unwrap();
            for (n, &other) in order.iter().enumerate() {
                sink.push(row(1, if shuffled { other } else { n as u64 })).unwrap();
            }
            let object = sink.finish().unwrap();
            let expected = trace(1, 2000);
            prop_assert_eq!(object.digest, Digest::of(&expected));
            prop_assert_eq!(object.bytes, expected.len() as u64);
            let mut text = Vec::new();
            store.open_object(&object.digest).unwrap().read_to_end(&mut text).unwrap();
            prop_assert!(text == expected);
            let file = fs::read(store.layout().object(&object.digest)).unwrap();
            prop_assert_eq!(object.compressed_bytes, file.len() as u64);
            compressed.push(file);
        }
        prop_assert!(compressed[0] == compressed[1]);
    }
}

#[test]
fn rows_that_wait_are_those_in_flight() {
    let directory = tempdir();
    let store = Store::create_or_open_for_writing(directory.path(), "test").unwrap();
    let mut sink = TraceSink::new(&store, 10_000).unwrap();
    for block in (0..10_000).step_by(8) {
        for i in (block..block + 8).rev() {
            sink.push(row(0, i)).unwrap();
            assert!(sink.waiting() <= 7);
        }
        assert_eq!(sink.waiting(), 0);
    }
    assert_eq!(sink.finish().unwrap().counts.planned, 10_000);
}

#[test]
fn counts_and_totals_are_those_of_the_rows() {
    let directory = tempdir();
    let store = Store::create_or_open_for_writing(directory.path(), "test").unwrap();
    let object = write_rows(&store, 3, REQUESTS).unwrap();
    let rows: Vec<_> = (0..REQUESTS).map(|i| row(3, i)).collect();
    let count = |which: fn(&matrix_app::Row) -> bool| rows.iter().filter(|row| which(row)).count() as u64;
    assert_eq!(object.counts.planned, REQUESTS);
    assert_eq!(object.counts.lost, 3);
    assert_eq!(object.counts.ok, REQUESTS - 3);
    assert_eq!(object.counts.reads, count(|row| row.consistent_read.is_some()));
    assert_eq!(object.counts.misses, count(|row| row.consistent_read == Some(false)));
    assert!(object.counts.misses > 0);
    assert_eq!(object.totals.post_bytes, REQUESTS * 2_871_010);
    let first = rows.iter().filter_map(|row| row.client_sent_us).min().unwrap();
    let last = rows.iter().filter_map(|row| row.reply_us).max().unwrap();
    assert_eq!(object.totals.span_us(), Some(last - first));
}

#[test]
fn an_attempt_without_all_its_rows_is_no_object() {
    let directory = tempdir();
    let root = directory.path();
    let store = Store::create_or_open_for_writing(root, "test").unwrap();
    let mut sink = TraceSink::new(&store, 10).unwrap();
    for i in [0, 1, 2, 5, 6] {
        sink.push(row(0, i)).unwrap();
    }
    let again = StoreError::from_sink(sink.push(row(0, 5)).unwrap_err());
    assert!(matches!(again, StoreError::DuplicateRow { i: 5 }));
    let again = StoreError::from_sink(sink.push(row(0, 1)).unwrap_err());
    assert!(matches!(again, StoreError::DuplicateRow { i: 1 }));
    let beyond = StoreError::from_sink(sink.push(row(0, 10)).unwrap_err());
    assert!(matches!(beyond, StoreError::UnplannedRow { i: 10, planned: 10 }));
    let error = sink.finish().unwrap_err();
    assert!(matches!(error, StoreError::MissingRows { missing: 5, first: 3, planned: 10 }), "{error}");

    let mut sink = TraceSink::new(&store, 2).unwrap();
    sink.push(row(0, 0)).unwrap();
    drop(sink);
    assert_eq!(fs::read_dir(root.join("tmp")).unwrap().count(), 0);
    assert!(!root.join("objects").exists());
}

#[test]
fn a_record_needs_its_object_and_all_its_rows() {
    let directory = tempdir();
    let store = Store::create_or_open_for_writing(directory.path(), "test").unwrap();
    let short = write_rows(&store, 0, REQUESTS - 1).unwrap();
    assert!(matches!(Record::new(&cell(0), Origin::default(), &short, false), Err(StoreError::Rejected(_))));
    let mut object = write_rows(&store, 0, REQUESTS).unwrap();
    object.digest = Digest::of(b"elsewhere");
    let record = Record::new(&cell(0), Origin::default(), &object, false).unwrap();
    assert!(matches!(store.write_record(&record), Err(StoreError::Rejected(_))));
    assert!(store.record::<Record>(&cell(0).key, &Origin::default()).unwrap().is_none());
}

#[test]
fn a_damaged_object_is_mended_by_writing_it_again() {
    let directory = tempdir();
    let store = Store::create_or_open_for_writing(directory.path(), "test").unwrap();
    let object = write_rows(&store, 0, REQUESTS).unwrap();
    let path = store.layout().object(&object.digest);
    let sound = fs::read(&path).unwrap();
    fs::write(&path, &sound[..sound.len() / 2]).unwrap();
    assert_eq!(write_rows(&store, 0, REQUESTS).unwrap(), object);
    assert_eq!(fs::read(&path).unwrap(), sound);
}

#[test]
fn nothing_else_is_taken_for_an_object() {
    let directory = tempdir();
    let store = Store::create_or_open_for_writing(directory.path(), "test").unwrap();
    let object = write_rows(&store, 0, 300).unwrap();
    let path = store.layout().object(&object.digest);
    let sound = fs::read(&path).unwrap();
    let check = |bytes: &[u8], max_bytes: u64| {
        fs::write(&path, bytes).unwrap();
        let opened = store.open_object(&object.digest).map(|reader| reader.with_max_bytes(max_bytes));
        opened.and_then(matrix_store::ObjectReader::check).map_err(|error| (error.kind(), error.to_string()))
    };
    assert_eq!(check(&sound, object.bytes), Ok(object.bytes));

    let mut bomb = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    bomb.include_checksum(true).unwrap();
    bomb.write_all(&vec![b'0'; 50 << 20]).unwrap();
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 10_000);
    let mut wide = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    wide.include_checksum(true).unwrap();
    wide.window_log(27).unwrap();
    wide.write_all(&trace(0, 300)).unwrap();
    let wide = wide.finish().unwrap();
    let other = write_rows(&store, 0, 299).unwrap();
    let other = fs::read(store.layout().object(&other.digest)).unwrap();
    let cases: [(&str, Vec<u8>, &str); 8] = [
        ("another object", other, "have the digest"),
        ("a bomb", bomb, "more than"),
        ("a window beyond ours", wide, "does not decompress"),
        ("two frames", [sound.as_slice(), &sound].concat(), "follows"),
        ("one byte more", [sound.as_slice(), b"\0"].concat(), "follows"),
        ("cut", sound[..sound.len() - 1].to_vec(), "does not decompress"),
        ("empty", Vec::new(), "does not begin"),
        ("not compressed", trace(0, 300), "does not begin"),
    ];
    for (what, bytes, says) in cases {
        let (kind, message) = check(&bytes, object.bytes).unwrap_err();
        assert_eq!(kind, ErrorKind::Integrity, "{what}");
        assert!(message.contains(says), "{what}: {message}");
    }
    fs::write(&path, &sound).unwrap();
    fs::remove_file(&path).unwrap();
    assert_eq!(store.open_object(&object.digest).unwrap_err().kind(), ErrorKind::Integrity);
}

#[test]
fn json_files_are_canonical_with_their_digest() {
    let directory = tempdir();
    let cells = finished(directory.path(), 1);
    let store = Store::open(directory.path()).unwrap();
    let record = store.record::<Record>(&cells[0].key, &Origin::default()).unwrap().unwrap();
    let bytes = fs::read(store.layout().record(&cells[0].key, &Origin::default())).unwrap();
    let attempt = store.attempts().unwrap().remove(0);
    let others = fs::read(store.layout().attempt(&attempt)).unwrap();
    for bytes in [&bytes, &others] {
        let (line, end) = bytes.split_at(bytes.len() - 1);
        assert_eq!(end, b"\n");
        let mut value: serde_json::Value = serde_json::from_slice(line).unwrap();
        assert_eq!(serde_json_canonicalizer::to_vec(&value).unwrap(), line);
        let digest = value.as_object_mut().unwrap().remove("digest").unwrap();
        assert_eq!(digest, Digest::of(&serde_json_canonicalizer::to_vec(&value).unwrap()).to_string());
    }
    assert_eq!(Record::from_bytes(directory.path(), &bytes).unwrap(), record);
    insta::assert_snapshot!(String::from_utf8(bytes).unwrap());
}
