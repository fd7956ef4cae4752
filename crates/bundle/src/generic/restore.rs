//! From a bundle of format 3 back to a store.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

use matrix_store::generic::is_generic;
use matrix_store::{
    AttemptId, Digest, GenericAttempt, GenericRecord, ImportedRun, JournalSummary, RunId, Sealed, WritableStore,
};

use super::FORMAT;
use super::payload::LeftOut;
use crate::bag::{AGENT_FIELD, BAG_INFO};
use crate::beginning::format_of;
use crate::error::{BundleError, Refusal};
use crate::extraction::Extraction;
use crate::extras::Extras;
use crate::files::Files;
use crate::layout::BundlePath;
use crate::limits::Limits;
use crate::new_directory::NewDirectory;
use crate::packed::Packed;
use crate::reader::BundleReader;
use crate::{json, restore};

/// What came out of a bundle besides its store.
#[derive(Clone, Debug, Default)]
pub struct GenericRestored {
    /// Its digest and size.
    pub sha256: Option<(Digest, u64)>,
    /// What the bag says of itself.
    pub info: BTreeMap<String, String>,
    /// The bag's folder.
    pub folder: String,
    /// `bag-info.txt`, byte for byte.
    pub bag_info: Vec<u8>,
    /// `ro-crate-metadata.json`, byte for byte.
    pub metadata: Vec<u8>,
    /// The files of the payload.
    pub payload: Files,
    /// Bytes of the payload.
    pub payload_bytes: u64,
    /// What its maker put beside the results.
    pub extras: Extras,
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

/// Whether a file is a bundle of format 3. Of any other file, no more is read than what says so.
///
/// # Errors
/// When it cannot be read, or does not begin as a bundle does.
pub fn is_generic_bundle(path: &Path, limits: Limits) -> Result<bool, BundleError> {
    let file = File::open(path).map_err(BundleError::path(format!("opening {}", path.display())))?;
    if format_of(file, limits)?.as_deref() != Some(FORMAT) {
        return Ok(false);
    }
    BundleReader::open(path, limits).map(|_| true)
}

/// Unpacks a bundle: `target` becomes the bag, whole or not at all, when every byte has been checked.
///
/// # Errors
/// As for [`restore_generic`].
pub fn extract_generic(mut reader: BundleReader, target: &Path, extraction: Extraction) -> Result<(), BundleError> {
    let directory = NewDirectory::begin(target)?;
    extraction.begin(&mut reader, directory.path())?;
    while let Some(entry) = reader.next_entry()? {
        place_of(&entry.path)?;
        reader.finish_entry()?;
    }
    directory.finish()
}

/// The place of a file that these bundles have.
fn place_of(path: &str) -> Result<BundlePath, BundleError> {
    let place = BundlePath::of(path).filter(BundlePath::is_of_programs);
    place.ok_or_else(|| BundleError::Refused { place: Some(path.to_owned()), offset: 0, why: Refusal::UnknownPlace })
}

/// Makes a store of a bundle. Nothing that is in it is run, and every byte is compared with a digest.
///
/// # Errors
/// When `target` exists and is not an empty directory, the bundle is not what it should be, or the store cannot be
/// written.
pub fn restore_generic(mut reader: BundleReader, target: &Path) -> Result<GenericRestored, BundleError> {
    let directory = NewDirectory::begin(target)?;
    let store = restore::open(&directory.path())?;
    let mut restored = GenericRestored {
        info: reader.info().clone(),
        folder: reader.folder().to_owned(),
        bag_info: reader.tags().get(BAG_INFO).cloned().unwrap_or_default(),
        ..GenericRestored::default()
    };
    let mut parts = Parts::default();
    while let Some(entry) = reader.next_entry()? {
        let refuse = |why| BundleError::Refused { place: Some(entry.path.clone()), offset: 0, why };
        let place = place_of(&entry.path)?;
        if place.promised().is_some_and(|promised| promised != entry.digest) {
            return Err(refuse(Refusal::Contents("it is named by another digest than its own".to_owned())));
        }
        match place {
            BundlePath::Object(digest) | BundlePath::Output(digest) => {
                restore::keep_object(&mut reader, digest, &store)?;
                continue;
            }
            BundlePath::Source(..) => {
                reader.finish_entry()?;
                continue;
            }
            BundlePath::Binary => {
                restored.binary = Some(entry.digest);
                reader.finish_entry()?;
                continue;
            }
            _ => {}
        }
        if let Some(max) = place.max_bytes_of_programs(&reader.limits()).filter(|max| entry.size > *max) {
            return Err(refuse(Refusal::FileTooLarge { bytes: entry.size, max }));
        }
        parts.hold(entry.size, &reader).map_err(refuse)?;
        let bytes = reader.read_whole()?;
        if place == BundlePath::Metadata {
            restored.metadata = bytes;
            continue;
        }
        if matches!(place, BundlePath::Record(..) | BundlePath::Attempt(_)) {
            parts.hold(json::memory(&bytes).saturating_sub(entry.size), &reader).map_err(refuse)?;
        }
        parts.take(place, &entry.path, bytes, &mut restored.extras)?;
    }
    restored.payload_bytes = reader.payload_bytes();
    restored.sha256 = reader.end();
    restored.payload = reader.take_files();
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
    plans: BTreeMap<Digest, Packed>,
    journals: Vec<(RunId, String, Packed)>,
    left_out: BTreeSet<AttemptId>,
}

impl Parts {
    /// Counts memory that is needed until the end.
    fn hold(&mut self, bytes: u64, reader: &BundleReader) -> Result<(), Refusal> {
        self.memory = self.memory.saturating_add(bytes);
        let max = reader.limits().max_memory_bytes;
        if self.memory > max { Err(Refusal::TooMuchMemory { max }) } else { Ok(()) }
    }

