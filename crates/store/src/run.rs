//! Runs: an experiment, its plan, and the journal of its execution.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::iter;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use matrix_core::{CellKey, Reason};

use crate::digest::Digest;
use crate::error::{Rejection, StoreError};
use crate::journal::{
    self, End, Event, Journal, JournalEntry, JournalState, JournalSummary, Lines, MAX_LINE_BYTES, merge, missing,
};
use crate::layout::{EXPERIMENT, GENERATION, JOURNAL, MODEL, PLAN, is_joined_journal, joined_journal};
use crate::listing::list;
use crate::names::{AttemptId, RunId};
use crate::plain::open_plain;
use crate::sealed::{MAX_LARGE_BYTES, read_small, read_up_to};
use crate::store::Store;
use crate::writable::WritableStore;

/// What a new run consists of.
#[derive(Clone, Copy, Debug)]
pub struct NewRun<'a> {
    /// When it was made, like `20261122T130000Z`.
    pub time: &'a str,
    /// Name of the experiment.
    pub name: &'a str,
    /// The experiment, byte for byte.
    pub experiment: &'a [u8],
    /// The model, byte for byte, if the experiment has one.
    pub model: Option<&'a [u8]>,
    /// The plan.
    pub plan: &'a [u8],
}

/// A run that exists elsewhere.
pub struct ImportedRun<'a> {
    /// The experiment, byte for byte.
    pub experiment: &'a [u8],
    /// The model, byte for byte, if the run has one.
    pub model: Option<&'a [u8]>,
    /// The plan, byte for byte.
    pub plan: &'a [u8],
    /// The journal, byte for byte. It has been checked.
    pub journal: &'a mut dyn Read,
}

/// Most characters of an experiment's name in a run's: a bundle's archive has 155 bytes for the folders of a path.
const NAME_MAX: usize = 64;

/// What a run of the store was made of: its experiment, plan and model. Of its journal no more than the first line is read.
#[derive(Clone, Debug)]
pub struct RunDocuments {
    id: RunId,
    directory: PathBuf,
    /// The digests of its files, by name.
    files: BTreeMap<String, Digest>,
}

/// A run of the store: `runs/<time>-<name>/`. Its journals are read as it is opened, and what is kept of them is small.
#[derive(Clone, Debug)]
pub struct Run {
    documents: RunDocuments,
    /// The journals of all its runners, that of the one that made it first.
    journals: Vec<RunnerJournal>,
    journal: JournalSummary,
    generation: Option<u32>,
}

/// The journal of one runner of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunnerJournal {
    pub(crate) name: String,
    end: End,
    /// The attempts that it says began, and does not say ended. Whoever takes a journal up again has none.
    pub(crate) open: BTreeMap<AttemptId, CellKey>,
}

impl RunnerJournal {
    fn after(&mut self, event: &Event) {
        match event {
            Event::Started { attempt, cell } => drop(self.open.insert(attempt.clone(), *cell)),
            Event::Done { attempt, .. } | Event::Failed { attempt, .. } | Event::Partial { attempt, .. } => {
                self.open.remove(attempt);
            }
            Event::Created { .. } | Event::Resumed | Event::Interrupted | Event::Finished => self.open.clear(),
        }
    }
}

impl Deref for Run {
    type Target = RunDocuments;
    fn deref(&self) -> &RunDocuments {
        &self.documents
    }
}

