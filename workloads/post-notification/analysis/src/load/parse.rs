//! A block of lines to columns, by polars.
//!
//! Polars is lenient: it fills up short lines, cuts long ones, skips blanks and takes off `\r`. What it would let pass
//! is refused here, before ([`lines`]) and after ([`Columns::of`]); which line and column are at fault is found out
//! afterwards, by [`super::diagnose`].

use std::io::Cursor;
use std::sync::Arc;

use matrix_app::row::HEADER;
use polars::prelude::*;
use polars_io::csv::read::{CsvParseOptions, CsvReadOptions};

/// Times lie within this many microseconds of the epoch (285 years; the wire formats have the same bound), and sizes
/// and counts are below it. Whole numbers of this size are exact in an `f64`, and differences of two do not overflow.
pub(super) const PLAUSIBLE: i64 = 9_000_000_000_000_000;

/// The columns that tables are made of. The others are not even converted.
const USED: [(&str, DataType); 11] = [
    ("i", DataType::UInt64),
    ("outcome", DataType::String),
    ("client_sent_us", DataType::Int64),
    ("writer_start_us", DataType::Int64),
    ("reply_us", DataType::Int64),
    ("barrier_us", DataType::Int64),
    ("barrier_polls", DataType::UInt64),
    ("post_read_us", DataType::Int64),
    ("consistent_read", DataType::UInt32),
    ("notification_bytes", DataType::UInt64),
    ("post_bytes", DataType::UInt64),
];

/// Reads blocks of lines. It is made once for all traces.
pub(super) struct Parser {
    options: CsvReadOptions,
}

/// Why a block was refused.
#[derive(Debug)]
pub(super) enum Refused {
    /// A line breaks a rule of traces.
    Rule,
    /// Polars refused it.
    Polars(PolarsError),
}

impl From<PolarsError> for Refused {
    fn from(error: PolarsError) -> Self {
        Self::Polars(error)
    }
}

impl Parser {
    pub(super) fn new() -> Self {
        let dtype = |name: &str| {
            let used = USED.iter().find(|(used, _)| *used == name);
            used.map_or(DataType::String, |(_, dtype)| dtype.clone())
        };
        let schema: Schema = HEADER.split(',').map(|name| Field::new(name.into(), dtype(name))).collect();
        let columns: Arc<[PlSmallStr]> = USED.iter().map(|(name, _)| PlSmallStr::from_static(name)).collect();
        let format = CsvParseOptions { quote_char: None, ..CsvParseOptions::default() };
        let options = CsvReadOptions::default()
            .with_has_header(false)
            .with_schema(Some(Arc::new(schema)))
            .with_columns(Some(columns))
            .with_parse_options(format)
            .with_n_threads(Some(1));
        Self { options }
    }

    /// The columns of a block of whole lines, the first of which is that of request `first`.
    pub(super) fn parse(&self, block: &[u8], first: u64) -> Result<Columns, Refused> {
        let lines = lines(block).ok_or(Refused::Rule)?;
        let mut frame = self.options.clone().into_reader_with_file_handle(Cursor::new(block)).finish()?;
        frame.rechunk_mut();
        if frame.height() as u64 != lines {
            return Err(Refused::Rule);
        }
        Columns::of(&frame, first)
    }
}

/// The number of lines of a block, if each has the columns of a row and no character that traces do not have.
fn lines(block: &[u8]) -> Option<u64> {
    let separators = HEADER.bytes().filter(|&byte| byte == b',').count();
    let mut count = 0;
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', block) {
        let line = &block[start..end];
        // Both counts are loops that the compiler turns into vector instructions.
        let commas: usize = line.iter().map(|&byte| usize::from(byte == b',')).sum();
        let foreign: usize = line.iter().map(|&byte| usize::from(!(b'!'..=b'~').contains(&byte))).sum();
        if commas != separators || foreign > 0 {
            return None;
        }
        count += 1;
        start = end + 1;
    }
    Some(count)
}

/// The columns of a block, checked: `i` counts on, outcomes are known, every `ok` has its read, numbers are plausible.
pub(super) struct Columns {
    pub(super) outcome: StringChunked,
    /// Where the outcome is `ok`: the requests whose reader read.
    pub(super) ok: BooleanChunked,
    pub(super) client_sent_us: Int64Chunked,
    pub(super) reply_us: Int64Chunked,
    pub(super) barrier_us: Int64Chunked,
    pub(super) barrier_polls: UInt64Chunked,
    pub(super) post_read_us: Int64Chunked,
    /// `post_read_us - writer_start_us`.
    pub(super) window_us: Int64Chunked,
    /// Whether the read missed the post.
    pub(super) missed: BooleanChunked,
    pub(super) notification_bytes: UInt64Chunked,
    pub(super) post_bytes: UInt64Chunked,
}

impl Columns {
    fn of(frame: &DataFrame, first: u64) -> Result<Self, Refused> {
        let time = |name| -> Result<Int64Chunked, Refused> {
            let column = frame.column(name)?.i64()?;
            let plausible =
                column.min().is_none_or(|min| min > -PLAUSIBLE) && column.max().is_none_or(|max| max < PLAUSIBLE);
            if plausible { Ok(column.clone()) } else { Err(Refused::Rule) }
        };
        let count = |name| -> Result<UInt64Chunked, Refused> {
            let column = frame.column(name)?.u64()?;
            let plausible = column.max().is_none_or(|max| max < PLAUSIBLE as u64);
            if plausible { Ok(column.clone()) } else { Err(Refused::Rule) }
        };
        let i = frame.column("i")?.u64()?;
        let in_order = i.iter().zip(first..).all(|(found, expected)| found == Some(expected));
        let outcome = frame.column("outcome")?.str()?.clone();
        let ok = outcome.equal("ok");
        let found = frame.column("consistent_read")?.u32()?;
        let read = found.is_not_null();
        let flags = found.max().is_none_or(|max| max <= 1);
        if !in_order || !flags || (&ok & &!read).any() {
            return Err(Refused::Rule);
        }
        let post_read_us = time("post_read_us")?;
        Ok(Self {
            ok,
            client_sent_us: time("client_sent_us")?,
            reply_us: time("reply_us")?,
            barrier_us: time("barrier_us")?,
            barrier_polls: count("barrier_polls")?,
            window_us: &post_read_us - &time("writer_start_us")?,
            post_read_us,
            missed: found.equal(0),
            notification_bytes: count("notification_bytes")?,
            post_bytes: count("post_bytes")?,
            outcome,
        })
    }
}
