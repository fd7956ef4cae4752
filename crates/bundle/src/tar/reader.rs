//! Reading an archive that is not trusted, on a thread of its own.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use matrix_store::Digest;

use super::header::{BLOCK, decode};
use crate::decompress::{Fault, Plain};
use crate::error::{BundleError, Refusal};

/// Bytes of a file that are read at a time.
const CHUNK: usize = 256 << 10;

/// Bytes that are handed over together: of small files there are many, and to wake a thread for each takes longer than to
/// read it.
const TOGETHER: usize = 256 << 10;

/// Bytes that a message takes beside those of a file.
const MESSAGE: usize = 128;

/// Handovers that may wait.
const WAITING: usize = 6;

/// What the reading thread reports.
#[derive(Debug)]
enum Message {
    /// A file begins, whose header ends at byte `offset` of the archive.
    File {
        path: String,
        size: u64,
        offset: u64,
    },
    /// Some of its bytes.
    Chunk(Vec<u8>),
    /// The archive and the stream ended as they should, the archive after `offset` bytes.
    End {
        sha256: Digest,
        bytes: u64,
        offset: u64,
    },
    Refused(BundleError),
}

/// Reads plain files one after the other; everything else is refused. `tar` carries the stream; which headers, padding and
/// ends there may be is decided here.
#[derive(Debug)]
pub(crate) struct TarReader {
    handovers: Receiver<Vec<Message>>,
    messages: VecDeque<Message>,
    chunk: Vec<u8>,
    at: usize,
    /// Bytes of the current file that are still to come.
    left: u64,
    offset: u64,
    end: Option<(Digest, u64)>,
}

impl TarReader {
    /// Begins to read a bundle, which may decompress to at most `max_bytes`.
    pub(crate) fn new(input: impl Read + Send + 'static, max_bytes: u64) -> Self {
        let (send, handovers) = sync_channel(WAITING);
        thread::spawn(move || {
            let mut out = Out { handovers: send, messages: Vec::new(), bytes: 0 };
            let last = match read(input, max_bytes, &mut out) {
                Ok(end) => end,
                Err(Stop::Refused(error)) => Message::Refused(error),
                Err(Stop::Unwanted) => return,
            };
            // Nobody listens any more: then nobody needs to know.
            let _ = out.send(last).and_then(|()| out.hand_over());
        });
        Self { handovers, messages: VecDeque::new(), chunk: Vec::new(), at: 0, left: 0, offset: 0, end: None }
    }

    /// Byte of the uncompressed stream up to which it was read.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The digest and size of the compressed bytes, once the end was reached.
    pub(crate) fn end(&self) -> Option<(Digest, u64)> {
        self.end
    }

    /// The next file: its path and size. What is left of the one before is passed over. At the end of the archive, the stream
    /// has to end too.
    pub(crate) fn next(&mut self) -> Result<Option<(String, u64)>, BundleError> {
        while self.left > 0 {
            let count = self.chunk()?.len();
            self.consume(count);
        }
        if self.end.is_some() {
            return Ok(None);
        }
        match self.message()? {
            Message::File { path, size, offset } => {
                (self.left, self.offset) = (size, offset);
                Ok(Some((path, size)))
            }
            Message::End { sha256, bytes, offset } => {
                (self.end, self.offset) = (Some((sha256, bytes)), offset);
                Ok(None)
            }
            Message::Refused(error) => Err(error),
            // The chunks of a file come to its size.
            Message::Chunk(_) => Err(self.broken()),
        }
    }

    /// Some bytes of the current file; none at its end.
    pub(crate) fn chunk(&mut self) -> Result<&[u8], BundleError> {
        if self.left > 0 && self.at >= self.chunk.len() {
            match self.message()? {
                Message::Chunk(chunk) => (self.chunk, self.at) = (chunk, 0),
                Message::Refused(error) => return Err(error),
                Message::File { .. } | Message::End { .. } => return Err(self.broken()),
            }
        }
        Ok(self.chunk.get(self.at..).unwrap_or_default())
    }

    /// The next bytes of the current file, which have been used with that; none at its end.
    pub(crate) fn take_chunk(&mut self) -> Result<Vec<u8>, BundleError> {
        let count = self.chunk()?.len();
        let chunk = match self.at {
            _ if count == 0 => Vec::new(),
            0 => std::mem::take(&mut self.chunk),
            at => self.chunk.split_off(at),
        };
        self.consume(count);
        Ok(chunk)
    }

