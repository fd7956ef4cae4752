//! Reads all traces, several at a time.

use std::io::Read;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use matrix_app::row::HEADER;
use matrix_app::{Outcome, Row};

use super::accumulate::Accumulator;
use super::blocks::{BlockError, Blocks, LONGEST_LINE};
use super::cell::{CellData, Keep};
use super::diagnose::{check, diagnose};
use super::parse::Parser;
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
    /// One job per core, four mebibytes each, and what tables need.
    fn default() -> Self {
        let jobs = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self { jobs, block_bytes: 4 << 20, keep: Keep::TABLES }
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

/// Bytes up to which a block is read row by row: before Polars has begun with so few, that is done.
const READ_BY_ROW: usize = 16 << 10;

/// Loads all traces.
///
/// # Errors
/// When a trace cannot be read, or is not the trace of its cell: that of the first such cell.
pub fn load<T: Traces + ?Sized>(traces: &T, options: &Options) -> Result<Loaded, LoadError> {
    load_with(traces, options, READ_BY_ROW)
}

/// The same, with another bound on blocks that are read row by row. The result does not depend on it.
pub(super) fn load_with<T: Traces + ?Sized>(
    traces: &T,
    options: &Options,
    read_by_row: usize,
) -> Result<Loaded, LoadError> {
    let cells = traces.cells();
    let parser = Parser::new();
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let work = || {
        let mut done = Vec::new();
        // Cells are taken in order and a taken cell is finished, so the first cell at fault is always among the done.
        while !failed.load(Ordering::Relaxed) {
            let n = next.fetch_add(1, Ordering::Relaxed);
            let Some(meta) = cells.get(n) else { break };
            let result = load_cell(traces, n, meta, &parser, options, read_by_row);
            let result = result.map_err(|kind| LoadError { cell: meta.name(), kind });
            failed.fetch_or(result.is_err(), Ordering::Relaxed);
            done.push((n, result));
        }
        done
    };
    let mut done = std::thread::scope(|scope| {
        let jobs = options.jobs.get().min(cells.len());
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        let joined = workers.into_iter().map(|worker| worker.join());
        joined.flat_map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect::<Vec<_>>()
    });
    done.sort_by_key(|(n, _)| *n);
    let cells = done.into_iter().map(|(_, result)| result).collect::<Result<_, _>>()?;
    Ok(Loaded { cells })
}

fn load_cell<T: Traces + ?Sized>(
    traces: &T,
    n: usize,
    meta: &Arc<CellMeta>,
    parser: &Parser,
    options: &Options,
    read_by_row: usize,
) -> Result<CellData, LoadErrorKind> {
    let mut reader = traces.open(n).map_err(LoadErrorKind::Open)?;
    skip_header(&mut reader)?;
    let mut blocks = Blocks::new(reader, options.block_bytes);
    let mut cell = Accumulator::new(meta, options.keep);
    loop {
        let first = cell.totals.planned;
        let line = first + 2;
        let block = match blocks.next() {
            Ok(Some(block)) => block,
            Ok(None) => break,
            Err(BlockError::Io(source)) => return Err(LoadErrorKind::Read { line, source }),
            Err(BlockError::LongLine) => return Err(LoadErrorKind::LongLine { line, limit: LONGEST_LINE }),
            Err(BlockError::CutShort) => return Err(LoadErrorKind::CutShort { line }),
        };
        if block.len() <= read_by_row
            && let Some(rows) = rows(block, line, first)
        {
            rows.iter().for_each(|row| cell.add_row(row));
            continue;
        }
        let added = parser.parse(block, first).and_then(|columns| cell.add(columns));
        added.map_err(|refused| diagnose(block, line, first, refused))?;
    }
    agree(meta, &cell)?;
    Ok(cell.finish(Arc::clone(meta)))
}

/// The rows of a block, if it has nothing but rows in their order. What is wrong with another one Polars finds out.
fn rows(block: &[u8], line: u64, first: u64) -> Option<Vec<Row>> {
    let lines = block.strip_suffix(b"\n")?.split(|&byte| byte == b'\n');
    lines.zip(line..).zip(first..).map(|((text, line), expected)| check(text, line, expected).ok()).collect()
}

/// Reads the first line, which must be that of every trace.
fn skip_header(reader: &mut impl Read) -> Result<(), LoadErrorKind> {
    let mut line = Vec::with_capacity(HEADER.len() + 1);
    let read = reader.take(HEADER.len() as u64 + 1).read_to_end(&mut line);
    read.map_err(|source| LoadErrorKind::Read { line: 1, source })?;
    if line.strip_suffix(b"\n") == Some(HEADER.as_bytes()) {
        return Ok(());
    }
    let start = line.split(|&byte| byte == b'\n').next().unwrap_or_default();
    Err(LoadErrorKind::Header(String::from_utf8_lossy(start).chars().take(80).collect()))
}

/// Checks the trace against what the cell plans and its record counts.
fn agree(meta: &CellMeta, cell: &Accumulator) -> Result<(), LoadErrorKind> {
    let (planned, found) = (meta.inputs.requests, cell.totals.planned);
    if planned != found {
        return Err(LoadErrorKind::Rows { planned, found });
    }
    for outcome in Outcome::ALL {
        let recorded = meta.outcomes.get(&outcome).copied().unwrap_or_default();
        let found = cell.totals.count(outcome);
        if recorded != found {
            return Err(LoadErrorKind::Outcomes { outcome, recorded, found });
        }
    }
    Ok(())
}
