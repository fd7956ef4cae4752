//! Writing an archive.

use std::io::{self, Read, Write};

use super::header::encode;
use crate::error::BundleError;

/// Writes plain files one after the other, each with the one header that such a file has in a bundle.
pub struct TarWriter<W: Write>(::tar::Builder<W>);

impl<W: Write> TarWriter<W> {
    /// An empty archive.
    pub fn new(out: W) -> Self {
        Self(::tar::Builder::new(out))
    }

    /// Writes a file, which has to have exactly `size` bytes.
    pub fn append(&mut self, path: &str, size: u64, bytes: impl Read) -> Result<(), BundleError> {
        let header = encode(path, size).map_err(|why| BundleError::Unfit { path: path.to_owned(), why })?;
        let header = ::tar::Header::from_byte_slice(&header);
        let appended = self.0.append(header, Exact { bytes, left: size });
        // What is read may fail by an error of our own.
        appended.map_err(|error| error.downcast().unwrap_or_else(BundleError::io("writing the bundle")))
    }

    /// Ends the archive with two empty blocks.
    pub fn finish(self) -> io::Result<W> {
        self.0.into_inner()
    }
}

/// Reads exactly so many bytes, or fails: the size stands in the header already.
struct Exact<R> {
    bytes: R,
    left: u64,
}

impl<R: Read> Read for Exact<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        match self.left.checked_sub(count as u64) {
            None => Err(io::Error::other("a file of the bundle is longer than was said")),
            Some(left) if count == 0 && left > 0 && !buffer.is_empty() => {
                Err(io::Error::other("a file of the bundle is shorter than was said"))
            }
            Some(left) => {
                self.left = left;
                Ok(count)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_size_that_its_header_says() {
        for (size, fits) in [(0, false), (2, false), (3, true), (4, false)] {
            let mut tar = TarWriter::new(Vec::new());
            assert_eq!(tar.append("a", size, b"abc".as_slice()).is_ok(), fits, "{size}");
        }
        let mut tar = TarWriter::new(Vec::new());
        tar.append("a", 3, b"abc".as_slice()).unwrap();
        assert_eq!(tar.finish().unwrap().len(), 2 * 512 + 1024);
    }
}
