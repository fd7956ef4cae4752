//! Cells, rows and folders that the tests of the store and of bundles have in common: this file is part of both.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use matrix_app::{Outcome, PostKey, Row};
use matrix_plan::{Axes, Cell, CellInputs, Combination, Fingerprint, NotificationStorage, Platform, PostStorage};

/// A directory in memory where there is one: these tests make tens of thousands of files.
pub(in crate::tests) fn tempdir() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// A cell of so many requests.
pub(in crate::tests) fn cell(delay_ms: u64, requests: u64) -> Cell {
    let axes = Axes {
        combination: Combination::new(PostStorage::Redis, NotificationStorage::Sns, "eu->us".parse().unwrap()),
        delay_ms,
        antipode: false,
    };
    let fingerprint = Fingerprint::new(&BTreeMap::from([("version", 1)])).unwrap();
    let inputs = CellInputs { requests, seed: 2023, ..CellInputs::with_defaults(axes, Platform::Sim, fingerprint, 1) };
    Cell::new(inputs).unwrap()
}

/// A row whose values differ from one `(salt, i)` to the next.
pub(in crate::tests) fn row(salt: u64, i: u64) -> Row {
    let noise = (salt + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_mul(i + 1) >> 40;
    let lost = i % 11 == 7;
    let start = (i * 1000 + noise % 997) as i64;
    let seen = |offset: u64| (!lost).then_some(start + (offset + noise) as i64);
    Row {
        i,
        key: PostKey::new(i, noise),
        outcome: if lost { Outcome::Lost } else { Outcome::Ok },
        client_sent_us: Some(start - 100),
        writer_start_us: Some(start),
        post_written_us: Some(start + 5000),
        notification_written_us: Some(start + 5001),
        reply_us: Some(start + 90_000),
        reader_received_us: seen(60_000),
        read_start_us: seen(60_500),
        post_read_us: seen(61_000),
        consistent_read: (!lost).then_some(!noise.is_multiple_of(3)),
        post_visible_us: Some(start + 61_000),
        notification_bytes: Some(300 + noise % 10),
        post_bytes: Some(2_871_010),
        writer_instance: Some(i % 8),
        reader_instance: (!lost).then_some(i % 5),
        writer_cold: Some(i < 8),
        reader_cold: (!lost).then_some(i < 5),
        ..Row::default()
    }
}

/// Every file under `root`, with its contents.
pub(in crate::tests) fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    found
}
