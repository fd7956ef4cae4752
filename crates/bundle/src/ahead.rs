//! Files on their way into a bundle: objects are decompressed and hashed, and records and attempts made, on threads of their
//! own, so that the compressor does not wait for them.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use matrix_store::{Digest, Store, StoreError, parallel};

use crate::error::BundleError;
use crate::item::{Content, Item};

/// Bytes of an object that are read at a time.
const CHUNK: usize = 256 << 10;

/// Bytes that are handed over together: of small files there are many, and to wake a thread for each takes longer than to
/// read it.
const TOGETHER: usize = 256 << 10;

/// Files up to this size are read whole, by several threads: so many bytes of them at a time.
const SMALL: u64 = 256 << 10;
const READ_TOGETHER: u64 = 4 << 20;

/// Handovers that may wait: as much as one job of the compressor.
const WAITING: usize = 32;

enum Message {
    Chunk(Vec<u8>),
    /// The file ended. The digest of an object has been compared.
    End,
    Failed(StoreError),
}

/// Gives the files in the order in which they were asked for.
pub(super) struct Ahead {
    handovers: Receiver<Vec<Message>>,
    messages: VecDeque<Message>,
}

/// Reads or makes those of `items` that are not in memory ahead, while `work` uses them in the same order.
pub(super) fn with_reader<'i, T>(
    store: &Store,
    items: impl Iterator<Item = &'i Item<'i>> + Send,
    work: impl FnOnce(&mut Ahead) -> Result<T, BundleError>,
) -> Result<T, BundleError> {
    thread::scope(|scope| {
        let (send, handovers) = sync_channel(WAITING);
        scope.spawn(move || {
            let mut out = Out { handovers: send, messages: Vec::new(), bytes: 0 };
            let mut items = items.filter(|item| !item.is_at_hand()).peekable();
            while items.peek().is_some() {
                let (mut small, mut bytes) = (Vec::new(), 0);
                while bytes < READ_TOGETHER
                    && let Some(item) =
                        items.next_if(|item| item.size <= SMALL || matches!(item.content, Content::Made(_)))
                {
                    bytes += item.size;
                    small.push(item);
                }
                let goes_on = if small.is_empty() {
                    items.next().is_none_or(|item| {
                        let given = read(store, &item.digest, item.size, &mut out);
                        out.end(given)
                    })
                } else {
                    parallel::each(small, |item| whole(store, item)).into_iter().all(|bytes| {
                        let given = bytes.map(|bytes| out.send(Message::Chunk(bytes)));
                        out.end(given)
                    })
                };
                if !goes_on {
                    break;
                }
            }
            out.hand_over();
        });
        // Dropped at the end, which ends the thread whatever it is about.
        work(&mut Ahead { handovers, messages: VecDeque::new() })
    })
}

/// Messages that are handed over together.
struct Out {
    handovers: SyncSender<Vec<Message>>,
    messages: Vec<Message>,
    bytes: usize,
}

impl Out {
    /// Says that a file is there, or why it is not; whether anybody wants the next one.
    fn end(&mut self, given: Result<bool, StoreError>) -> bool {
        match given {
            Ok(is_wanted) => is_wanted && self.send(Message::End),
            Err(error) => {
                self.send(Message::Failed(error));
                false
            }
        }
    }

    /// Whether anybody still wants messages.
    fn send(&mut self, message: Message) -> bool {
        self.bytes += if let Message::Chunk(chunk) = &message { chunk.len() } else { size_of::<Message>() };
        self.messages.push(message);
        self.bytes < TOGETHER || self.hand_over()
    }

    fn hand_over(&mut self) -> bool {
        self.bytes = 0;
        self.handovers.send(std::mem::take(&mut self.messages)).is_ok()
    }
}

