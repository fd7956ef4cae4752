//! Compressing a bundle, always to the same bytes.

use std::io::{self, Write};

use matrix_store::Digest;
use sha2::{Digest as _, Sha256};
use zstd::stream::raw::CParameter;
use zstd::stream::write::Encoder;

use crate::error::BundleError;

/// Compression level.
const LEVEL: i32 = 3;

/// Largest distance of a match, as a power of two.
const WINDOW_LOG: u32 = 21;

/// Bytes that one worker compresses at a time.
const JOB_BYTES: u32 = 8 << 20;

/// The first bytes of every bundle: the format's mark, a frame with a checksum and nothing else, and its window. What is
/// not fixed here a single bit could change without a trace.
pub const FRAME_START: [u8; 6] = [0x28, 0xB5, 0x2F, 0xFD, 0x04, ((WINDOW_LOG - 10) as u8) << 3];

/// Counts and hashes what is written.
#[derive(Debug)]
pub struct Hashed<W> {
    out: W,
    hasher: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A compressor whose output depends on nothing but its input. However many workers there are, at least one, they cut the
/// input into the same jobs; without any, it would be cut otherwise.
pub fn compressor<W: Write>(out: W, workers: u32) -> Result<Encoder<'static, Hashed<W>>, BundleError> {
    let fail = || BundleError::io("setting up the compressor");
    let out = Hashed { out, hasher: Sha256::new(), bytes: 0 };
    let mut encoder = Encoder::new(out, LEVEL).map_err(fail())?;
    let set = |encoder: &mut Encoder<'static, Hashed<W>>| {
        encoder.include_checksum(true)?;
        encoder.include_contentsize(false)?;
        encoder.include_dictid(false)?;
        encoder.long_distance_matching(false)?;
        encoder.set_parameter(CParameter::WindowLog(WINDOW_LOG))?;
        encoder.set_parameter(CParameter::NbWorkers(workers.max(1)))?;
        encoder.set_parameter(CParameter::JobSize(JOB_BYTES))?;
        encoder.set_parameter(CParameter::OverlapSizeLog(6))
    };
    set(&mut encoder).map_err(fail())?;
    Ok(encoder)
}

/// Ends the frame: where it went, its digest and its size.
pub fn finish<W: Write>(encoder: Encoder<'static, Hashed<W>>) -> io::Result<(W, Digest, u64)> {
    let Hashed { mut out, hasher, bytes } = encoder.finish()?;
    out.flush()?;
    Ok((out, Digest::finish(hasher), bytes))
}
