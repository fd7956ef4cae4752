//! Runs: an experiment, its plan, and the journal of its execution.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use matrix_core::{CellKey, Reason};

use crate::digest::Digest;
use crate::error::{Rejection, StoreError};
use crate::journal::{self, End, Journal, JournalState, JournalText};
use crate::layout::{EXPERIMENT, GENERATION, JOURNAL, MODEL, PLAN, is_joined_journal};
use crate::listing::list;
use crate::names::RunId;
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
#[derive(Clone, Copy, Debug)]
pub struct ImportedRun<'a> {
    /// The experiment, byte for byte.
    pub experiment: &'a [u8],
    /// The model, byte for byte, if the run has one.
    pub model: Option<&'a [u8]>,
    /// The plan, byte for byte.
    pub plan: &'a [u8],
    /// The journal, byte for byte.
    pub journal: &'a [u8],
}

/// Most characters of an experiment's name in a run's: a bundle's archive has 155 bytes for the folders of a path.
const NAME_MAX: usize = 64;

/// What a run of the store was made of: its experiment, plan and model. Of its journal no more than the first line is read.
#[derive(Clone, Debug)]
pub struct RunDocuments {
    id: RunId,
    directory: PathBuf,
    /// The digests of its files, by name.
    files: Option<BTreeMap<String, Digest>>,
}

/// A run of the store: `runs/<time>-<name>/`.
#[derive(Clone, Debug)]
pub struct Run {
    documents: RunDocuments,
    /// Where the journal of the runner that made it ends.
    main: End,
    /// What all its runners say.
    journal: JournalText,
    is_joined: bool,
    generation: Option<u32>,
}

impl Deref for Run {
    type Target = RunDocuments;
    fn deref(&self) -> &RunDocuments {
        &self.documents
    }
}

impl Run {
    pub(crate) fn open(id: RunId, directory: PathBuf) -> Result<Self, StoreError> {
        let path = directory.join(JOURNAL);
        let Some(mut journal) = JournalText::read(&path)? else {
            return Err(StoreError::damaged(&path, "the journal is missing"));
        };
        let main = journal.end().clone();
        let mut others = Vec::new();
        for item in list(&directory)? {
            let Some(name) = item.file().filter(|name| is_joined_journal(name)) else { continue };
            others.extend(JournalText::read(&directory.join(name))?);
        }
        let is_joined = !others.is_empty();
        if is_joined {
            others.insert(0, journal);
            journal = JournalText::united(&others);
        }
        let generation = generation_of(&directory)?;
        let documents = RunDocuments { id, directory, files: journal.files().cloned() };
        Ok(Self { documents, main, journal, is_joined, generation })
    }

    /// The generation of the results that it makes, where it replaces those that are there. A run that had the store alone has none, and wrote
    /// over them.
    #[must_use]
    pub fn generation(&self) -> Option<u32> {
        self.generation
    }

    /// The journal as one file: byte for byte where one runner wrote it, without a line that a killed process left incomplete.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn journal_bytes(&self) -> Result<Vec<u8>, StoreError> {
        if self.is_joined {
            return self.journal.render();
        }
        let path = self.directory.join(JOURNAL);
        let file = open_plain(&path)?.ok_or_else(|| StoreError::damaged(&path, "the journal is missing"))?;
        let mut bytes = Vec::with_capacity(usize::try_from(self.main.bytes).unwrap_or_default());
        // What was written since the run was opened belongs to nothing else that is known of it.
        let read = file.take(self.main.bytes).read_to_end(&mut bytes);
        read.map_err(|error| StoreError::io("reading", &path, error))?;
        Ok(bytes)
    }

    /// The journal, as it was when the run was opened.
    #[must_use]
    pub fn journal(&self) -> &JournalText {
        &self.journal
    }

    /// The same, without the run.
    #[must_use]
    pub fn into_journal(self) -> JournalText {
        self.journal
    }
}

