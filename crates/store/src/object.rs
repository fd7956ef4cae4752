//! Objects: traces, compressed, named by the SHA-256 of their uncompressed bytes.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use zstd::stream::raw::{DParameter, InBuffer, Operation as _, OutBuffer};
use zstd::stream::read::Decoder;

use crate::digest::Digest;
use crate::error::StoreError;
use crate::kept::Kept;
use crate::plain::open_plain;

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
    input: Input,
    hasher: Sha256,
    bytes: u64,
    max_bytes: u64,
    checked: bool,
}

/// What an object is read from.
enum Input {
    /// Its file.
    File(Decoder<'static, BufReader<File>>),
    /// Its uncompressed bytes.
    Bytes(io::Cursor<Vec<u8>>),
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::File(_) => "File",
            Self::Bytes(_) => "Bytes",
        })
    }
}

impl ObjectReader {
    /// Opens the file of an object.
    pub(crate) fn open(path: &Path, digest: Digest) -> Result<Self, StoreError> {
        Self::open_kept(path, digest, None)
    }

    /// The same of one that is kept, or is to be kept.
    pub(crate) fn open_kept(path: &Path, digest: Digest, kept: Option<&Kept>) -> Result<Self, StoreError> {
        let fail = |error| StoreError::unreadable(path, error);
        if let Some(bytes) = kept.and_then(|kept| kept.take(&digest)).and_then(|frame| decompressed(&frame)) {
            return Ok(Self::of_bytes(path.to_owned(), digest, bytes));
        }
        let file = open_plain(path)?.ok_or_else(|| StoreError::damaged(path, "the object is missing"))?;
        if let Some(bytes) = read_small(&file, |frame| kept.iter().for_each(|kept| kept.put(digest, frame))) {
            return Ok(Self::of_bytes(path.to_owned(), digest, bytes));
        }
        let mut input = BufReader::with_capacity(128 << 10, file);
        if !begins_like_an_object(input.fill_buf().map_err(fail)?) {
            return Err(StoreError::damaged(path, "it does not begin like an object"));
        }
        let mut decoder = Decoder::with_buffer(input).map_err(fail)?.single_frame();
        decoder.window_log_max(WINDOW_LOG_MAX).map_err(fail)?;
        Ok(Self::of(path.to_owned(), digest, Input::File(decoder)))
    }

    /// An object that has these uncompressed bytes, if they have its digest; `path` is for messages.
    pub(crate) fn of_bytes(path: PathBuf, digest: Digest, bytes: Vec<u8>) -> Self {
        Self::of(path, digest, Input::Bytes(io::Cursor::new(bytes)))
    }

    fn of(path: PathBuf, digest: Digest, input: Input) -> Self {
        let (hasher, max_bytes) = (Sha256::new(), DEFAULT_MAX_BYTES);
        Self { path, digest, input, hasher, bytes: 0, max_bytes, checked: false }
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
        if let Input::File(decoder) = &mut self.input
            && !decoder.get_mut().fill_buf()?.is_empty()
        {
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
        let read = match &mut self.input {
            Input::File(decoder) => decoder.read(buffer),
            Input::Bytes(bytes) => bytes.read(buffer),
        };
        let count = match read {
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

/// Most bytes of the file of a small object, and most that it may decompress to.
const SMALL: usize = 16 << 10;
const SMALL_DECOMPRESSED: usize = 256 << 10;

/// What a thread decompresses small objects with: to make a decompressor takes longer than to decompress one.
struct Small {
    decoder: zstd::stream::raw::Decoder<'static>,
    bytes: Vec<u8>,
}

thread_local! {
    static READER: RefCell<Option<Small>> = const { RefCell::new(None) };
}

/// The uncompressed bytes of a small object, whose file's bytes `keep` gets. Nothing of another one, or where anything is wrong: it then has to
/// be read as large ones are, which says what; `file` stands at its beginning again.
fn read_small(mut file: &File, keep: impl FnOnce(&[u8])) -> Option<Vec<u8>> {
    let mut buffer = [0; SMALL];
    let frame = file.read(&mut buffer).ok().filter(|count| *count < SMALL).map(|count| &buffer[..count]);
    let read = frame.and_then(|frame| decompressed(frame).inspect(|_| keep(frame)));
    if read.is_none() {
        // If this fails, so does what is read next.
        let _ = file.rewind();
    }
    read
}

/// The uncompressed bytes of a small object that is compressed to these; nothing where anything is wrong.
fn decompressed(frame: &[u8]) -> Option<Vec<u8>> {
    if !begins_like_an_object(frame) {
        return None;
    }
    READER.with_borrow_mut(|reader| {
        let Small { decoder, bytes } = match reader {
            Some(reader) => reader,
            None => reader.insert(Small { decoder: decoder().ok()?, bytes: vec![0; SMALL_DECOMPRESSED] }),
        };
        decoder.reinit().ok()?;
        let (mut input, mut output) = (InBuffer::around(frame), OutBuffer::around(bytes.as_mut_slice()));
        // All at once, or it is not as it should be.
        let left = decoder.run(&mut input, &mut output).ok()?;
        (left == 0 && input.pos() == frame.len()).then(|| output.as_slice().to_vec())
    })
}

fn decoder() -> io::Result<zstd::stream::raw::Decoder<'static>> {
    let mut decoder = zstd::stream::raw::Decoder::new()?;
    decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX))?;
    Ok(decoder)
}

/// Whether bytes begin as the file of an object does. Our frames have a checksum and no dictionary. Decoders ignore one bit of the
/// descriptor; we do not, so that every bit of the header counts.
fn begins_like_an_object(bytes: &[u8]) -> bool {
    matches!(bytes, [0x28, 0xB5, 0x2F, 0xFD, descriptor, ..] if descriptor & 0b0001_1111 == 0b0000_0100)
}

/// Whether the file of an object has as many bytes as its compressed frame says, found out without decompressing it: one
/// that was cut short, or grew, has not.
pub(crate) fn has_its_size(path: &Path) -> Result<bool, StoreError> {
    let Some(file) = open_plain(path)? else { return Ok(false) };
    is_whole(file).map_err(|error| StoreError::unreadable(path, error))
}

fn is_whole(mut file: File) -> io::Result<bool> {
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