impl Run {
    /// Opens a run, and gives each line of its journals to `take`.
    pub(crate) fn open(id: RunId, directory: PathBuf, mut take: impl FnMut(&JournalEntry)) -> Result<Self, StoreError> {
        let items = list(&directory)?;
        let others = items.iter().filter_map(|item| item.file().filter(|name| is_joined_journal(name)));
        let names: Vec<&str> = iter::once(JOURNAL).chain(others).collect();
        let (mut journals, mut lines) = (Vec::new(), Vec::new());
        for &name in &names {
            let path = directory.join(name);
            match Lines::open(path.clone(), u64::MAX, names.len())? {
                Some(opened) => lines.push(opened),
                None if name == JOURNAL => return Err(missing(&path)),
                None => continue,
            }
            journals.push(RunnerJournal { name: name.to_owned(), ..RunnerJournal::default() });
        }
        let mut journal = JournalSummary::default();
        merge(&mut lines, |number, entry| {
            take(&entry);
            if let Some(journal) = journals.get_mut(number) {
                journal.after(&entry.event);
            }
            journal.add(entry);
            Ok::<_, StoreError>(())
        })?;
        for (of_runner, lines) in journals.iter_mut().zip(lines) {
            of_runner.end = lines.end;
            journal.torn_bytes += lines.torn_bytes;
        }
        let generation = generation_of(&directory)?;
        let documents = RunDocuments { id, directory, files: journal.files.clone() };
        Ok(Self { documents, journals, journal, generation })
    }

    /// The generation of the results that it makes, where it replaces those that are there. A run that had the store alone has none, and wrote
    /// over them.
    #[must_use]
    pub fn generation(&self) -> Option<u32> {
        self.generation
    }

    /// What its journals come to, as they were when the run was opened.
    #[must_use]
    pub fn journal(&self) -> &JournalSummary {
        &self.journal
    }

    /// Where the journal of who made it ends.
    fn main_end(&self) -> End {
        self.journals.first().map(|main| main.end.clone()).unwrap_or_default()
    }

    /// The journals of its runners.
    pub(crate) fn journals(&self) -> &[RunnerJournal] {
        &self.journals
    }

    /// Reads the journals again, as they were when the run was opened, and gives each line to `take`: in order of time where there are several.
    ///
    /// # Errors
    /// When they cannot be read, or are no longer what they were; and those of `take`.
    pub fn each_entry<E: From<StoreError>>(
        &self,
        mut take: impl FnMut(&JournalEntry) -> Result<(), E>,
    ) -> Result<(), E> {
        let open = |journal: &RunnerJournal| {
            let path = self.directory.join(&journal.name);
            Lines::open(path.clone(), journal.end.bytes, self.journals.len())?.ok_or_else(|| missing(&path))
        };
        let mut lines = self.journals.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        merge(&mut lines, |_, entry| take(&entry))?;
        for (journal, lines) in self.journals.iter().zip(&lines) {
            if lines.end != journal.end {
                return Err(shortened(lines.path()).into());
            }
        }
        Ok(())
    }

    /// Writes the journal as one file: byte for byte where one runner wrote it, without a line that a killed process left incomplete.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn write_journal(&self, out: &mut dyn Write) -> Result<(), StoreError> {
        let path = self.directory.join(JOURNAL);
        if self.journals.len() > 1 {
            let mut end = End::default();
            return self.each_entry(|JournalEntry { at, event }| {
                let line = end.next_line(event, at.clone())?;
                out.write_all(line.as_bytes()).map_err(|error| StoreError::io("writing", &path, error))
            });
        }
        let End { bytes: end, .. } = self.main_end();
        // What was written since the run was opened belongs to nothing else that is known of it.
        let mut file = open_plain(&path)?.ok_or_else(|| missing(&path))?.take(end);
        let copied = io::copy(&mut file, out).map_err(|error| StoreError::io("reading", &path, error))?;
        if copied == end { Ok(()) } else { Err(shortened(&path)) }
    }
}

fn shortened(journal: &Path) -> StoreError {
    StoreError::damaged(journal, "lines are gone that were there when it was read before")
}

impl RunDocuments {
    fn open(id: RunId, directory: PathBuf) -> Result<Self, StoreError> {
        let path = directory.join(JOURNAL);
        let file = open_plain(&path)?.ok_or_else(|| missing(&path))?;
        let (_, files) = first_line_of(&path, BufReader::new(file))?;
        Ok(Self { id, directory, files })
    }

    /// The run's name.
    #[must_use]
    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// The run's directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The experiment, byte for byte.
    ///
    /// # Errors
    /// When it is missing or not what it was.
    pub fn experiment(&self) -> Result<Vec<u8>, StoreError> {
        self.required(EXPERIMENT)
    }

