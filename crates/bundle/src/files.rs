//! The files of a payload that was read.

use matrix_store::Digest;

/// The files of a payload that was read, in order of their paths.
#[derive(Clone, Debug, Default)]
pub struct Files {
    manifest: Vec<(String, Digest)>,
    sizes: Vec<u64>,
}

impl Files {
    /// The files of a manifest, in its order; one without a size was not there.
    pub(crate) fn new(manifest: Vec<(String, Digest)>, sizes: Vec<u64>) -> Self {
        Self { manifest, sizes }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.sizes.len() as u64
    }

    /// Each file's path in the bag, its bytes and their digest.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64, Digest)> {
        let sizes = self.sizes.iter();
        self.manifest.iter().zip(sizes).map(|((path, digest), size)| (path.as_str(), *size, *digest))
    }

    /// The bytes and the digest of the file with this path in the bag.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<(u64, Digest)> {
        let place = self.manifest.binary_search_by(|(other, _)| other.as_str().cmp(path)).ok()?;
        Some((*self.sizes.get(place)?, self.manifest.get(place)?.1))
    }
}
