//! Checking a store, part by part.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use matrix_core::CellKey;

use crate::attempt::Attempt;
use crate::counts::{Counts, TraceTotals};
use crate::digest::Digest;
use crate::error::StoreError;
use crate::generic::{GenericAttempt, GenericRecord, Outputs, is_generic};
use crate::index::Index;
use crate::journal::Event;
use crate::layout::{EXPERIMENT, JOURNAL, MODEL, OBJECT_EXTENSION, PLAN, RECEIVED, STORE_TOML, may_lie_beside};
use crate::listing::{is_dated, list};
use crate::names::{AttemptId, Origin, RunId};
use crate::object::ObjectReader;
use crate::record::Record;
use crate::run::Run;
use crate::sealed::read_small;
use crate::store::Store;

use super::report::Report;
use super::{VerifyOptions, rows};

/// What the records say of an object.
struct Expected {
    bytes: u64,
    records: Vec<(PathBuf, u64, Counts, TraceTotals)>,
    /// Records of schema 3 that name it: their objects are bytes like any others.
    generic: Vec<(PathBuf, u64)>,
    seen: bool,
}

/// What an attempt gave: a cell's result, by who measured it and its object.
type Made = (CellKey, Origin, Digest);

struct Checker<'a> {
    store: &'a Store,
    options: VerifyOptions,
    report: Report,
    expected: BTreeMap<Digest, Expected>,
    /// What records say was made.
    results: Vec<Made>,
    /// What records of schema 3 say was left.
    left: Vec<(CellKey, Origin, Outputs)>,
    attempts: BTreeSet<AttemptId>,
    /// Attempts that were left out of what came with a bundle.
    left_out: BTreeSet<AttemptId>,
    /// Cells that have a record.
    cells: BTreeSet<CellKey>,
    /// Files that have the name of a record and are none: not ours, unless an attempt tells of them.
    unclear: Vec<(PathBuf, CellKey, Origin, StoreError)>,
    /// What attempts of schema 3 left.
    outputs: BTreeSet<Digest>,
    /// Whether there are records of schema 3.
    generic: bool,
}

impl Store {
    /// Checks everything in the store. Memory grows with the number of records, not with their objects.
    ///
    /// # Errors
    /// When a directory cannot be read. What is wrong with a file is in the report.
    pub fn verify(&self, options: VerifyOptions) -> Result<Report, StoreError> {
        let mut checker = Checker {
            store: self,
            options,
            report: Report::default(),
            expected: BTreeMap::new(),
            results: Vec::new(),
            left: Vec::new(),
            attempts: BTreeSet::new(),
            left_out: BTreeSet::new(),
            cells: BTreeSet::new(),
            unclear: Vec::new(),
            outputs: BTreeSet::new(),
            generic: false,
        };
        checker.top()?;
        // What journals tell of was there before: a run that goes on meanwhile adds to both.
        let runs = checker.runs()?;
        checker.records()?;
        checker.outputs()?;
        checker.objects()?;
        checker.attempts()?;
        for run in &runs {
            checker.ended(run);
        }
        let mut report = checker.report;
        report.faults.sort();
        report.notes.sort();
        Ok(report)
    }
}