    /// The same as text.
    ///
    /// # Errors
    /// When it is missing, not what it was, or no UTF-8.
    pub fn experiment_text(&self) -> Result<String, StoreError> {
        let damaged = |error| StoreError::damaged(&self.directory.join(EXPERIMENT), format!("it is no text: {error}"));
        String::from_utf8(self.experiment()?).map_err(damaged)
    }

    /// Whether the experiment is these bytes. One that is missing or damaged is not.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn has_experiment(&self, bytes: &[u8]) -> Result<bool, StoreError> {
        match self.experiment() {
            Err(StoreError::Damaged { .. }) => Ok(false),
            read => Ok(read? == bytes),
        }
    }

    /// The plan.
    ///
    /// # Errors
    /// When it is missing or not what it was.
    pub fn plan(&self) -> Result<Vec<u8>, StoreError> {
        self.required(PLAN)
    }

    /// The model, byte for byte, if the run has one.
    ///
    /// # Errors
    /// When it is missing or not what it was.
    pub fn model(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.file(MODEL)
    }

    fn required(&self, name: &str) -> Result<Vec<u8>, StoreError> {
        self.file(name)?.ok_or_else(|| {
            StoreError::damaged(&self.directory.join(JOURNAL), format!("its first line does not name {name}"))
        })
    }

    /// A file that the journal's first line names.
    fn file(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(expected) = self.files.get(name) else { return Ok(None) };
        let path = self.directory.join(name);
        // Only a plan grows with the cells.
        let read = if name == PLAN { read_up_to(&path, MAX_LARGE_BYTES) } else { read_small(&path) };
        let Some(bytes) = read? else {
            return Err(StoreError::damaged(&path, "the file is missing"));
        };
        let found = Digest::of(&bytes);
        if found != *expected {
            let what = format!("its digest is {}, the journal says {}", found.short(), expected.short());
            return Err(StoreError::damaged(&path, what));
        }
        Ok(Some(bytes))
    }
}

/// The first line of a journal, and the files that it names.
fn first_line_of(path: &Path, input: impl BufRead) -> Result<(Vec<u8>, BTreeMap<String, Digest>), StoreError> {
    let mut line = Vec::new();
    let read = input.take(MAX_LINE_BYTES).read_until(b'\n', &mut line);
    read.map_err(|error| StoreError::unreadable(path, error))?;
    let JournalSummary { files, .. } = JournalSummary::read(path, line.as_slice(), |_| {})?;
    Ok((line, files))
}

fn generation_of(directory: &Path) -> Result<Option<u32>, StoreError> {
    let path = directory.join(GENERATION);
    let Some(bytes) = read_small(&path)? else { return Ok(None) };
    let number = str::from_utf8(&bytes).ok().and_then(|text| text.trim_end().parse().ok());
    number.map(Some).ok_or_else(|| StoreError::damaged(&path, "it is no number"))
}

