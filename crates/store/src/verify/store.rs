//! Checking a store, part by part.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use matrix_core::CellKey;

use crate::digest::Digest;
use crate::error::StoreError;
use crate::files::{AttemptFile, AttemptHead, Gave, RecordFile, TraceRead, Traces};
use crate::generation;
use crate::generic::{GenericAttempt, GenericRecord, is_generic};
use crate::journal::Event;
use crate::layout::{
    EXPERIMENT, FIRST_SCHEMA, GENERATION, JOURNAL, MODEL, OBJECT_EXTENSION, PLACES, PLAN, RECEIVED, SCHEMA,
    is_joined_journal, may_lie_beside,
};
use crate::listing::{is_dated, list};
use crate::names::{AttemptId, Origin, RunId};
use crate::object::{DEFAULT_MAX_BYTES, ObjectReader};
use crate::run::Run;
use crate::sealed::read_small;
use crate::store::{Store, must_be, read_index};

use super::VerifyOptions;
use super::report::Report;

/// What the records say of an object.
struct Expected<S> {
    bytes: u64,
    /// The records that name it, and the bytes that they say it has.
    records: Vec<(PathBuf, u64)>,
    /// What records say that its rows add up to, where they are a trace.
    traces: Vec<(PathBuf, S)>,
    /// Whether a record names it that knows no traces: its objects are bytes like any others.
    plain: bool,
    seen: bool,
}

struct Checker<'a, W: Traces> {
    store: &'a Store,
    options: VerifyOptions,
    report: Report,
    expected: BTreeMap<Digest, Expected<W::Sums>>,
    /// What records say was given by whom to which cell.
    results: Vec<(CellKey, Origin, Gave)>,
    attempts: BTreeSet<AttemptId>,
    /// Attempts that were left out of what came with a bundle.
    left_out: BTreeSet<AttemptId>,
    /// Cells that have a record.
    cells: BTreeSet<CellKey>,
    /// Files that have the name of a record and are none: not ours, unless an attempt tells of them.
    unclear: Vec<(PathBuf, CellKey, Origin, StoreError)>,
    /// What programs left.
    outputs: BTreeSet<Digest>,
}

