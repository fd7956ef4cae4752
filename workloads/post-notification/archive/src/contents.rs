//! Everything that a bundle holds except the rows, read once from its beginning to its end.

use std::collections::BTreeMap;
use std::io::Read as _;

use matrix_bundle::container::dense;
use matrix_bundle::json;
use matrix_bundle::layout::BundlePath;
use matrix_bundle::limits::MAX_TEXTS;
use matrix_bundle::{BundleError, BundleInfo, BundleReader, Entry, Extras, Files, Limits, Packed, Refusal};
use matrix_store::{Digest, Sealed, StoreError, parallel};
use matrix_traces::{Attempt, Record};

use crate::deriver::DERIVER;
use crate::inventory::{Facts, Inventory};
use crate::{cells, deriver};

/// What is done with an object: the reader stands at its first byte.
pub(crate) type OnObject<'a> = dyn FnMut(&mut BundleReader, Digest, u64) -> Result<(), BundleError> + 'a;

/// What is done with a fault of one file: either the whole fails, or the fault is kept and reading goes on.
pub(crate) type OnFault<'a> = dyn FnMut(BundleError) -> Result<(), BundleError> + 'a;

/// A record or an attempt: where it is, its path in the bag, and its bytes.
type Unparsed = (BundlePath, String, Vec<u8>);

/// Bytes of records and attempts that are parsed together.
const TOGETHER: usize = 8 << 20;

enum Parsed {
    Record(Record),
    Attempt(Attempt),
}

/// Everything that a bundle holds except the rows.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) inventory: Inventory,
    pub(crate) extras: Extras,
    /// The files, by path in the bag.
    pub(crate) files: Files,
    pub(crate) payload_bytes: u64,
    /// The metadata and the list of cells, as they stand there.
    pub(crate) made: BTreeMap<String, Packed>,
    /// The version that its deriver says it has; nothing in a bundle that does not name it.
    named_deriver: Option<u32>,
    /// Records and attempts that were read and are not parsed yet.
    unparsed: Vec<Unparsed>,
    unparsed_bytes: usize,
    memory: u64,
    /// Bytes of experiments and models.
    texts: u64,
}

impl Contents {
    /// Reads a bundle to its end. With `keep_all`, tables, figures and sources are kept too.
    pub(crate) fn read(
        reader: &mut BundleReader,
        keep_all: bool,
        on_object: &mut OnObject<'_>,
        on_fault: &mut OnFault<'_>,
    ) -> Result<Self, BundleError> {
        let mut this = Self::default();
        reader.forget_manifest();
        let format = reader.info().get("Matrix-Bundle-Format").map(String::as_str).unwrap_or_default();
        if !crate::create::FORMATS.contains(&format) {
            let what = format!("not supported yet: results of programs (format {format}) here");
            let why = Refusal::Contents(what);
            return Err(BundleError::Refused { place: Some(matrix_bundle::bag::BAG_INFO.to_owned()), offset: 0, why });
        }
        loop {
            let entry = match reader.next_entry() {
                Ok(Some(entry)) => entry,
                Ok(None) => break,
                Err(error) => {
                    // What stands before it comes first.
                    this.parse(on_fault)?;
                    fault(error, on_fault)?;
                    continue;
                }
            };
            if let Err(error) = this.file(reader, &entry, keep_all, on_object) {
                this.parse(on_fault)?;
                fault(error, on_fault)?;
            }
            if this.unparsed_bytes > TOGETHER {
                this.parse(on_fault)?;
            }
        }
        this.parse(on_fault)?;
        let Inventory { records, attempts, .. } = &mut this.inventory;
        (*records, *attempts) = (dense(std::mem::take(records)), dense(std::mem::take(attempts)));
        this.payload_bytes = reader.payload_bytes();
        this.files = reader.take_files();
        Ok(this)
    }

