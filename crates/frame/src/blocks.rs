//! Cuts a stream of CSV into blocks of whole records, so that memory does not grow with the number of rows.

use std::io::Read;

use crate::FrameError;

/// How the text of rows is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Bytes of a block, as long as no row is longer.
    pub block_bytes: usize,
    /// Bytes up to which a row is read.
    pub longest_row: usize,
    /// Whether rows are plain text: printable ASCII without blanks, in which a quotation mark means nothing else.
    pub plain: bool,
}

impl Default for Reading {
    fn default() -> Self {
        Self { block_bytes: 1 << 20, longest_row: 64 << 20, plain: false }
    }
}

/// Blocks of whole records.
pub(crate) struct Blocks<R> {
    reader: R,
    reading: Reading,
    /// Bytes that were read: of a short stream, not as many as a block may have.
    buffer: Vec<u8>,
    /// Bytes that are read at a time.
    block_bytes: usize,
    /// Bytes that were handed out of those that were read.
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
    pub(crate) fn new(reader: R, fields: usize, reading: Reading) -> Self {
        Self { reader, reading, buffer: Vec::new(), block_bytes: reading.block_bytes, taken: 0, fields, records: 0 }
    }

    /// The next block; none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Records<'_>>, FrameError> {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        let scanned = loop {
            let ended = self.fill(self.block_bytes)?;
            let scanned = self.scan()?;
            if scanned.end > 0 || self.buffer.is_empty() {
                break scanned;
            }
            let row = self.records + 1;
            if ended {
                return Err(FrameError::CutShort { row });
            }
            let limit = self.reading.longest_row;
            if self.block_bytes >= limit {
                return Err(FrameError::LongRow { row, limit });
            }
            self.block_bytes = (self.block_bytes * 2).min(limit);
        };
        self.taken = scanned.end;
        self.records += scanned.count as u64;
        let Scanned { end, count, blank } = scanned;
        Ok((end > 0).then(|| Records { bytes: &self.buffer[..end], count, blank }))
    }

    /// The whole lines that are held: those of the last block, or those that were refused.
    pub(crate) fn held(&self) -> &[u8] {
        let bytes = &self.buffer;
        &bytes[..memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1)]
    }

    /// Reads the first line, which has to be this one.
    pub(crate) fn skip_header(&mut self, header: &str) -> Result<(), FrameError> {
        let length = header.len() + 1;
        self.block_bytes = self.block_bytes.max(length);
        self.fill(length)?;
        let start = &self.buffer;
        if start.strip_suffix(b"\n") == Some(header.as_bytes()) {
            self.taken = length;
            return Ok(());
        }
        let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
        Err(FrameError::Header(String::from_utf8_lossy(line).chars().take(80).collect()))
    }

    /// Reads until so many bytes are held or the stream ends: whether it ended.
    fn fill(&mut self, bytes: usize) -> Result<bool, FrameError> {
        let left = bytes.saturating_sub(self.buffer.len());
        let read = self.reader.by_ref().take(left as u64).read_to_end(&mut self.buffer).map_err(FrameError::Read)?;
        Ok(read < left)
    }

    /// Finds the whole records in the buffer, and checks that each has its fields: Polars would fill up short ones.
    fn scan(&self) -> Result<Scanned, FrameError> {
        let bytes = self.buffer.as_slice();
        if self.reading.plain || memchr::memchr(b'"', bytes).is_none() {
            return self.scan_lines(bytes);
        }
        let mut found = Scanned::default();
        let (mut quoted, mut fields) = (false, 1);
        for place in memchr::memchr3_iter(b',', b'"', b'\n', bytes) {
            match bytes[place] {
                b'"' => quoted = !quoted,
                _ if quoted => {}
                b',' => fields += 1,
                _ => {
                    self.take(&mut found, place, fields)?;
                    fields = 1;
                }
            }
        }
        Ok(found)
    }

    /// The same where every line is a record.
    fn scan_lines(&self, bytes: &[u8]) -> Result<Scanned, FrameError> {
        let mut found = Scanned::default();
        // One loop over all lines, which the compiler turns into vector instructions.
        let other = |byte: &u8| u8::from(!byte.is_ascii_graphic() & (*byte != b'\n'));
        let has_others = self.reading.plain && bytes.iter().fold(0, |found, byte| found | other(byte)) > 0;
        for end in memchr::memchr_iter(b'\n', bytes) {
            let line = &bytes[found.end..end];
            if has_others && line.iter().any(|byte| other(byte) > 0) {
                return Err(FrameError::Character { row: self.records + found.count as u64 + 1 });
            }
            self.take(&mut found, end, commas(line) + 1)?;
        }
        Ok(found)
    }

    /// Counts the record that ends at `end` and has so many fields.
    fn take(&self, found: &mut Scanned, end: usize, fields: usize) -> Result<(), FrameError> {
        found.count += 1;
        let blank = end == found.end;
        if fields != self.fields || blank && self.fields > 1 {
            let row = self.records + found.count as u64;
            return Err(FrameError::Fields { row, found: if blank { 0 } else { fields }, expected: self.fields });
        }
        found.blank += usize::from(blank);
        found.end = end + 1;
        Ok(())
    }
}

/// Commas in a line. In 255 bytes there are no more than a byte counts to, and bytes the compiler adds many at a time.
fn commas(line: &[u8]) -> usize {
    line.chunks(255).map(|some| usize::from(some.iter().map(|byte| u8::from(*byte == b',')).sum::<u8>())).sum()
}