    fn take(&mut self, place: BundlePath, path: &str, bytes: Vec<u8>, extras: &mut Extras) -> Result<(), BundleError> {
        let bad = |what: String| BundleError::contents(path, what);
        let of_file = |error| BundleError::of_file(path, error);
        let packed = |bytes: &[u8]| Packed::of(bytes).map_err(BundleError::io("compressing a run"));
        if matches!(place, BundlePath::Record(..) | BundlePath::Attempt(_) | BundlePath::Plan(_) | BundlePath::LeftOut)
        {
            json::check_depth(&bytes).map_err(bad)?;
        }
        if matches!(place, BundlePath::Record(..) | BundlePath::Attempt(_)) && !is_generic(&bytes) {
            return Err(bad("it is not of schema 3".to_owned()));
        }
        match place {
            BundlePath::Record(key, origin) => {
                let record = GenericRecord::from_bytes(path.as_ref(), &bytes).map_err(of_file)?;
                if (record.key, &record.origin) != (key, &origin) {
                    return Err(bad("it is the record of another cell or origin".to_owned()));
                }
                self.records.push((path.to_owned(), record));
            }
            BundlePath::Attempt(id) => {
                let attempt = GenericAttempt::from_bytes(path.as_ref(), &bytes).map_err(of_file)?;
                if attempt.id != id {
                    return Err(bad(format!("it is the attempt {}", attempt.id)));
                }
                self.attempts.push((path.to_owned(), attempt));
            }
            BundlePath::Experiment(digest) => drop(self.experiments.insert(digest, bytes)),
            BundlePath::Plan(digest) => drop(self.plans.insert(digest, packed(&bytes)?)),
            BundlePath::Journal(run, _) => self.journals.push((run, path.to_owned(), packed(&bytes)?)),
            BundlePath::LeftOut => {
                let found: LeftOut = serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
                self.left_out = found.attempts;
            }
            BundlePath::Cells => extras.cells = bytes,
            place => extras.take(place, bytes),
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
            let of_file = |error| BundleError::of_file(path, error);
            let open = || journal.open().map_err(BundleError::io("unpacking a run"));
            let JournalSummary { files, .. } = JournalSummary::read(path.as_ref(), open()?, |_| {}).map_err(of_file)?;
            let missing = |name: &str| BundleError::contents(path, format!("its {name} is missing"));
            let experiment = files.get("experiment.toml").and_then(|digest| self.experiments.get(digest));
            let experiment = experiment.ok_or_else(|| missing("experiment.toml"))?;
            let plan = files.get("plan.json").and_then(|digest| self.plans.get(digest));
            let plan = plan.ok_or_else(|| missing("plan.json"))?.bytes().map_err(BundleError::io("unpacking a run"))?;
            let imported = ImportedRun { experiment, model: None, plan: &plan, journal: &mut open()? };
            store.import_run(run.clone(), imported).map_err(of_file)?;
            runs.push(run.clone());
        }
        Ok(runs)
    }
}