    fn file(
        &mut self,
        reader: &mut BundleReader,
        entry: &Entry,
        keep_all: bool,
        on_object: &mut OnObject<'_>,
    ) -> Result<(), BundleError> {
        let refuse = |why| Err(BundleError::Refused { place: Some(entry.path.clone()), offset: 0, why });
        let Some(place) = BundlePath::of(&entry.path).filter(BundlePath::is_of_traces) else {
            return refuse(Refusal::UnknownPlace);
        };
        if let Some(promised) = place.promised()
            && promised != entry.digest
        {
            let what = format!("it is named by another digest than {}", entry.digest);
            return refuse(Refusal::Contents(what));
        }
        match &place {
            BundlePath::Object(digest) => {
                on_object(reader, *digest, entry.size)?;
                return reader.finish_entry();
            }
            // Its digest is all that anybody needs of it here.
            BundlePath::Binary => return reader.finish_entry(),
            BundlePath::Table(_) | BundlePath::Figure(_) | BundlePath::Source(..) | BundlePath::Report if !keep_all => {
                return reader.finish_entry();
            }
            _ => {}
        }
        if let Some(max) = place.max_bytes(&reader.limits())
            && entry.size > max
        {
            return refuse(Refusal::FileTooLarge { bytes: entry.size, max });
        }
        if matches!(place, BundlePath::Experiment(_) | BundlePath::Model(_)) {
            self.texts = self.texts.saturating_add(entry.size);
        }
        if self.texts > MAX_TEXTS {
            return refuse(Refusal::TooMuchMemory { max: MAX_TEXTS });
        }
        if place == BundlePath::Metadata {
            let text = packed(reader, entry)?;
            self.hold(text.held(), entry, reader.limits())?;
            self.made.insert(entry.path.clone(), text);
            return Ok(());
        }
        self.hold(entry.size, entry, reader.limits())?;
        let bytes = reader.read_whole()?;
        self.keep(place, &entry.path, bytes)
    }

    /// Parses the records and attempts that were read since this was done last.
    fn parse(&mut self, on_fault: &mut OnFault<'_>) -> Result<(), BundleError> {
        self.unparsed_bytes = 0;
        for parsed in parallel::each(std::mem::take(&mut self.unparsed), parse) {
            match parsed {
                Ok(Parsed::Record(record)) => {
                    drop(self.inventory.records.insert((record.key, record.origin.clone()), record));
                }
                Ok(Parsed::Attempt(attempt)) => {
                    drop(self.inventory.attempts.insert(attempt.id.clone(), attempt));
                }
                Err(error) => fault(error, on_fault)?,
            }
        }
        Ok(())
    }

    /// Counts what is held in memory.
    fn hold(&mut self, bytes: u64, entry: &Entry, limits: Limits) -> Result<(), BundleError> {
        self.memory = self.memory.saturating_add(bytes);
        let max = limits.max_memory_bytes;
        if self.memory > max {
            let why = Refusal::TooMuchMemory { max };
            return Err(BundleError::Refused { place: Some(entry.path.clone()), offset: 0, why });
        }
        Ok(())
    }

    fn keep(&mut self, place: BundlePath, path: &str, bytes: Vec<u8>) -> Result<(), BundleError> {
        let bad = |what: String| BundleError::contents(path, what);
        let packing = || BundleError::io("compressing what was read");
        match place {
            place @ (BundlePath::Record(..) | BundlePath::Attempt(_)) => {
                self.unparsed_bytes += bytes.len();
                self.unparsed.push((place, path.to_owned(), bytes));
            }
            BundlePath::Plan(digest) => drop(self.inventory.plans.insert(digest, json_text(path, &bytes)?)),
            BundlePath::Journal(run, digest) => {
                self.inventory.journals.insert((run, digest), json_text(path, &bytes)?);
            }
            BundlePath::Agents => self.inventory.agents = json::parse(&bytes).map_err(bad)?,
            BundlePath::LeftOut => self.inventory.left_out = json::parse(&bytes).map_err(bad)?,
            BundlePath::Cells => {
                let refused = |why| BundleError::Refused { place: Some(path.to_owned()), offset: 0, why };
                self.inventory.cells = cells::parse(&bytes).map_err(refused)?;
                self.made.insert(path.to_owned(), Packed::of(&bytes).map_err(packing())?);
            }
            BundlePath::Experiment(digest) => drop(self.inventory.experiments.insert(digest, bytes)),
            BundlePath::Model(digest) => drop(self.inventory.models.insert(digest, bytes)),
            BundlePath::Source(tree, name) => drop(self.inventory.sources.entry(tree).or_default().insert(name, bytes)),
            BundlePath::Deriver => self.named_deriver = Some(DERIVER.parse(&bytes).map_err(bad)?),
            place => self.extras.take(place, bytes),
        }
        Ok(())
    }

