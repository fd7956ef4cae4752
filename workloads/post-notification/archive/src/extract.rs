//! Unpacking a bundle.

use std::collections::BTreeMap;
use std::path::Path;

use matrix_bundle::layout::BundlePath;
use matrix_bundle::new_directory::NewDirectory;
use matrix_bundle::{BundleError, BundleReader, Extraction};

use crate::contents::Contents;
use crate::rows::{must_count, read_rows};

/// Unpacks a bundle: `target` becomes the bag. Nothing is written outside it, and if the bundle is refused, nothing at
/// all. Everything that [`verify`](crate::verify()) checks has been checked when this returns.
///
/// # Errors
/// When `target` exists and is not an empty directory, the bundle is not what it should be, or a file cannot be written.
pub fn extract(mut reader: BundleReader, target: &Path, extraction: Extraction) -> Result<(), BundleError> {
    let directory = NewDirectory::begin(target)?;
    extraction.begin(&mut reader, directory.path())?;
    let mut seen = BTreeMap::new();
    let mut read = |reader: &mut BundleReader, digest, _| {
        seen.insert(digest, Some(read_rows(&BundlePath::Object(digest).to_string(), reader)?));
        Ok(())
    };
    let contents = Contents::read(&mut reader, false, &mut read, &mut Err)?;
    must_count(&contents.inventory, &seen)?;
    contents.check(&reader, &mut Err)?;
    directory.finish()
}
