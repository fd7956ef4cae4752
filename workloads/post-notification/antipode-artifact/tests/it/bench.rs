//! Stores and sources to test with.

use matrix_traces::Record;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use matrix_antipode_artifact::{
    ExportCell, ImportError, ImportOptions, ImportReport, Source, StoreSource, export, import,
};
use matrix_app::{Outcome, Row, row::HEADER};
use matrix_plan::{Axes, CellInputs, Combination, Fingerprint, NotificationStorage, Platform, PostStorage};
use matrix_store::{Store, WritableStore};

/// A directory in memory where there is one.
pub(crate) fn tempdir() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// This package's folder: asked for when the test runs, because what was built for one clone may serve another that shares
/// its target directory.
pub(crate) fn here() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").unwrap().into()
}

pub(crate) fn golden() -> PathBuf {
    here().join("golden")
}

pub(crate) fn writable(path: &Path) -> WritableStore {
    Store::create_or_open_for_writing(path, "test").unwrap()
}

pub(crate) fn import_into(store: &Path, folder: &Path) -> Result<ImportReport, ImportError> {
    let store = writable(store);
    let report = import(folder, &store, &ImportOptions::default());
    store.close().unwrap();
    report
}

pub(crate) fn export_store(store: &Path, dir: &Path) -> matrix_antipode_artifact::ExportReport {
    let store = Store::open(store).unwrap();
    export(&StoreSource::new(&store, |_| true).unwrap(), dir, &matrix_antipode_artifact::ExportOptions::default())
        .unwrap()
}

/// The rows of every record, with the record's axes, in order of keys.
pub(crate) fn rows_of(store: &Path) -> Vec<(matrix_traces::Record, Vec<Row>)> {
    let store = Store::open(store).unwrap();
    assert!(matrix_traces::verify(&store, matrix_store::VerifyOptions::default()).unwrap().is_sound());
    let records = store.records::<Record>().unwrap();
    let all = records.map(|record| {
        let record = record.unwrap();
        let mut text = String::new();
        store.open_object(&record.object.sha256).unwrap().read_to_string(&mut text).unwrap();
        let rows = text.lines().skip(1).map(|line| Row::parse_csv(line).unwrap()).collect();
        (record, rows)
    });
    all.collect()
}

/// Every file under a directory, with its text, in order.
pub(crate) fn files(dir: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut directories = vec![dir.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().to_string_lossy().into_owned();
                files.push((name, fs::read_to_string(path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

/// Cells in memory.
pub(crate) struct Memory {
    pub(crate) cells: Vec<ExportCell>,
    pub(crate) traces: Vec<Vec<u8>>,
}

impl Memory {
    pub(crate) fn new(cells: Vec<(ExportCell, Vec<Row>)>) -> Self {
        let (cells, rows): (Vec<_>, Vec<_>) = cells.into_iter().unzip();
        let traces = rows.iter().map(|rows| {
            let mut csv = format!("{HEADER}\n").into_bytes();
            rows.iter().for_each(|row| row.write_csv(&mut csv));
            csv
        });
        Self { cells, traces: traces.collect() }
    }
}

impl Source for Memory {
    fn cells(&self) -> &[ExportCell] {
        &self.cells
    }
    fn open(&self, n: usize) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(self.traces[n].as_slice()))
    }
}

pub(crate) fn axes(post: PostStorage, notification: NotificationStorage, delay_ms: u64, antipode: bool) -> Axes {
    let regions = "eu->us".parse().unwrap();
    Axes {
        combination: Combination { post_storage: post, notification_storage: notification, regions },
        delay_ms,
        antipode,
    }
}

pub(crate) fn cell(axes: Axes, platform: Platform, requests: u64, round: u32) -> ExportCell {
    let defaults = CellInputs::with_defaults(axes, platform, Fingerprint::new(&"a model").unwrap(), 1);
    let inputs = CellInputs { payload_bytes: 100, requests, round, seed: 2023, ..defaults };
    let epoch_us = (platform != Platform::Sim).then_some(1_700_000_000_000_000);
    ExportCell { inputs, configured_lag: false, epoch_us }
}

/// A row that read: request `i`, sent 10 ms after the one before; `noise` makes it unlike others.
pub(crate) fn read(i: u64, noise: i64, antipode: bool, found: bool) -> Row {
    let sent = 10_000 * i as i64 + noise % 9_000;
    let received = sent + 150_000 + noise % 70_001;
    let barrier = antipode.then_some(noise % 400_000);
    let read = received + barrier.unwrap_or(0) + 3_217;
    Row {
        outcome: Outcome::Ok,
        client_sent_us: Some(sent),
        writer_start_us: Some(sent + 15_123 + noise % 997),
        post_written_us: Some(sent + 30_000),
        notification_written_us: Some(sent + 40_456),
        reply_us: Some(sent + 60_000 + noise % 1_013),
        reader_received_us: Some(received),
        barrier_us: barrier,
        read_start_us: Some(read - 3_000),
        post_read_us: Some(read),
        consistent_read: Some(found),
        notification_bytes: Some(180 + noise as u64 % 7 + if antipode { 90 } else { 0 }),
        post_bytes: Some(if antipode { 142 } else { 100 }),
        ..matrix_antipode_artifact::row::lost(i)
    }
}

/// Rows of a cell; every seventh is lost.
pub(crate) fn rows(requests: u64, antipode: bool, salt: u64) -> Vec<Row> {
    (0..requests)
        .map(|i| {
            let noise = (i + 1).wrapping_mul(salt + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
            if i % 7 == 6 {
                matrix_antipode_artifact::row::lost(i)
            } else {
                read(i, noise as i64, antipode, antipode || noise % 3 > 0)
            }
        })
        .collect()
}

/// What a small experiment yields: two rounds, on and off, all notification storages, and a delay sweep.
pub(crate) fn experiment() -> Memory {
    let mut cells = Vec::new();
    for post in PostStorage::ALL {
        for notification in NotificationStorage::ALL {
            for (round, antipode) in [(1, false), (1, true), (2, false), (2, true)] {
                let axes = axes(*post, *notification, 0, antipode);
                let salt = cells.len() as u64;
                cells.push((cell(axes, Platform::Sim, 50, round), rows(50, antipode, salt)));
            }
        }
    }
    for delay in [100, 200, 400] {
        let axes = axes(PostStorage::Mysql, NotificationStorage::Sns, delay, false);
        cells.push((cell(axes, Platform::Sim, 50, 1), rows(50, false, delay)));
    }
    Memory::new(cells)
}