impl RunDocuments {
    fn open(id: RunId, directory: PathBuf) -> Result<Self, StoreError> {
        let path = directory.join(JOURNAL);
        let Some(first) = JournalText::read_first_line(&path)? else {
            return Err(StoreError::damaged(&path, "the journal is missing"));
        };
        Ok(Self { id, directory, files: first.files().cloned() })
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
        let Some(expected) = self.files.as_ref().and_then(|files| files.get(name)) else { return Ok(None) };
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
        let states = run.journal().cell_states();
        let (fresh, others): (Vec<_>, Vec<_>) =
            planned.filter(|(_, reason)| reason.runs()).partition(|(_, reason)| *reason == Reason::Fresh);
        let fresh = fresh.into_iter().map(|(key, _)| key).filter(|key| states.get(key) != Some(&JournalState::Done));
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
        let (id, directory) = self.find_run(name)?;
        Run::open(id, directory)
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
        let digests: BTreeMap<String, Digest> =
            files.iter().map(|&(name, bytes)| (name.to_owned(), Digest::of(bytes))).collect();
        let first_line = journal::first_line(digests)?;
        files.push((JOURNAL, first_line.as_bytes()));
        // It says how the results lie in this store, and is no part of what the run is elsewhere.
        let generation = generation.map(|generation| format!("{generation}\n"));
        files.extend(generation.as_ref().map(|text| (GENERATION, text.as_bytes())));

        let run = {
            let directory = self.write_run(&id, &files)?;
            Run::open(id, directory)?
        };
        let journal = self.journal(&run);
        Ok((run, journal))
    }

    /// Makes a run that exists elsewhere, whole or not at all: its journal and the files that the journal's first line
    /// names, byte for byte.
    ///
    /// # Errors
    /// When there is a run of that name, a file is not what the journal's first line says, or the run cannot be written.
    pub fn import_run(&self, id: RunId, run: &ImportedRun<'_>) -> Result<(), StoreError> {
        let directory = self.shared.layout.run(&id);
        if directory.exists() {
            return Err(StoreError::Rejected(Rejection::RunExists(id)));
        }
        // Whoever has the journal has read it.
        let first = run.journal.split_inclusive(|&byte| byte == b'\n').next().unwrap_or_default();
        let text = JournalText::parse(&directory.join(JOURNAL), first)?;
        let mut files = vec![(EXPERIMENT, run.experiment), (PLAN, run.plan)];
        files.extend(run.model.map(|model| (MODEL, model)));
        let digests: BTreeMap<String, Digest> =
            files.iter().map(|&(name, bytes)| (name.to_owned(), Digest::of(bytes))).collect();
        if text.files() != Some(&digests) {
            return Err(StoreError::damaged(&directory.join(JOURNAL), "its first line names other files"));
        }
        files.push((JOURNAL, run.journal));
        self.write_run(&id, &files).map(drop)
    }

    /// Makes a run of these files, whole or not at all. Its directory.
    fn write_run(&self, id: &RunId, files: &[(&str, &[u8])]) -> Result<PathBuf, StoreError> {
        self.make_run(id, |folder| {
            files.iter().try_for_each(|(name, bytes)| {
                let path = folder.join(name);
                self.shared.write_synced(&path, bytes).map_err(|error| StoreError::io("writing", &path, error))
            })
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
        Journal::open(Arc::clone(&self.shared), run.directory.join(JOURNAL), run.main.clone())
    }

    /// Makes this runner's own journal of a run that others made.
    pub(crate) fn own_journal(&self, run: &Run) -> Result<Journal, StoreError> {
        let path = run.directory.join(format!("journal-{}.jsonl", self.shared.runner_id()));
        let first_line = journal::first_line(run.journal.files().cloned().unwrap_or_default())?;
        self.shared.write_file(&path, first_line.as_bytes())?;
        let text = JournalText::parse(&path, first_line.as_bytes())?;
        Ok(Journal::open(Arc::clone(&self.shared), path, text.end().clone()))
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