impl Checker<'_> {
    fn root(&self) -> &Path {
        &self.store.layout.root
    }

    fn fault(&mut self, file: &Path, what: impl Into<String>) {
        self.report.fault(&self.store.layout.root, file, what);
    }

    fn note(&mut self, file: &Path, what: impl Into<String>) {
        self.report.note(&self.store.layout.root, file, what);
    }

    fn keep<T>(&mut self, file: &Path, result: Result<T, StoreError>) -> Option<T> {
        self.report.keep(&self.store.layout.root, file, result)
    }

    fn stray(&mut self, file: &Path) {
        self.note(file, "not part of a store");
    }

    /// A small file that was listed, so it should be there.
    fn bytes(&mut self, path: &Path) -> Option<Vec<u8>> {
        let read =
            read_small(path).and_then(|bytes| bytes.ok_or_else(|| StoreError::damaged(path, "the file is missing")));
        self.keep(path, read)
    }

    fn top(&mut self) -> Result<(), StoreError> {
        let store_toml = self.store.layout.store_toml();
        if self.bytes(&store_toml).is_some_and(|bytes| bytes != STORE_TOML.as_bytes()) {
            self.fault(&store_toml, "it is not what is written there");
        }
        for item in list(self.root())? {
            let known = match item.is_folder {
                true => ["tmp", "objects", "cells", "attempts", "runs"].as_slice(),
                false => &["store.toml", "lock", "index", "places.json", RECEIVED],
            };
            if !item
                .name
                .to_str()
                .is_some_and(|name| known.contains(&name) || (!item.is_folder && may_lie_beside(name)))
            {
                let path = self.root().join(item.name);
                self.stray(&path);
            }
        }
        let received = self.store.layout.received();
        self.left_out = self.keep(&received, self.store.received()).unwrap_or_default().left_out;
        let tmp = self.store.layout.tmp();
        let left = list(&tmp)?.len();
        if left > 0 {
            self.note(&tmp, format!("{left} temporary files, swept by the next command that writes"));
        }
        let index = self.store.layout.index();
        if index.exists() && std::fs::read_to_string(&index).ok().and_then(|text| Index::try_parse(&text)).is_none() {
            self.note(&index, "the index is damaged; it is a cache, and is written anew by the next run");
        }
        Ok(())
    }

    fn records(&mut self) -> Result<(), StoreError> {
        let cells = self.store.layout.cells();
        for cell in list(&cells)? {
            let directory = cells.join(&cell.name);
            let Some(Ok(key)) = cell.folder().map(str::parse) else {
                self.stray(&directory);
                continue;
            };
            for item in list(&directory)? {
                let path = directory.join(&item.name);
                let stem = item.file().and_then(|name| name.strip_suffix(".json"));
                let Some(origin) = stem.and_then(|stem| stem.parse::<Origin>().ok()) else {
                    self.stray(&path);
                    continue;
                };
                let Some(bytes) = self.bytes(&path) else { continue };
                if is_generic(&bytes) {
                    self.generic_record(path, &bytes, &key, &origin);
                    continue;
                }
                let read = Record::from_bytes(&path, &bytes);
                let read = read.and_then(|record| record.must_be(&key, &origin, &path).map(|()| record));
                if let Err(error @ StoreError::Damaged { .. }) = read {
                    self.unclear.push((path, key, origin, error));
                    continue;
                }
                if let Some(record) = self.keep(&path, read) {
                    self.report.checked.records += 1;
                    self.expect(path, &record);
                }
            }
        }
        Ok(())
    }

    fn expect(&mut self, path: PathBuf, record: &Record) {
        let bytes = record.object.bytes;
        self.cells.insert(record.key);
        self.results.push((record.key, record.origin.clone(), record.object.sha256));
        let new = || Expected { bytes, records: Vec::new(), generic: Vec::new(), seen: false };
        let expected = self.expected.entry(record.object.sha256).or_insert_with(new);
        expected.bytes = expected.bytes.max(bytes);
        expected.records.push((path, bytes, record.counts, record.totals));
    }

    fn generic_record(&mut self, path: PathBuf, bytes: &[u8], key: &CellKey, origin: &Origin) {
        self.generic = true;
        let Some(record) = self.keep(&path, GenericRecord::from_bytes(&path, bytes)) else { return };
        if record.key != *key || record.origin != *origin {
            self.fault(&path, format!("it is the record of cell {} from {}", record.key.short(), record.origin));
            return;
        }
        self.report.checked.records += 1;
        self.report.checked.rows += record.rows.values().map(|rows| rows.rows).sum::<u64>();
        self.cells.insert(record.key);
        for (digest, bytes) in record.objects() {
            let new = || Expected { bytes, records: Vec::new(), generic: Vec::new(), seen: false };
            let expected = self.expected.entry(digest).or_insert_with(new);
            expected.bytes = expected.bytes.max(bytes);
            expected.generic.push((path.clone(), bytes));
        }
        self.left.push((record.key, record.origin, record.outputs));
    }

    fn objects(&mut self) -> Result<(), StoreError> {
        let objects = self.store.layout.objects();
        for shard in list(&objects)? {
            let directory = objects.join(&shard.name);
            if !shard.is_folder {
                self.stray(&directory);
                continue;
            }
            for item in list(&directory)? {
                let path = directory.join(&item.name);
                let stem = item.file().and_then(|name| name.strip_suffix(OBJECT_EXTENSION));
                match stem.and_then(|stem| stem.parse::<Digest>().ok()) {
                    Some(digest) if self.store.layout.object(&digest) == path => self.object(&path, digest),
                    _ => self.stray(&path),
                }
            }
        }
        let missing: Vec<(PathBuf, Digest)> = self
            .expected
            .iter()
            .filter(|(_, expected)| !expected.seen)
            .flat_map(|(digest, expected)| {
                let paths = expected.records.iter().map(|(path, ..)| path);
                paths.chain(expected.generic.iter().map(|(path, _)| path)).map(|path| (path.clone(), *digest))
            })
            .collect();
        for (path, digest) in missing {
            self.fault(&path, format!("its object {} is missing", digest.short()));
        }
        Ok(())
    }

    fn object(&mut self, path: &Path, digest: Digest) {
        let expected = self.expected.get_mut(&digest).map(|expected| {
            expected.seen = true;
            (expected.bytes, std::mem::take(&mut expected.records))
        });
        let generic = self.expected.get(&digest).map(|expected| expected.generic.clone()).unwrap_or_default();
        // Rows that were read again leave objects behind, which are not of the form that traces have.
        let of_a_trace = generic.is_empty() && (expected.is_some() || !self.generic);
        if expected.is_none() && !self.outputs.contains(&digest) {
            self.note(path, "no record names this object");
        }
        let max_bytes = expected.as_ref().map_or(u64::MAX, |(bytes, _)| *bytes).min(self.options.max_bytes);
        let opened = ObjectReader::open(path, digest).map(|object| object.with_max_bytes(max_bytes));
        let read = opened.and_then(|object| {
            if self.options.rows && of_a_trace && !self.outputs.contains(&digest) {
                rows::read(path, object).map(|contents| (contents.bytes, Some(contents)))
            } else {
                object.check().map(|bytes| (bytes, None))
            }
        });
        let Some((bytes, contents)) = self.keep(path, read) else { return };
        self.report.checked.objects += 1;
        self.report.checked.object_bytes += bytes;
        self.report.checked.rows += contents.map_or(0, |contents| contents.counts.planned);
        for (record, said) in generic {
            if said != bytes {
                self.fault(&record, format!("it says that object {} has {said} bytes; it has {bytes}", digest.short()));
            }
        }
        for (record, said, counts, totals) in expected.into_iter().flat_map(|(_, records)| records) {
            if said != bytes {
                self.fault(&record, format!("it says that its object has {said} bytes; it has {bytes}"));
            } else if contents.is_some_and(|contents| contents.counts != counts || contents.totals != totals) {
                self.fault(&record, "its counts and totals are not those of its object's rows");
            }
        }
    }

    fn attempts(&mut self) -> Result<(), StoreError> {
        let directory = self.store.layout.attempts();
        let mut made: BTreeSet<Made> = BTreeSet::new();
        let mut tried: BTreeSet<(CellKey, Origin)> = BTreeSet::new();
        for item in list(&directory)? {
            let path = directory.join(&item.name);
            let stem = item.file().and_then(|name| name.strip_suffix(".json"));
            let Some(id) = stem.and_then(|stem| stem.parse::<AttemptId>().ok()) else {
                self.stray(&path);
                continue;
            };
            let Some(bytes) = self.bytes(&path) else { continue };
            if is_generic(&bytes) {
                self.generic_attempt(&path, &bytes, &id);
                continue;
            }
            let read = Attempt::from_bytes(&path, &bytes);
            if matches!(read, Err(StoreError::Damaged { .. })) && !is_dated(id.as_str()) {
                self.stray(&path);
                continue;
            }
            let Some(attempt) = self.keep(&path, read) else { continue };
            if attempt.id != id {
                self.fault(&path, format!("it is the attempt {}", attempt.id));
                continue;
            }
            self.report.checked.attempts += 1;
            self.attempts.insert(id);
            tried.insert((attempt.key, attempt.origin.clone()));
            let Some(object) = attempt.object else { continue };
            if !self.store.layout.object(&object).exists() {
                self.note(&path, format!("its object {} is no longer in the store", object.short()));
            }
            made.insert((attempt.key, attempt.origin, object));
        }
        for (path, key, origin, error) in std::mem::take(&mut self.unclear) {
            if origin.is_local() || tried.contains(&(key, origin)) {
                self.keep::<()>(&path, Err(error));
            } else {
                self.stray(&path);
            }
        }
        let left = std::mem::take(&mut self.left);
        for (key, origin, _) in left {
            let what = format!("the attempt is missing that gave the result of cell {} by {origin}", key.short());
            self.fault(&directory, what);
        }
        let results = std::mem::take(&mut self.results);
        for (key, origin, _) in results.into_iter().filter(|result| !made.contains(result)) {
            let what = format!("the attempt is missing that gave the result of cell {} by {origin}", key.short());
            self.fault(&directory, what);
        }
        Ok(())
    }

    fn generic_attempt(&mut self, path: &Path, bytes: &[u8], id: &AttemptId) {
        let Some(attempt) = self.keep(path, GenericAttempt::from_bytes(path, bytes)) else { return };
        if attempt.id != *id {
            self.fault(path, format!("it is the attempt {}", attempt.id));
            return;
        }
        self.report.checked.attempts += 1;
        self.attempts.insert(id.clone());
        self.left.retain(|(key, origin, outputs)| {
            (*key, origin, outputs) != (attempt.key, &attempt.origin, &attempt.outputs)
        });
    }

    /// What attempts of schema 3 left, so that it is known for no trace when objects are read.
    fn outputs(&mut self) -> Result<(), StoreError> {
        for id in self.store.attempts()? {
            // One that is damaged is reported when attempts are checked.
            if let Ok(Some(attempt)) = self.store.generic_attempt(&id) {
                self.outputs.extend(attempt.outputs.values().map(|output| output.sha256));
            }
        }
        Ok(())
    }

    /// Checks the runs, and returns those that can be read.
    fn runs(&mut self) -> Result<Vec<Run>, StoreError> {
        let mut runs = Vec::new();
        let directory = self.store.layout.runs();
        for item in list(&directory)? {
            let path = directory.join(&item.name);
            let id = item.folder().and_then(|name| name.parse::<RunId>().ok());
            let Some(id) = id.filter(|id| self.store.is_run(id)) else {
                self.stray(&path);
                continue;
            };
            for item in list(&path)? {
                if !item.file().is_some_and(|name| [EXPERIMENT, MODEL, PLAN, JOURNAL].contains(&name)) {
                    self.stray(&path.join(item.name));
                }
            }
            let Some(run) = self.keep(&path, Run::open(id, path.clone())) else { continue };
            self.report.checked.runs += 1;
            self.report.checked.journal_lines += run.journal().entries.len() as u64;
            if run.journal().torn_bytes > 0 {
                self.note(&path.join(JOURNAL), "the last line is incomplete: the process was killed while it wrote it");
            }
            self.keep(&path, run.experiment());
            self.keep(&path, run.plan());
            self.keep(&path, run.model());
            if path.join(MODEL).exists() && run.journal().files().is_some_and(|files| !files.contains_key(MODEL)) {
                self.stray(&path.join(MODEL));
            }
            runs.push(run);
        }
        Ok(runs)
    }

    /// Attempts whose end a journal tells, and that are missing. A selection's journals tell of attempts, too, that were
    /// left out. A cell that is done for the journal and has no result will run again.
    fn ended(&mut self, run: &Run) {
        let journal = &run.directory().join(JOURNAL);
        let told = run.journal().entries.iter().filter_map(|entry| entry.event.ended());
        let missing = told.map(|(id, _)| id).filter(|id| !self.attempts.contains(id));
        let (others, missing): (Vec<_>, Vec<_>) = missing.partition(|id| self.left_out.contains(*id));
        for id in missing {
            self.fault(journal, format!("its attempt {id} is missing"));
        }
        if !others.is_empty() {
            self.note(journal, format!("{} attempts that it names were left out of what came here", others.len()));
        }
        for entry in &run.journal().entries {
            if let Event::Done { attempt, cell } = &entry.event
                && self.attempts.contains(attempt)
                && !self.cells.contains(cell)
            {
                self.note(journal, format!("it says that cell {} is done; the cell's result is gone", cell.short()));
            }
        }
    }
}
