//! What a bundle has besides the results: made by whoever makes the bundle.

use std::collections::BTreeMap;

use crate::binary::Binary;
use crate::item::Item;
use crate::layout::{BundlePath, DERIVER};
use crate::tree::Tree;

/// Files that stand beside the results. Those that are derived from results have to follow from them, so that whoever
/// reads the bundle can derive them again and compare.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// `README.md`. Where cells are missing, the bundle puts a notice before it.
    pub readme: Vec<u8>,
    /// `LICENSE`.
    pub license: Vec<u8>,
    /// `CITATION.cff`.
    pub citation: Vec<u8>,
    /// `cells.csv`, in bundles of programs; those of traces derive it from their records.
    pub cells: Vec<u8>,
    /// `tables/`, by path in that folder.
    pub tables: BTreeMap<String, Vec<u8>>,
    /// `figures/`, by path in that folder.
    pub figures: BTreeMap<String, Vec<u8>>,
    /// `report.html`: the results as one page; none if it is empty.
    pub report: Vec<u8>,
    /// `bin/matrix`: a program that goes in, if one does. What is read from a bundle has none, but
    /// its digest.
    pub binary: Option<Binary>,
    /// The runner's own source and lock file, by path in its root; none if it is not to be in the bundle.
    pub source: Tree,
}

impl Extras {
    /// The files of what stands beside results in a payload: all but the source, which the payload has by its digest.
    #[must_use]
    pub fn items(&self) -> Vec<(String, Item<'static>)> {
        let item = |place: &BundlePath, bytes: &[u8]| (place.to_string(), Item::of(bytes.to_vec()));
        let mut items = vec![
            item(&BundlePath::Readme, &self.readme),
            item(&BundlePath::License, &self.license),
            item(&BundlePath::Citation, &self.citation),
        ];
        if !self.report.is_empty() {
            items.push(item(&BundlePath::Report, &self.report));
        }
        items.extend(self.tables.iter().map(|(name, bytes)| item(&BundlePath::Table(name.clone()), bytes)));
        items.extend(self.figures.iter().map(|(name, bytes)| item(&BundlePath::Figure(name.clone()), bytes)));
        items.extend(self.binary.iter().map(|binary| (BundlePath::Binary.to_string(), binary.into())));
        items
    }

    /// Takes a file of a payload, if it is one of these; `cells.csv` is its reader's matter.
    pub fn take(&mut self, place: BundlePath, bytes: Vec<u8>) {
        match place {
            BundlePath::Readme => self.readme = bytes,
            BundlePath::License => self.license = bytes,
            BundlePath::Citation => self.citation = bytes,
            BundlePath::Report => self.report = bytes,
            BundlePath::Deriver => drop(self.tables.insert(DERIVER.to_owned(), bytes)),
            BundlePath::Table(name) => drop(self.tables.insert(name, bytes)),
            BundlePath::Figure(name) => drop(self.figures.insert(name, bytes)),
            _ => {}
        }
    }
}
