//! Writing files whole or not at all.

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::exit::{Exit, Failure};

/// Makes a folder and those above it. A link that leads nowhere is named as such.
pub(crate) fn make_folder(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))
}

/// The first of a path and those above it that is a link to nothing, and where it leads.
fn dangling(path: &Path) -> Option<(&Path, PathBuf)> {
    path.ancestors().find_map(|place| {
        let target = std::fs::read_link(place).ok()?;
        std::fs::metadata(place).is_err().then_some((place, target))
    })
}

/// Whether there is a file of these bytes; nothing else is read, as a pipe or a device need not end.
fn has_bytes(path: &Path, bytes: &[u8]) -> Result<bool, Failure> {
    let place = place_of(path)?;
    let is_as_long = std::fs::metadata(&place).is_ok_and(|found| found.len() == bytes.len() as u64);
    Ok(is_as_long && std::fs::read(&place).is_ok_and(|old| old == bytes))
}

/// Writes a file whole or not at all; one that has these bytes already is left alone. Whether it was written.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<bool, Failure> {
    if has_bytes(path, bytes)? {
        return Ok(false);
    }
    let mut file = new_file(path)?;
    file.write_all(bytes).map_err(|error| unwritable(path, &error))?;
    keep_file(file, path)?;
    Ok(true)
}

/// As [`write_file`], for this user alone to read: what was written is, whoever could read it before.
#[cfg(feature = "live")]
pub(crate) fn write_private_file(path: &Path, bytes: &[u8]) -> Result<bool, Failure> {
    let private = || std::fs::Permissions::from_mode(0o600);
    if has_bytes(path, bytes)? {
        std::fs::set_permissions(path, private()).map_err(|error| unwritable(path, &error))?;
        return Ok(false);
    }
    let mut file = new_file(path)?;
    file.as_file().set_permissions(private()).map_err(|error| unwritable(path, &error))?;
    file.write_all(bytes).map_err(|error| unwritable(path, &error))?;
    keep_file(file, path)?;
    Ok(true)
}

/// Makes sure that a new file can be made at `path`, before there is anything to write.
#[cfg(feature = "live")]
pub(crate) fn check_folder(path: &Path) -> Result<(), Failure> {
    new_file(path).map(drop)
}

/// Where a file that is named `path` is: a link is followed. What is no file is refused, as it would be replaced.
pub(crate) fn place_of(path: &Path) -> Result<PathBuf, Failure> {
    // What the system follows a link to need not have a name: /dev/stdout leads to an open pipe.
    match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => Err(Failure::usage(
            format!("{} is there already, and is no file", super::path(path)),
            "name a new file: it is written whole or not at all, which a folder, a pipe or a device cannot be",
        )),
        Ok(_) => path.canonicalize().map_err(|error| unwritable(path, &error)),
        // A new one, or the system says what is wrong when it is made.
        Err(_) => Ok(where_it_leads(path)),
    }
}

/// Where a link to nothing leads, so that the file is made there and the link stays.
fn where_it_leads(path: &Path) -> PathBuf {
    let mut place = path.to_owned();
    for _ in 0..LINKS_MAX {
        let Ok(target) = std::fs::read_link(&place) else { break };
        place = place.parent().map_or_else(|| target.clone(), |folder| folder.join(&target));
    }
    place
}

/// Most links one after the other that are followed, as many as Linux does.
const LINKS_MAX: usize = 40;

/// A new file beside `path`, to be given its name when it is whole.
pub(crate) fn new_file(path: &Path) -> Result<NamedTempFile, Failure> {
    let place = place_of(path)?;
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_folder(folder)?;
    let mut builder = tempfile::Builder::new();
    let file = builder.permissions(PermissionsExt::from_mode(0o644)).tempfile_in(folder);
    // The error names the temporary file; what counts is the one that was asked for.
    let file = file.map_err(|error| unwritable(path, &without_path(error)))?;
    matrix_bundle::temporary::list_file(file.path());
    Ok(file)
}

/// Gives a whole file its name.
pub(crate) fn keep_file(file: NamedTempFile, path: &Path) -> Result<(), Failure> {
    file.persist(place_of(path)?).map_err(|error| unwritable(path, &error.error))?;
    Ok(())
}

/// The same error without the path that was put into it.
fn without_path(error: io::Error) -> io::Error {
    match error.get_ref().and_then(std::error::Error::source).and_then(|source| source.downcast_ref::<io::Error>()) {
        Some(inner) => inner.raw_os_error().map_or_else(|| inner.kind().into(), io::Error::from_raw_os_error),
        None => error,
    }
}

/// A file that could not be written, nothing of which is left.
pub(crate) fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let name = super::path(path);
    if matrix_store::is_full(error) {
        let fix = "make room there and repeat the command: nothing half-written is left";
        return Failure::usage(format!("no space left writing {name}"), fix);
    }
    if let Some((link, target)) = dangling(path) {
        let (link, target) = (super::path(link), super::path(&target));
        return Failure::usage(
            format!("{name}: {link} is a link to {target}, which is not there"),
            "make what it leads to, remove the link, or name another place",
        );
    }
    Failure::new(Exit::Usage, format!("{name}: {error}"))
}