    /// The digest of the program in it, if there is one.
    pub(crate) fn binary(&self) -> Option<Digest> {
        self.files.get(&BundlePath::Binary.to_string()).map(|(_, digest)| digest)
    }

    /// By which version of the rules its derived files were made.
    pub(crate) fn deriver(&self) -> u32 {
        self.named_deriver.unwrap_or(deriver::UNNAMED)
    }

    /// What is wrong with how the bundle names its deriver: which formats do is fixed, so that nobody can leave it away.
    pub(crate) fn wrong_deriver(&self, format: &str) -> Option<&'static str> {
        let has_none = format == crate::create::FORMATS[0];
        match self.named_deriver {
            Some(_) if has_none => Some("bundles of format 1 have no such file"),
            None if !has_none => Some("it is missing"),
            _ => None,
        }
    }

    /// What the bundle is, in short.
    pub(crate) fn info(&self, reader: &BundleReader, facts: &Facts) -> Option<BundleInfo> {
        let (sha256, bytes) = reader.end()?;
        Some(BundleInfo {
            sha256,
            bytes,
            folder: reader.folder().to_owned(),
            files: self.files.count(),
            payload_bytes: self.payload_bytes,
            experiments: facts.experiments.iter().cloned().collect(),
            origins: self.inventory.origins().iter().map(ToString::to_string).collect(),
            cells: facts.tally,
            records: self.inventory.records.len() as u64,
            attempts: self.inventory.attempts.len() as u64,
            objects: self.inventory.objects().len() as u64,
        })
    }
}

/// Deals with what is wrong: of one file, it is a fault.
fn fault(error: BundleError, on_fault: &mut OnFault<'_>) -> Result<(), BundleError> {
    if error.is_of_one_file() { on_fault(error) } else { Err(error) }
}

fn parse((place, path, bytes): Unparsed) -> Result<Parsed, BundleError> {
    let bad = |what: String| Err(BundleError::contents(&path, what));
    let of_file = |error: StoreError| BundleError::of_file(&path, error);
    json::check_depth(&bytes).map_err(|what| BundleError::contents(&path, what))?;
    if let BundlePath::Attempt(id) = place {
        let attempt = Attempt::from_bytes(path.as_ref(), &bytes).map_err(of_file)?;
        if attempt.id != id {
            return bad(format!("it is the attempt {}", attempt.id));
        }
        return Ok(Parsed::Attempt(attempt));
    }
    let record = Record::from_bytes(path.as_ref(), &bytes).map_err(of_file)?;
    if !matches!(place, BundlePath::Record(key, origin) if record.key == key && record.origin == origin) {
        return bad(format!("it is the record of cell {} from {}", record.key.short(), record.origin));
    }
    Ok(Parsed::Record(record))
}

/// A long text of JSON, packed, unless it is nested too deep.
fn json_text(path: &str, bytes: &[u8]) -> Result<Packed, BundleError> {
    let (packed, depth) = parallel::beside(|| Packed::of(bytes), || json::check_depth(bytes));
    depth.map_err(|what| BundleError::contents(path, what))?;
    packed.map_err(BundleError::io("compressing what was read"))
}

/// Reads a file of which only a part is held uncompressed. Whether it is JSON is looked at where it is not what follows from the rest.
fn packed(reader: &mut BundleReader, entry: &Entry) -> Result<Packed, BundleError> {
    let max = reader.limits().max_file_bytes;
    if entry.size > max {
        let why = Refusal::FileTooLarge { bytes: entry.size, max };
        return Err(BundleError::Refused { place: Some(entry.path.clone()), offset: 0, why });
    }
    let read = Packed::written(|text| {
        let mut chunk = vec![0; 64 << 10];
        loop {
            match reader.read(&mut chunk)? {
                0 => return Ok(()),
                count => text.write_all(&chunk[..count])?,
            }
        }
    });
    let text = read.map_err(BundleError::from_read)?;
    reader.finish_entry()?;
    Ok(text)
}