    /// Says that so many bytes of what [`chunk`](Self::chunk) gave have been used.
    pub(crate) fn consume(&mut self, count: usize) {
        self.at += count;
        self.left = self.left.saturating_sub(count as u64);
        self.offset += count as u64;
    }

    fn message(&mut self) -> Result<Message, BundleError> {
        if self.messages.is_empty() {
            // It was reported before why the messages ended.
            self.messages = self.handovers.recv().map_err(|_| self.broken())?.into();
        }
        self.messages.pop_front().ok_or_else(|| self.broken())
    }

    fn broken(&self) -> BundleError {
        BundleError::Refused { place: None, offset: self.offset, why: Refusal::Truncated }
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

/// Why the thread ends before the archive does.
enum Stop {
    Refused(BundleError),
    /// Nobody listens any more.
    Unwanted,
}

/// Messages that are handed over together.
struct Out {
    handovers: SyncSender<Vec<Message>>,
    messages: Vec<Message>,
    bytes: usize,
}

impl Out {
    fn send(&mut self, message: Message) -> Result<(), Stop> {
        self.bytes += MESSAGE + if let Message::Chunk(chunk) = &message { chunk.len() } else { 0 };
        self.messages.push(message);
        if self.bytes < TOGETHER { Ok(()) } else { self.hand_over() }
    }

    fn hand_over(&mut self) -> Result<(), Stop> {
        self.bytes = 0;
        self.handovers.send(std::mem::take(&mut self.messages)).map_err(|_| Stop::Unwanted)
    }
}

/// The stream below the archive: keeps the header that was read last, and sees what else stands between files.
struct Between<R: Read> {
    plain: Plain<R>,
    header: [u8; BLOCK],
    /// Bytes of the header that were read; nothing while a file is read.
    filled: Option<usize>,
    /// Whether bytes that fill a file's last block are not zero.
    padded: bool,
}

/// What `tar` reads from, so that it can be asked meanwhile what was read.
struct Shared<'a, R: Read>(&'a RefCell<Between<R>>);

impl<R: Read> Read for Shared<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut between = self.0.borrow_mut();
        let Between { plain, header, filled, padded } = &mut *between;
        let Some(filled) = filled else { return plain.read(buffer) };
        // Padding ends with a block, a header is one: no read may go on from one into the other.
        let within = (plain.offset() % BLOCK as u64) as usize;
        let is_padding = *filled == 0 && within > 0;
        let most = if is_padding { BLOCK - within } else { BLOCK - *filled };
        let most = most.min(buffer.len());
        let bytes = buffer.get_mut(..most).unwrap_or_default();
        let count = plain.read(bytes)?;
        let bytes = bytes.get(..count).unwrap_or_default();
        if is_padding {
            if !is_zero(bytes) {
                *padded = true;
                return Err(io::Error::other("the padding is not zero"));
            }
        } else if let Some(place) = header.get_mut(*filled..*filled + count) {
            place.copy_from_slice(bytes);
            *filled += count;
        }
        Ok(count)
    }
}

impl<R: Read> Between<R> {
    fn refuse(&self, place: Option<String>, why: Refusal) -> Stop {
        Stop::Refused(BundleError::Refused { place, offset: self.plain.offset(), why })
    }

    /// The error of the stream, if it failed; otherwise this refusal.
    fn stop(&mut self, place: Option<String>, why: Refusal) -> Stop {
        match self.plain.fault() {
            None => self.refuse(place, why),
            Some(fault) => stop(fault, self.plain.offset()),
        }
    }
}

fn stop(fault: Fault, offset: u64) -> Stop {
    Stop::Refused(match fault {
        Fault::Refused(why) => BundleError::Refused { place: None, offset, why },
        Fault::Failed(error) => BundleError::from_read(error),
    })
}

/// Reports all files of an archive; returns its end.
fn read(input: impl Read, max_bytes: u64, out: &mut Out) -> Result<Message, Stop> {
    let plain = Plain::new(input, max_bytes).map_err(|fault| stop(fault, 0))?;
    let between = RefCell::new(Between { plain, header: [0; BLOCK], filled: None, padded: false });
    files(&between, out)?;
    let Between { mut plain, .. } = between.into_inner();
    end(&mut plain)?;
    let offset = plain.offset();
    let (sha256, bytes) = plain.finish().map_err(|fault| stop(fault, offset))?;
    Ok(Message::End { sha256, bytes, offset })
}

