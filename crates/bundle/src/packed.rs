//! Long texts that are held compressed: of a file of many lines that are alike, a small part is left.

use std::io::{self, BufRead as _, BufReader, BufWriter, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use matrix_store::Digest;
use sha2::{Digest as _, Sha256};
use zstd::stream::read::Decoder;
use zstd::stream::write::Encoder;

/// Compression level: the text is compressed once and read once.
const LEVEL: i32 = 1;

/// A text, compressed in memory. The same text is the same frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Packed {
    frame: Vec<u8>,
    size: u64,
    digest: Digest,
}

/// Takes a text.
struct Packer {
    encoder: Encoder<'static, Vec<u8>>,
    hasher: Sha256,
    size: u64,
}

impl Packer {
    fn new() -> io::Result<Self> {
        Ok(Self { encoder: Encoder::new(Vec::new(), LEVEL)?, hasher: Sha256::new(), size: 0 })
    }

    fn finish(self) -> io::Result<Packed> {
        let mut frame = self.encoder.finish()?;
        frame.shrink_to_fit();
        Ok(Packed { frame, size: self.size, digest: Digest::finish(self.hasher) })
    }
}

impl Write for Packer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.encoder.write_all(bytes)?;
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Packed {
    /// Packs what `write` writes, on another thread than it.
    ///
    /// # Errors
    /// When `write` fails, or there is no memory for a compressor.
    pub fn written(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Self> {
        piped(write, |pieces| {
            let mut packer = Packer::new()?;
            pieces.into_iter().try_for_each(|piece| packer.write_all(&piece))?;
            packer.finish()
        })
    }

    /// Packs a text.
    ///
    /// # Errors
    /// When there is no memory for a compressor.
    pub fn of(text: &[u8]) -> io::Result<Self> {
        let mut packer = Packer::new()?;
        packer.write_all(text)?;
        packer.finish()
    }

    /// Bytes of the text.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Bytes that it takes in memory.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.frame.len() as u64
    }

    /// The SHA-256 of the text.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Reads the text.
    ///
    /// # Errors
    /// When there is no memory for a decompressor.
    pub fn open(&self) -> io::Result<impl Read + '_> {
        Decoder::with_buffer(self.frame.as_slice())
    }

    /// The first line of the text, with its end; of a line of more than `most` bytes, so many.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn first_line(&self, most: u64) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        BufReader::new(self.open()?).take(most).read_until(b'\n', &mut line)?;
        Ok(line)
    }

    /// The text.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open()?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// Bytes of a text that are handed over together.
const PIECE: usize = 64 << 10;

/// Pieces of a text that may wait.
const PIECES: usize = 16;

/// Hands over what is written.
struct Pieces(SyncSender<Vec<u8>>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.send(bytes.to_vec());
        sent.map(|()| bytes.len()).map_err(|_| io::Error::other("nobody takes it"))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The SHA-256 and the bytes of what `write` writes: it is hashed on another thread.
///
/// # Errors
/// When `write` fails.
pub fn digest_of(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<(Digest, u64)> {
    piped(write, |pieces| {
        let (mut hasher, mut size) = (Sha256::new(), 0);
        for piece in pieces {
            hasher.update(&piece);
            size += piece.len() as u64;
        }
        Ok((Digest::finish(hasher), size))
    })
}

/// Takes what `write` writes, on another thread than it.
fn piped<T: Send>(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    take: impl FnOnce(Receiver<Vec<u8>>) -> io::Result<T> + Send,
) -> io::Result<T> {
    thread::scope(|scope| {
        let (send, pieces) = sync_channel(PIECES);
        let taking = scope.spawn(move || take(pieces));
        let mut out = BufWriter::with_capacity(PIECE, Pieces(send));
        let written = write(&mut out).and_then(|()| out.flush());
        drop(out);
        let taken = taking.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // Where taking fails, so does writing: by that.
        taken.and_then(|taken| written.map(|()| taken))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_text_comes_back(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..2000), 0..20)) {
            let whole = parts.concat();
            let mut packer = Packer::new().unwrap();
            for part in &parts {
                packer.write_all(part).unwrap();
            }
            let packed = packer.finish().unwrap();
            let beside = Packed::written(|out| parts.iter().try_for_each(|part| out.write_all(part))).unwrap();
            prop_assert_eq!((beside.size(), beside.digest()), (packed.size(), packed.digest()));
            let digest = digest_of(|out| parts.iter().try_for_each(|part| out.write_all(part))).unwrap();
            prop_assert_eq!(digest, (packed.digest(), packed.size()));
            prop_assert_eq!((packed.size(), packed.digest()), (whole.len() as u64, Digest::of(&whole)));
            prop_assert_eq!(packed.bytes().unwrap(), whole);
        }
    }
}
