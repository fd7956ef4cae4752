//! Reads all traces, several at a time.

use std::io::Read;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use matrix_app::Outcome;
use matrix_app::row::{HEADER, LONGEST_LINE};
use matrix_frame::{FrameError, Reader, Reading};
use polars::prelude::Schema;

use super::cell::{CellData, Keep};
use super::diagnose::diagnose;
use super::query::{Query, Rows, is_used, schema};
use super::totals::Totals;
use crate::error::{LoadError, LoadErrorKind};
use crate::traces::{CellMeta, Traces};

/// How traces are loaded. The result does not depend on `jobs` and `block_bytes`.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Traces read at the same time.
    pub jobs: NonZeroUsize,
    /// Bytes of a trace that are held at a time, per job.
    pub block_bytes: usize,
    /// Columns that are kept.
    pub keep: Keep,
}

impl Default for Options {
    /// One job per core, a mebibyte each, which stays in its caches, and what tables need.
    fn default() -> Self {
        let jobs = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self { jobs, block_bytes: 1 << 20, keep: Keep::TABLES }
    }
}

/// The traces of cells, reduced to what tables and claims need: totals and compact columns.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    pub(crate) cells: Vec<CellData>,
}

impl Loaded {
    /// The cells, in the order of [`Traces::cells`].
    #[must_use]
    pub fn cells(&self) -> &[CellData] {
        &self.cells
    }
}

/// Requests of successive cells up to which their traces are read together: Polars takes longer to begin than to read
/// so few rows.
const TOGETHER: u64 = 1024;

/// Loads all traces.
///
/// # Errors
/// When a trace cannot be read, or is not the trace of its cell: that of the first such cell.
pub fn load<T: Traces + ?Sized>(traces: &T, options: &Options) -> Result<Loaded, LoadError> {
    let cells = traces.cells();
    let schema = schema();
    let groups = groups(cells);
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let work = || {
        let mut done = Vec::new();
        // Groups are taken in order and a taken one is finished, so the first cell at fault is always among the done.
        while !failed.load(Ordering::Relaxed) {
            let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
            let loaded = load_group(traces, group, &schema, options).map_or_else(
                || {
                    let alone = |(n, meta): (usize, &Arc<CellMeta>)| {
                        let loaded = load_cell(traces, n, meta, &schema, options);
                        loaded.map_err(|kind| LoadError { cell: meta.name(), kind })
                    };
                    group.clone().zip(&cells[group.clone()]).map(alone).collect()
                },
                Ok,
            );
            failed.fetch_or(loaded.is_err(), Ordering::Relaxed);
            done.push((group.start, loaded));
        }
        done
    };
    let mut done = std::thread::scope(|scope| {
        let jobs = options.jobs.get().min(groups.len());
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        let joined = workers.into_iter().map(|worker| worker.join());
        joined.flat_map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect::<Vec<_>>()
    });
    done.sort_by_key(|(first, _)| *first);
    let mut loaded = Vec::with_capacity(cells.len());
    for (_, group) in done {
        loaded.append(&mut group?);
    }
    Ok(Loaded { cells: loaded })
}

/// Divides cells into those whose traces are read together, and those that are large enough alone.
fn groups(cells: &[Arc<CellMeta>]) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut together = 0u64;
    for (n, cell) in cells.iter().enumerate() {
        together = together.saturating_add(cell.inputs.requests.max(1));
        match groups.last_mut() {
            Some(group) if together <= TOGETHER => group.end = n + 1,
            _ => {
                groups.push(n..n + 1);
                together = cell.inputs.requests.max(1);
            }
        }
    }
    groups
}

/// Loads cells whose traces are read together; none if there is but one, or something is wrong with one of them or they
/// are longer than one block: they are then read each for itself, which says what is wrong with the first one.
fn load_group<T: Traces + ?Sized>(
    traces: &T,
    group: &Range<usize>,
    schema: &Schema,
    options: &Options,
) -> Option<Vec<CellData>> {
    if group.len() < 2 {
        return None;
    }
    let header = format!("{HEADER}\n").into_bytes();
    let mut text = header.clone();
    let mut counts = Vec::with_capacity(group.len());
    for n in group.clone() {
        let start = text.len();
        let left = options.block_bytes.saturating_sub(start) as u64;
        traces.open(n).and_then(|trace| trace.take(left.saturating_add(1)).read_to_end(&mut text)).ok()?;
        if text.len() > options.block_bytes || !text.ends_with(b"\n") || !text[start..].starts_with(&header) {
            return None;
        }
        text.drain(start..start + header.len());
        counts.push(text[start..].iter().filter(|byte| **byte == b'\n').count());
    }
    let reading = Reading { block_bytes: text.len(), longest_row: LONGEST_LINE, plain: true };
    let block = Reader::with(schema, is_used, reading, &*text).ok()?.next_block().ok()??;
    drop(text);
    if block.rows != counts.iter().sum::<usize>() {
        return None;
    }
    let rows = Rows::of(&block, counts.iter().flat_map(|count| 0..*count as u64)).ok()?;
    let mut start = 0;
    let load = |(count, meta): (usize, &Arc<CellMeta>)| {
        let mut cell = Query::new(meta, options.keep);
        cell.add(rows.part(start..start + count));
        start += count;
        agree(meta, &cell.totals).ok()?;
        Some(cell.finish(Arc::clone(meta)))
    };
    counts.into_iter().zip(&traces.cells()[group.clone()]).map(load).collect()
}

fn load_cell<T: Traces + ?Sized>(
    traces: &T,
    n: usize,
    meta: &Arc<CellMeta>,
    schema: &Schema,
    options: &Options,
) -> Result<CellData, LoadErrorKind> {
    let block_bytes = options.block_bytes.max(LONGEST_LINE);
    let reading = Reading { block_bytes, longest_row: LONGEST_LINE, plain: true };
    let trace = traces.open(n).map_err(LoadErrorKind::Open)?;
    let mut reader = Reader::with(schema, is_used, reading, trace).map_err(|error| refused(1, &[], 0, error))?;
    let mut cell = Query::new(meta, options.keep);
    loop {
        let first = cell.totals.planned;
        let rows = match reader.next_block() {
            Ok(None) => break,
            Ok(Some(block)) => Rows::of(&block, first..),
            Err(error) => Err(error),
        };
        cell.add(rows.map_err(|error| refused(first + 2, reader.lines(), first, error))?);
    }
    agree(meta, &cell.totals)?;
    Ok(cell.finish(Arc::clone(meta)))
}

/// What is wrong with a block whose first line has number `line` and should be the row of request `first`.
fn refused(line: u64, block: &[u8], first: u64, error: FrameError) -> LoadErrorKind {
    match error {
        FrameError::Header(start) => LoadErrorKind::Header(start),
        FrameError::Read(source) => LoadErrorKind::Read { line, source },
        FrameError::LongRow { limit, .. } => LoadErrorKind::LongLine { line, limit },
        FrameError::CutShort { .. } => LoadErrorKind::CutShort { line },
        other => diagnose(block, line, first, other),
    }
}

/// Checks the trace against what the cell plans and its record counts.
fn agree(meta: &CellMeta, totals: &Totals) -> Result<(), LoadErrorKind> {
    let (planned, found) = (meta.inputs.requests, totals.planned);
    if planned != found {
        return Err(LoadErrorKind::Rows { planned, found });
    }
    for outcome in Outcome::ALL {
        let recorded = meta.outcomes.of(outcome);
        let found = totals.count(outcome);
        if recorded != found {
            return Err(LoadErrorKind::Outcomes { outcome, recorded, found });
        }
    }
    Ok(())
}