impl Store {
    /// The cells left to do of a run: of those that its plan executes, for their reasons, those without a result yet.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn left_of(
        &self,
        run: &Run,
        planned: impl Iterator<Item = (CellKey, Reason)>,
    ) -> Result<Vec<CellKey>, StoreError> {
        if let Some(generation) = run.generation {
            let keys: Vec<CellKey> = planned.filter(|(_, reason)| reason.runs()).map(|(key, _)| key).collect();
            let done = self.done_since(&keys, generation)?;
            return Ok(keys.into_iter().zip(done).filter(|(_, done)| !done).map(|(key, _)| key).collect());
        }
        let (fresh, others): (Vec<_>, Vec<_>) =
            planned.filter(|(_, reason)| reason.runs()).partition(|(_, reason)| *reason == Reason::Fresh);
        let mut done = HashSet::new();
        if !fresh.is_empty() {
            run.each_entry(|entry| {
                match entry.event.cell_state() {
                    Some((cell, JournalState::Done)) => drop(done.insert(cell)),
                    Some((cell, _)) => drop(done.remove(&cell)),
                    None => {}
                }
                Ok::<_, StoreError>(())
            })?;
        }
        let fresh = fresh.into_iter().map(|(key, _)| key).filter(|key| !done.contains(key));
        let keys: Vec<CellKey> = others.into_iter().map(|(key, _)| key).collect();
        let done = self.done(&keys)?;
        let missing = keys.iter().zip(done).filter(|(_, done)| !done).map(|(key, _)| *key);
        Ok(fresh.chain(missing).collect())
    }

    /// Opens a run.
    ///
    /// # Errors
    /// When there is none of that name, or its journal is damaged.
    pub fn run(&self, name: &str) -> Result<Run, StoreError> {
        self.read_run(name, |_| {})
    }

    /// The same, and gives each line of its journals to `take` as it is read: in order of time where there are several.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn read_run(&self, name: &str, take: impl FnMut(&JournalEntry)) -> Result<Run, StoreError> {
        let (id, directory) = self.find_run(name)?;
        Run::open(id, directory, take)
    }

    /// What a run was made of, whatever its journal says after its first line.
    ///
    /// # Errors
    /// When there is no run of that name, or the first line of its journal is damaged.
    pub fn run_documents(&self, name: &str) -> Result<RunDocuments, StoreError> {
        let (id, directory) = self.find_run(name)?;
        RunDocuments::open(id, directory)
    }

    fn find_run(&self, name: &str) -> Result<(RunId, PathBuf), StoreError> {
        if let Some(id) = name.parse::<RunId>().ok().filter(|id| self.is_run(id)) {
            let directory = self.layout.run(&id);
            return Ok((id, directory));
        }
        let known = self.runs()?.iter().map(ToString::to_string).collect();
        Err(StoreError::NoSuchRun { name: name.to_owned(), known })
    }
}

/// The digests of a run's files, by name.
fn digests(files: &[(&str, &[u8])]) -> BTreeMap<String, Digest> {
    files.iter().map(|&(name, bytes)| (name.to_owned(), Digest::of(bytes))).collect()
}

impl WritableStore {
    /// Makes a run, whole or not at all. If there is one of the same time and name, `-2` and so on is appended.
    ///
    /// # Errors
    /// When the name cannot be a file's, or the run cannot be written.
    pub fn create_run(&self, new: &NewRun<'_>) -> Result<(Run, Journal), StoreError> {
        let id = self.free_id(new)?;
        self.create_run_as(id, new, None)
    }

    /// The first name of a new run that nobody has.
    pub(crate) fn free_id(&self, new: &NewRun<'_>) -> Result<RunId, StoreError> {
        let name: String = new.name.chars().take(NAME_MAX).collect();
        let stem = format!("{}-{name}", new.time);
        let mut id: RunId = stem.parse()?;
        for number in 2.. {
            if !self.shared.layout.run(&id).exists() && !self.shared.layout.claims_of(&id).exists() {
                break;
            }
            id = format!("{stem}-{number}").parse()?;
        }
        Ok(id)
    }

    pub(crate) fn create_run_as(
        &self,
        id: RunId,
        new: &NewRun<'_>,
        generation: Option<u32>,
    ) -> Result<(Run, Journal), StoreError> {
        let mut files = vec![(EXPERIMENT, new.experiment), (PLAN, new.plan)];
        files.extend(new.model.map(|model| (MODEL, model)));
        let (first_line, _) = journal::first_line(digests(&files))?;
        files.push((JOURNAL, first_line.as_bytes()));
        // It says how the results lie in this store, and is no part of what the run is elsewhere.
        let generation = generation.map(|generation| format!("{generation}\n"));
        files.extend(generation.as_ref().map(|text| (GENERATION, text.as_bytes())));

        let run = {
            let directory = self.make_run(&id, |folder| self.write_files(folder, &files))?;
            Run::open(id, directory, |_| {})?
        };
        let journal = self.journal(&run);
        Ok((run, journal))
    }

