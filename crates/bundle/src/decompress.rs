//! Decompressing a bundle that is not trusted.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

use matrix_store::Digest;
use sha2::{Digest as _, Sha256};
use zstd::stream::read::Decoder;

use crate::compress::FRAME_START;
use crate::error::Refusal;
use crate::looks::{self, Looks};

/// Why decompressing ended early.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The bundle is not what it should be.
    Refused(Refusal),
    /// It cannot be read.
    Failed(io::Error),
}

type Input<R> = Chain<Cursor<Vec<u8>>, BufReader<Hashed<R>>>;

/// The uncompressed bytes of a bundle, no more than allowed. They end where the one compressed frame ends; [`finish`](Self::finish)
/// makes sure that nothing follows.
pub(crate) struct Plain<R: Read> {
    decoder: Decoder<'static, Input<R>>,
    offset: u64,
    max_bytes: u64,
    /// Why it failed: errors pass through other code, which may wrap them.
    fault: Option<Fault>,
}

impl<R: Read> Plain<R> {
    pub(crate) fn new(input: R, max_bytes: u64) -> Result<Self, Fault> {
        let mut hashed = Hashed { input, hasher: Sha256::new(), bytes: 0, failed: false };
        let mut start = Vec::with_capacity(FRAME_START.len());
        (&mut hashed).take(FRAME_START.len() as u64).read_to_end(&mut start).map_err(Fault::Failed)?;
        if start.is_empty() || !FRAME_START.starts_with(&start) {
            (&mut hashed).take(looks::BYTES as u64).read_to_end(&mut start).map_err(Fault::Failed)?;
            return Err(Fault::Refused(Refusal::NotABundle(Looks::of(&start))));
        }
        let input = Cursor::new(start).chain(BufReader::with_capacity(128 << 10, hashed));
        let decoder = Decoder::with_buffer(input).map_err(Fault::Failed)?.single_frame();
        Ok(Self { decoder, offset: 0, max_bytes, fault: None })
    }

    /// Bytes that have been read.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Why reading failed, if it did.
    pub(crate) fn fault(&mut self) -> Option<Fault> {
        self.fault.take()
    }

    /// The digest and size of the compressed bytes, of which none may be left.
    pub(crate) fn finish(self) -> Result<(Digest, u64), Fault> {
        let mut input = self.decoder.finish();
        match input.fill_buf() {
            Ok([]) => {}
            Ok(_) => return Err(Fault::Refused(Refusal::TrailingData)),
            Err(error) => return Err(Fault::Failed(error)),
        }
        let Hashed { hasher, bytes, .. } = input.into_inner().1.into_inner();
        Ok((Digest::finish(hasher), bytes))
    }

    fn decode(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        match self.decoder.read(buffer) {
            Ok(count) => Ok(count),
            Err(error) if self.decoder.get_ref().get_ref().1.get_ref().failed => Err(Fault::Failed(error)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Fault::Refused(Refusal::Truncated)),
            Err(error) => Err(Fault::Refused(Refusal::Compressed(error.to_string()))),
        }
    }

    fn limited(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        let left = usize::try_from(self.max_bytes.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        if left > 0 || buffer.is_empty() {
            let most = buffer.len().min(left);
            return self.decode(buffer.get_mut(..most).unwrap_or_default());
        }
        match self.decode(&mut [0])? {
            0 => Ok(0),
            _ => Err(Fault::Refused(Refusal::TooLarge { max: self.max_bytes })),
        }
    }
}

impl<R: Read> Read for Plain<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.limited(buffer) {
            Ok(count) => {
                self.offset += count as u64;
                Ok(count)
            }
            Err(fault) => {
                self.fault.get_or_insert(fault);
                Err(io::Error::other("the bundle cannot be decompressed"))
            }
        }
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
        let count = loop {
            match self.input.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failed = true;
                    return Err(error);
                }
                Ok(count) => break count,
            }
        };
        self.hasher.update(&buffer[..count]);
        self.bytes += count as u64;
        Ok(count)
    }
}
