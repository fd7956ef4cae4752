//! Reading journals, line by line.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::{End, Event, JournalEntry, MAX_LINE_BYTES, parse};
use crate::error::StoreError;
use crate::plain::open_plain;

/// Most journals of a run that are open at the same time.
pub(crate) const MOST_OPEN: usize = 64;

/// The lines of a journal, each checked as it is read.
pub(crate) struct Lines<R> {
    path: PathBuf,
    input: R,
    line: Vec<u8>,
    /// Where those end that were read.
    pub(crate) end: End,
    /// Bytes of an incomplete last line, once all were read.
    pub(crate) torn_bytes: u64,
}

impl Lines<BufReader<JournalFile>> {
    /// Opens a journal to read so many of its bytes; nothing if there is no file. Of more than [`MOST_OPEN`] `together`, each is open only
    /// while a piece of it is read.
    pub(crate) fn open(path: PathBuf, bytes: u64, together: usize) -> Result<Option<Self>, StoreError> {
        let Some(file) = open_plain(&path)? else { return Ok(None) };
        let (capacity, file) = if together > MOST_OPEN { (8 << 10, None) } else { (128 << 10, Some(file)) };
        let file = JournalFile { stays_open: file.is_some(), path: path.clone(), file, begin: 0, end: bytes };
        Ok(Some(Self::new(path, BufReader::with_capacity(capacity, file))))
    }
}

impl<R: BufRead> Lines<R> {
    /// Reads the bytes of a journal; `path` is for messages.
    pub(crate) fn new(path: PathBuf, input: R) -> Self {
        Self { path, input, line: Vec::new(), end: End::default(), torn_bytes: 0 }
    }

    /// The journal's path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The next complete line; nothing after the last one.
    pub(crate) fn next(&mut self) -> Result<Option<JournalEntry>, StoreError> {
        self.line.clear();
        let read = self.input.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut self.line);
        read.map_err(|error| StoreError::unreadable(&self.path, error))?;
        let number = self.end.lines + 1;
        let Some(text) = self.line.strip_suffix(b"\n") else {
            self.check_rest()?;
            return Ok(None);
        };
        let (entry, checksum) = parse(&self.end.checksum, self.end.lines, text)
            .map_err(|what| StoreError::damaged(&self.path, format!("line {number}: {what}")))?;
        self.end = End { bytes: self.end.bytes + self.line.len() as u64, lines: number, checksum };
        Ok(Some(entry))
    }

    /// Checks what comes after the last complete line.
    fn check_rest(&mut self) -> Result<(), StoreError> {
        let (number, line) = (self.end.lines + 1, self.line.as_slice());
        let damaged = |what| Err(StoreError::damaged(&self.path, what));
        if line.len() as u64 >= MAX_LINE_BYTES {
            return damaged(format!("line {number}: it has more than {MAX_LINE_BYTES} bytes"));
        }
        // Writing stops within a line, not one byte after it: there stood a line end. (After a power cut there may be
        // zeros.)
        if let [complete @ .., last] = line
            && *last != 0
            && parse(&self.end.checksum, self.end.lines, complete).is_ok()
        {
            return damaged(format!("the end of line {number} was altered"));
        }
        if number == 1 {
            return damaged("it has no first line".to_owned());
        }
        self.torn_bytes = line.len() as u64;
        Ok(())
    }
}

/// Gives the lines of one journal or several in order of time, by the clocks of their machines, each with the number of its journal. Only one
/// of the first lines is given: every journal of a run begins with the same.
///
/// What is done is decided by records: of a cell without one, clocks that differ may say how another attempt ended than the last one.
pub(crate) fn merge<R: BufRead, E: From<StoreError>>(
    journals: &mut [Lines<R>],
    mut take: impl FnMut(usize, JournalEntry) -> Result<(), E>,
) -> Result<(), E> {
    let keyed = |number, JournalEntry { at, event }| ((at, number), event);
    let mut next = BTreeMap::new();
    for (number, lines) in journals.iter_mut().enumerate() {
        next.extend(lines.next()?.map(|entry| keyed(number, entry)));
    }
    let mut is_first = true;
    // Within a journal the order stays, whatever its clock did.
    while let Some(((at, number), event)) = next.pop_first() {
        if is_first || !matches!(event, Event::Created { .. }) {
            take(number, JournalEntry { at, event })?;
        }
        is_first = false;
        if let Some(lines) = journals.get_mut(number) {
            next.extend(lines.next()?.map(|entry| keyed(number, entry)));
        }
    }
    Ok(())
}

/// The file of a journal, up to some byte of it.
pub(crate) struct JournalFile {
    path: PathBuf,
    file: Option<File>,
    stays_open: bool,
    begin: u64,
    end: u64,
}

impl Read for JournalFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                let file = open_plain(&self.path).map_err(io::Error::other)?;
                let mut file = file.ok_or(io::ErrorKind::NotFound)?;
                file.seek(SeekFrom::Start(self.begin))?;
                file
            }
        };
        let read = file.by_ref().take(self.end - self.begin).read(buffer)?;
        self.begin += read as u64;
        self.file = Some(file).filter(|_| self.stays_open);
        Ok(read)
    }
}
