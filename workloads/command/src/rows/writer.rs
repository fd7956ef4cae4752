//! Writing rows in their one form.

use std::io::{Read, Write};

use matrix_store::Digest;
use sha2::{Digest as _, Sha256};

use super::convert::convert;
use super::{FrameError, TakeRow, header, parse};
use crate::file::{Column, Source};

/// Rows that were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The SHA-256 of their bytes.
    pub sha256: Digest,
    /// Their bytes.
    pub bytes: u64,
    /// How many rows there are.
    pub rows: u64,
    /// Names that were there and that nobody declared.
    pub passed_over: Vec<String>,
}

/// Reads what a program wrote, and writes its rows to `out`.
///
/// # Errors
/// When it is not what was declared, has no row, or `out` fails.
pub fn read_into(source: &Source, input: impl Read, out: impl Write) -> Result<Written, FrameError> {
    let mut writer = Writer::new(&source.columns, out)?;
    let passed_over = parse(source, input, &mut writer)?;
    if writer.rows == 0 {
        return Err(FrameError::Bad("there are no rows".to_owned()));
    }
    writer.finish(passed_over)
}

/// The rows of a run that only its cost is known of.
pub(crate) fn costs_into(source: &Source, fields: &[String], out: impl Write) -> Result<Written, FrameError> {
    let mut writer = Writer::new(&source.columns, out)?;
    writer.row(&fields.iter().map(|field| Some(field.as_str())).collect::<Vec<_>>())?;
    writer.finish(Vec::new())
}

const CHUNK: usize = 256 << 10;

struct Writer<'a, W> {
    columns: &'a [Column],
    out: W,
    hasher: Sha256,
    chunk: Vec<u8>,
    bytes: u64,
    rows: u64,
}

impl<'a, W: Write> Writer<'a, W> {
    fn new(columns: &'a [Column], out: W) -> Result<Self, FrameError> {
        let mut chunk = Vec::with_capacity(CHUNK + 4096);
        header(columns, &mut chunk).map_err(FrameError::Write)?;
        Ok(Self { columns, out, hasher: Sha256::new(), chunk, bytes: 0, rows: 0 })
    }

    fn flush(&mut self) -> Result<(), FrameError> {
        self.hasher.update(&self.chunk);
        self.bytes += self.chunk.len() as u64;
        self.out.write_all(&self.chunk).map_err(FrameError::Write)?;
        self.chunk.clear();
        Ok(())
    }

    fn finish(mut self, passed_over: Vec<String>) -> Result<Written, FrameError> {
        self.flush()?;
        self.out.flush().map_err(FrameError::Write)?;
        Ok(Written { sha256: Digest::finish(self.hasher), bytes: self.bytes, rows: self.rows, passed_over })
    }
}

impl<W: Write> TakeRow for Writer<'_, W> {
    fn row(&mut self, fields: &[Option<&str>]) -> Result<(), FrameError> {
        self.rows += 1;
        for (place, (column, field)) in self.columns.iter().zip(fields).enumerate() {
            if place > 0 {
                self.chunk.push(b',');
            }
            convert(column, field.unwrap_or_default(), &mut self.chunk)
                .map_err(|what| FrameError::Bad(format!("row {}: {what}", self.rows)))?;
        }
        self.chunk.push(b'\n');
        if self.chunk.len() >= CHUNK { self.flush() } else { Ok(()) }
    }
}