/// Reports the files, up to the first of the blocks that end the archive.
fn files<R: Read>(between: &RefCell<Between<R>>, out: &mut Out) -> Result<(), Stop> {
    let mut archive = ::tar::Archive::new(Shared(between));
    let broken = |error: io::Error| between.borrow_mut().stop(None, Refusal::Compressed(error.to_string()));
    // Raw: headers that say something of the next file are no files of a bundle.
    let mut entries = archive.entries().map_err(broken)?.raw(true);
    let mut current = None;
    loop {
        between.borrow_mut().filled = Some(0);
        let next = entries.next();
        let mut state = between.borrow_mut();
        if state.padded {
            return Err(state.refuse(current, Refusal::Padding));
        }
        if state.filled != Some(BLOCK) {
            return Err(state.stop(None, Refusal::Truncated));
        }
        let Some(entry) = next else { return Ok(()) };
        // What the header says is decided here, whatever `tar` makes of it.
        let (path, size) = decode(&state.header).map_err(|(name, why)| state.refuse(Some(name), why))?;
        state.filled = None;
        let offset = state.plain.offset();
        drop(state);
        let mut entry = entry.map_err(broken)?;
        current = Some(path.clone());
        out.send(Message::File { path, size, offset })?;
        let mut left = size;
        while left > 0 {
            let mut chunk = vec![0; usize::try_from(left).unwrap_or(CHUNK).min(CHUNK)];
            let mut filled = 0;
            while filled < chunk.len() {
                // Where reading failed, the stream knows why, and that is what is reported.
                match entry.read(&mut chunk[filled..]) {
                    Ok(0) | Err(_) => return Err(between.borrow_mut().stop(current, Refusal::Truncated)),
                    Ok(count) => filled += count,
                }
            }
            left -= filled as u64;
            out.send(Message::Chunk(chunk))?;
        }
    }
}

/// Reads the second of the blocks that end an archive, after which the stream has to end.
fn end<R: Read>(plain: &mut Plain<R>) -> Result<(), Stop> {
    let mut block = Vec::new();
    let read = plain.by_ref().take(BLOCK as u64).read_to_end(&mut block);
    let refuse = |plain: &mut Plain<R>, offset, why| match plain.fault() {
        None => Stop::Refused(BundleError::Refused { place: None, offset, why }),
        Some(fault) => stop(fault, offset),
    };
    let offset = plain.offset();
    if read.is_err() || block.len() < BLOCK {
        return Err(refuse(plain, offset, Refusal::Truncated));
    }
    let follows = !is_zero(&block) || !matches!(plain.read(&mut [0]), Ok(0));
    if follows { Err(refuse(plain, offset, Refusal::TrailingData)) } else { Ok(()) }
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::{compressor, finish};
    use crate::tar::TarWriter;

    struct Fails(Option<io::Error>);

    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            self.0.take().map_or(Ok(0), Err)
        }
    }

    /// The error that ends the reading of these bytes, after which the system reports `error`.
    fn told(bytes: &[u8], error: io::Error) -> BundleError {
        let mut tar = TarReader::new(io::Cursor::new(bytes.to_vec()).chain(Fails(Some(error))), u64::MAX);
        loop {
            match tar.next() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it was read to its end"),
                Err(error) => return error,
            }
        }
    }

    #[test]
    fn an_error_of_the_system_is_reported_as_such_wherever_it_comes() {
        let mut tar = TarWriter::new(compressor(Vec::new(), 1).unwrap());
        let text: Vec<u8> = (0..100_000u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        for name in ["bag/a", "bag/b"] {
            tar.append(name, text.len() as u64, text.as_slice()).unwrap();
        }
        let bundle = finish(tar.finish().unwrap()).unwrap().0;
        for cut in [0, 3, 6, 9, bundle.len() / 3, bundle.len() / 2, bundle.len() - 4, bundle.len()] {
            match told(&bundle[..cut], io::ErrorKind::ConnectionReset.into()) {
                BundleError::Io { source, .. } => assert_eq!(source.kind(), io::ErrorKind::ConnectionReset, "{cut}"),
                other => panic!("{cut}: {other:?}"),
            }
            // One of ours, of a folder that is packed while it is read.
            match told(&bundle[..cut], io::Error::other(BundleError::contents("data/x", "wrong"))) {
                BundleError::Refused { place, .. } => assert_eq!(place.as_deref(), Some("data/x"), "{cut}"),
                other => panic!("{cut}: {other:?}"),
            }
        }
    }
}
