//! Copying what a store lacks from another one.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Take, Write as _};
use std::path::{Path, PathBuf};

use matrix_core::CellKey;

use crate::error::StoreError;
use crate::journal;
use crate::layout::{JOURNAL, is_joined_journal};
use crate::listing::list;
use crate::names::{Origin, RunId};
use crate::plain::open_plain;
use crate::sealed::read_small;
use crate::shared::Shared;
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

/// What is copied of a run.
struct RunFiles {
    id: RunId,
    files: Vec<RunFile>,
}

/// A file of a run, and how many of its bytes are copied: of a journal, the lines that were complete when it was looked at.
struct RunFile {
    name: String,
    bytes: u64,
}

impl WritableStore {
    /// Copies what this store lacks from another one: objects, attempts, records and runs, in this order. Interrupted, it can be called
    /// again. The other store may be written meanwhile: what is found there is looked up in the opposite order, so that whatever
    /// arrives comes with all that it names.
    ///
    /// # Errors
    /// When something there is damaged, or this store cannot be written.
    pub fn copy_missing(&self, from: &Store) -> Result<Copied, StoreError> {
        let mut copied = Copied::default();
        from.look_for_generations()?;
        let runs = runs_of(from)?;
        let records = records_of(from)?;
        let attempts = from.attempts()?;
        for digest in from.objects()? {
            if !self.layout.object(&digest).exists() {
                trace::write_object(&self.shared, &digest, &mut from.open_object(&digest)?)?;
                copied.objects += 1;
            }
        }
        for id in attempts {
            let path = from.layout.attempt(&id);
            let Some(bytes) = read_small(&path)? else { continue };
            from.attempt_head(&id)?;
            copied.attempts += usize::from(self.copy(from, &path, &bytes, &mut copied.differing)?);
        }
        if from.has_generations() {
            self.keep_generations()?;
        }
        for (key, origin, generation) in records {
            let path = from.layout.record_at(&key, &origin, generation);
            let Some(bytes) = read_small(&path)? else { continue };
            let here = self.generation(&key, &origin)?.filter(|here| *here != generation);
            let here = here.map(|here| (here, self.layout.record_at(&key, &origin, here)));
            if let Some((newest, here)) = here
                && let Some(ours) = read_small(&here)?
            {
                // A result that was replaced here stays replaced, and one that was replaced there is replaced here. But what was measured in
                // each store by itself, the other one has never had: that it has more generations makes it no better.
                let is_newer = newest > generation;
                let is_known = if is_newer {
                    self.has_record(&key, &origin, &bytes)?
                } else {
                    from.has_record(&key, &origin, &ours)?
                };
                if !is_known {
                    copied.differing.push(here.strip_prefix(&self.layout.root).unwrap_or(&here).to_owned());
                }
                if is_newer || !is_known {
                    continue;
                }
            }
            let Some(head) = from.record_head_at(&path, &key, &origin)? else { continue };
            if let Some(digest) = head.objects().find(|digest| !self.layout.object(digest).exists()) {
                // Who has that store alone wrote over the record meanwhile: it comes with the next copy, unless its object is gone.
                from.open_object(&digest)?;
                continue;
            }
            copied.records += usize::from(self.copy(from, &path, &bytes, &mut copied.differing)?);
        }
        let (ours, theirs) = (self.received()?, from.received()?);
        if theirs != ours && theirs != crate::Received::default() {
            let attempts: BTreeSet<_> = ours.attempts.union(&theirs.attempts).cloned().collect();
            let here: BTreeSet<_> = self.attempts()?.into_iter().collect();
            let left_out = ours.left_out.union(&theirs.left_out).filter(|id| !here.contains(*id)).cloned().collect();
            self.write_received(ours.records.into_iter().chain(theirs.records), attempts, left_out)?;
        }
        for run in &runs {
            copied.runs += usize::from(self.copy_run(from, run, &mut copied.differing)?);
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
    fn copy_run(&self, from: &Store, run: &RunFiles, differing: &mut Vec<PathBuf>) -> Result<bool, StoreError> {
        let (there, here) = (from.layout.run(&run.id), self.layout.run(&run.id));
        if !here.exists() {
            self.make_run(&run.id, |folder| {
                run.files.iter().try_for_each(|RunFile { name, bytes }| {
                    self.shared.copy_synced(&there.join(name), *bytes, &folder.join(name))
                })
            })?;
            return Ok(true);
        }
        let mut changed = false;
        for RunFile { name, bytes } in &run.files {
            let (there, here) = (there.join(name), here.join(name));
            if here.exists() {
                let common = common_bytes(&there, &here, *bytes)?;
                let (is_there, is_extended) = match is_journal(name) {
                    // It has lines more than here, where perhaps a killed process left an incomplete one.
                    true => (common == *bytes, common >= journal::complete_bytes(&here)?),
                    false => (common == *bytes && bytes_of(&here)? == *bytes, false),
                };
                if is_there {
                    continue;
                }
                if !is_extended {
                    differing.push(PathBuf::from("runs").join(run.id.as_str()).join(name));
                    continue;
                }
            }
            self.shared.make_file(&here, |temp| self.shared.copy_synced(&there, *bytes, temp))?;
            changed = true;
        }
        Ok(changed)
    }
}

impl Shared {
    /// Copies the first `bytes` bytes of a file, a piece at a time, and waits until they are on the disk.
    fn copy_synced(&self, from: &Path, bytes: u64, to: &Path) -> Result<(), StoreError> {
        let writing = |error| StoreError::io("writing", to, error);
        let mut source = open(from, bytes)?;
        let mut target = self.fs.create(to).map_err(writing)?;
        let mut left = bytes;
        loop {
            let piece = source.fill_buf().map_err(|error| StoreError::unreadable(from, error))?;
            let count = piece.len();
            if count == 0 {
                break;
            }
            target.write_all(piece).map_err(writing)?;
            source.consume(count);
            left = left.saturating_sub(count as u64);
        }
        if left > 0 {
            return Err(StoreError::damaged(from, format!("{left} of {bytes} bytes went while it was copied")));
        }
        target.sync().map_err(writing)
    }
}

/// Bytes of a file that are read at a time.
const PIECE: usize = 128 << 10;

fn open(path: &Path, most: u64) -> Result<BufReader<Take<File>>, StoreError> {
    let file = open_plain(path)?.ok_or_else(|| StoreError::damaged(path, "the file is missing"))?;
    Ok(BufReader::with_capacity(PIECE, file.take(most)))
}

fn bytes_of(path: &Path) -> Result<u64, StoreError> {
    std::fs::metadata(path).map(|metadata| metadata.len()).map_err(|error| StoreError::unreadable(path, error))
}

/// How many bytes two files begin with in common, `most` at most.
fn common_bytes(first: &Path, second: &Path, most: u64) -> Result<u64, StoreError> {
    let (mut ours, mut theirs) = (open(first, most)?, open(second, most)?);
    let mut common = 0;
    loop {
        let ours_now = ours.fill_buf().map_err(|error| StoreError::unreadable(first, error))?;
        let theirs_now = theirs.fill_buf().map_err(|error| StoreError::unreadable(second, error))?;
        let length = ours_now.len().min(theirs_now.len());
        let same = ours_now.iter().zip(theirs_now).take_while(|(ours, theirs)| ours == theirs).count();
        ours.consume(same);
        theirs.consume(same);
        common += same as u64;
        if length == 0 || same < length {
            return Ok(common);
        }
    }
}

fn is_journal(name: &str) -> bool {
    name == JOURNAL || is_joined_journal(name)
}

/// The records that count, with their generations: what is replaced later has another file.
fn records_of(from: &Store) -> Result<Vec<(CellKey, Origin, u32)>, StoreError> {
    let mut records = Vec::new();
    for (key, _) in from.cells()? {
        let highest = |(origin, generations): (Origin, Vec<u32>)| Some((key, origin, *generations.last()?));
        records.extend(from.generations(&key)?.into_iter().filter_map(highest));
    }
    Ok(records)
}

fn runs_of(from: &Store) -> Result<Vec<RunFiles>, StoreError> {
    let mut runs = Vec::new();
    for id in from.all_runs()? {
        let folder = from.layout.run(&id);
        let mut files = Vec::new();
        for item in list(&folder)? {
            let Some(name) = item.file() else { continue };
            let path = folder.join(name);
            let bytes = if is_journal(name) { journal::complete_bytes(&path)? } else { bytes_of(&path)? };
            files.push(RunFile { name: name.to_owned(), bytes });
        }
        // What the journal's first line says of the other files is right.
        let run = from.run_documents(id.as_str())?;
        run.experiment()?;
        run.plan()?;
        run.model()?;
        runs.push(RunFiles { id, files });
    }
    Ok(runs)
}
