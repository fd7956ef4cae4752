//! Damage is found: any bit of any file that counts.

use std::fs;
use std::path::Path;

use matrix_app::row::HEADER;
use matrix_store::{Digest, ErrorKind, Journal, JournalSummary, Origin, Store, StoreError, VerifyOptions};
use proptest::prelude::*;

use super::fixture::{cell, files, finished, row, tempdir, tried_in_vain};
use crate::{Attempt, Record};

fn decoded(bytes: &[u8]) -> Option<Vec<u8>> {
    zstd::decode_all(bytes).ok()
}

/// Whether `verify` finds a flipped bit, with and without looking at rows.
fn found(root: &Path, file: &Path, offset: usize, bit: u8) -> Result<(), String> {
    let path = root.join(file);
    let before = fs::read(&path).unwrap();
    let mut after = before.clone();
    after[offset] ^= 1 << bit;
    fs::write(&path, &after).unwrap();
    let mut result = Ok(());
    for rows in [true, false] {
        let faults = match Store::open(root).and_then(|store| crate::verify(&store, VerifyOptions { rows })) {
            Ok(report) => report.faults,
            // A store whose schema cannot be read, or is another, is not opened at all.
            Err(error) if file == Path::new("store.toml") => {
                assert!(matches!(error.kind(), ErrorKind::Integrity | ErrorKind::Input));
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        let unchanged = file.starts_with("objects") && decoded(&after) == decoded(&before);
        if !faults.iter().any(|fault| fault.file == file) && !unchanged {
            result = Err(format!("bit {bit} of byte {offset} of {} (rows: {rows}): {faults:?}", file.display()));
        }
    }
    fs::write(&path, before).unwrap();
    result
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_flipped_bit_is_found(seeds in prop::collection::vec((any::<u64>(), 0u8..8), 600)) {
        let directory = tempdir();
        let root = directory.path();
        finished(root, 2);
        tried_in_vain(root, &cell(2));
        let mut all: Vec<_> = files(root).into_iter().collect();
        all.retain(|(file, _)| file != Path::new("lock") && file != Path::new("index"));
        prop_assert_eq!(all.len(), 13, "store.toml, 4 files of a run, 3 of each cell, and 2 attempts without result");
        for (n, (seed, bit)) in seeds.into_iter().enumerate() {
            let (file, bytes) = &all[n % all.len()];
            let offset = (seed % bytes.len() as u64) as usize;
            found(root, file, offset, bit).map_err(TestCaseError::fail)?;
        }
        // Line ends at the end of a file are where a check is most easily forgotten.
        for (file, bytes) in &all {
            for bit in 0..8 {
                found(root, file, bytes.len() - 1, bit).map_err(TestCaseError::fail)?;
            }
        }
        prop_assert!(crate::verify(&Store::open(root).unwrap(), VerifyOptions::default()).unwrap().is_sound());
    }

    #[test]
    fn a_journal_cut_anywhere_keeps_its_complete_lines(cut in any::<prop::sample::Index>()) {
        let directory = tempdir();
        finished(directory.path(), 2);
        let store = Store::create_or_open_for_writing(directory.path(), "test").unwrap();
        let run = store.runs().unwrap().remove(0);
        let path = store.run(run.as_str()).unwrap().directory().join("journal.jsonl");
        let whole = fs::read(&path).unwrap();
        let first = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;
        let length = first + cut.index(whole.len() - first + 1);
        fs::write(&path, &whole[..length]).unwrap();
        let complete = whole[..length].iter().filter(|&&byte| byte == b'\n').count() as u64;
        let run = store.run(run.as_str()).unwrap();
        prop_assert_eq!(run.journal().lines, complete);
        let journal: Journal = store.journal(&run);
        journal.append(&matrix_store::Event::Interrupted).unwrap();
        journal.append(&matrix_store::Event::Resumed).unwrap();
        let summary = JournalSummary::read(&path, fs::File::open(&path).unwrap(), |_| {}).unwrap();
        prop_assert_eq!((summary.lines, summary.torn_bytes), (complete + 2, 0));
    }
}

#[test]
fn a_line_removed_from_the_middle_of_a_journal_is_missed() {
    let directory = tempdir();
    finished(directory.path(), 2);
    let store = Store::open(directory.path()).unwrap();
    let run = store.runs().unwrap().remove(0);
    let path = store.run(run.as_str()).unwrap().directory().join("journal.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().enumerate().filter(|(n, _)| *n != 2).map(|(_, line)| line).collect();
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    let error = store.run(run.as_str()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(error.to_string().ends_with("line 3: its number is 3 instead of 2"), "{error}");
}

#[test]
fn messages_name_the_file_and_what_differs() {
    let directory = tempdir();
    let root = directory.path();
    let cells = finished(root, 2);
    let store = Store::open(root).unwrap();
    let origin = Origin::default();
    let show = |error: &StoreError| error.to_string().replace(&root.display().to_string(), "results");

    let record = store.layout().record(&cells[0].key, &origin);
    let text = fs::read_to_string(&record).unwrap();
    fs::write(&record, text.replacen("\"misses\":", "\"misses\":1", 1)).unwrap();
    let digest = store.record::<Record>(&cells[0].key, &origin).unwrap_err();
    assert_eq!(digest.kind(), ErrorKind::Integrity);
    fs::write(&record, text.replacen("\"schema\":1,\"simulated\"", "\"schema\":7,\"new\":0,\"simulated\"", 1)).unwrap();
    let newer = store.record::<Record>(&cells[0].key, &origin).unwrap_err();
    assert_eq!(newer.kind(), ErrorKind::Input);
    fs::write(&record, fs::read(store.layout().record(&cells[1].key, &origin)).unwrap()).unwrap();
    let other = store.record::<Record>(&cells[0].key, &origin).unwrap_err();
    fs::write(&record, &text[..100]).unwrap();
    let short = store.record::<Record>(&cells[0].key, &origin).unwrap_err();
    fs::write(root.join("store.toml"), "schema = 9\n").unwrap();
    let store_of_the_future = Store::open(root).unwrap_err();
    fs::write(root.join("store.toml"), "scheme = 9\n").unwrap();
    let no_schema = Store::open(root).unwrap_err();
    let absent = Store::open(&root.join("cells")).unwrap_err();
    let elsewhere = Store::create_or_open_for_writing(&root.join("cells"), "test").unwrap_err();
    let a_file = Store::create_or_open_for_writing(&root.join("store.toml"), "test").unwrap_err();
    let all = [digest, newer, other, short, store_of_the_future, no_schema, absent, elsewhere, a_file];
    insta::assert_snapshot!(all.iter().map(show).collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_prefix_finds_its_cell() {
    let directory = tempdir();
    let cells = finished(directory.path(), 20);
    let store = Store::open(directory.path()).unwrap();
    for cell in &cells {
        assert_eq!(store.find_cell(&cell.key.short()).unwrap(), cell.key);
        assert_eq!(store.find_cell(&cell.key.to_string()).unwrap(), cell.key);
    }
    // Twenty keys, sixteen first digits.
    let shared = (0..16).map(|digit| format!("{digit:x}")).find_map(|digit| match store.find_cell(&digit) {
        Err(StoreError::AmbiguousCell { candidates, .. }) => Some((digit, candidates)),
        _ => None,
    });
    let (digit, candidates) = shared.unwrap();
    assert!(candidates.len() > 1 && candidates.iter().all(|key| key.to_string().starts_with(&digit)));
    assert!(matches!(store.find_cell(&cell(99).key.short()), Err(StoreError::NoSuchCell { .. })));
    // One whose attempts came to nothing is known, too.
    tried_in_vain(directory.path(), &cell(99));
    assert_eq!(store.find_cell(&cell(99).key.short()).unwrap(), cell(99).key);
}

#[test]
fn an_attempt_whose_end_a_journal_tells_is_missed() {
    let directory = tempdir();
    finished(directory.path(), 1);
    tried_in_vain(directory.path(), &cell(99));
    let store = Store::open(directory.path()).unwrap();
    let vain = store
        .attempts()
        .unwrap()
        .into_iter()
        .find(|id| store.attempt::<Attempt>(id).unwrap().unwrap().key == cell(99).key);
    let vain = vain.unwrap();
    fs::remove_file(store.layout().attempt(&vain)).unwrap();
    let faults = crate::verify(&store, VerifyOptions::default()).unwrap().faults;
    assert_eq!(faults[0].what, format!("its attempt {vain} is missing"));
}

/// Gives a changed record the digest that it would have.
fn reseal(text: &str, change: impl Fn(&mut serde_json::Value)) -> Vec<u8> {
    let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
    change(&mut value);
    value.as_object_mut().unwrap().remove("digest");
    let digest = Digest::of(&serde_json_canonicalizer::to_vec(&value).unwrap());
    value["digest"] = digest.to_string().into();
    let mut bytes = serde_json_canonicalizer::to_vec(&value).unwrap();
    bytes.push(b'\n');
    bytes
}

#[test]
fn a_forged_record_is_found_although_its_digest_is_right() {
    let directory = tempdir();
    let cells = finished(directory.path(), 1);
    let store = Store::open(directory.path()).unwrap();
    let path = store.layout().record(&cells[0].key, &Origin::default());
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(reseal(&text, |_| ()), text.as_bytes());
    let faults = |change: &dyn Fn(&mut serde_json::Value)| {
        fs::write(&path, reseal(&text, change)).unwrap();
        let faults = crate::verify(&store, VerifyOptions::default()).unwrap().faults;
        faults.into_iter().map(|fault| fault.what).collect::<Vec<_>>().join("; ")
    };
    let key = faults(&|record| record["inputs"]["delay_ms"] = 5.into());
    assert!(key.starts_with("its key is "), "{key}");
    let counts = faults(&|record| record["counts"]["misses"] = 0.into());
    assert_eq!(counts, "its counts and totals are not those of its object's rows");
    let bytes = faults(&|record| record["object"]["bytes"] = 9_999_999.into());
    assert!(bytes.contains("9999999 bytes"), "{bytes}");
    let sum = faults(&|record| record["counts"]["lost"] = 0.into());
    assert_eq!(sum, "its counts do not add up to the planned requests");
    let missing = faults(&|record| record["object"]["sha256"] = Digest::of(b"none").to_string().into());
    assert!(missing.starts_with("the attempt is missing that gave the result of cell "), "{missing}");
    assert!(missing.contains("; its object ") && missing.ends_with(" is missing"), "{missing}");
}

#[test]
fn an_object_whose_rows_are_out_of_order_is_found() {
    let directory = tempdir();
    let root = directory.path();
    let cells = finished(root, 1);
    let store = Store::create_or_open_for_writing(root, "test").unwrap();
    let mut text = format!("{HEADER}\n").into_bytes();
    [0, 2, 1].iter().for_each(|&i| row(0, i).write_csv(&mut text));
    let digest = Digest::of(&text);
    let bytes = store.write_object(&digest, &mut text.as_slice()).unwrap();
    let report = || crate::verify(&store, VerifyOptions::default()).unwrap();
    // While nothing names it, it may be anything.
    assert_eq!(report().faults, []);
    let path = store.layout().record(&cells[0].key, &Origin::default());
    let record = reseal(&fs::read_to_string(&path).unwrap(), |record| {
        record["object"] = serde_json::json!({ "bytes": bytes, "sha256": digest.to_string() });
    });
    fs::write(&path, record).unwrap();
    let faults: Vec<String> = report().faults.into_iter().map(|fault| fault.what).collect();
    assert!(faults.contains(&"line 3: the row of request 2 where 1 was expected".to_owned()), "{faults:?}");
}

#[test]
fn of_an_object_that_nothing_names_only_the_digest_is_checked() {
    let directory = tempdir();
    let store = Store::create_or_open_for_writing(directory.path(), "test").unwrap();
    let digest = Digest::of(b"rows of a program");
    store.keep_object(&digest, &mut b"rows of a program".as_slice()).unwrap();
    let report = crate::verify(&store, VerifyOptions::default()).unwrap();
    assert_eq!((report.faults, report.notes.len()), (Vec::new(), 1));
    let other = Digest::of(b"other bytes");
    fs::create_dir_all(store.layout().object(&other).parent().unwrap()).unwrap();
    fs::rename(store.layout().object(&digest), store.layout().object(&other)).unwrap();
    assert_eq!(crate::verify(&store, VerifyOptions::default()).unwrap().faults.len(), 1);
}
