//! Writing an archive.

use std::io::{self, Write};

use super::header::{BLOCK, encode};
use crate::error::BundleError;

/// Writes plain files one after the other.
#[derive(Debug)]
pub(crate) struct TarWriter<W> {
    out: W,
    /// Bytes of the current file that are still to come.
    left: u64,
    /// Bytes that fill its last block.
    padding: usize,
}

impl<W: Write> TarWriter<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out, left: 0, padding: 0 }
    }

    /// Begins a file; exactly `size` bytes have to be written next.
    pub(crate) fn begin(&mut self, path: &str, size: u64) -> Result<(), BundleError> {
        self.end().map_err(BundleError::io("writing the bundle"))?;
        let header = encode(path, size).map_err(|why| BundleError::Unfit { path: path.to_owned(), why })?;
        self.out.write_all(&header).map_err(BundleError::io("writing the bundle"))?;
        self.left = size;
        // Less than a block.
        self.padding = size.wrapping_neg() as usize % BLOCK;
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        if self.left > 0 {
            return Err(io::Error::other("a file of the bundle is shorter than was said"));
        }
        self.out.write_all(&[0; BLOCK][..self.padding])?;
        self.padding = 0;
        Ok(())
    }

    /// Ends the archive with two empty blocks.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.end()?;
        self.out.write_all(&[0; 2 * BLOCK])?;
        Ok(self.out)
    }
}

impl<W: Write> Write for TarWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() as u64 > self.left {
            return Err(io::Error::other("a file of the bundle is longer than was said"));
        }
        let count = self.out.write(bytes)?;
        self.left -= count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
