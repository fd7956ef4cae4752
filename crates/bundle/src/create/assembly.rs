//! From an inventory to the files of a bundle.

use std::collections::BTreeMap;

use matrix_store::Digest;

use crate::bag::{BAG_INFO, BAGIT, DECLARATION, MANIFEST, TAG_FILES, TAG_MANIFEST, render_info, render_manifest};
use crate::deriver::{self, DERIVER_VERSION};
use crate::error::{BundleError, Refusal};
use crate::extras::Extras;
use crate::info::BundleInfo;
use crate::inventory::{Facts, Inventory};
use crate::limits::MAX_TEXTS;
use crate::place::{PAYLOAD, Place};
use crate::{cells, metadata, path, tar};

/// Where a file's bytes are.
#[derive(Debug)]
pub(crate) enum Content {
    /// Here.
    Bytes(Vec<u8>),
    /// In the store.
    Object(Digest),
}

/// A file of the payload.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) size: u64,
    pub(crate) digest: Digest,
    pub(crate) content: Content,
}

/// All files of a bundle, in the order in which they stand in it.
#[derive(Debug)]
pub(crate) struct Assembly {
    pub(crate) folder: String,
    pub(crate) tags: Vec<(&'static str, Vec<u8>)>,
    pub(crate) items: BTreeMap<String, Item>,
}

impl Assembly {
    pub(crate) fn new(inventory: &Inventory, facts: &Facts, extras: &Extras) -> Result<Self, BundleError> {
        let mut items = Items::default();
        items.results(inventory)?;
        items.extras(extras, facts);
        items.add(&Place::Deriver, deriver::render(DERIVER_VERSION).into_bytes());
        if !inventory.agents.is_empty() {
            let mut agents = serde_json::to_vec(&inventory.agents).map_err(matrix_store::StoreError::from)?;
            agents.push(b'\n');
            items.add(&Place::Agents, agents);
        }
        if !inventory.left_out.is_empty() {
            let mut left_out = serde_json::to_vec(&inventory.left_out).map_err(matrix_store::StoreError::from)?;
            left_out.push(b'\n');
            items.add(&Place::LeftOut, left_out);
        }
        items.add(&Place::Cells, cells::render(inventory, facts).into_bytes());
        let sizes: BTreeMap<String, u64> = items.sizes();
        let metadata = metadata::render(inventory, facts, &sizes).map_err(matrix_store::StoreError::from)?;
        items.add(&Place::Metadata, metadata);
        let Items(items) = items;

        let payload: u64 = items.values().map(|item| item.size).sum();
        let info = bag_info(inventory, facts, payload, items.len() as u64, &Maker::here());
        let manifest = render_manifest(items.iter().map(|(path, item)| (path.as_str(), item.digest)));
        let mut tags = vec![
            (BAGIT, DECLARATION.as_bytes().to_vec()),
            (BAG_INFO, render_info(&info).into_bytes()),
            (MANIFEST, manifest.into_bytes()),
        ];
        let tag_manifest = tag_manifest(tags.iter().map(|(name, bytes)| (*name, Digest::of(bytes))));
        tags.push((TAG_MANIFEST, tag_manifest.into_bytes()));
        let this = Self { folder: facts.folder(), tags, items };
        this.check()?;
        Ok(this)
    }

    /// Whether every file can be in a bundle.
    fn check(&self) -> Result<(), BundleError> {
        for (path, item) in &self.items {
            let full = format!("{}/{path}", self.folder);
            path::parse(full.as_bytes())
                .and_then(|full| tar::fits(full, item.size))
                .and_then(|()| match Place::of(path).and_then(|place| place.max_bytes()) {
                    Some(max) if item.size > max => Err(Refusal::FileTooLarge { bytes: item.size, max }),
                    _ => Ok(()),
                })
                .map_err(|why| BundleError::Unfit { path: path.clone(), why })?;
        }
        let texts = self
            .items
            .iter()
            .filter(|(path, _)| matches!(Place::of(path), Some(Place::Experiment(_) | Place::Model(_))));
        if texts.map(|(_, item)| item.size).sum::<u64>() > MAX_TEXTS {
            let why = Refusal::TooMuchMemory { max: MAX_TEXTS };
            return Err(BundleError::Unfit { path: format!("{PAYLOAD}experiments"), why });
        }
        path::collisions(self.items.keys().map(String::as_str))
            .map_err(|(path, why)| BundleError::Unfit { path: path.to_owned(), why })
    }

    /// The objects, in order, each with its number of bytes.
    pub(crate) fn objects(&self) -> Vec<(Digest, u64)> {
        let object = |item: &Item| match item.content {
            Content::Object(digest) => Some((digest, item.size)),
            Content::Bytes(_) => None,
        };
        self.items.values().filter_map(object).collect()
    }

    pub(crate) fn info(&self, inventory: &Inventory, facts: &Facts, sha256: Digest, bytes: u64) -> BundleInfo {
        BundleInfo {
            sha256,
            bytes,
            folder: self.folder.clone(),
            files: self.items.len() as u64,
            payload_bytes: self.items.values().map(|item| item.size).sum(),
            experiments: facts.experiments.iter().cloned().collect(),
            origins: inventory.origins().iter().map(ToString::to_string).collect(),
            cells: facts.tally,
            records: inventory.records.len() as u64,
            attempts: inventory.attempts.len() as u64,
            objects: inventory.objects().len() as u64,
        }
    }
}

#[derive(Default)]
struct Items(BTreeMap<String, Item>);

impl Items {
    fn add(&mut self, place: &Place, bytes: Vec<u8>) {
        let item = Item { size: bytes.len() as u64, digest: Digest::of(&bytes), content: Content::Bytes(bytes) };
        self.0.insert(place.to_string(), item);
    }

