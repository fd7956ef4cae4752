//! Making a bundle of a store.

mod assembly;
mod objects;

use std::io::{BufWriter, Write};
use std::num::NonZeroU32;
use std::path::Path;

use matrix_store::{Origin, Store};

use crate::compress::{compressor, finish};
use crate::error::BundleError;
use crate::extras::Extras;
use crate::info::BundleInfo;
use crate::inventory::{Facts, Inventory, Selection};
use crate::tar::TarWriter;
use crate::temporary;
pub use assembly::AGENT;
pub(crate) use assembly::{
    AGENT_FIELD, Assembly, Content, FORMAT_FIELD, FORMATS, Maker, bag_info, folder_of, tag_manifest,
};

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
    write(store, &inventory, extras, options, out)
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

/// Writes a file whole or not at all.
pub(crate) fn whole_file<T>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&std::fs::File>) -> Result<T, BundleError>,
) -> Result<T, BundleError> {
    let doing = || BundleError::io(format!("writing {}", path.display()));
    let naming = || BundleError::path(format!("writing {}", path.display()));
    if path.is_dir() {
        return Err(naming()(std::io::ErrorKind::IsADirectory.into()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(naming())?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".bundle-").suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let temp = builder.tempfile_in(folder).map_err(naming())?;
    temporary::list_file(temp.path());
    let mut out = BufWriter::with_capacity(256 << 10, temp.as_file());
    let value = write(&mut out)?;
    out.flush().map_err(doing())?;
    drop(out);
    temp.as_file().sync_all().map_err(doing())?;
    temp.persist(path).map_err(|error| naming()(error.error))?;
    if cfg!(unix) {
        std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(doing())?;
    }
    Ok(value)
}

/// Writes the bundle of an inventory, whose objects are in `store`.
pub(crate) fn write(
    store: &Store,
    inventory: &Inventory,
    extras: &Extras,
    options: &CreateOptions,
    out: impl Write,
) -> Result<BundleInfo, BundleError> {
    let facts = Facts::of(inventory)?;
    if facts.tally.done < facts.tally.planned() && !options.allow_incomplete {
        return Err(BundleError::Incomplete(facts.tally));
    }
    let assembly = Assembly::new(inventory, &facts, extras)?;
    let available = || std::thread::available_parallelism().ok().and_then(|cpus| u32::try_from(cpus.get()).ok());
    let workers = options.workers.map(NonZeroU32::get).or_else(available).unwrap_or(1);
    let writing = || BundleError::io("writing the bundle");

    let mut tar = TarWriter::new(compressor(out, workers)?);
    for (path, bytes) in &assembly.tags {
        tar.append(&format!("{}/{path}", assembly.folder), bytes.len() as u64, bytes.as_slice())?;
    }
    objects::with_reader(store, assembly.objects(), |objects| {
        for (path, item) in &assembly.items {
            let path = format!("{}/{path}", assembly.folder);
            match &item.content {
                Content::Bytes(bytes) => tar.append(&path, item.size, bytes.as_slice())?,
                Content::Object(digest) => tar.append(&path, item.size, objects.next(digest, item.size))?,
            }
        }
        Ok(())
    })?;
    let (_, sha256, bytes) = finish(tar.finish().map_err(writing())?).map_err(writing())?;
    Ok(assembly.info(inventory, &facts, sha256, bytes))
}
