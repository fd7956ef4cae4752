//! Making a bundle of a store.

mod assembly;

use std::io::Write;
use std::num::NonZeroU32;
use std::path::Path;

use matrix_bundle::container::Container;
use matrix_bundle::new_file::whole_file;
use matrix_bundle::{BundleError, BundleInfo, Extras};
use matrix_store::{Origin, Store};

use crate::inventory::{Inventory, Selection};
pub(crate) use assembly::{FORMATS, Maker, bag_info};

/// How a bundle is made.
#[derive(Clone, Debug, Default)]
pub struct CreateOptions {
    /// Whether cells that were planned may be missing; the bundle says so then.
    pub allow_incomplete: bool,
    /// Under which origin to publish what was measured here; `local` stays if there is none.
    pub origin: Option<Origin>,
    /// Who measured, if the bundle is to say that.
    pub identify: Option<String>,
    /// Threads that compress; as many as there are processors if there is none. The bytes are the same.
    pub workers: Option<NonZeroU32>,
}

/// Makes a bundle of what is selected, and writes it to `out`. The same results and extras give the same bytes.
///
/// Every object's bytes are hashed on their way; one that is damaged makes this fail, and what was written by then is no
/// bundle. [`create_file`] leaves no file then.
///
/// # Errors
/// When cells are missing and that was not allowed, nothing is selected, the store is damaged, or `out` fails.
pub fn create(
    store: &Store,
    selection: &Selection,
    extras: &Extras,
    options: &CreateOptions,
    out: impl Write,
) -> Result<BundleInfo, BundleError> {
    let mut inventory = Inventory::gather(store, selection, options.origin.as_ref())?;
    inventory.add(extras, options.identify.as_deref(), options.origin.as_ref());
    Ok(write(store, &inventory, extras, options, out)?.info)
}

/// A bundle that was made, and what it is not about.
#[derive(Debug)]
pub struct Created {
    /// What it is.
    pub info: BundleInfo,
    /// How many cells its plans have that were not selected.
    pub left_out: u64,
    /// The shards whose cells are not all there, as in a sentence.
    pub missing_shards: Option<String>,
}

/// Makes a bundle of what was gathered, as [`create_file`] does.
///
/// # Errors
/// As for [`create_file`].
pub fn create_gathered(
    store: &Store,
    inventory: &mut Inventory,
    extras: &Extras,
    options: &CreateOptions,
    path: &Path,
) -> Result<Created, BundleError> {
    inventory.add(extras, options.identify.as_deref(), options.origin.as_ref());
    whole_file(path, |out| write(store, inventory, extras, options, out))
}

/// Makes a bundle, whole or not at all: under a temporary name in the same directory, synced and renamed. A file of that
/// name is replaced.
///
/// # Errors
/// As for [`create`], and when the file cannot be written.
pub fn create_file(
    store: &Store,
    selection: &Selection,
    extras: &Extras,
    options: &CreateOptions,
    path: &Path,
) -> Result<BundleInfo, BundleError> {
    whole_file(path, |out| create(store, selection, extras, options, out))
}

/// Writes the bundle of an inventory, whose objects are in `store`.
pub(crate) fn write(
    store: &Store,
    inventory: &Inventory,
    extras: &Extras,
    options: &CreateOptions,
    out: impl Write,
) -> Result<Created, BundleError> {
    let facts = inventory.facts()?;
    if facts.tally.done < facts.tally.planned() && !options.allow_incomplete {
        return Err(BundleError::Incomplete(facts.tally));
    }
    let items = assembly::items(inventory, &facts, extras)?;
    let (bytes, files) = (items.values().map(|item| item.size).sum(), items.len() as u64);
    let info = bag_info(inventory, &facts, bytes, files, &Maker::here());
    let container = Container::new(facts.folder(), &info, items)?;
    let (sha256, bytes) = container.write(store, options.workers, out)?;
    let info = assembly::info_of(&container, inventory, &facts, sha256, bytes);
    Ok(Created { info, left_out: facts.left_out, missing_shards: facts.missing_shards() })
}
