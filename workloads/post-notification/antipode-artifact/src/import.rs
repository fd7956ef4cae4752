//! From folders into a store.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use matrix_driver::RowSink;
use matrix_plan::{Axes, Cell, CellKey, Combination, Platform, RegionPair, Regions};
use matrix_store::{AttemptId, Execution, Provenance, StoreError, WritableStore};
use matrix_traces::{Attempt, Record, TraceInfo, TraceSink};

use crate::error::ImportError;
use crate::imported::{EPOCH_US, Imported, WrittenBy, origin};
use crate::row;
use crate::scan::{self, Found};
use crate::tags::{self, MAX_TAGS_BYTES, Scalar, Tags, parse_tags};
use crate::traces::{Traces, parse_traces};

/// How to import.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// The regions that folders may name.
    pub regions: Regions,
    /// Most bytes that a `traces.csv` may have. It is read whole.
    pub max_traces_bytes: u64,
    /// Most requests that a folder may have.
    pub max_requests: u64,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self { regions: Regions::built_in(), max_traces_bytes: 1 << 30, max_requests: 10_000_000 }
    }
}

/// Most notes on single rows, of latencies that contradict each other or are missing: they are kept in the record, which
/// should stay small.
const MAX_NOTES: u64 = 100_000;

/// The result of an import.
#[derive(Clone, Debug, Default)]
pub struct ImportReport {
    /// The cells, in order of their folders' names.
    pub cells: Vec<ImportedCell>,
}

/// A cell of an import.
#[derive(Clone, Debug)]
pub struct ImportedCell {
    /// Its folder.
    pub folder: PathBuf,
    /// Its key.
    pub key: CellKey,
    /// Its axes.
    pub axes: Axes,
    /// On what it ran.
    pub platform: Platform,
    /// Results.
    pub results: u64,
    /// Requests without a result.
    pub lost: u64,
    /// Rows whose latencies contradict each other by more than their cutting explains.
    pub contradictions: u64,
    /// Whether the store had it before: then nothing was written.
    pub already_there: bool,
}

/// A folder that was understood.
struct Understood {
    cell: Cell,
    traces: Traces,
    configured_lag: bool,
    contradictions: u64,
}

/// Imports every cell's folder in `path` as a record of origin `imported`. All folders are checked before anything is
/// written.
///
/// # Errors
/// When a folder cannot be understood, or the store has other rows of the same gathering or cannot be written.
pub fn import(path: &Path, store: &WritableStore, options: &ImportOptions) -> Result<ImportReport, ImportError> {
    let folders = scan::find(path, &options.regions)?;
    for folder in &folders {
        let understood = understand(folder, options)?;
        conflict(folder, &understood, store)?;
    }
    let mut report = ImportReport::default();
    for folder in &folders {
        let Understood { cell, traces, configured_lag, contradictions } = understand(folder, options)?;
        let already_there = store.record::<Record>(&cell.key, &origin()?)?.is_some();
        if !already_there {
            write(folder, &cell, &traces, configured_lag, store)?;
        }
        let results = traces.rows.len() as u64;
        report.cells.push(ImportedCell {
            folder: folder.path.clone(),
            key: cell.key,
            axes: cell.axes().clone(),
            platform: cell.inputs.platform,
            results,
            lost: cell.inputs.requests - results,
            contradictions,
            already_there,
        });
    }
    Ok(report)
}

/// Looks whether every cell's folder in `path` can be understood, without a store.
///
/// # Errors
/// When one cannot.
pub fn check(path: &Path, options: &ImportOptions) -> Result<(), ImportError> {
    scan::find(path, &options.regions)?.iter().try_for_each(|folder| understand(folder, options).map(drop))
}