impl Store {
    /// Checks everything in the store: records and attempts of programs, and those of the workload with traces. Memory grows with the number of records, not with their objects.
    ///
    /// # Errors
    /// When a directory cannot be read. What is wrong with a file is in the report.
    pub fn verify<W: Traces>(&self, options: VerifyOptions) -> Result<Report, StoreError> {
        let mut checker: Checker<'_, W> = Checker {
            store: self,
            options,
            report: Report::default(),
            expected: BTreeMap::new(),
            results: Vec::new(),
            attempts: BTreeSet::new(),
            left_out: BTreeSet::new(),
            cells: BTreeSet::new(),
            unclear: Vec::new(),
            outputs: BTreeSet::new(),
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

impl<W: Traces> Checker<'_, W> {
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
        let check = crate::share::kept(&self.store.layout)?;
        let written = |schema| crate::share::store_toml(schema, check.as_ref()).into_bytes();
        if self.bytes(&store_toml).is_some_and(|bytes| !(FIRST_SCHEMA..=SCHEMA).any(|schema| bytes == written(schema)))
        {
            self.fault(&store_toml, "it is not what is written there");
        }
        for item in list(self.root())? {
            let known = match item.is_folder {
                true => ["tmp", "objects", "cells", "attempts", "runs", "claims", "runners", PLACES].as_slice(),
                false => &["store.toml", "lock", "index", "places.json", "sites.json", RECEIVED],
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
        if index.exists() && read_index(&self.store.layout).is_none() {
            self.note(&index, "the index is damaged; it is a cache, and is written anew by the next run");
        }
        Ok(())
    }

    fn records(&mut self) -> Result<(), StoreError> {
        let cells = self.store.layout.cells();
        let mut superseded = 0;
        for cell in list(&cells)? {
            let directory = cells.join(&cell.name);
            let Some(Ok(key)) = cell.folder().map(str::parse) else {
                self.stray(&directory);
                continue;
            };
            let generations = self.store.generations(&key)?;
            for item in list(&directory)? {
                let path = directory.join(&item.name);
                let named = item.file().and_then(generation::of_file_name);
                let found = named.and_then(|(origin, generation)| {
                    let all = generations.get(&origin)?;
                    let is_superseded = all.last() != Some(&generation);
                    all.contains(&generation).then_some((origin, is_superseded))
                });
                let Some((origin, is_superseded)) = found else {
                    self.stray(&path);
                    continue;
                };
                // What nothing reads need not be whole.
                if is_superseded {
                    superseded += 1;
                    continue;
                }
                let Some(bytes) = self.bytes(&path) else { continue };
                if is_generic(&bytes) {
                    self.record::<GenericRecord>(path, &bytes, (key, origin), |_| None);
                } else {
                    self.record::<W::Record>(path, &bytes, (key, origin), |record| Some(W::sums(record)));
                }
            }
        }
        if superseded > 0 {
            self.note(&cells, format!("{superseded} records were replaced by later ones: `matrix gc` removes them"));
        }
        Ok(())
    }

    fn record<R: RecordFile>(
        &mut self,
        path: PathBuf,
        bytes: &[u8],
        (key, origin): (CellKey, Origin),
        sums: impl FnOnce(&R) -> Option<W::Sums>,
    ) {
        let read = R::from_bytes(&path, bytes);
        let read =
            read.and_then(|record| must_be(&path, (record.key(), record.origin()), &key, &origin).map(|()| record));
        if let Err(error @ StoreError::Damaged { .. }) = read {
            self.unclear.push((path, key, origin, error));
            return;
        }
        let Some(record) = self.keep(&path, read) else { return };
        self.report.checked.records += 1;
        let rows = &mut self.report.checked.rows;
        *rows = rows.saturating_add(record.rows());
        self.cells.insert(key);
        let sums = sums(&record);
        for object in record.objects() {
            let new = || Expected { bytes: 0, records: Vec::new(), traces: Vec::new(), plain: false, seen: false };
            let expected = self.expected.entry(object.sha256).or_insert_with(new);
            expected.bytes = expected.bytes.max(object.bytes);
            expected.records.push((path.clone(), object.bytes));
            expected.plain |= sums.is_none();
            expected.traces.extend(sums.map(|sums| (path.clone(), sums)));
        }
        self.results.push((key, origin, record.gave()));
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
            .flat_map(|(digest, expected)| expected.records.iter().map(|(path, _)| (path.clone(), *digest)))
            .collect();
        for (path, digest) in missing {
            self.fault(&path, format!("its object {} is missing", digest.short()));
        }
        Ok(())
    }

    fn object(&mut self, path: &Path, digest: Digest) {
        let expected = self.expected.get_mut(&digest).map(|expected| {
            expected.seen = true;
            (expected.bytes, expected.plain, expected.records.clone(), std::mem::take(&mut expected.traces))
        });
        let is_output = self.outputs.contains(&digest);
        if expected.is_none() && !is_output {
            self.note(path, "no record names this object");
        }
        // What nothing names may be a trace or not: a copy that was killed, or rows that were read again, leave either behind.
        let (bytes, plain, records, traces) = expected.unwrap_or((u64::MAX, true, Vec::new(), Vec::new()));
        let max_bytes = bytes.min(DEFAULT_MAX_BYTES);
        let opened = ObjectReader::open(path, digest).map(|object| object.with_max_bytes(max_bytes));
        let read = opened.and_then(|object| match self.options.rows && !plain {
            true => W::read(path, object).map(|TraceRead { bytes, rows, sums }| (bytes, rows, Some(sums))),
            false => object.check().map(|bytes| (bytes, 0, None)),
        });
        let Some((bytes, rows, sums)) = self.keep(path, read) else { return };
        self.report.checked.objects += 1;
        self.report.checked.object_bytes += bytes;
        self.report.checked.rows += rows;
        let mut wrong = BTreeSet::new();
        for (record, said) in records.into_iter().filter(|(_, said)| *said != bytes) {
            let what = format!("it says that its object {} has {said} bytes; it has {bytes}", digest.short());
            self.fault(&record, what);
            wrong.insert(record);
        }
        for (record, said) in traces {
            if sums.is_some_and(|sums| sums != said) && !wrong.contains(&record) {
                self.fault(&record, "its counts and totals are not those of its object's rows");
            }
        }
    }

    fn attempts(&mut self) -> Result<(), StoreError> {
        let directory = self.store.layout.attempts();
        let mut made: BTreeSet<(CellKey, Origin, Gave)> = BTreeSet::new();
        for item in list(&directory)? {
            let path = directory.join(&item.name);
            let stem = item.file().and_then(|name| name.strip_suffix(".json"));
            let Some(id) = stem.and_then(|stem| stem.parse::<AttemptId>().ok()) else {
                self.stray(&path);
                continue;
            };
            let Some(bytes) = self.bytes(&path) else { continue };
            made.extend(if is_generic(&bytes) {
                self.attempt::<GenericAttempt>(&path, &bytes, id)
            } else {
                self.attempt::<W::Attempt>(&path, &bytes, id)
            });
        }
        let tried: BTreeSet<(&CellKey, &Origin)> = made.iter().map(|(key, origin, _)| (key, origin)).collect();
        for (path, key, origin, error) in std::mem::take(&mut self.unclear) {
            if origin.is_local() || tried.contains(&(&key, &origin)) {
                self.keep::<()>(&path, Err(error));
            } else {
                self.stray(&path);
            }
        }
        let results = std::mem::take(&mut self.results);
        for (key, origin, _) in results.into_iter().filter(|result| !made.contains(result)) {
            let what = format!("the attempt is missing that gave the result of cell {} by {origin}", key.short());
            self.fault(&directory, what);
        }
        Ok(())
    }

    /// Checks an attempt; what it gave to which cell by whom.
    fn attempt<A: AttemptFile>(&mut self, path: &Path, bytes: &[u8], id: AttemptId) -> Option<(CellKey, Origin, Gave)> {
        let read = A::from_bytes(path, bytes);
        if matches!(read, Err(StoreError::Damaged { .. })) && !is_dated(id.as_str()) {
            self.stray(path);
            return None;
        }
        let attempt = self.keep(path, read)?;
        if *attempt.id() != id {
            self.fault(path, format!("it is the attempt {}", attempt.id()));
            return None;
        }
        self.report.checked.attempts += 1;
        self.attempts.insert(id);
        let gave = attempt.gave();
        if let Some(object) = gave.trace.filter(|object| !self.store.layout.object(object).exists()) {
            self.note(path, format!("its object {} is no longer in the store", object.short()));
        }
        Some((attempt.key(), attempt.origin().clone(), gave))
    }

    /// What attempts of programs left, which no record names.
    fn outputs(&mut self) -> Result<(), StoreError> {
        for id in self.store.attempts()? {
            // One that is damaged is reported when attempts are checked.
            if let Ok(Some(AttemptHead { outputs, .. })) = self.store.attempt_head(&id) {
                self.outputs.extend(outputs.values().map(|output| output.sha256));
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
                let files = [EXPERIMENT, MODEL, PLAN, JOURNAL, GENERATION];
                let known = |name: &str| files.contains(&name) || is_joined_journal(name);
                if !item.file().is_some_and(known) {
                    self.stray(&path.join(item.name));
                }
            }
            let Some(run) = self.keep(&path, Run::open(id, path.clone(), |_| {})) else { continue };
            self.report.checked.runs += 1;
            self.report.checked.journal_lines += run.journal().lines;
            if run.journal().torn_bytes > 0 {
                self.note(&path.join(JOURNAL), "the last line is incomplete: the process was killed while it wrote it");
            }
            self.keep(&path, run.experiment());
            self.keep(&path, run.plan());
            self.keep(&path, run.model());
            if path.join(MODEL).exists() && !run.journal().files.contains_key(MODEL) {
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
        let mut left_out = 0;
        let read = run.each_entry(|entry| {
            let Some((id, cell)) = entry.event.ended() else { return Ok::<_, StoreError>(()) };
            match self.attempts.contains(id) {
                false if self.left_out.contains(id) => left_out += 1,
                false => self.fault(journal, format!("its attempt {id} is missing")),
                true if matches!(entry.event, Event::Done { .. }) && !self.cells.contains(cell) => {
                    self.note(
                        journal,
                        format!("it says that cell {} is done; the cell's result is gone", cell.short()),
                    );
                }
                true => {}
            }
            Ok(())
        });
        self.keep(journal, read);
        if left_out > 0 {
            self.note(journal, format!("{left_out} attempts that it names were left out of what came here"));
        }
    }
}