    fn results(&mut self, inventory: &Inventory) -> Result<(), BundleError> {
        for (digest, bytes) in &inventory.experiments {
            self.add(&Place::Experiment(*digest), bytes.clone());
        }
        for (digest, bytes) in &inventory.plans {
            self.add(&Place::Plan(*digest), bytes.clone());
        }
        for (digest, bytes) in &inventory.models {
            self.add(&Place::Model(*digest), bytes.clone());
        }
        for ((run, digest), bytes) in &inventory.journals {
            self.add(&Place::Journal(run.clone(), *digest), bytes.clone());
        }
        for ((key, origin), record) in &inventory.records {
            self.add(&Place::Record(*key, origin.clone()), record.to_bytes()?);
        }
        for (id, attempt) in &inventory.attempts {
            self.add(&Place::Attempt(id.clone()), attempt.to_bytes()?);
        }
        for (digest, size) in inventory.objects() {
            let item = Item { size, digest, content: Content::Object(digest) };
            self.0.insert(Place::Object(digest).to_string(), item);
        }
        for (tree, files) in &inventory.sources {
            for (path, bytes) in files {
                self.add(&Place::Source(*tree, path.clone()), bytes.clone());
            }
        }
        Ok(())
    }

    fn extras(&mut self, extras: &Extras, facts: &Facts) {
        let mut readme = facts.notice().unwrap_or_default().into_bytes();
        readme.extend_from_slice(&extras.readme);
        self.add(&Place::Readme, readme);
        self.add(&Place::License, extras.license.clone());
        self.add(&Place::Citation, extras.citation.clone());
        for (name, bytes) in &extras.tables {
            self.add(&Place::Table(name.clone()), bytes.clone());
        }
        for (name, bytes) in &extras.figures {
            self.add(&Place::Figure(name.clone()), bytes.clone());
        }
    }

    /// The sizes of the files, by path in the crate.
    fn sizes(&self) -> BTreeMap<String, u64> {
        let in_crate = |path: &String| path.strip_prefix(PAYLOAD).map(str::to_owned);
        self.0.iter().filter_map(|(path, item)| Some((in_crate(path)?, item.size))).collect()
    }
}

/// What made a bundle, and in which format.
pub(crate) struct Maker<'a> {
    pub(crate) agent: &'a str,
    pub(crate) format: &'a str,
}

impl Maker<'_> {
    /// This program.
    fn here() -> Self {
        Self { agent: AGENT, format: FORMAT }
    }
}

/// What is said of the bag.
pub(crate) fn bag_info(
    inventory: &Inventory,
    facts: &Facts,
    payload_bytes: u64,
    files: u64,
    maker: &Maker<'_>,
) -> BTreeMap<&'static str, String> {
    let tally = &facts.tally;
    let join = |names: Vec<&str>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let origins = inventory.origins();
    let complete = if tally.done == tally.planned() { "yes" } else { "no" };
    let mut info = BTreeMap::from([
        (AGENT_FIELD, maker.agent.to_owned()),
        ("Bagging-Date", facts.date.clone()),
        ("External-Description", format!("Results of a consistency experiment ({})", metadata::how(inventory))),
        (FORMAT_FIELD, maker.format.to_owned()),
        ("Matrix-Cells-Done", tally.done.to_string()),
        ("Matrix-Cells-Failed", tally.failed.to_string()),
        ("Matrix-Cells-Partial", tally.partial.to_string()),
        ("Matrix-Cells-Pending", tally.pending.to_string()),
        ("Matrix-Cells-Planned", tally.planned().to_string()),
        ("Matrix-Cells-Skipped", tally.skipped.to_string()),
        ("Matrix-Complete", complete.to_owned()),
        ("Matrix-Experiments", join(facts.experiments.iter().map(String::as_str).collect())),
        ("Matrix-Origins", join(origins.iter().map(matrix_store::Origin::as_str).collect())),
        ("Payload-Oxum", format!("{payload_bytes}.{files}")),
    ]);
    if !inventory.left_out.is_empty() {
        info.insert("Matrix-Attempts-Left-Out", inventory.left_out.len().to_string());
    }
    info.extend(facts.selection().map(|selection| ("Matrix-Selection", selection)));
    info
}

/// What makes bundles here, as they say it.
pub const AGENT: &str = concat!("matrix ", env!("CARGO_PKG_VERSION"));

/// Where a bag says what made it.
pub(crate) const AGENT_FIELD: &str = "Bag-Software-Agent";

/// Where a bag says which format it has.
pub(crate) const FORMAT_FIELD: &str = "Matrix-Bundle-Format";

/// The format of bundles that this program writes. Format 2 added `tables/deriver.txt`.
pub(crate) const FORMAT: &str = "2";

/// The formats that it reads.
pub(crate) const FORMATS: [&str; 2] = ["1", FORMAT];

/// The manifest of the bag's own files, in order of their names.
pub(crate) fn tag_manifest<'a>(files: impl IntoIterator<Item = (&'a str, Digest)>) -> String {
    let files: BTreeMap<&str, Digest> = files.into_iter().collect();
    render_manifest(files)
}

/// The folder that the name of the bag's first file tells.
pub(crate) fn folder_of(first: &str) -> Result<String, Refusal> {
    match first.split_once('/') {
        Some((folder, name)) if name == TAG_FILES[0] && folder.ends_with("-bundle") => Ok(folder.to_owned()),
        _ => Err(Refusal::OutOfOrder { expected: format!("<name>-bundle/{}", TAG_FILES[0]) }),
    }
}
