//! From a bundle of format 3 back to a store.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use matrix_store::generic::is_generic;
use matrix_store::{
    AttemptId, Digest, GenericAttempt, GenericRecord, ImportedRun, JournalText, RunId, Sealed, WritableStore,
};

use super::FORMAT;
use super::payload::{GenericExtras, LeftOut};
use crate::bag::{AGENT_FIELD, BINARY, REPORT};
use crate::error::{BundleError, Refusal};
use crate::extraction::Extraction;
use crate::limits::Limits;
use crate::new_directory::NewDirectory;
use crate::reader::BundleReader;
use crate::{json, restore};

/// What came out of a bundle besides its store.
#[derive(Clone, Debug, Default)]
pub struct GenericRestored {
    /// Its digest and size.
    pub sha256: Option<(Digest, u64)>,
    /// What the bag says of itself.
    pub info: BTreeMap<String, String>,
    /// Files of the payload.
    pub files: u64,
    /// Bytes of the payload.
    pub payload_bytes: u64,
    /// What its maker put beside the results.
    pub extras: GenericExtras,
    /// The digest of the program that was put in, if one was.
    pub binary: Option<Digest>,
    /// The runs that are in it.
    pub runs: Vec<RunId>,
}

impl GenericRestored {
    /// What made the bundle, as it says.
    #[must_use]
    pub fn made_by(&self) -> String {
        let name = self.info.get(AGENT_FIELD).map_or("an unknown program", String::as_str);
        name.chars().filter(|c| !c.is_control()).take(80).collect()
    }
}

/// Whether a file is a bundle of format 3, as it says at its beginning.
///
/// # Errors
/// When it cannot be read, or is no bundle at all.
pub fn is_generic_bundle(path: &Path, limits: Limits) -> Result<bool, BundleError> {
    Ok(BundleReader::open(path, limits)?.info().get("Matrix-Bundle-Format").map(String::as_str) == Some(FORMAT))
}

/// Unpacks a bundle: `target` becomes the bag, whole or not at all, when every byte has been checked.
///
/// # Errors
/// As for [`restore_generic`].
pub fn extract_generic(mut reader: BundleReader, target: &Path, extraction: Extraction) -> Result<(), BundleError> {
    let directory = NewDirectory::begin(target)?;
    extraction.begin(&mut reader, directory.path())?;
    while let Some(entry) = reader.next_entry()? {
        if Known::of(&entry.path).is_none() {
            return Err(BundleError::Refused { place: Some(entry.path), offset: 0, why: Refusal::UnknownPlace });
        }
        reader.finish_entry()?;
    }
    directory.finish()
}

/// What a path of the payload is.
enum Known {
    Rows(Digest),
    Output(Digest),
    Record,
    Attempt,
    Experiment(Digest),
    Plan(Digest),
    Journal(RunId, Digest),
    Table(String),
    Figure(String),
    Source,
    Report,
    Binary,
    LeftOut,
    Other,
}

impl Known {
    fn of(path: &str) -> Option<Self> {
        match path {
            REPORT => return Some(Self::Report),
            BINARY => return Some(Self::Binary),
            _ => {}
        }
        let path = path.strip_prefix("data/")?;
        if path == "left-out.json" {
            return Some(Self::LeftOut);
        }
        let Some((folder, name)) = path.split_once('/') else {
            return ["README.md", "LICENSE", "CITATION.cff", "cells.csv", "ro-crate-metadata.json"]
                .contains(&path)
                .then_some(Self::Other);
        };
        let digest = |end: &str| name.strip_suffix(end)?.parse::<Digest>().ok();
        Some(match folder {
            "objects" => Self::Rows(digest(".csv")?),
            "outputs" => Self::Output(digest("")?),
            "records" => Self::Record,
            "attempts" => Self::Attempt,
            "experiments" => Self::Experiment(digest(".toml")?),
            "plans" => Self::Plan(digest(".json")?),
            "runs" => {
                let (run, digest) = name.strip_suffix(".jsonl")?.split_once('/')?;
                Self::Journal(run.parse().ok()?, digest.parse().ok()?)
            }
            "tables" => Self::Table(name.to_owned()),
            "figures" => Self::Figure(name.to_owned()),
            "source" => Self::Source,
            _ => return None,
        })
    }
}

/// Makes a store of a bundle. Nothing that is in it is run, and every byte is compared with a digest.
///
/// # Errors
/// When `target` exists and is not an empty directory, the bundle is not what it should be, or the store cannot be
/// written.
pub fn restore_generic(mut reader: BundleReader, target: &Path) -> Result<GenericRestored, BundleError> {
    let directory = NewDirectory::begin(target)?;
    let store = restore::open(&directory.path())?;
    let mut restored = GenericRestored { info: reader.info().clone(), ..GenericRestored::default() };
    let mut parts = Parts::default();
    while let Some(entry) = reader.next_entry()? {
        let refuse = |why| BundleError::Refused { place: Some(entry.path.clone()), offset: 0, why };
        let known = Known::of(&entry.path).ok_or_else(|| refuse(Refusal::UnknownPlace))?;
        restored.files += 1;
        let promised = match &known {
            Known::Rows(digest) | Known::Output(digest) => {
                if *digest != entry.digest {
                    return Err(refuse(Refusal::Contents("it is named by another digest than its own".to_owned())));
                }
                restore::keep_object(&mut reader, *digest, &store)?;
                continue;
            }
            Known::Source | Known::Binary => {
                if matches!(known, Known::Binary) {
                    restored.binary = Some(entry.digest);
                }
                reader.finish_entry()?;
                continue;
            }
            Known::Experiment(digest) | Known::Plan(digest) | Known::Journal(_, digest) => Some(*digest),
            _ => None,
        };
        if promised.is_some_and(|promised| promised != entry.digest) {
            return Err(refuse(Refusal::Contents("it is named by another digest than its own".to_owned())));
        }
        parts.memory = parts.memory.saturating_add(entry.size);
        let max = reader.limits().max_memory_bytes;
        if parts.memory > max {
            return Err(refuse(Refusal::TooMuchMemory { max }));
        }
        let bytes = reader.read_whole()?;
        parts.take(known, &entry.path, bytes, &mut restored.extras)?;
    }
    restored.payload_bytes = reader.payload_bytes();
    restored.sha256 = reader.end();
    restored.runs = parts.write(&store)?;
    store.close()?;
    directory.finish()?;
    Ok(restored)
}

