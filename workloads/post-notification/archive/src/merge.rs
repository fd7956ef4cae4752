//! The union of bundles.

use std::io::Write;
use std::num::NonZeroU32;
use std::path::Path;

use matrix_bundle::temporary::Folder;
use matrix_bundle::{BundleError, BundleInfo, BundleReader, Extras};
use matrix_store::{Store, WritableStore};

use crate::create::{self, CreateOptions};
use crate::inventory::Inventory;
use crate::restore;

/// How bundles are merged.
#[derive(Clone, Debug, Default)]
pub struct MergeOptions {
    /// Whether cells that were planned may be missing in the union.
    pub allow_incomplete: bool,
    /// Threads that compress; as many as there are processors if there is none. The bytes are the same.
    pub workers: Option<NonZeroU32>,
}

/// Makes one bundle of several: all their cells, records, attempts, runs and sources. Which comes first makes no
/// difference, nor does it if one comes twice.
///
/// Tables, figures and the text files cannot be united: `derive` makes them of the united results. A store of these, with
/// everything in it, is made in a directory under `work`, and removed at the end.
///
/// # Errors
/// When a bundle is not what it should be, when two results of one cell and origin differ, or two attempts of one name
/// (all such conflicts are told), when cells or shards are missing and that was not allowed, or when `derive` fails.
pub fn merge(
    bundles: impl IntoIterator<Item = Result<BundleReader, BundleError>>,
    work: &Path,
    derive: &mut dyn FnMut(&Store, &Inventory) -> Result<Extras, BundleError>,
    options: &MergeOptions,
    out: impl Write,
) -> Result<BundleInfo, BundleError> {
    let temp = Folder::inside(work, "matrix-merge-")
        .map_err(BundleError::path(format!("creating a directory in {}", work.display())))?;
    let store = matrix_bundle::restore::open(&temp.path().join("store"))?;
    let inventory = unite(bundles, &store)?;
    if let Some(shards) = inventory.missing_shards()?
        && !options.allow_incomplete
    {
        return Err(BundleError::MissingShards(shards));
    }
    restore::fill(&store, &inventory)?;
    let extras = derive(&store, &inventory)?;
    let options = CreateOptions {
        allow_incomplete: options.allow_incomplete,
        workers: options.workers,
        ..CreateOptions::default()
    };
    Ok(create::write(&store, &inventory, &extras, &options, out)?.info)
}

fn unite(
    bundles: impl IntoIterator<Item = Result<BundleReader, BundleError>>,
    store: &WritableStore,
) -> Result<Inventory, BundleError> {
    let mut union = Inventory::default();
    let mut conflicts = Vec::new();
    for bundle in bundles {
        let contents = restore::read_into(bundle?, store)?;
        match union.unite(contents.inventory) {
            Ok(()) => {}
            Err(BundleError::Conflicts(found)) => conflicts.extend(found),
            Err(error) => return Err(error),
        }
    }
    if conflicts.is_empty() {
        return Ok(union);
    }
    conflicts.sort();
    conflicts.dedup();
    Err(BundleError::Conflicts(conflicts))
}
