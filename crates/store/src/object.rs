//! Objects: traces, compressed, named by the SHA-256 of their uncompressed bytes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use zstd::stream::read::Decoder;

use crate::digest::Digest;
use crate::error::StoreError;

/// Most uncompressed bytes that an object may have where nothing else says how many it should have.
pub const DEFAULT_MAX_BYTES: u64 = 64 << 30;

/// Largest window, as a power of two, that a decoder of ours reserves. What we write needs 19.
const WINDOW_LOG_MAX: u32 = 23;

/// Reads an object's uncompressed bytes, and checks them: the end is only reached when the bytes have the digest that
/// they are named by. The errors it gives hold a [`StoreError`], see [`StoreError::from_read`].
#[derive(Debug)]
pub struct ObjectReader {
    path: PathBuf,
    digest: Digest,
    decoder: DebugDecoder,
    hasher: Sha256,
    bytes: u64,
    max_bytes: u64,
    checked: bool,
}

struct DebugDecoder(Decoder<'static, BufReader<File>>);

impl std::fmt::Debug for DebugDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Decoder")
    }
}

impl ObjectReader {
    /// Opens the file of an object.
    pub(crate) fn open(path: &Path, digest: Digest) -> Result<Self, StoreError> {
        let fail = |error| StoreError::unreadable(path, error);
        let file = File::open(path).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                StoreError::damaged(path, "the object is missing")
            } else {
                fail(error)
            }
        })?;
        let mut input = BufReader::with_capacity(128 << 10, file);
        // Our frames have a checksum and no dictionary. Decoders ignore one bit of the descriptor; we do not, so that every
        // bit of the header counts.
        match input.fill_buf().map_err(fail)? {
            [0x28, 0xB5, 0x2F, 0xFD, descriptor, ..] if descriptor & 0b0001_1111 == 0b0000_0100 => {}
            _ => return Err(StoreError::damaged(path, "it does not begin like an object")),
        }
        let mut decoder = Decoder::with_buffer(input).map_err(fail)?.single_frame();
        decoder.window_log_max(WINDOW_LOG_MAX).map_err(fail)?;
        Ok(Self {
            path: path.to_owned(),
            digest,
            decoder: DebugDecoder(decoder),
            hasher: Sha256::new(),
            bytes: 0,
            max_bytes: DEFAULT_MAX_BYTES,
            checked: false,
        })
    }

    /// Refuses to give more than so many bytes.
    #[must_use]
    pub fn with_max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Reads to the end, and returns the number of uncompressed bytes.
    ///
    /// # Errors
    /// When the object is damaged or cannot be read.
    pub fn check(mut self) -> Result<u64, StoreError> {
        let mut buffer = vec![0; 128 << 10];
        while self.read(&mut buffer).map_err(StoreError::from_read)? > 0 {}
        Ok(self.bytes)
    }

    fn damaged(&self, what: impl Into<String>) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, StoreError::damaged(&self.path, what))
    }

    fn at_end(&mut self) -> io::Result<()> {
        if !self.decoder.0.get_mut().fill_buf()?.is_empty() {
            return Err(self.damaged("something follows its compressed bytes"));
        }
        let found = Digest::finish(std::mem::take(&mut self.hasher));
        if found != self.digest {
            return Err(self.damaged(format!("its uncompressed bytes have the digest {}", found.short())));
        }
        self.checked = true;
        Ok(())
    }
}

impl Read for ObjectReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.checked || buffer.is_empty() {
            return Ok(0);
        }
        let count = match self.decoder.0.read(buffer) {
            Ok(count) => count,
            // The decoder's own complaints come as `Other` or `UnexpectedEof`; the disk's have other kinds.
            Err(error) if matches!(error.kind(), io::ErrorKind::Other | io::ErrorKind::UnexpectedEof) => {
                return Err(self.damaged(format!("it does not decompress: {error}")));
            }
            Err(error) => {
                let kind = error.kind();
                return Err(io::Error::new(kind, StoreError::unreadable(&self.path, error)));
            }
        };
        if count == 0 {
            self.at_end()?;
            return Ok(0);
        }
        self.bytes += count as u64;
        if self.bytes > self.max_bytes {
            return Err(self.damaged(format!("it decompresses to more than {} bytes", self.max_bytes)));
        }
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }
}

/// Whether the file of an object has as many bytes as its compressed frame says, found out without decompressing it: one
/// that was cut short, or grew, has not.
pub(crate) fn has_its_size(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut start = [0; 5];
    if length < start.len() as u64 {
        return Ok(false);
    }
    file.read_exact(&mut start)?;
    let descriptor = start[4];
    // Ours have a window, a checksum, and neither a size nor a dictionary.
    if start[..4] != [0x28, 0xB5, 0x2F, 0xFD] || descriptor != 0b0000_0100 {
        return Ok(false);
    }
    let mut at = 6;
    loop {
        if at + 3 > length {
            return Ok(false);
        }
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 4];
        file.read_exact(&mut head[..3])?;
        let head = u32::from_le_bytes(head);
        // A block that repeats one byte holds just that.
        let size = if (head >> 1) & 3 == 1 { 1 } else { u64::from(head >> 3) };
        at += 3 + size;
        if head & 1 == 1 {
            return Ok(at + 4 == length);
        }
    }
}

impl StoreError {
    /// The error that reading an object gave.
    #[must_use]
    pub fn from_read(error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(inner) => inner,
            Err(other) => Self::io("reading", Path::new("an object"), other),
        }
    }
}