/// The small files of a bundle.
#[derive(Default)]
struct Parts {
    memory: u64,
    records: Vec<(String, GenericRecord)>,
    attempts: Vec<(String, GenericAttempt)>,
    experiments: BTreeMap<Digest, Vec<u8>>,
    plans: BTreeMap<Digest, Vec<u8>>,
    journals: Vec<(RunId, String, Vec<u8>)>,
    left_out: BTreeSet<AttemptId>,
}

impl Parts {
    fn take(
        &mut self,
        known: Known,
        path: &str,
        bytes: Vec<u8>,
        extras: &mut GenericExtras,
    ) -> Result<(), BundleError> {
        let bad = |what: String| BundleError::contents(path, what);
        let of_file = |error| BundleError::of_file(path, error);
        match known {
            Known::Record | Known::Attempt => {
                json::check_depth(&bytes).map_err(bad)?;
                if !is_generic(&bytes) {
                    return Err(bad("it is not of schema 3".to_owned()));
                }
                if matches!(known, Known::Record) {
                    let record = GenericRecord::from_bytes(path.as_ref(), &bytes).map_err(of_file)?;
                    if path != format!("data/records/{}/{}.json", record.key, record.origin) {
                        return Err(bad("it is the record of another cell or origin".to_owned()));
                    }
                    self.records.push((path.to_owned(), record));
                } else {
                    let attempt = GenericAttempt::from_bytes(path.as_ref(), &bytes).map_err(of_file)?;
                    if path != format!("data/attempts/{}.json", attempt.id) {
                        return Err(bad(format!("it is the attempt {}", attempt.id)));
                    }
                    self.attempts.push((path.to_owned(), attempt));
                }
            }
            Known::Experiment(digest) => drop(self.experiments.insert(digest, bytes)),
            Known::Plan(digest) => {
                json::check_depth(&bytes).map_err(bad)?;
                self.plans.insert(digest, bytes);
            }
            Known::Journal(run, _) => self.journals.push((run, path.to_owned(), bytes)),
            Known::Table(name) => drop(extras.tables.insert(name, bytes)),
            Known::Figure(name) => drop(extras.figures.insert(name, bytes)),
            Known::Report => extras.report = bytes,
            Known::Other => match path {
                "data/README.md" => extras.readme = bytes,
                "data/LICENSE" => extras.license = bytes,
                "data/CITATION.cff" => extras.citation = bytes,
                "data/cells.csv" => extras.cells = bytes,
                _ => {}
            },
            Known::LeftOut => {
                json::check_depth(&bytes).map_err(bad)?;
                let found: LeftOut = serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
                self.left_out = found.attempts;
            }
            Known::Rows(_) | Known::Output(_) | Known::Source | Known::Binary => {}
        }
        Ok(())
    }

    fn write(self, store: &WritableStore) -> Result<Vec<RunId>, BundleError> {
        for (path, record) in &self.records {
            store.write_record(record).map_err(|error| BundleError::of_file(path, error))?;
        }
        let (records, attempts) = (
            self.records.iter().filter_map(|(_, record)| record.digest()),
            self.attempts.iter().map(|(_, attempt)| attempt.id.clone()),
        );
        store.write_received(records, attempts, self.left_out.clone())?;
        for (path, attempt) in &self.attempts {
            store.write_attempt(attempt).map_err(|error| BundleError::of_file(path, error))?;
        }
        let mut runs = Vec::new();
        for (run, path, journal) in &self.journals {
            let bad = |what: &str| BundleError::contents(path, what.to_owned());
            let text = JournalText::parse(path.as_ref(), journal).map_err(|error| BundleError::of_file(path, error))?;
            let files = text.files().ok_or_else(|| bad("its first line names no files"))?;
            let find = |name: &str, from: &BTreeMap<Digest, Vec<u8>>| {
                files
                    .get(name)
                    .and_then(|digest| from.get(digest))
                    .cloned()
                    .ok_or_else(|| bad(&format!("its {name} is missing")))
            };
            let experiment = find("experiment.toml", &self.experiments)?;
            let plan = find("plan.json", &self.plans)?;
            let imported = ImportedRun { experiment: &experiment, model: None, plan: &plan, journal };
            store.import_run(run.clone(), &imported)?;
            runs.push(run.clone());
        }
        Ok(runs)
    }
}
