//! Cuts a stream into blocks of whole lines, so that memory does not grow with a trace.

use std::io::{self, Read};

/// The longest line that is read, in bytes: 23 columns of at most 20 characters stay far below it.
pub(super) const LONGEST_LINE: usize = 4096;

/// Bytes of the first buffer: a small trace needs no larger one.
const FIRST: usize = 16 << 10;

/// Blocks of whole lines.
pub(super) struct Blocks<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Most bytes of the buffer.
    size: usize,
    /// Bytes that were read.
    filled: usize,
    /// Of those, the bytes that were handed out.
    taken: usize,
}

/// Why there is no further block.
#[derive(Debug)]
pub(super) enum BlockError {
    Io(io::Error),
    /// A line is longer than [`LONGEST_LINE`].
    LongLine,
    /// The last line has no end.
    CutShort,
}

impl<R: Read> Blocks<R> {
    /// Blocks of at most `size` bytes; of one line at least.
    pub(super) fn new(reader: R, size: usize) -> Self {
        let size = size.max(LONGEST_LINE);
        Self { reader, buffer: vec![0; size.min(FIRST)], size, filled: 0, taken: 0 }
    }

    /// The next block, which ends at the end of a line; `None` at the end of the stream.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, BlockError> {
        self.buffer.copy_within(self.taken..self.filled, 0);
        self.filled -= self.taken;
        self.taken = 0;
        let ended = self.fill()?;
        let whole = memchr::memrchr(b'\n', &self.buffer[..self.filled]).map_or(0, |end| end + 1);
        if whole == 0 && self.filled > 0 {
            return Err(if ended { BlockError::CutShort } else { BlockError::LongLine });
        }
        self.taken = whole;
        Ok((whole > 0).then(|| &self.buffer[..whole]))
    }

    /// Reads until the buffer is full or the stream ends: whether it ended.
    fn fill(&mut self) -> Result<bool, BlockError> {
        while self.filled < self.size {
            if self.filled == self.buffer.len() {
                self.buffer.resize((4 * self.filled).min(self.size), 0);
            }
            match self.reader.read(&mut self.buffer[self.filled..]) {
                Ok(0) => return Ok(true),
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(BlockError::Io(error)),
            }
        }
        Ok(false)
    }
}
