//! The place of a store: whether a directory is one, can become one, and holds together.

use std::io;
use std::path::Path;

use crate::error::StoreError;
use crate::fs::Filesystem;
use crate::layout::{self, Layout, parent};
use crate::store;

/// Where the store is or will be, and whether it has to be made.
pub(crate) fn prepare(path: &Path, fs: &dyn Filesystem) -> Result<(Layout, bool), StoreError> {
    let layout = Layout { root: path.to_owned() };
    let new = store::schema_of(&layout)?.is_none();
    store::must_lead_somewhere(path)?;
    if new {
        may_become_a_store(&layout)?;
        make_dirs(fs, path)?;
    }
    must_be_together(&layout)?;
    Ok((layout, new))
}

/// A directory may become a store if there is nothing in it but what an interrupted start left, and what may lie beside a
/// store.
fn may_become_a_store(layout: &Layout) -> Result<(), StoreError> {
    let not_a_store = || StoreError::NotAStore { path: layout.root.clone() };
    let entries = match std::fs::read_dir(&layout.root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Err(not_a_store()),
        Err(error) => return Err(StoreError::io("reading", &layout.root, error)),
    };
    for entry in entries {
        let name = entry.map_err(|error| StoreError::io("reading", &layout.root, error))?.file_name();
        let beside = name.to_str().is_some_and(layout::may_lie_beside);
        let begun = ["lock", "tmp", "runners", "claims"].iter().any(|known| name == *known);
        if !begun && !beside {
            return Err(not_a_store());
        }
    }
    Ok(())
}

/// Refuses a store whose folders cannot take what is moved into them: links to nothing, other file systems. Better before
/// anything is measured than after.
fn must_be_together(layout: &Layout) -> Result<(), StoreError> {
    let folders = [
        layout.tmp(),
        layout.objects(),
        layout.cells(),
        layout.attempts(),
        layout.runs(),
        layout.claims(),
        layout.runners(),
    ];
    for path in folders.iter().chain([&layout.lock(), &layout.index(), &layout.store_toml()]) {
        store::must_lead_somewhere(path)?;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let device = |path: &Path| std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), mount(path)));
        let Some(from) = [layout.tmp(), layout.root.clone()].into_iter().find(|path| path.exists()) else {
            return Ok(());
        };
        let other = folders.into_iter().find(|path| device(path).is_some_and(|it| Some(it) != device(&from)));
        if let Some(path) = other {
            return Err(StoreError::OtherFilesystem { path, other: from });
        }
    }
    Ok(())
}

/// The mount that a path is on: nothing is renamed from one to another, even of the same file system. 0 where the system does not say.
#[cfg(target_os = "linux")]
fn mount(path: &Path) -> u64 {
    use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
    statx(CWD, path, AtFlags::empty(), StatxFlags::MNT_ID).map_or(0, |found| found.stx_mnt_id)
}

#[cfg(all(unix, not(target_os = "linux")))]
fn mount(_: &Path) -> u64 {
    0
}

pub(crate) fn make_dirs(fs: &dyn Filesystem, path: &Path) -> Result<(), StoreError> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    store::must_lead_somewhere(path)?;
    let above = parent(path);
    if above != path {
        make_dirs(fs, above)?;
    }
    match fs.create_dir(path) {
        Ok(()) => {}
        // Another thread was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        Err(error) => return Err(StoreError::io("creating", path, error)),
    }
    let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
    fs.sync_dir(above).map_err(|error| StoreError::io("syncing", above, error))
}
