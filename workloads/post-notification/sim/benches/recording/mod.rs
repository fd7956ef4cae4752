//! A sink that does what a store does with rows: puts them in order, writes CSV, hashes and compresses it.

use std::collections::BTreeMap;

use matrix_app::Row;
use matrix_app::row::HEADER;
use matrix_driver::{RowSink, SinkError};
use sha2::{Digest, Sha256};

/// Bytes that are gathered before they are hashed and compressed.
const CHUNK: usize = 64 << 10;

/// Rows on their way to a digest and a compressed stream that nobody keeps.
pub(crate) struct Recorder {
    waiting: BTreeMap<u64, Row>,
    next: u64,
    text: Vec<u8>,
    digest: Sha256,
    compressed: zstd::Encoder<'static, std::io::Sink>,
    /// Most rows that waited for an earlier one.
    pub(crate) most_waiting: usize,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        let text = format!("{HEADER}\n").into_bytes();
        let compressed = zstd::Encoder::new(std::io::sink(), 3).unwrap();
        Self { waiting: BTreeMap::new(), next: 0, text, digest: Sha256::new(), compressed, most_waiting: 0 }
    }

    fn write(&mut self, row: &Row) {
        row.write_csv(&mut self.text);
        self.next += 1;
        if self.text.len() >= CHUNK {
            self.drain();
        }
    }

    fn drain(&mut self) {
        self.digest.update(&self.text);
        std::io::Write::write_all(&mut self.compressed, &self.text).unwrap();
        self.text.clear();
    }

    /// The digest of the whole trace, in hexadecimal.
    pub(crate) fn finish(mut self) -> String {
        assert!(self.waiting.is_empty());
        self.drain();
        self.compressed.finish().unwrap();
        self.digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl RowSink<Row> for Recorder {
    fn push(&mut self, row: Row) -> Result<(), SinkError> {
        if row.i == self.next {
            self.write(&row);
            while let Some(row) = self.waiting.remove(&self.next) {
                self.write(&row);
            }
        } else {
            self.waiting.insert(row.i, row);
            self.most_waiting = self.most_waiting.max(self.waiting.len());
        }
        Ok(())
    }
}
