//! The journal of a run: what happened, one line of JSON each.
//!
//! Every line has a number and a checksum over itself and the checksum before it, so that no line can change, vanish or
//! change places unnoticed. A process that is killed may leave the last line incomplete; the next writer cuts it off.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
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
use crate::plain::open_plain;
use crate::shared::Shared;

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
    pub fn cell_state(&self) -> Option<(CellKey, JournalState)> {
        match self {
            Self::Started { cell, .. } => Some((*cell, JournalState::Started)),
            Self::Done { cell, .. } => Some((*cell, JournalState::Done)),
            Self::Failed { cell, error, .. } => Some((*cell, JournalState::Failed { error: error.clone() })),
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalState {
    /// It began, and did not end: it is running, or its process was killed.
    Started,
    /// It has a result.
    Done,
    /// It broke.
    Failed {
        /// Why.
        error: String,
    },
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

/// What a journal says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalText {
    /// The complete lines.
    pub entries: Vec<JournalEntry>,
    /// Bytes of an incomplete last line.
    pub torn_bytes: u64,
    end: End,
}

/// Where the complete lines of a journal end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) bytes: u64,
    lines: u64,
    /// That of the last line.
    checksum: String,
}

/// Most bytes of a line.
pub const MAX_LINE_BYTES: u64 = 64 << 20;

fn checksum(before: &str, line: &mut Line) -> Result<String, serde_json::Error> {
    line.checksum = None;
    Ok(sum_of(&[before, &serde_json::to_string(line)?]))
}

/// The checksum of a text in several parts.
fn sum_of(parts: &[&str]) -> String {
    let mut sum = Digest::of(parts.concat().as_bytes()).to_string();
    sum.truncate(16);
    sum
}

/// The text of a line, and its checksum.
fn render(before: &str, seq: u64, event: &Event, at: String) -> Result<(String, String), serde_json::Error> {
    let mut line = Line { at, checksum: None, event: event.clone(), seq };
    let sum = checksum(before, &mut line)?;
    line.checksum = Some(sum.clone());
    Ok((serde_json::to_string(&line)? + "\n", sum))
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

impl JournalText {
    /// Reads the bytes of a journal; `path` is for messages.
    ///
    /// # Errors
    /// When a complete line is damaged.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, StoreError> {
        Self::read_lines(path, bytes)
    }

    /// Reads the bytes of a journal, and gives each complete line to `take`; `path` is for messages. Returns the bytes of an
    /// incomplete last line.
    ///
    /// # Errors
    /// When a complete line is damaged.
    pub fn each(path: &Path, bytes: impl Read, mut take: impl FnMut(JournalEntry)) -> Result<u64, StoreError> {
        let (_, torn_bytes) = each_line(path, BufReader::with_capacity(128 << 10, bytes), &mut take)?;
        Ok(torn_bytes)
    }

    /// Reads the file of a journal, line by line; nothing if there is none.
    ///
    /// # Errors
    /// When it cannot be read, or a complete line is damaged.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, StoreError> {
        let Some(file) = open_plain(path)? else { return Ok(None) };
        Self::read_lines(path, BufReader::with_capacity(128 << 10, file)).map(Some)
    }

    /// Reads no more than the first line; nothing if there is no file.
    pub(crate) fn read_first_line(path: &Path) -> Result<Option<Self>, StoreError> {
        let Some(file) = open_plain(path)? else { return Ok(None) };
        let mut line = Vec::new();
        let read = BufReader::new(file).take(MAX_LINE_BYTES).read_until(b'\n', &mut line);
        read.map_err(|error| StoreError::unreadable(path, error))?;
        Self::read_lines(path, line.as_slice()).map(Some)
    }

    fn read_lines(path: &Path, input: impl BufRead) -> Result<Self, StoreError> {
        let mut entries = Vec::new();
        let (end, torn_bytes) = each_line(path, input, &mut |entry| entries.push(entry))?;
        Ok(Self { entries, torn_bytes, end })
    }

    /// Where its complete lines end.
    pub(crate) fn end(&self) -> &End {
        &self.end
    }

    /// The digests of the run's other files, by name.
    #[must_use]
    pub fn files(&self) -> Option<&BTreeMap<String, Digest>> {
        match &self.entries.first()?.event {
            Event::Created { files } => Some(files),
            _ => None,
        }
    }

    /// How the last attempt of each cell ended.
    #[must_use]
    pub fn cell_states(&self) -> BTreeMap<CellKey, JournalState> {
        self.entries.iter().filter_map(|entry| entry.event.cell_state()).collect()
    }

    /// Whether nothing was left to do, and nobody took the run up since.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        // Attempts say nothing of it: one of several runners may be late with what it did before, or its clock be fast.
        let last = self
            .entries
            .iter()
            .rev()
            .find(|entry| matches!(entry.event, Event::Finished | Event::Resumed | Event::Created { .. }));
        last.is_some_and(|entry| entry.event == Event::Finished)
    }

    /// One journal of those of several runners, in order of time by the clocks of their machines; each of them begins with the same line.
    /// What is done is decided by records: of a cell without one, clocks that differ may say how another attempt ended than the last one.
    pub(crate) fn united(journals: &[Self]) -> Self {
        let mut rest: Vec<&[JournalEntry]> = journals.iter().map(|journal| journal.entries.as_slice()).collect();
        let mut united =
            Self { torn_bytes: journals.iter().map(|journal| journal.torn_bytes).sum(), ..Self::default() };
        // Within a journal the order stays, whatever its clock did.
        while let Some(next) = rest.iter_mut().filter(|rest| !rest.is_empty()).min_by_key(|rest| &rest[0].at) {
            if let [first, others @ ..] = *next {
                if united.entries.is_empty() || !matches!(first.event, Event::Created { .. }) {
                    united.entries.push(first.clone());
                }
                *next = others;
            }
        }
        united
    }

    /// The text of a journal with these lines.
    pub(crate) fn render(&self) -> Result<Vec<u8>, StoreError> {
        let (mut text, mut sum) = (String::new(), String::new());
        for (seq, entry) in (0..).zip(&self.entries) {
            let (line, next) = render(&sum, seq, &entry.event, entry.at.clone())?;
            text += &line;
            sum = next;
        }
        Ok(text.into_bytes())
    }
}

