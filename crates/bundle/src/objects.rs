//! Objects on their way from the store into a bundle: decompressed and hashed on a thread of their own, so that the
//! compressor does not wait for them.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use matrix_store::{Digest, Store, StoreError};

use crate::error::BundleError;

/// Bytes that are handed over at a time.
const CHUNK: usize = 256 << 10;

/// Chunks that may wait: as much as one job of the compressor.
const WAITING: usize = 32;

enum Message {
    Chunk(Vec<u8>),
    /// The object ended, and its bytes have the digest that they should have.
    End,
    Failed(StoreError),
}

/// Gives the objects in the order in which they were asked for.
pub(super) struct Objects {
    messages: Receiver<Message>,
    used: SyncSender<Vec<u8>>,
}

/// Reads `objects` ahead, while `work` uses them in the same order.
pub(super) fn with_reader<T>(
    store: &Store,
    objects: Vec<(Digest, u64)>,
    work: impl FnOnce(&Objects) -> Result<T, BundleError>,
) -> Result<T, BundleError> {
    thread::scope(|scope| {
        let (send, messages) = sync_channel(WAITING);
        let (used, recycled) = sync_channel(WAITING + 2);
        scope.spawn(move || {
            for (digest, size) in objects {
                let last = match read(store, &digest, size, &send, &recycled) {
                    Ok(true) => Message::End,
                    Ok(false) => return,
                    Err(error) => Message::Failed(error),
                };
                let failed = matches!(last, Message::Failed(_));
                if send.send(last).is_err() || failed {
                    return;
                }
            }
        });
        // Dropped at the end, which ends the thread whatever it is about.
        work(&Objects { messages, used })
    })
}

/// Reads an object; `false` if nobody wants it any more.
fn read(
    store: &Store,
    digest: &Digest,
    size: u64,
    chunks: &SyncSender<Message>,
    recycled: &Receiver<Vec<u8>>,
) -> Result<bool, StoreError> {
    let mut object = store.open_object(digest)?.with_max_bytes(size);
    loop {
        let mut chunk = recycled.try_recv().unwrap_or_default();
        chunk.resize(CHUNK, 0);
        let mut filled = 0;
        while filled < CHUNK {
            match object.read(&mut chunk[filled..]).map_err(StoreError::from_read)? {
                0 => break,
                count => filled += count,
            }
        }
        chunk.truncate(filled);
        if filled == 0 {
            return Ok(true);
        }
        if chunks.send(Message::Chunk(chunk)).is_err() {
            return Ok(false);
        }
    }
}

impl Objects {
    /// The next object, which is `digest` and has so many bytes.
    pub(super) fn next<'a>(&'a self, digest: &'a Digest, size: u64) -> Object<'a> {
        Object { objects: self, digest, left: size, chunk: Vec::new(), at: 0, ended: false }
    }
}

/// Reads one object to its end, at which its digest has been compared. Errors hold a [`BundleError`].
pub(super) struct Object<'a> {
    objects: &'a Objects,
    digest: &'a Digest,
    /// Bytes that are still to come. The reading thread refuses to give more.
    left: u64,
    chunk: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Read for Object<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.chunk.len() && !self.ended {
            match self.objects.messages.recv() {
                Ok(Message::Chunk(chunk)) => {
                    let old = std::mem::replace(&mut self.chunk, chunk);
                    self.at = 0;
                    // A full channel means that there are buffers enough.
                    let _ = self.objects.used.try_send(old);
                }
                Ok(Message::End) if self.left == 0 => self.ended = true,
                Ok(Message::End) => {
                    let (object, left) = (self.digest.short(), self.left);
                    let what = format!("object {object} has {left} bytes less than its record says");
                    return Err(io::Error::other(BundleError::contents("objects", what)));
                }
                Ok(Message::Failed(error)) => return Err(io::Error::other(BundleError::from(error))),
                Err(_) => {
                    let what = format!("object {} did not come", self.digest.short());
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
