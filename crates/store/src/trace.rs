//! Writing a trace: rows in, an object out.

use std::collections::BTreeMap;
use std::io::{BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use zstd::stream::raw::CParameter;
use zstd::stream::write::Encoder;

use crate::digest::Digest;
use crate::error::{Rejection, StoreError};
use crate::fs::OutFile;
use crate::group::Group;
use crate::layout::parent;
use crate::object::ObjectReader;
use crate::shared::Shared;

/// Bytes that are hashed and compressed at a time.
const CHUNK: usize = 64 << 10;

/// Compression level of objects. On traces, level 1 makes smaller files than level 3 in half the time: what a row has in
/// common with another it mostly has with the one just before, and a small table of recent places finds that best.
const LEVEL: i32 = 1;

/// An object that is in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// The SHA-256 of its uncompressed bytes: its name.
    pub digest: Digest,
    /// Uncompressed bytes.
    pub bytes: u64,
    /// Compressed bytes: the size of its file.
    pub compressed_bytes: u64,
}

/// Takes an attempt's rows in any order and writes them in order of `i`, hashed and compressed, to a file under `tmp/`
/// that [`finish`](Self::finish) makes an object. Dropped before that, it removes the file.
///
/// Rows that came before their turn wait in memory, already in their final form; so memory grows with the requests in
/// flight, not with the attempt.
pub struct ObjectSink {
    shared: Arc<Shared>,
    temp: PathBuf,
    encoder: Option<Encoder<'static, BufWriter<Box<dyn OutFile>>>>,
    hasher: Sha256,
    chunk: Vec<u8>,
    bytes: u64,
    planned: u64,
    next: u64,
    waiting: BTreeMap<u64, Box<[u8]>>,
    line: Vec<u8>,
    taken: u64,
}

impl std::fmt::Debug for ObjectSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectSink").field("temp", &self.temp).field("taken", &self.taken).finish_non_exhaustive()
    }
}

impl ObjectSink {
    pub(crate) fn new(shared: Arc<Shared>, planned: u64, heads: &str) -> Result<Self, StoreError> {
        shared.begin()?;
        let temp = shared.temp();
        let fail = |error| StoreError::io("writing", &temp, error);
        let file = shared.fs.create(&temp).map_err(fail)?;
        let encoder = encoder(BufWriter::with_capacity(2 * CHUNK, file)).map_err(fail)?;
        let mut chunk = Vec::with_capacity(CHUNK + 1024);
        chunk.extend_from_slice(heads.as_bytes());
        chunk.push(b'\n');
        Ok(Self {
            shared,
            temp,
            encoder: Some(encoder),
            hasher: Sha256::new(),
            chunk,
            bytes: 0,
            planned,
            next: 0,
            waiting: BTreeMap::new(),
            line: Vec::new(),
            taken: 0,
        })
    }

    /// Rows that wait for an earlier one.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Takes the row of request `i`, which `write` writes with its line end.
    ///
    /// # Errors
    /// When the request was not planned or has a row already, or the disk does not take it.
    pub fn push(&mut self, i: u64, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), StoreError> {
        if i >= self.planned {
            return Err(StoreError::UnplannedRow { i, planned: self.planned });
        }
        if i == self.next {
            write(&mut self.chunk);
            self.next += 1;
            self.flush_if_full()?;
            while let Some(entry) = self.waiting.first_entry().filter(|entry| *entry.key() == self.next) {
                self.chunk.extend_from_slice(&entry.remove());
                self.next += 1;
                self.flush_if_full()?;
            }
        } else if i < self.next || self.waiting.contains_key(&i) {
            return Err(StoreError::DuplicateRow { i });
        } else {
            self.line.clear();
            write(&mut self.line);
            self.waiting.insert(i, self.line.as_slice().into());
        }
        self.taken += 1;
        Ok(())
    }