/// Reads a journal line by line: where its complete lines end, and the bytes of an incomplete last one.
fn each_line(
    path: &Path,
    mut input: impl BufRead,
    take: &mut dyn FnMut(JournalEntry),
) -> Result<(End, u64), StoreError> {
    let (mut end, mut line) = (End::default(), Vec::new());
    loop {
        line.clear();
        let read = input.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line);
        read.map_err(|error| StoreError::unreadable(path, error))?;
        let Some(text) = line.strip_suffix(b"\n") else { break };
        let (entry, checksum) = parse(&end.checksum, end.lines, text)
            .map_err(|what| StoreError::damaged(path, format!("line {}: {what}", end.lines + 1)))?;
        take(entry);
        end = End { bytes: end.bytes + line.len() as u64, lines: end.lines + 1, checksum };
    }
    if line.len() as u64 >= MAX_LINE_BYTES {
        let what = format!("line {}: it has more than {MAX_LINE_BYTES} bytes", end.lines + 1);
        return Err(StoreError::damaged(path, what));
    }
    // Writing stops within a line, not one byte after it: there stood a line end. (After a power cut there may be
    // zeros.)
    if let [complete @ .., last] = line.as_slice()
        && *last != 0
        && parse(&end.checksum, end.lines, complete).is_ok()
    {
        return Err(StoreError::damaged(path, format!("the end of line {} was altered", end.lines + 1)));
    }
    if end.lines == 0 {
        return Err(StoreError::damaged(path, "it has no first line"));
    }
    Ok((end, line.len() as u64))
}

/// Bytes of the complete lines of the file of a journal.
pub(crate) fn complete_bytes(path: &Path) -> Result<u64, StoreError> {
    let file = open_plain(path)?.ok_or_else(|| StoreError::damaged(path, "the journal is missing"))?;
    Ok(each_line(path, BufReader::with_capacity(128 << 10, file), &mut |_| {})?.0.bytes)
}

/// The first line of a journal.
pub(crate) fn first_line(files: BTreeMap<String, Digest>) -> Result<String, StoreError> {
    Ok(render("", 0, &Event::Created { files }, utc(Timestamp::now()))?.0)
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
        let (mut text, mut sum, mut lines) = (String::new(), tail.end.checksum.clone(), tail.end.lines);
        for event in events {
            let (line, next) = render(&sum, lines, event, utc(Timestamp::now()))?;
            text += &line;
            (sum, lines) = (next, lines + 1);
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
        tail.end = End { bytes: tail.end.bytes + text.len() as u64, lines, checksum: sum };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_finished_whatever_the_clocks_of_its_runners_say_until_it_is_taken_up_again() {
        let cell: CellKey = "ab".repeat(32).parse().unwrap();
        let attempt: AttemptId = "20261122T130000Z-abababababab-1".parse().unwrap();
        let journal = |lines: &[(u8, Event)]| JournalText {
            entries: lines
                .iter()
                .map(|(second, event)| JournalEntry {
                    at: format!("2026-11-22T13:00:{second:02}Z"),
                    event: event.clone(),
                })
                .collect(),
            ..JournalText::default()
        };
        let created = || Event::Created { files: BTreeMap::new() };
        let begun = [
            (0, created()),
            (5, Event::Started { attempt: attempt.clone(), cell }),
            (6, Event::Done { attempt, cell }),
        ];
        let (fast, last) = (journal(&begun), journal(&[(0, created()), (1, Event::Finished)]));
        assert!(!JournalText::united(std::slice::from_ref(&fast)).is_finished());
        assert!(JournalText::united(&[fast.clone(), last.clone()]).is_finished());
        let again = journal(&[(0, created()), (9, Event::Resumed)]);
        assert!(!JournalText::united(&[fast, last, again]).is_finished());
    }
}
