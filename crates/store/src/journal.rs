//! The journal of a run: what happened, one line of JSON each.
//!
//! Every line has a number and a checksum over itself and the checksum before it, so that no line can change, vanish or
//! change places unnoticed. A process that is killed may leave the last line incomplete; the next writer cuts it off.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use matrix_core::CellKey;
use serde::{Deserialize, Serialize};

use crate::attempt::utc;
use crate::digest::Digest;
use crate::error::StoreError;
use crate::fs::OutFile;
use crate::names::AttemptId;
use crate::shared::Shared;

mod lines;
mod summary;

pub(crate) use lines::{Lines, merge};
pub use summary::JournalSummary;

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// The run was made. The first line, and no other.
    Created {
        /// The SHA-256 of each other file of the run.
        files: BTreeMap<String, Digest>,
    },
    /// A process took the run up again.
    Resumed,
    /// An attempt began.
    Started {
        /// The attempt.
        attempt: AttemptId,
        /// Its cell.
        cell: CellKey,
    },
    /// An attempt ended, and its record is in the store.
    Done {
        /// The attempt.
        attempt: AttemptId,
        /// Its cell.
        cell: CellKey,
    },
    /// An attempt broke.
    Failed {
        /// The attempt.
        attempt: AttemptId,
        /// Its cell.
        cell: CellKey,
        /// Why.
        error: String,
    },
    /// An attempt ended early.
    Partial {
        /// The attempt.
        attempt: AttemptId,
        /// Its cell.
        cell: CellKey,
    },
    /// The run was asked to stop, and did.
    Interrupted,
    /// Nothing was left to do.
    Finished,
}

impl Event {
    /// The attempt and the cell that it tells of.
    #[must_use]
    pub const fn attempt(&self) -> Option<(&AttemptId, &CellKey)> {
        match self {
            Self::Started { attempt, cell }
            | Self::Done { attempt, cell }
            | Self::Failed { attempt, cell, .. }
            | Self::Partial { attempt, cell } => Some((attempt, cell)),
            Self::Created { .. } | Self::Resumed | Self::Interrupted | Self::Finished => None,
        }
    }

    /// Its cell, and how that stands after it.
    #[must_use]
    pub const fn cell_state(&self) -> Option<(CellKey, JournalState)> {
        match self {
            Self::Started { cell, .. } => Some((*cell, JournalState::Started)),
            Self::Done { cell, .. } => Some((*cell, JournalState::Done)),
            Self::Failed { cell, .. } => Some((*cell, JournalState::Failed)),
            Self::Partial { cell, .. } => Some((*cell, JournalState::Partial)),
            Self::Created { .. } | Self::Resumed | Self::Interrupted | Self::Finished => None,
        }
    }

    /// The attempt and the cell, where it tells that the attempt ended: then the attempt is in the store.
    #[must_use]
    pub const fn ended(&self) -> Option<(&AttemptId, &CellKey)> {
        if let Self::Started { .. } = self { None } else { self.attempt() }
    }
}

/// How the last attempt of a cell ended, as far as the journal knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalState {
    /// It began, and did not end: it is running, or its process was killed.
    Started,
    /// It has a result.
    Done,
    /// It broke.
    Failed,
    /// It ended early.
    Partial,
}

/// A line of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// When it was written, in UTC.
    pub at: String,
    /// What happened.
    pub event: Event,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checksum: Option<String>,
    event: Event,
    seq: u64,
}

/// Where the complete lines of a journal end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) bytes: u64,
    lines: u64,
    /// That of the last line.
    checksum: String,
}

impl End {
    /// The text of the line that comes next, after which the journal ends.
    pub(crate) fn next_line(&mut self, event: &Event, at: String) -> Result<String, StoreError> {
        let mut line = Line { at, checksum: None, event: event.clone(), seq: self.lines };
        self.checksum = sum_of(&[&self.checksum, &serde_json::to_string(&line)?]);
        line.checksum = Some(self.checksum.clone());
        let text = serde_json::to_string(&line)? + "\n";
        self.bytes += text.len() as u64;
        self.lines += 1;
        Ok(text)
    }
}

/// Most bytes of a line.
pub const MAX_LINE_BYTES: u64 = 64 << 20;

