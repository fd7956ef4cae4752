//! Everything that a bundle holds except the rows, read once from its beginning to its end.

use std::collections::{BTreeMap, BTreeSet};

use matrix_plan::CellKey;
use matrix_store::{Attempt, Digest, Record, StoreError};

use crate::bag::{BAG_INFO, parse_info, render_info, render_manifest};
use crate::create::bag_info;
use crate::error::{BundleError, Refusal};
use crate::extras::Extras;
use crate::info::BundleInfo;
use crate::inventory::{Facts, Inventory};
use crate::place::{PAYLOAD, Place};
use crate::reader::{BundleReader, Entry};
use crate::{cells, json, metadata};

/// Most bytes of a record or an attempt: they have about two thousand.
const MAX_SMALL: u64 = 1 << 20;

/// What is done with an object: the reader stands at its first byte.
pub(crate) type OnObject<'a> = dyn FnMut(&mut BundleReader, Digest, u64) -> Result<(), BundleError> + 'a;

/// What is done with a fault of one file: either the whole fails, or the fault is kept and reading goes on.
pub(crate) type OnFault<'a> = dyn FnMut(BundleError) -> Result<(), BundleError> + 'a;

/// Everything that a bundle holds except the rows.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) inventory: Inventory,
    pub(crate) extras: Extras,
    /// Sizes of the files, by path in the crate.
    pub(crate) sizes: BTreeMap<String, u64>,
    /// Digests of the files, by path in the bag.
    pub(crate) digests: BTreeMap<String, Digest>,
    pub(crate) payload_bytes: u64,
    memory: u64,
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
        loop {
            let entry = match reader.next_entry() {
                Ok(Some(entry)) => entry,
                Ok(None) => break,
                Err(error) if error.is_of_one_file() => {
                    on_fault(error)?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            match this.file(reader, &entry, keep_all, on_object) {
                Ok(()) => {}
                Err(error) if error.is_of_one_file() => on_fault(error)?,
                Err(error) => return Err(error),
            }
            if let Some(path) = entry.path.strip_prefix(PAYLOAD) {
                this.sizes.insert(path.to_owned(), entry.size);
            }
            this.digests.insert(entry.path, entry.digest);
        }
        this.payload_bytes = reader.payload_bytes();
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
        let Some(place) = Place::of(&entry.path) else { return refuse(Refusal::UnknownPlace) };
        if let Some(promised) = place.promised()
            && promised != entry.digest
        {
            let what = format!("it is named by another digest than {}", entry.digest);
            return refuse(Refusal::Contents(what));
        }
        match &place {
            Place::Object(digest) => {
                on_object(reader, *digest, entry.size)?;
                return reader.finish_entry();
            }
            Place::Table(_) | Place::Figure(_) | Place::Source(..) if !keep_all => return reader.finish_entry(),
            Place::Record(..) | Place::Attempt(_) if entry.size > MAX_SMALL => {
                return refuse(Refusal::FileTooLarge { bytes: entry.size, max: MAX_SMALL });
            }
            _ => {}
        }
        self.memory = self.memory.saturating_add(entry.size);
        let max = reader.limits().max_memory_bytes;
        if self.memory > max {
            return refuse(Refusal::TooMuchMemory { max });
        }
        let bytes = reader.read_whole()?;
        self.keep(place, &entry.path, bytes)
    }

    fn keep(&mut self, place: Place, path: &str, bytes: Vec<u8>) -> Result<(), BundleError> {
        let bad = |what: String| BundleError::contents(path, what);
        let depth = || json::check_depth(&bytes).map_err(bad);
        let of_file = |error: StoreError| BundleError::of_file(path, error);
        match place {
            Place::Record(key, origin) => {
                depth()?;
                let record = Record::from_bytes(path.as_ref(), &bytes).map_err(of_file)?;
                if record.key != key || record.origin != origin {
                    return Err(bad(format!("it is the record of cell {} from {}", record.key.short(), record.origin)));
                }
                self.inventory.records.insert((key, origin), record);
            }
            Place::Attempt(id) => {
                depth()?;
                let attempt = Attempt::from_bytes(path.as_ref(), &bytes).map_err(of_file)?;
                if attempt.id != id {
                    return Err(bad(format!("it is the attempt {}", attempt.id)));
                }
                self.inventory.attempts.insert(id, attempt);
            }
            Place::Plan(digest) => {
                depth()?;
                self.inventory.plans.insert(digest, bytes);
            }
            Place::Journal(run, digest) => {
                depth()?;
                self.inventory.journals.insert((run, digest), bytes);
            }
            Place::Agents => self.inventory.agents = json::parse(&bytes).map_err(bad)?,
            Place::Metadata => {
                json::parse::<serde::de::IgnoredAny>(&bytes).map_err(bad)?;
            }
            Place::Cells => {
                let refused = |why| BundleError::Refused { place: Some(path.to_owned()), offset: 0, why };
                self.inventory.cells = cells::parse(&bytes).map_err(refused)?;
            }
            Place::Experiment(digest) => drop(self.inventory.experiments.insert(digest, bytes)),
            Place::Model(digest) => drop(self.inventory.models.insert(digest, bytes)),
            Place::Source(tree, name) => drop(self.inventory.sources.entry(tree).or_default().insert(name, bytes)),
            Place::Readme => self.extras.readme = bytes,
            Place::License => self.extras.license = bytes,
            Place::Citation => self.extras.citation = bytes,
            Place::Table(name) => drop(self.extras.tables.insert(name, bytes)),
            Place::Figure(name) => drop(self.extras.figures.insert(name, bytes)),
            Place::Object(_) => {}
        }
        Ok(())
    }

    /// Checks what files say of each other, when each is sound by itself; returns what follows from them.
    pub(crate) fn check(
        &self,
        reader: &BundleReader,
        on_fault: &mut OnFault<'_>,
    ) -> Result<Option<Facts>, BundleError> {
        let facts = match Facts::of(&self.inventory) {
            Ok(facts) => facts,
            Err(error) if error.is_of_one_file() => {
                on_fault(error)?;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        for (path, what) in self.references(&facts).into_iter().chain(self.derived(reader, &facts)?) {
            on_fault(BundleError::contents(&path, what))?;
        }
        Ok(Some(facts))
    }

    /// What is wrong with the references between files.
    fn references(&self, facts: &Facts) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        let mut fault = |place: &Place, what: String| faults.push((place.to_string(), what));
        let inventory = &self.inventory;
        let known = |key: &CellKey| inventory.cells.contains(key);
        let not_listed = || "its cell is not listed in cells.csv".to_owned();
        for ((key, origin), record) in &inventory.records {
            let place = Place::Record(*key, origin.clone());
            let object = &record.object;
            let path = Place::Object(object.sha256).to_string();
            match self.sizes.get(path.strip_prefix(PAYLOAD).unwrap_or_default()) {
                None => fault(&place, format!("its object {} is missing", object.sha256.short())),
                Some(size) if *size != object.bytes => {
                    fault(&place, format!("it says that its object has {} bytes; it has {size}", object.bytes));
                }
                Some(_) => {}
            }
            if !known(key) {
                fault(&place, not_listed());
            }
        }
        for (id, attempt) in &inventory.attempts {
            if !known(&attempt.key) {
                fault(&Place::Attempt(id.clone()), not_listed());
            }
        }
        let named: BTreeSet<Digest> = facts.runs.values().flat_map(|files| files.values().copied()).collect();
        let objects = inventory.objects();
        for path in self.digests.keys() {
            let Some(place) = Place::of(path) else { continue };
            match &place {
                Place::Experiment(digest) | Place::Plan(digest) | Place::Model(digest) if !named.contains(digest) => {
                    fault(&place, "no run names it".to_owned());
                }
                Place::Object(digest) if !objects.contains_key(digest) => {
                    fault(&place, "no record names it".to_owned());
                }
                _ => {}
            }
        }
        for place in [Place::Readme, Place::License, Place::Citation, Place::Cells, Place::Metadata] {
            if !self.digests.contains_key(&place.to_string()) {
                fault(&place, "it is missing".to_owned());
            }
        }
        faults
    }

    /// What is wrong with files that follow from others.
    fn derived(&self, reader: &BundleReader, facts: &Facts) -> Result<Vec<(String, String)>, BundleError> {
        let mut faults = Vec::new();
        let cells = Place::Cells.to_string();
        if self.digests.get(&cells) != Some(&Digest::of(cells::render(&self.inventory, facts).as_bytes())) {
            faults.push((cells, "it is not what follows from the records and plans".to_owned()));
        }
        if reader.folder() != facts.folder() {
            faults.push((reader.folder().to_owned(), format!("the bag's folder should be {}", facts.folder())));
        }
        let notice = facts.notice().unwrap_or_default();
        if !self.extras.readme.starts_with(notice.as_bytes()) {
            faults.push((Place::Readme.to_string(), "it does not say that cells are missing".to_owned()));
        }
        faults.extend(self.trees());
        let info = bag_info(&self.inventory, facts, self.payload_bytes, self.digests.len() as u64);
        let said = parse_info(render_info(&info).as_bytes()).unwrap_or_default();
        let agent = "Bag-Software-Agent";
        // Another version may say the same in other words.
        if reader.info().get(agent) == said.get(agent) {
            if *reader.tags().get(BAG_INFO).unwrap_or(&Vec::new()) != render_info(&info).into_bytes() {
                faults.push((BAG_INFO.to_owned(), "it is not what follows from the payload".to_owned()));
            }
            let place = Place::Metadata.to_string();
            let mut others = self.sizes.clone();
            others.remove(place.strip_prefix(PAYLOAD).unwrap_or_default());
            let rendered = metadata::render(&self.inventory, facts, &others).map_err(StoreError::from)?;
            if self.digests.get(&place) != Some(&Digest::of(&rendered)) {
                faults.push((place, "it is not what follows from the records and attempts".to_owned()));
            }
        }
        Ok(faults)
    }

    /// Source trees that do not have the digest that they are named by.
    fn trees(&self) -> Vec<(String, String)> {
        let mut trees: BTreeMap<Digest, Vec<(String, Digest)>> = BTreeMap::new();
        for (path, digest) in &self.digests {
            if let Some(Place::Source(tree, name)) = Place::of(path) {
                trees.entry(tree).or_default().push((name, *digest));
            }
        }
        let wrong = |(tree, files): (Digest, Vec<(String, Digest)>)| {
            let text = render_manifest(files.iter().map(|(name, digest)| (name.as_str(), *digest)));
            let found = Digest::of(text.as_bytes());
            let what = || format!("its files have the digest {found}, not the one of its name");
            (found != tree).then(|| (format!("{PAYLOAD}source/{tree}"), what()))
        };
        trees.into_iter().filter_map(wrong).collect()
    }

    /// What the bundle is, in short.
    pub(crate) fn info(&self, reader: &BundleReader, facts: &Facts) -> Option<BundleInfo> {
        let (sha256, bytes) = reader.end()?;
        Some(BundleInfo {
            sha256,
            bytes,
            folder: reader.folder().to_owned(),
            files: self.digests.len() as u64,
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

impl BundleError {
    /// Whether only one file of the bundle is wrong, so that the others can still be read.
    fn is_of_one_file(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                why: Refusal::Digest { .. }
                    | Refusal::Contents(_)
                    | Refusal::FileTooLarge { .. }
                    | Refusal::UnknownPlace,
                ..
            }
        )
    }
}
