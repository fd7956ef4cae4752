//! What stands in a store: records, attempts, journals, objects.

use std::path::Path;

use matrix_app::Row;
use matrix_store::{JournalSummary, Sealed};
use matrix_traces::{Attempt, Record, rows};

use crate::seal;

/// A record or an attempt, as it is and with the digests that it should have. What is read is written as it was.
pub fn record(data: &[u8]) {
    let path = Path::new("it.json");
    let sealed = seal::json(data);
    for bytes in [Some(data), sealed.as_deref()].into_iter().flatten() {
        if let Ok(record) = Record::from_bytes(path, bytes) {
            assert_eq!(record.to_bytes().expect("a record that was read can be written"), bytes);
            assert_eq!(record.cell().key, record.key);
        }
        if let Ok(attempt) = Attempt::from_bytes(path, bytes) {
            assert_eq!(attempt.to_bytes().expect("an attempt that was read can be written"), bytes);
        }
    }
}

/// A journal, as it is and with the numbers and checksums that it should have.
pub fn journal(data: &[u8]) {
    let path = Path::new("journal.jsonl");
    let sealed = seal::journal(data);
    for bytes in [data, &sealed] {
        let read = |bytes: &[u8]| {
            let mut entries = Vec::new();
            JournalSummary::read(path, bytes, |entry| entries.push(entry.clone())).map(|summary| (summary, entries))
        };
        let Ok((summary, entries)) = read(bytes) else { continue };
        assert!(!entries.is_empty() && summary.lines == entries.len() as u64);
        let torn = usize::try_from(summary.torn_bytes).expect("no more than there are");
        assert!(summary.undone.len() < entries.len());
        let complete = &bytes[..bytes.len() - torn];
        let again = read(complete).expect("its complete lines are a journal");
        assert_eq!((again.1.len(), again.0.torn_bytes), (entries.len(), 0));
        let last = complete[..complete.len() - 1].iter().rposition(|&byte| byte == b'\n');
        if let Some(end) = last {
            let shorter = read(&complete[..=end]).expect("a journal without its last line is one");
            assert_eq!(shorter.1[..], entries[..entries.len() - 1]);
        }
    }
}

/// An object: rows.
pub fn rows(data: &[u8]) {
    if let Ok(contents) = rows::read(Path::new("rows.csv"), data) {
        assert_eq!(contents.bytes, data.len() as u64);
        let lines = data.iter().filter(|&&byte| byte == b'\n').count() as u64;
        assert_eq!((contents.sums.0.planned + 1, contents.rows + 1), (lines, lines));
    }
    for line in data.split(|&byte| byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok()) {
        if let Ok(row) = Row::parse_csv(line) {
            let mut written = Vec::new();
            row.write_csv(&mut written);
            let text = std::str::from_utf8(&written).expect("rows are text").trim_end();
            assert_eq!(Row::parse_csv(text).as_ref(), Ok(&row), "{text}");
        }
    }
}