fn understand(folder: &Found, options: &ImportOptions) -> Result<Understood, ImportError> {
    let (tags_path, traces_path) = (folder.path.join("tags.yml"), folder.path.join("traces.csv"));
    let tags = parse_tags(&scan::read(&tags_path, MAX_TAGS_BYTES)?)
        .map_err(|error| ImportError::Parse { path: tags_path.clone(), error })?;
    let limit = options.max_requests;
    if tags.requests > limit {
        return Err(ImportError::TooManyRequests { path: tags_path, requests: tags.requests, limit });
    }
    let traces = parse_traces(&scan::read(&traces_path, options.max_traces_bytes)?)
        .map_err(|error| ImportError::Parse { path: traces_path.clone(), error })?;

    let contradiction = |path: &Path, what: String| ImportError::Contradiction { path: path.to_owned(), what };
    let axes = axes(folder, &tags, &options.regions).map_err(|what| contradiction(&tags_path, what))?;
    if traces.rows.len() as u64 != tags.results {
        let what = format!("{} rows, but NUM_RESULTS in tags.yml says {} results", traces.rows.len(), tags.results);
        return Err(contradiction(&traces_path, what));
    }
    if traces.antipode && !tags.antipode {
        let what = "a column antipode_spent_ms, but ANTIPODE_ENABLED in tags.yml is false";
        return Err(contradiction(&traces_path, what.to_owned()));
    }
    let requests = tags.requests;
    let FolderFacts { imported, platform, round, configured_lag } = told(folder, tags, &traces);
    let contradictions = imported.writer_latency_ms.len() as u64;
    if imported.notes() > MAX_NOTES {
        let what = format!(
            "the latencies of {contradictions} rows contradict each other, and others lack some of theirs now and then: no \
             more than {MAX_NOTES} notes of that kind are kept"
        );
        return Err(contradiction(&traces_path, what));
    }
    let inputs = imported.inputs(axes, platform, requests, round)?;
    let cell = Cell::new(inputs).map_err(StoreError::from)?;
    Ok(Understood { cell, traces, configured_lag, contradictions })
}

/// What the folder's name and its tags agree on, or what they do not.
fn axes(folder: &Found, tags: &Tags, regions: &Regions) -> Result<Axes, String> {
    let region = |name: &str| {
        let short = || regions.iter().map(|(short, _)| short).find(|short| short.as_str() == name);
        let unknown = || {
            let known: Vec<&str> = regions.iter().map(|(_, aws)| aws).collect();
            format!("the region {name} is not known; known are {}", known.join(", "))
        };
        regions.by_aws_name(name).or_else(short).cloned().ok_or_else(unknown)
    };
    let pair = RegionPair { writer: region(&tags.writer_region)?, reader: region(&tags.reader_region)? };
    let agree = |what: &str, tags: &dyn ToString, name: &dyn ToString| {
        let (tags, name) = (tags.to_string(), name.to_string());
        if tags == name { Ok(()) } else { Err(format!("the {what} is {tags}, but {name} in the folder's name")) }
    };
    let name = &folder.name;
    name.regions.iter().try_for_each(|regions| agree("region pair", &pair, regions))?;
    name.delay_ms.iter().try_for_each(|delay| agree("delay", &tags.delay_ms, delay))?;
    name.antipode.iter().try_for_each(|antipode| agree("antipode switch", &tags.antipode, antipode))?;
    if let Some(pair) = folder.pair {
        agree("post storage", &tags.post_storage, &pair.post_storage)?;
        agree("notification storage", &tags.notification_storage, &pair.notification_storage)?;
    }
    // A gathering that was cut short is named by the results that there were.
    if let Some(requests) = name.requests.filter(|requests| *requests > tags.requests) {
        agree("number of requests", &tags.requests, &requests)?;
    }
    Ok(Axes {
        combination: Combination::new(tags.post_storage, tags.notification_storage, pair),
        delay_ms: tags.delay_ms,
        antipode: tags.antipode,
    })
}

struct FolderFacts {
    imported: Imported,
    platform: Platform,
    round: u32,
    configured_lag: bool,
}

