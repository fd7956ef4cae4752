//! From an inventory to the files of a bundle.

use std::collections::BTreeMap;

use matrix_bundle::bag::{AGENT, About, PAYLOAD};
use matrix_bundle::container::Container;
use matrix_bundle::item::{Content, Item, Items, Make};
use matrix_bundle::layout::BundlePath;
use matrix_bundle::limits::MAX_TEXTS;
use matrix_bundle::{BundleError, BundleInfo, Extras, Limits, Packed, Refusal};
use matrix_store::{Digest, StoreError, parallel};

use crate::deriver::{DERIVER, DERIVER_VERSION};
use crate::inventory::{Facts, Inventory};
use crate::{cells, metadata};

/// The files of a payload.
pub(crate) fn items<'a>(inventory: &'a Inventory, facts: &Facts, extras: &Extras) -> Result<Items<'a>, BundleError> {
    let mut payload = Payload::default();
    let (cells, results) = parallel::beside(|| cells::render(inventory, facts), || payload.results(inventory));
    results?;
    payload.extras(extras, facts);
    payload.add(&BundlePath::Deriver, DERIVER.render(DERIVER_VERSION).into_bytes());
    if !inventory.agents.is_empty() {
        let mut agents = serde_json::to_vec(&inventory.agents).map_err(StoreError::from)?;
        agents.push(b'\n');
        payload.add(&BundlePath::Agents, agents);
    }
    if !inventory.left_out.is_empty() {
        let mut left_out = serde_json::to_vec(&inventory.left_out).map_err(StoreError::from)?;
        left_out.push(b'\n');
        payload.add(&BundlePath::LeftOut, left_out);
    }
    payload.add(&BundlePath::Cells, cells.into_bytes());
    // A map that is made of all its keys is dense.
    let mut items: Items<'_> = payload.0.into_iter().collect();
    let files = metadata::files(items.iter().map(|(path, item)| (path.as_str(), item.size)));
    let metadata = Packed::written(|out| metadata::render(inventory, facts, &files, out));
    let metadata = metadata.map_err(BundleError::io("making the metadata"))?;
    items.insert(BundlePath::Metadata.to_string(), metadata.into());
    check(&items)?;
    Ok(items)
}

/// Whether files that are parsed are small enough for that.
fn check(items: &Items<'_>) -> Result<(), BundleError> {
    let mut texts = 0;
    for (path, item) in items {
        let place = BundlePath::of(path);
        if let Some(max) = place.as_ref().and_then(|place| place.max_bytes(&Limits::of_ours()))
            && item.size > max
        {
            let why = Refusal::FileTooLarge { bytes: item.size, max };
            return Err(BundleError::Unfit { path: path.clone(), why });
        }
        if matches!(place, Some(BundlePath::Experiment(_) | BundlePath::Model(_))) {
            texts += item.size;
        }
    }
    if texts > MAX_TEXTS {
        let why = Refusal::TooMuchMemory { max: MAX_TEXTS };
        return Err(BundleError::Unfit { path: format!("{PAYLOAD}experiments"), why });
    }
    Ok(())
}

/// What a bundle is, whose container and file these are.
pub(crate) fn info_of(
    container: &Container<'_>,
    inventory: &Inventory,
    facts: &Facts,
    sha256: Digest,
    bytes: u64,
) -> BundleInfo {
    BundleInfo {
        sha256,
        bytes,
        folder: container.folder().to_owned(),
        files: container.files(),
        payload_bytes: container.payload_bytes(),
        experiments: facts.experiments.iter().cloned().collect(),
        origins: inventory.origins().iter().map(ToString::to_string).collect(),
        cells: facts.tally,
        records: inventory.records.len() as u64,
        attempts: inventory.attempts.len() as u64,
        objects: container.objects(),
    }
}

#[derive(Default)]
struct Payload<'a>(Vec<(String, Item<'a>)>);

impl<'a> Payload<'a> {
    fn add(&mut self, place: &BundlePath, bytes: Vec<u8>) {
        self.0.push((place.to_string(), Item::of(bytes)));
    }

    fn borrow(&mut self, place: &BundlePath, bytes: &'a [u8]) {
        self.0.push((place.to_string(), Item::borrowed(bytes)));
    }

    /// Adds files that are made when they are written, with what is known of each.
    fn made<K, T: Make>(
        &mut self,
        files: &'a BTreeMap<K, T>,
        known: &[(Digest, u64)],
        place: impl Fn(&K) -> BundlePath,
    ) {
        self.0.extend(files.iter().zip(known).map(|((name, file), (digest, size))| {
            let path = place(name).to_string().into_boxed_str().into_string();
            (path, Item { size: *size, digest: *digest, content: Content::Made(file) })
        }));
    }

    fn results(&mut self, inventory: &'a Inventory) -> Result<(), BundleError> {
        for (digest, bytes) in &inventory.experiments {
            self.borrow(&BundlePath::Experiment(*digest), bytes);
        }
        for (digest, bytes) in &inventory.plans {
            self.0.push((BundlePath::Plan(*digest).to_string(), bytes.clone().into()));
        }
        for (digest, bytes) in &inventory.models {
            self.borrow(&BundlePath::Model(*digest), bytes);
        }
        for ((run, digest), bytes) in &inventory.journals {
            self.0.push((BundlePath::Journal(run.clone(), *digest).to_string(), bytes.clone().into()));
        }
        let known = inventory.files()?;
        self.made(&inventory.records, &known.records, |(key, origin)| BundlePath::Record(*key, origin.clone()));
        self.made(&inventory.attempts, &known.attempts, |id| BundlePath::Attempt(id.clone()));
        for (digest, size) in inventory.objects() {
            self.0.push((BundlePath::Object(digest).to_string(), Item::object(digest, size)));
        }
        for (tree, files) in &inventory.sources {
            for (path, bytes) in files {
                self.borrow(&BundlePath::Source(*tree, path.clone()), bytes);
            }
        }
        Ok(())
    }

    fn extras(&mut self, extras: &Extras, facts: &Facts) {
        self.0.extend(extras.items());
        let mut readme = facts.notice().unwrap_or_default().into_bytes();
        readme.extend_from_slice(&extras.readme);
        self.add(&BundlePath::Readme, readme);
    }
}

/// What made a bundle, and in which format.
pub(crate) struct Maker<'a> {
    pub(crate) agent: &'a str,
    pub(crate) format: &'a str,
}

impl Maker<'_> {
    /// This program.
    pub(crate) fn here() -> Self {
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
    let about = About {
        agent: maker.agent,
        format: maker.format,
        date: &facts.date,
        description: format!("Results of a consistency experiment ({})", metadata::how(inventory)),
        cells: &facts.tally,
        experiments: &facts.experiments,
        origins: &inventory.origins(),
        payload_bytes,
        files,
    };
    let mut info = about.fields();
    info.insert("Matrix-Cells-Partial", facts.tally.partial.to_string());
    info.insert("Matrix-Cells-Skipped", facts.tally.skipped.to_string());
    if !inventory.left_out.is_empty() {
        info.insert("Matrix-Attempts-Left-Out", inventory.left_out.len().to_string());
    }
    info.extend(facts.selection().map(|selection| ("Matrix-Selection", selection)));
    info
}

/// The format of bundles that this program writes. Format 2 added `tables/deriver.txt`.
pub(crate) const FORMAT: &str = "2";

/// The formats that it reads.
pub(crate) const FORMATS: [&str; 2] = ["1", FORMAT];
