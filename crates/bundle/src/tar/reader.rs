//! Reading an archive that nobody vouches for.

use std::io::{self, Read};

use super::header::{BLOCK, decode};
use crate::decompress::Stream;
use crate::error::{BundleError, Refusal};

/// Reads plain files one after the other; everything else is refused.
#[derive(Debug)]
pub(crate) struct TarReader {
    stream: Stream,
    left: u64,
    padding: usize,
    current: String,
}

impl TarReader {
    pub(crate) fn new(stream: Stream) -> Self {
        Self { stream, left: 0, padding: 0, current: String::new() }
    }

    /// Byte of the uncompressed stream up to which it was read.
    pub(crate) fn offset(&self) -> u64 {
        self.stream.offset()
    }

    /// The stream, to ask what was found out about it.
    pub(crate) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// The next file: its path and size. What is left of the one before is passed over; its padding has to be zero. At
    /// the end of the archive, the stream has to end too.
    pub(crate) fn next(&mut self) -> Result<Option<(String, u64)>, BundleError> {
        while self.left > 0 {
            let taken = self.pass(usize::MAX)?.len();
            self.left -= taken as u64;
        }
        while self.padding > 0 {
            let padding = self.padding;
            let bytes = self.pass(padding)?;
            let (taken, zero) = (bytes.len(), is_zero(bytes));
            if !zero {
                return Err(self.refuse(Refusal::Padding));
            }
            self.padding -= taken;
        }
        let header = self.block()?;
        if is_zero(&header) {
            if !is_zero(&self.block()?) {
                return Err(self.refuse_at(None, Refusal::TrailingData));
            }
            return if self.stream.fill()?.is_empty() {
                Ok(None)
            } else {
                Err(self.refuse_at(None, Refusal::TrailingData))
            };
        }
        let (path, size) = decode(&header).map_err(|(name, why)| self.refuse_at(Some(name), why))?;
        self.current.clone_from(&path);
        self.left = size;
        self.padding = size.wrapping_neg() as usize % BLOCK;
        Ok(Some((path, size)))
    }

    /// Some bytes of the current file; none at its end.
    pub(crate) fn chunk(&mut self) -> Result<&[u8], BundleError> {
        if self.left == 0 {
            return Ok(&[]);
        }
        if self.stream.fill()?.is_empty() {
            return Err(self.refuse(Refusal::Truncated));
        }
        let bytes = self.stream.buffered();
        let count = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        Ok(&bytes[..count])
    }

    /// Says that so many bytes of what [`chunk`](Self::chunk) gave have been used.
    pub(crate) fn consume(&mut self, count: usize) {
        self.stream.consume(count);
        self.left -= count as u64;
    }

    /// Takes at most `count` bytes, and at least one.
    fn pass(&mut self, count: usize) -> Result<&[u8], BundleError> {
        if self.stream.fill()?.is_empty() {
            return Err(self.refuse(Refusal::Truncated));
        }
        let limit = if self.left > 0 { usize::try_from(self.left).unwrap_or(usize::MAX) } else { usize::MAX };
        Ok(self.stream.take(count.min(limit)))
    }

    fn block(&mut self) -> Result<[u8; BLOCK], BundleError> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            if self.stream.fill()?.is_empty() {
                return Err(self.refuse_at(None, Refusal::Truncated));
            }
            let bytes = self.stream.take(BLOCK - filled);
            block[filled..filled + bytes.len()].copy_from_slice(bytes);
            filled += bytes.len();
        }
        Ok(block)
    }

    fn refuse(&self, why: Refusal) -> BundleError {
        self.refuse_at(Some(self.current.clone()), why)
    }

    fn refuse_at(&self, place: Option<String>, why: Refusal) -> BundleError {
        BundleError::Refused { place, offset: self.offset(), why }
    }
}

/// Reads the current file.
impl Read for TarReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.chunk().map_err(io::Error::other)?;
        let count = bytes.len().min(buffer.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        self.consume(count);
        Ok(count)
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}