/// What the folder contains besides the axes.
fn told(folder: &Found, tags: Tags, traces: &Traces) -> FolderFacts {
    let mut others = tags.others;
    let text = |tag: Option<Scalar>| match tag {
        Some(Scalar::Text(text) | Scalar::Number(text)) => Some(text),
        Some(Scalar::Flag(flag)) => Some(u8::from(flag).to_string()),
        Some(Scalar::Null) | None => None,
    };
    let platform: Option<Platform> = text(others.remove(tags::PLATFORM)).and_then(|name| name.parse().ok());
    let round = text(others.remove(tags::ROUND)).and_then(|round| round.trim().parse().ok());
    let configured_lag = text(others.remove(tags::CONFIGURED_LAG)).is_some_and(|flag| flag == "1");
    let by = if platform.is_some() { WrittenBy::Matrix } else { WrittenBy::Original };
    let mut imported = Imported::new(by, folder.name.stamp);
    imported.label = folder.name.label.clone();
    let usual = folder.name.requests.filter(|_| folder.name.label.is_none());
    imported.requests_in_name = usual.filter(|requests| *requests != tags.requests);
    imported.tags = others;
    imported.without_antipode_column = tags.antipode && !traces.antipode;
    for (i, result) in (0..).zip(&traces.rows) {
        imported.keep(i, row::to_row(i, result).1);
    }
    FolderFacts { imported, platform: platform.unwrap_or(Platform::Aws), round: round.unwrap_or(1), configured_lag }
}

/// The same gathering with other rows is a conflict.
fn conflict(folder: &Found, understood: &Understood, store: &WritableStore) -> Result<(), ImportError> {
    let Understood { cell, traces, configured_lag, .. } = understood;
    let Some(record) = store.record::<Record>(&cell.key, &origin()?)? else { return Ok(()) };
    let mut csv = Vec::new();
    let same = {
        csv.extend_from_slice(matrix_app::row::HEADER.as_bytes());
        csv.push(b'\n');
        rows(traces, cell.inputs.requests).for_each(|row| row.write_csv(&mut csv));
        matrix_store::Digest::of(&csv) == record.object.sha256 && *configured_lag == record.configured_lag
    };
    if same {
        return Ok(());
    }
    Err(ImportError::Conflict { path: folder.path.clone(), cell: cell.key.short() })
}

/// One row for each request: results first, then what is missing.
fn rows(traces: &Traces, requests: u64) -> impl Iterator<Item = matrix_app::Row> {
    let results = (0..).zip(&traces.rows).map(|(i, result)| row::to_row(i, result).0);
    results.chain((traces.rows.len() as u64..requests).map(row::lost))
}

/// The object comes first, then the attempt, then the record.
fn write(
    folder: &Found,
    cell: &Cell,
    traces: &Traces,
    configured_lag: bool,
    store: &WritableStore,
) -> Result<(), ImportError> {
    let mut sink = TraceSink::new(store, cell.inputs.requests)?;
    for row in rows(traces, cell.inputs.requests) {
        sink.push(row).map_err(StoreError::from_sink)?;
    }
    let object = sink.finish()?;
    write_attempt(folder, cell, traces, &object, store)?;
    store.write_record(&Record::new(cell, origin()?, &object, configured_lag)?)?;
    Ok(())
}

fn write_attempt(
    folder: &Found,
    cell: &Cell,
    traces: &Traces,
    object: &TraceInfo,
    store: &WritableStore,
) -> Result<(), ImportError> {
    let stamp = folder.name.stamp;
    let id: AttemptId = format!("{stamp}-imported-{}", cell.key.short()).parse()?;
    // An import that was interrupted before it wrote the record left its attempt.
    if store.attempt::<Attempt>(&id)?.is_some() {
        return Ok(());
    }
    let received = || traces.rows.iter().map(|result| result.reader_received_us);
    let time = |us: Option<i64>| {
        let at = us.and_then(|us| Timestamp::from_microsecond(us).ok());
        at.map_or_else(|| stamp.as_utc(), |at| at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
    };
    let name = folder.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let execution = Execution {
        id,
        key: cell.key,
        origin: origin()?,
        run: None,
        started: time(received().min()),
        ended: time(received().max()),
        provenance: Provenance {
            matrix: env!("CARGO_PKG_VERSION").to_owned(),
            services: [("gather folder".to_owned(), name)].into(),
            ..Provenance::default()
        }
        .into(),
    };
    let told = matrix_driver::AttemptDetails { epoch_us: EPOCH_US, ..matrix_driver::AttemptDetails::default() };
    store.write_attempt(&Attempt::done(execution, &told, object.digest)?)?;
    Ok(())
}
