//! Decompressing a bundle, on a thread of its own.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use matrix_store::Digest;
use sha2::{Digest as _, Sha256};
use zstd::stream::read::Decoder;

use crate::compress::FRAME_START;
use crate::error::{BundleError, Refusal};

/// Uncompressed bytes that are handed over at a time.
const CHUNK: usize = 256 << 10;

/// Chunks that may wait.
const WAITING: usize = 6;

/// What the decompressing thread says.
enum Message {
    Chunk(Vec<u8>),
    End { sha256: Digest, bytes: u64 },
    Refused(Refusal),
    Failed(io::Error),
}

/// The uncompressed bytes of a bundle, no more than allowed. It ends where the one compressed frame ends, and only if
/// nothing follows.
#[derive(Debug)]
pub(crate) struct Stream {
    messages: Receiver<Message>,
    used: SyncSender<Vec<u8>>,
    chunk: Vec<u8>,
    at: usize,
    offset: u64,
    max_bytes: u64,
    end: Option<(Digest, u64)>,
}

impl Stream {
    /// Begins to decompress `input`. Dropping the stream ends the thread with its next chunk.
    pub(crate) fn new(input: impl Read + Send + 'static, max_bytes: u64) -> Self {
        let (send, messages) = sync_channel(WAITING);
        let (used, recycled) = sync_channel(WAITING + 2);
        thread::spawn(move || {
            let last = match decompress(input, &send, &recycled) {
                Ok(Some(end)) => end,
                Ok(None) => return,
                Err(refused) => refused,
            };
            // Nobody listens any more: then nobody needs to know.
            let _ = send.send(last);
        });
        Self { messages, used, chunk: Vec::new(), at: 0, offset: 0, max_bytes, end: None }
    }

    /// Bytes that have been used.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The digest and size of the compressed bytes, once the end was reached.
    pub(crate) fn end(&self) -> Option<(Digest, u64)> {
        self.end
    }

    /// The bytes at hand.
    pub(crate) fn buffered(&self) -> &[u8] {
        self.chunk.get(self.at..).unwrap_or_default()
    }

    pub(crate) fn consume(&mut self, count: usize) {
        self.at += count;
        self.offset += count as u64;
    }

    /// Takes at most `count` bytes of those at hand.
    pub(crate) fn take(&mut self, count: usize) -> &[u8] {
        let start = self.at.min(self.chunk.len());
        let end = self.chunk.len().min(start.saturating_add(count));
        self.consume(end - start);
        &self.chunk[start..end]
    }

    /// Sees to it that there are bytes at hand, unless the end is reached.
    pub(crate) fn fill(&mut self) -> Result<&[u8], BundleError> {
        if self.at < self.chunk.len() || self.end.is_some() {
            return Ok(self.buffered());
        }
        let why = match self.messages.recv() {
            Ok(Message::Chunk(chunk)) => {
                let old = std::mem::replace(&mut self.chunk, chunk);
                self.at = 0;
                // A full channel means that there are buffers enough.
                let _ = self.used.try_send(old);
                if self.offset + self.chunk.len() as u64 <= self.max_bytes {
                    return Ok(self.buffered());
                }
                Refusal::TooLarge { max: self.max_bytes }
            }
            Ok(Message::End { sha256, bytes }) => {
                self.end = Some((sha256, bytes));
                self.chunk.clear();
                self.at = 0;
                return Ok(&[]);
            }
            Ok(Message::Refused(why)) => why,
            Ok(Message::Failed(source)) => {
                return Err(BundleError::Io { doing: "reading the bundle".to_owned(), source });
            }
            // It was told before why the stream ended.
            Err(_) => Refusal::Truncated,
        };
        Err(BundleError::Refused { place: None, offset: self.offset, why })
    }
}

/// Counts and hashes what is read, and remembers an error of its own: the decoder's are otherwise no different.
struct Hashed<R> {
    input: R,
    hasher: Sha256,
    bytes: u64,
    failed: bool,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match self.input.read(buffer) {
            Ok(count) => count,
            Err(error) => {
                self.failed = error.kind() != io::ErrorKind::Interrupted;
                return Err(error);
            }
        };
        self.hasher.update(&buffer[..count]);
        self.bytes += count as u64;
        Ok(count)
    }
}

/// Sends all chunks; returns what is to be said last, or nothing if nobody listens.
fn decompress(
    input: impl Read,
    chunks: &SyncSender<Message>,
    recycled: &Receiver<Vec<u8>>,
) -> Result<Option<Message>, Message> {
    let mut hashed = Hashed { input, hasher: Sha256::new(), bytes: 0, failed: false };
    let mut start = Vec::with_capacity(FRAME_START.len());
    (&mut hashed).take(FRAME_START.len() as u64).read_to_end(&mut start).map_err(Message::Failed)?;
    if start.is_empty() || !FRAME_START.starts_with(&start) {
        return Err(Message::Refused(Refusal::NotABundle));
    }
    let input = io::Cursor::new(start).chain(BufReader::with_capacity(128 << 10, hashed));
    let mut decoder = Decoder::with_buffer(input).map_err(Message::Failed)?.single_frame();
    loop {
        let mut chunk = recycled.try_recv().unwrap_or_default();
        chunk.resize(CHUNK, 0);
        let mut filled = 0;
        let mut ended = false;
        while filled < CHUNK && !ended {
            match decoder.read(&mut chunk[filled..]) {
                Ok(0) => ended = true,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if decoder.get_ref().get_ref().1.get_ref().failed => return Err(Message::Failed(error)),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(Message::Refused(Refusal::Truncated));
                }
                Err(error) => return Err(Message::Refused(Refusal::Compressed(error.to_string()))),
            }
        }
        chunk.truncate(filled);
        if filled > 0 && chunks.send(Message::Chunk(chunk)).is_err() {
            return Ok(None);
        }
        if ended {
            break;
        }
    }
    let mut input = decoder.finish();
    match input.fill_buf() {
        Ok([]) => {}
        Ok(_) => return Err(Message::Refused(Refusal::TrailingData)),
        Err(error) => return Err(Message::Failed(error)),
    }
    let Hashed { hasher, bytes, .. } = input.into_inner().1.into_inner();
    Ok(Some(Message::End { sha256: Digest::finish(hasher), bytes }))
}
