//! What the lines of a run's journals come to.

use std::collections::BTreeMap;
use std::io::{BufReader, Read};
use std::path::Path;

use matrix_core::CellKey;

use super::{Event, JournalEntry, JournalState, Lines, merge};
use crate::digest::Digest;
use crate::error::StoreError;

/// What the lines of a run's journals come to. Its size follows from the cells that have no result, not from the lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalSummary {
    /// The digests of the run's other files, by name.
    pub files: BTreeMap<String, Digest>,
    /// When the first line was written, in UTC.
    pub first_at: String,
    /// When the last line was written, in UTC.
    pub last_at: String,
    /// Number of complete lines.
    pub lines: u64,
    /// Bytes of incomplete last lines.
    pub torn_bytes: u64,
    /// Whether nothing was left to do, and nobody took the run up since.
    pub is_finished: bool,
    /// Whether the last line says that the run stopped because it was asked to.
    pub is_interrupted: bool,
    /// The cells whose last attempt gave no result, each with how that attempt ended.
    pub undone: BTreeMap<CellKey, JournalState>,
}

impl JournalSummary {
    /// Reads the bytes of a journal, and gives each complete line to `take`; `path` is for messages.
    ///
    /// # Errors
    /// When it cannot be read, or a complete line is damaged.
    pub fn read(path: &Path, bytes: impl Read, mut take: impl FnMut(&JournalEntry)) -> Result<Self, StoreError> {
        let mut this = Self::default();
        let mut lines = [Lines::new(path.to_owned(), BufReader::with_capacity(128 << 10, bytes))];
        merge(&mut lines, |_, entry| {
            take(&entry);
            this.add(entry);
            Ok::<_, StoreError>(())
        })?;
        this.torn_bytes = lines.iter().map(|lines| lines.torn_bytes).sum();
        Ok(this)
    }

    /// Adds the next line.
    pub(crate) fn add(&mut self, JournalEntry { at, event }: JournalEntry) {
        match event.cell_state() {
            Some((cell, JournalState::Done)) => drop(self.undone.remove(&cell)),
            Some((cell, state)) => drop(self.undone.insert(cell, state)),
            None => {}
        }
        self.is_interrupted = event == Event::Interrupted;
        match event {
            Event::Created { files } => (self.files, self.first_at) = (files, at.clone()),
            Event::Finished => self.is_finished = true,
            Event::Resumed => self.is_finished = false,
            // Attempts say nothing of it: one of several runners may be late with what it did before, or its clock be fast.
            _ => {}
        }
        self.lines += 1;
        self.last_at = at;
    }
}
