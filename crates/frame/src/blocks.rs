//! Cuts a stream of CSV into blocks of whole records, so that memory does not grow with the number of rows.

use std::io::{ErrorKind, Read};

use crate::FrameError;

/// Bytes of a block, as long as no record is longer.
const BLOCK: usize = 1 << 20;

/// The longest record, in bytes.
const LONGEST_RECORD: usize = 64 << 20;

/// Blocks of whole records.
pub(crate) struct Blocks<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Bytes that were read.
    filled: usize,
    /// Of those, the bytes that were handed out.
    taken: usize,
    /// Fields of each record.
    fields: usize,
    /// Records that were handed out.
    records: u64,
}

/// Whole records.
pub(crate) struct Records<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) count: usize,
    /// How many of them are empty lines: the one field of the record has no value.
    pub(crate) blank: usize,
}

#[derive(Clone, Copy, Default)]
struct Scanned {
    end: usize,
    count: usize,
    blank: usize,
}

impl<R: Read> Blocks<R> {
    pub(crate) fn new(reader: R, fields: usize) -> Self {
        Self { reader, buffer: vec![0; BLOCK], filled: 0, taken: 0, fields, records: 0 }
    }

    /// The next block; none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Records<'_>>, FrameError> {
        self.buffer.copy_within(self.taken..self.filled, 0);
        self.filled -= self.taken;
        self.taken = 0;
        let scanned = loop {
            let ended = self.fill()?;
            let scanned = self.scan()?;
            if scanned.end > 0 || self.filled == 0 {
                break scanned;
            }
            if ended {
                return Err(FrameError::Bad(format!("row {}: it is cut short", self.records + 1)));
            }
            if self.buffer.len() >= LONGEST_RECORD {
                let most = LONGEST_RECORD >> 20;
                return Err(FrameError::Bad(format!("row {}: it is longer than {most} MiB", self.records + 1)));
            }
            self.buffer.resize(self.buffer.len() * 2, 0);
        };
        self.taken = scanned.end;
        self.records += scanned.count as u64;
        let Scanned { end, count, blank } = scanned;
        Ok((end > 0).then(|| Records { bytes: &self.buffer[..end], count, blank }))
    }

    /// The first line, which has to be this one.
    pub(crate) fn skip_header(&mut self, header: &str) -> Result<(), FrameError> {
        self.fill()?;
        let line = self.buffer[..self.filled].split(|byte| *byte == b'\n').next().unwrap_or_default();
        if line != header.as_bytes() || self.filled == line.len() {
            return Err(FrameError::Bad("its columns are not those of the experiment".to_owned()));
        }
        self.taken = line.len() + 1;
        Ok(())
    }

    /// Reads until the buffer is full or the stream ends: whether it ended.
    fn fill(&mut self) -> Result<bool, FrameError> {
        while self.filled < self.buffer.len() {
            match self.reader.read(&mut self.buffer[self.filled..]) {
                Ok(0) => return Ok(true),
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(FrameError::Read(error)),
            }
        }
        Ok(false)
    }

    /// Finds the whole records in the buffer, and checks that each has its fields: Polars would fill up short ones.
    fn scan(&self) -> Result<Scanned, FrameError> {
        let bytes = &self.buffer[..self.filled];
        let mut found = Scanned::default();
        let (mut quoted, mut fields) = (false, 1);
        for place in memchr::memchr3_iter(b',', b'"', b'\n', bytes) {
            match bytes[place] {
                b'"' => quoted = !quoted,
                _ if quoted => {}
                b',' => fields += 1,
                _ => {
                    found.count += 1;
                    let blank = place == found.end;
                    if fields != self.fields || blank && self.fields > 1 {
                        let row = self.records + found.count as u64;
                        let fields = if blank { 0 } else { fields };
                        return Err(FrameError::Bad(format!("row {row}: {fields} fields instead of {}", self.fields)));
                    }
                    found.blank += usize::from(blank);
                    found.end = place + 1;
                    fields = 1;
                }
            }
        }
        Ok(found)
    }
}