    /// Chunks end after a fixed number of bytes, whatever order the rows came in: the compressor sees the same pieces
    /// every time.
    fn flush_if_full(&mut self) -> Result<(), StoreError> {
        if self.chunk.len() >= CHUNK { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        let Some(encoder) = &mut self.encoder else {
            return Err(StoreError::Rejected(Rejection::BrokenTrace));
        };
        self.hasher.update(&self.chunk);
        self.bytes += self.chunk.len() as u64;
        if let Err(error) = encoder.write_all(&self.chunk) {
            self.encoder = None;
            return Err(StoreError::io("writing", &self.temp, error));
        }
        self.chunk.clear();
        Ok(())
    }

    /// Makes the trace an object of the store.
    ///
    /// # Errors
    /// When a planned request has no row, or the object cannot be written; the temporary file is removed then.
    pub fn finish(mut self) -> Result<ObjectInfo, StoreError> {
        let (mut file, info) = self.complete()?;
        let fail = |error| StoreError::io("writing", &self.temp, error);
        file.sync().map_err(fail)?;
        drop(file);
        let compressed_bytes = self.keep(info.digest, info.compressed_bytes)?;
        Ok(ObjectInfo { compressed_bytes, ..info })
    }

    /// Makes the trace an object that is part of a group: it is in the store when the group is.
    ///
    /// # Errors
    /// As for [`finish`](Self::finish).
    pub fn finish_in(mut self, group: &mut Group) -> Result<ObjectInfo, StoreError> {
        let (_, info) = self.complete()?;
        group.add_object(std::mem::take(&mut self.temp), &info.digest);
        Ok(info)
    }

    /// Writes what is left of the rows. The bytes are in the file, which is not synced.
    fn complete(&mut self) -> Result<(Box<dyn OutFile>, ObjectInfo), StoreError> {
        if self.taken != self.planned {
            let (missing, first) = (self.planned - self.taken, self.next);
            return Err(StoreError::MissingRows { missing, first, planned: self.planned });
        }
        self.flush()?;
        let fail = |error| StoreError::io("writing", &self.temp, error);
        let Some(encoder) = self.encoder.take() else {
            return Err(StoreError::Rejected(Rejection::BrokenTrace));
        };
        let buffered = encoder.finish().map_err(fail)?;
        let file = buffered.into_inner().map_err(|error| fail(error.into_error()))?;
        let compressed_bytes = std::fs::metadata(&self.temp).map_err(fail)?.len();
        let digest = Digest::finish(std::mem::take(&mut self.hasher));
        Ok((file, ObjectInfo { digest, bytes: self.bytes, compressed_bytes }))
    }

    /// Renames the file to the object's name, unless a sound object has that name already; returns the size of the file
    /// that stays.
    fn keep(&self, digest: Digest, compressed_bytes: u64) -> Result<u64, StoreError> {
        let path = self.shared.layout.object(&digest);
        let present = std::fs::metadata(&path).ok();
        if let Some(present) = present
            && ObjectReader::open(&path, digest).and_then(ObjectReader::check).is_ok()
        {
            // Somebody else may have placed it just now.
            self.shared.sync_dir(parent(&path))?;
            return Ok(present.len());
        }
        self.shared.ensure_dir(parent(&path))?;
        self.shared.fs.rename(&self.temp, &path).map_err(|error| StoreError::io("writing", &path, error))?;
        self.shared.sync_dir(parent(&path))?;
        Ok(compressed_bytes)
    }
}

impl Drop for ObjectSink {
    fn drop(&mut self) {
        self.encoder = None;
        // What cannot be removed now is swept by the next writer; after `finish` there is usually nothing left.
        if self.temp.exists() {
            let _ = self.shared.fs.remove_file(&self.temp);
        }
    }
}

/// Writes uncompressed bytes as an object under `tmp/`, if they have the digest that they should have; does not wait for the
/// disk.
pub(crate) fn write_unsynced(shared: &Shared, expected: &Digest, bytes: &mut dyn Read) -> Result<PathBuf, StoreError> {
    shared.begin()?;
    let temp = shared.temp();
    match copy_object(shared, &temp, expected, bytes) {
        Ok(_) => Ok(temp),
        Err(error) => {
            // What cannot be removed now is swept by the next writer.
            let _ = shared.fs.remove_file(&temp);
            Err(error)
        }
    }
}

/// Makes uncompressed bytes an object, if they have the digest that they should have.
pub(crate) fn write_object(shared: &Shared, expected: &Digest, bytes: &mut dyn Read) -> Result<u64, StoreError> {
    shared.begin()?;
    let temp = shared.temp();
    let written = copy_object(shared, &temp, expected, bytes).and_then(|(mut file, count)| {
        file.sync().map_err(|error| StoreError::io("writing", &temp, error))?;
        drop(file);
        let path = shared.layout.object(expected);
        shared.ensure_dir(parent(&path))?;
        shared.fs.rename(&temp, &path).map_err(|error| StoreError::io("writing", &path, error))?;
        shared.sync_dir(parent(&path))?;
        Ok(count)
    });
    if written.is_err() {
        // What cannot be removed now is swept by the next writer.
        let _ = shared.fs.remove_file(&temp);
    }
    written
}

fn copy_object(
    shared: &Shared,
    temp: &Path,
    expected: &Digest,
    bytes: &mut dyn Read,
) -> Result<(Box<dyn OutFile>, u64), StoreError> {
    let fail = |error| StoreError::io("writing", temp, error);
    let file = shared.fs.create(temp).map_err(fail)?;
    let mut encoder = encoder(BufWriter::with_capacity(2 * CHUNK, file)).map_err(fail)?;
    let (mut hasher, mut count) = (Sha256::new(), 0u64);
    let mut chunk = vec![0; 2 * CHUNK];
    loop {
        let read = match bytes.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(StoreError::from_read(error)),
        };
        hasher.update(&chunk[..read]);
        count += read as u64;
        encoder.write_all(&chunk[..read]).map_err(fail)?;
    }
    let file = encoder.finish().map_err(fail)?.into_inner().map_err(|error| fail(error.into_error()))?;
    let found = Digest::finish(hasher);
    if found != *expected {
        let path = shared.layout.object(expected);
        return Err(StoreError::damaged(&path, format!("its uncompressed bytes have the digest {}", found.short())));
    }
    Ok((file, count))
}

/// A compressor whose output depends on nothing but its input: one thread, and the parameters that matter are set here.
fn encoder<W: Write>(out: W) -> std::io::Result<Encoder<'static, W>> {
    let mut encoder = Encoder::new(out, LEVEL)?;
    encoder.include_checksum(true)?;
    encoder.include_contentsize(false)?;
    encoder.include_dictid(false)?;
    encoder.long_distance_matching(false)?;
    encoder.set_parameter(CParameter::WindowLog(19))?;
    encoder.set_parameter(CParameter::HashLog(12))?;
    encoder.set_parameter(CParameter::MinMatch(7))?;
    Ok(encoder)
}