/// The checksum of a text in several parts.
fn sum_of(parts: &[&str]) -> String {
    let mut sum = Digest::of(parts.concat().as_bytes()).to_string();
    sum.truncate(16);
    sum
}

/// Reads a line without its end; on failure, what is wrong with it.
fn parse(before: &str, seq: u64, text: &[u8]) -> Result<(JournalEntry, String), String> {
    let line: Line = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    if serde_json::to_vec(&line).map_err(|error| error.to_string())? != text {
        return Err("it is not in canonical form".to_owned());
    }
    if line.seq != seq {
        return Err(format!("its number is {} instead of {seq}", line.seq));
    }
    // In canonical form the same without its checksum is what is left when that is cut out.
    let mismatch = || "its checksum does not match".to_owned();
    let field = format!("\"checksum\":\"{}\",", line.checksum.as_deref().unwrap_or_default());
    let (start, end) = str::from_utf8(text).ok().and_then(|text| text.split_once(&field)).ok_or_else(mismatch)?;
    let sum = sum_of(&[before, start, end]);
    if line.checksum.as_deref() != Some(&sum) {
        return Err(mismatch());
    }
    if matches!(line.event, Event::Created { .. }) != (seq == 0) {
        return Err("a journal begins with `created`, once".to_owned());
    }
    Ok((JournalEntry { at: line.at, event: line.event }, sum))
}

/// The first line of a journal, and where it ends.
pub(crate) fn first_line(files: BTreeMap<String, Digest>) -> Result<(String, End), StoreError> {
    let mut end = End::default();
    let line = end.next_line(&Event::Created { files }, utc(Timestamp::now()))?;
    Ok((line, end))
}

/// Bytes of the complete lines of the file of a journal.
pub(crate) fn complete_bytes(path: &Path) -> Result<u64, StoreError> {
    let mut lines = Lines::open(path.to_owned(), u64::MAX, 1)?.ok_or_else(|| missing(path))?;
    while lines.next()?.is_some() {}
    Ok(lines.end.bytes)
}

/// What is wrong where there is no journal.
pub(crate) fn missing(path: &Path) -> StoreError {
    StoreError::damaged(path, "the journal is missing")
}

/// A journal open for writing; threads may share it.
pub struct Journal {
    shared: Arc<Shared>,
    path: PathBuf,
    tail: Mutex<Tail>,
}

struct Tail {
    /// `None` after a write failed: what it left has to be cut off first.
    file: Option<Box<dyn OutFile>>,
    end: End,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Journal {
    /// Opens a journal to write on after `end`. An incomplete last line is cut off before the first write.
    pub(crate) fn open(shared: Arc<Shared>, path: PathBuf, end: End) -> Self {
        Self { shared, path, tail: Mutex::new(Tail { file: None, end }) }
    }

    /// Writes a line. It is on the disk when this returns, unless the event is a start: that one can be lost, for it says
    /// nothing that is needed.
    ///
    /// # Errors
    /// When it cannot be written. The journal stays good, and the next line may succeed.
    pub fn append(&self, event: &Event) -> Result<(), StoreError> {
        self.append_all(std::slice::from_ref(event))
    }

    /// Writes lines, in one piece. They are on the disk when this returns, unless all are of starts.
    ///
    /// # Errors
    /// When they cannot be written. The journal stays good, and the next line may succeed.
    pub fn append_all(&self, events: &[Event]) -> Result<(), StoreError> {
        self.shared.begin()?;
        let fail = |error| StoreError::io("writing", &self.path, error);
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut text, mut end) = (String::new(), tail.end.clone());
        for event in events {
            text += &end.next_line(event, utc(Timestamp::now()))?;
        }
        let mut file = match tail.file.take() {
            Some(file) => file,
            None => {
                let length = std::fs::metadata(&self.path).map_err(fail)?.len();
                if length != tail.end.bytes {
                    self.shared.fs.truncate(&self.path, tail.end.bytes).map_err(fail)?;
                }
                self.shared.fs.append(&self.path).map_err(fail)?
            }
        };
        file.write_all(text.as_bytes()).map_err(fail)?;
        if !events.iter().all(|event| matches!(event, Event::Started { .. })) {
            file.sync().map_err(fail)?;
        }
        tail.file = Some(file);
        tail.end = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
