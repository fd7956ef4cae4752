//! Trees of source files.

use std::collections::BTreeMap;

use matrix_store::Digest;

/// The files of a source tree, by path.
pub type Tree = BTreeMap<String, Vec<u8>>;

/// The digest of a source tree: of its manifest. It names the tree's folder in a bundle, `source/<digest>/`.
#[must_use]
pub fn tree_digest(tree: &Tree) -> Digest {
    let files = tree.iter().map(|(path, bytes)| (path.as_str(), Digest::of(bytes)));
    Digest::of(crate::bag::render_manifest(files).as_bytes())
}
