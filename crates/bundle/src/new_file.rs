//! A file that appears whole or not at all.

use std::io::{BufWriter, Write};
use std::path::Path;

use crate::error::BundleError;
use crate::temporary;

/// Writes a file whole or not at all.
pub fn whole_file<T>(
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
