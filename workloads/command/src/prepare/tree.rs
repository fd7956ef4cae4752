//! The digest of everything in a folder.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use matrix_store::Digest;
use serde_json::json;

use crate::inputs::{Digests, InputError, InputFile};

/// The digest of a folder: of the paths, bytes and executable bits of its files, and of its links' texts. Times and owners
/// do not count. And its files.
///
/// # Errors
/// When it is not there, or something in it cannot be read or is neither file, folder nor link.
pub(super) fn digest(folder: &Path, digests: &mut Digests) -> io::Result<(Digest, Vec<InputFile>)> {
    let (mut lines, mut files) = (Vec::new(), Vec::new());
    walk(folder, "", digests, &mut lines, &mut files)?;
    lines.sort();
    Ok((Digest::of(lines.concat().as_bytes()), files))
}

fn walk(
    folder: &Path,
    name: &str,
    digests: &mut Digests,
    lines: &mut Vec<String>,
    files: &mut Vec<InputFile>,
) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (kind, path) = (entry.file_type()?, entry.path());
        let name = format!("{name}{}", entry.file_name().to_string_lossy());
        if kind.is_dir() {
            walk(&path, &format!("{name}/"), digests, lines, files)?;
        } else if kind.is_symlink() {
            let target = std::fs::read_link(&path)?;
            lines.push(format!("{}\n", json!([name, "link", target.to_string_lossy()])));
        } else if kind.is_file() {
            let executable = entry.metadata()?.permissions().mode() & 0o111 != 0;
            let file = digests.file(name, path).map_err(|error| match error {
                InputError::Read { source, .. } => source,
                other => io::Error::other(other.to_string()),
            })?;
            lines.push(format!("{}\n", json!([file.name, executable, file.sha256])));
            files.push(file);
        } else {
            let what = format!("{} is neither a file, a folder nor a link", path.display());
            return Err(io::Error::other(what));
        }
    }
    Ok(())
}