/// Reads or makes a small file.
fn whole(store: &Store, item: &Item<'_>) -> Result<Vec<u8>, StoreError> {
    if let Content::Made(of) = &item.content {
        return of.make();
    }
    let mut object = store.open_object(&item.digest)?.with_max_bytes(item.size);
    let mut bytes = Vec::with_capacity(usize::try_from(item.size).unwrap_or(CHUNK) + 1);
    object.read_to_end(&mut bytes).map_err(StoreError::from_read)?;
    Ok(bytes)
}

/// Reads an object; `false` if nobody wants it any more.
fn read(store: &Store, digest: &Digest, size: u64, out: &mut Out) -> Result<bool, StoreError> {
    let mut object = store.open_object(digest)?.with_max_bytes(size);
    let mut left = size;
    loop {
        // At its end, one byte more is asked for, which does not come.
        let most = usize::try_from(left).unwrap_or(CHUNK).clamp(1, CHUNK);
        let mut chunk = vec![0; most];
        let mut filled = 0;
        while filled < most {
            match object.read(&mut chunk[filled..]).map_err(StoreError::from_read)? {
                0 => break,
                count => filled += count,
            }
        }
        if filled == 0 {
            return Ok(true);
        }
        chunk.truncate(filled);
        left = left.saturating_sub(filled as u64);
        if !out.send(Message::Chunk(chunk)) {
            return Ok(false);
        }
    }
}

impl Ahead {
    /// The bytes of the next file, which is this one.
    pub(super) fn next<'a>(&'a mut self, item: &'a Item<'a>) -> Coming<'a> {
        Coming { ahead: self, digest: &item.digest, left: item.size, chunk: Vec::new(), at: 0, ended: false }
    }

    fn message(&mut self) -> Option<Message> {
        if self.messages.is_empty() {
            self.messages = self.handovers.recv().ok()?.into();
        }
        self.messages.pop_front()
    }
}

/// Reads one file to its end; an object's digest has been compared there. Errors hold a [`BundleError`].
pub(super) struct Coming<'a> {
    ahead: &'a mut Ahead,
    digest: &'a Digest,
    /// Bytes that are still to come. The reading thread refuses to give more.
    left: u64,
    chunk: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Read for Coming<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // A chunk may be empty, which is not the end of the file.
        while self.at == self.chunk.len() && !self.ended {
            match self.ahead.message() {
                Some(Message::Chunk(chunk)) => (self.chunk, self.at) = (chunk, 0),
                Some(Message::End) if self.left == 0 => self.ended = true,
                Some(Message::End) => {
                    let (file, left) = (self.digest.short(), self.left);
                    let what = format!("the file {file} has {left} bytes less than was said");
                    return Err(io::Error::other(BundleError::contents("objects", what)));
                }
                Some(Message::Failed(error)) => return Err(io::Error::other(BundleError::from(error))),
                None => {
                    let what = format!("the file {} did not come", self.digest.short());
                    return Err(io::Error::other(BundleError::contents("objects", what)));
                }
            }
        }
        let rest = if self.ended { &[] } else { self.chunk.get(self.at..).unwrap_or_default() };
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        self.left = self.left.saturating_sub(count as u64);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_object_is_a_file_like_any_other() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open_for_writing(&folder.path().join("store"), "a test").unwrap();
        let texts: Vec<Vec<u8>> = [0, 3, 0, 0, SMALL + 1, 0, 2 * CHUNK as u64, 5]
            .into_iter()
            .zip(b'a'..)
            .map(|(bytes, letter)| vec![letter; usize::try_from(bytes).unwrap()])
            .collect();
        let items: Vec<Item<'_>> = texts
            .iter()
            .map(|text| {
                store.keep_object(&Digest::of(text), &mut text.as_slice()).unwrap();
                Item::object(Digest::of(text), text.len() as u64)
            })
            .collect();
        let read = with_reader(&store, items.iter(), |ahead| {
            let read = items.iter().map(|item| {
                let mut bytes = Vec::new();
                ahead.next(item).read_to_end(&mut bytes).unwrap();
                bytes
            });
            Ok(read.collect::<Vec<_>>())
        });
        assert!(read.unwrap() == texts);
    }
}
