//! What a bundle has besides the results: made by whoever makes the bundle.

use std::collections::BTreeMap;

use matrix_bundle::Binary;

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
    /// `tables/`, by path in that folder.
    pub tables: BTreeMap<String, Vec<u8>>,
    /// `figures/`, by path in that folder.
    pub figures: BTreeMap<String, Vec<u8>>,
    /// `report.html`: the results as one page; none if it is empty.
    pub report: Vec<u8>,
    /// `bin/matrix`: a program that goes in, if one does. What is read from a bundle has none: see
    /// [`Restored::binary`](crate::Restored::binary).
    pub binary: Option<Binary>,
    /// The runner's own source and lock file, by path in its root; none if it is not to be in the bundle.
    pub source: BTreeMap<String, Vec<u8>>,
}
