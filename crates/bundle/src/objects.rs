//! Objects on their way from the store into a bundle: decompressed and hashed on a thread of their own, so that the
//! compressor does not wait for them.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use matrix_store::{Digest, Store, StoreError};

use crate::error::BundleError;

/// Bytes of an object that are read at a time.
const CHUNK: usize = 256 << 10;

/// Bytes that are handed over together: of small objects there are many, and to wake a thread for each takes longer than to
/// read it.
const TOGETHER: usize = 256 << 10;

/// Handovers that may wait: as much as one job of the compressor.
const WAITING: usize = 32;

enum Message {
    Chunk(Vec<u8>),
    /// The object ended, and its bytes have the digest that they should have.
    End,
    Failed(StoreError),
}

/// Gives the objects in the order in which they were asked for.
pub(super) struct Objects {
    handovers: Receiver<Vec<Message>>,
    messages: VecDeque<Message>,
}

/// Reads `objects` ahead, while `work` uses them in the same order.
pub(super) fn with_reader<T>(
    store: &Store,
    objects: Vec<(Digest, u64)>,
    work: impl FnOnce(&mut Objects) -> Result<T, BundleError>,
) -> Result<T, BundleError> {
    thread::scope(|scope| {
        let (send, handovers) = sync_channel(WAITING);
        scope.spawn(move || {
            let mut out = Out { handovers: send, messages: Vec::new(), bytes: 0 };
            for (digest, size) in objects {
                let last = match read(store, &digest, size, &mut out) {
                    Ok(true) => Message::End,
                    Ok(false) => return,
                    Err(error) => Message::Failed(error),
                };
                let failed = matches!(last, Message::Failed(_));
                if !out.send(last) || failed {
                    break;
                }
            }
            out.hand_over();
        });
        // Dropped at the end, which ends the thread whatever it is about.
        work(&mut Objects { handovers, messages: VecDeque::new() })
    })
}

/// Messages that are handed over together.
struct Out {
    handovers: SyncSender<Vec<Message>>,
    messages: Vec<Message>,
    bytes: usize,
}

impl Out {
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

impl Objects {
    /// The next object, which is `digest` and has so many bytes.
    pub(super) fn next<'a>(&'a mut self, digest: &'a Digest, size: u64) -> Object<'a> {
        Object { objects: self, digest, left: size, chunk: Vec::new(), at: 0, ended: false }
    }

    fn message(&mut self) -> Option<Message> {
        if self.messages.is_empty() {
            self.messages = self.handovers.recv().ok()?.into();
        }
        self.messages.pop_front()
    }
}

/// Reads one object to its end, at which its digest has been compared. Errors hold a [`BundleError`].
pub(super) struct Object<'a> {
    objects: &'a mut Objects,
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
            match self.objects.message() {
                Some(Message::Chunk(chunk)) => (self.chunk, self.at) = (chunk, 0),
                Some(Message::End) if self.left == 0 => self.ended = true,
                Some(Message::End) => {
                    let (object, left) = (self.digest.short(), self.left);
                    let what = format!("object {object} has {left} bytes less than its record says");
                    return Err(io::Error::other(BundleError::contents("objects", what)));
                }
                Some(Message::Failed(error)) => return Err(io::Error::other(BundleError::from(error))),
                None => {
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
