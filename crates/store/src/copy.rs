//! Copying what a store lacks from another one.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::StoreError;
use crate::journal::JournalText;
use crate::layout::{JOURNAL, is_joined_journal};
use crate::listing::list;
use crate::names::RunId;
use crate::sealed::{MAX_LARGE_BYTES, read_small, read_up_to};
use crate::store::Store;
use crate::trace;
use crate::writable::WritableStore;

/// What was copied.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Copied {
    /// Objects.
    pub objects: usize,
    /// Attempts.
    pub attempts: usize,
    /// Records.
    pub records: usize,
    /// Runs that are new, or whose journals have new lines.
    pub runs: usize,
    /// Files that both stores have and that differ, relative to the store: they stay as they were.
    #[serde(serialize_with = "lossy_paths")]
    pub differing: Vec<PathBuf>,
}

fn lossy_paths<S: serde::Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(paths.iter().map(|path| path.to_string_lossy()))
}

/// The files of a run, as they were read at one time.
struct RunFiles {
    id: RunId,
    files: Vec<(String, Vec<u8>)>,
}

impl WritableStore {
    /// Copies what this store lacks from another one: objects, attempts, records and runs, in this order. Interrupted, it can be called
    /// again. The other store may be written meanwhile.
    ///
    /// # Errors
    /// When something there is damaged, or this store cannot be written.
    pub fn copy_missing(&self, from: &Store) -> Result<Copied, StoreError> {
        let mut copied = Copied::default();
        // What journals name is there when they say it.
        let runs = runs_of(from)?;
        for digest in from.objects()? {
            if !self.layout.object(&digest).exists() {
                trace::write_object(&self.shared, &digest, &mut from.open_object(&digest)?)?;
                copied.objects += 1;
            }
        }
        for id in from.attempts()? {
            let path = from.layout.attempt(&id);
            let Some(bytes) = read_small(&path)? else { continue };
            from.attempt_head(&id)?;
            copied.attempts += usize::from(self.copy(from, &path, &bytes, &mut copied.differing)?);
        }
        if from.has_generations() {
            self.keep_generations()?;
        }
        for (key, origins) in from.cells()? {
            for origin in origins {
                let generation = from.generation(&key, &origin)?;
                // A result that was replaced here stays replaced.
                let here = self.generations(&key)?.get(&origin).and_then(|generations| generations.last().copied());
                if here > generation {
                    continue;
                }
                let path = from.record_path(&key, &origin)?;
                let Some(bytes) = read_small(&path)? else { continue };
                from.record_head(&key, &origin)?;
                copied.records += usize::from(self.copy(from, &path, &bytes, &mut copied.differing)?);
            }
        }
        let (ours, theirs) = (self.received()?, from.received()?);
        if theirs != ours && theirs != crate::Received::default() {
            let attempts: BTreeSet<_> = ours.attempts.union(&theirs.attempts).cloned().collect();
            let here: BTreeSet<_> = self.attempts()?.into_iter().collect();
            let left_out = ours.left_out.union(&theirs.left_out).filter(|id| !here.contains(*id)).cloned().collect();
            self.write_received(ours.records.into_iter().chain(theirs.records), attempts, left_out)?;
        }
        for run in &runs {
            copied.runs += usize::from(self.copy_run(run, &mut copied.differing)?);
        }
        Ok(copied)
    }

    /// Copies a file, unless one is there. Whether it did.
    fn copy(&self, from: &Store, path: &Path, bytes: &[u8], differing: &mut Vec<PathBuf>) -> Result<bool, StoreError> {
        let relative = path.strip_prefix(&from.layout.root).unwrap_or(path);
        let here = self.layout.root.join(relative);
        match read_small(&here)? {
            Some(present) if present == bytes => {}
            Some(_) => differing.push(relative.to_owned()),
            None => {
                self.shared.write_file(&here, bytes)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Copies a run, or the lines that its journals have more. Whether there was something to copy.
    fn copy_run(&self, run: &RunFiles, differing: &mut Vec<PathBuf>) -> Result<bool, StoreError> {
        let folder = self.layout.run(&run.id);
        if !folder.exists() {
            let files: Vec<(&str, &[u8])> =
                run.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
            self.write_run(&run.id, &files)?;
            return Ok(true);
        }
        let mut changed = false;
        for (name, bytes) in &run.files {
            let here = folder.join(name);
            let present = read_up_to(&here, MAX_LARGE_BYTES)?;
            let is_journal = name == JOURNAL || is_joined_journal(name);
            match present {
                None => {}
                Some(present) if is_journal && present.starts_with(bytes) => continue,
                // It has lines more than here, where perhaps a killed process left an incomplete one.
                Some(present) if is_journal && bytes.starts_with(whole(&here, &present)?) => {}
                Some(present) if present == *bytes => continue,
                Some(_) => {
                    differing.push(PathBuf::from("runs").join(run.id.as_str()).join(name));
                    continue;
                }
            }
            self.shared.write_file(&here, bytes)?;
            changed = true;
        }
        Ok(changed)
    }
}

/// The complete lines of a journal.
fn whole<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a [u8], StoreError> {
    let torn = usize::try_from(JournalText::parse(path, bytes)?.torn_bytes).unwrap_or(usize::MAX);
    Ok(&bytes[..bytes.len().saturating_sub(torn)])
}

fn runs_of(from: &Store) -> Result<Vec<RunFiles>, StoreError> {
    let mut runs = Vec::new();
    for id in from.all_runs()? {
        let folder = from.layout.run(&id);
        let mut files = Vec::new();
        for item in list(&folder)? {
            let Some(name) = item.file() else { continue };
            let path = folder.join(name);
            let bytes = std::fs::read(&path).map_err(|error: io::Error| StoreError::unreadable(&path, error))?;
            let bytes = match name == JOURNAL || is_joined_journal(name) {
                true => whole(&path, &bytes)?.to_vec(),
                false => bytes,
            };
            files.push((name.to_owned(), bytes));
        }
        // What its first line says of the other files is right.
        let run = from.run(id.as_str())?;
        run.experiment()?;
        run.plan()?;
        run.model()?;
        runs.push(RunFiles { id, files });
    }
    Ok(runs)
}