    /// Makes a run that exists elsewhere, whole or not at all: its journal and the files that the journal's first line
    /// names, byte for byte.
    ///
    /// # Errors
    /// When there is a run of that name, a file is not what the journal's first line says, or the run cannot be written.
    pub fn import_run(&self, id: RunId, run: ImportedRun<'_>) -> Result<(), StoreError> {
        let directory = self.shared.layout.run(&id);
        if directory.exists() {
            return Err(StoreError::Rejected(Rejection::RunExists(id)));
        }
        let mut journal = BufReader::with_capacity(128 << 10, run.journal);
        let (first, named) = first_line_of(&directory.join(JOURNAL), &mut journal)?;
        let mut files = vec![(EXPERIMENT, run.experiment), (PLAN, run.plan)];
        files.extend(run.model.map(|model| (MODEL, model)));
        if named != digests(&files) {
            return Err(StoreError::damaged(&directory.join(JOURNAL), "its first line names other files"));
        }
        self.make_run(&id, |folder| {
            self.write_files(folder, &files)?;
            let path = folder.join(JOURNAL);
            let fail = |error| StoreError::io("writing", &path, error);
            let mut file = self.shared.fs.create(&path).map_err(fail)?;
            file.write_all(&first).map_err(fail)?;
            io::copy(&mut journal, &mut file).map_err(fail)?;
            file.sync().map_err(fail)
        })
        .map(drop)
    }

    fn write_files(&self, folder: &Path, files: &[(&str, &[u8])]) -> Result<(), StoreError> {
        files.iter().try_for_each(|(name, bytes)| {
            let path = folder.join(name);
            self.shared.write_synced(&path, bytes).map_err(|error| StoreError::io("writing", &path, error))
        })
    }

    /// Makes a run of the files that `write` puts into a folder, whole or not at all. Its directory.
    pub(crate) fn make_run(
        &self,
        id: &RunId,
        write: impl FnOnce(&Path) -> Result<(), StoreError>,
    ) -> Result<PathBuf, StoreError> {
        self.shared.begin()?;
        let temp = self.shared.temp();
        self.shared.ensure_dir(&temp)?;
        write(&temp)?;
        self.shared.sync_dir(&temp)?;
        let directory = self.shared.layout.run(id);
        self.shared.ensure_dir(&self.shared.layout.runs())?;
        self.shared.fs.rename(&temp, &directory).map_err(|error| StoreError::io("writing", &directory, error))?;
        self.shared.sync_dir(&self.shared.layout.runs())?;
        Ok(directory)
    }

    /// Opens the journal of a run to write on. If its last line is incomplete, the first write cuts it off.
    #[must_use]
    pub fn journal(&self, run: &Run) -> Journal {
        Journal::open(Arc::clone(&self.shared), run.directory.join(JOURNAL), run.main_end())
    }

    /// Makes this runner's own journal of a run that others made.
    pub(crate) fn own_journal(&self, run: &Run) -> Result<Journal, StoreError> {
        let path = run.directory.join(joined_journal(&self.shared.runner_id()));
        let (first_line, end) = journal::first_line(run.journal.files.clone())?;
        self.shared.write_file(&path, first_line.as_bytes())?;
        Ok(Journal::open(Arc::clone(&self.shared), path, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_experiment_that_is_damaged_is_no_text_of_an_experiment_and_is_not_read_without_end() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open_for_writing(folder.path(), "test").unwrap();
        let new = NewRun { time: "20261122T130000Z", name: "n", experiment: b"text", model: None, plan: b"{}" };
        let (run, _) = store.create_run(&new).unwrap();
        assert!(run.has_experiment(b"text").unwrap() && !run.has_experiment(b"other").unwrap());
        let file = std::fs::File::create(run.directory().join(EXPERIMENT)).unwrap();
        assert!(!run.has_experiment(b"text").unwrap());
        file.set_len(crate::sealed::MAX_JSON_BYTES + 2).unwrap();
        let error = run.experiment().unwrap_err().to_string();
        assert!(error.contains("it has more than"), "{error}");
    }
}
