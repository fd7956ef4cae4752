//! Files that are part of keys: their digests, and whether they changed meanwhile.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use matrix_store::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Why files that are part of keys are not known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// A pattern that is none.
    #[error("`{pattern}` of `inputs` is no pattern: {why}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// A pattern without a file.
    #[error("`{pattern}` of `inputs` matches no file in {}", dir.display())]
    Nothing {
        /// The pattern.
        pattern: String,
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// A folder.
    #[error("`{}` of `inputs` is a folder: write `{}/**` for the files in it", path.display(), path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// A file that cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl InputError {
    /// The pattern that is wrong, as it was looked for.
    #[must_use]
    pub fn pattern(&self) -> Option<&str> {
        match self {
            Self::Pattern { pattern, .. } | Self::Nothing { pattern, .. } => Some(pattern),
            Self::Folder { path } => path.to_str(),
            Self::Read { .. } => None,
        }
    }
}

/// What tells a file from its later versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    inode: u64,
    device: u64,
}

impl Stamp {
    /// The stamp of a file as it is now.
    ///
    /// # Errors
    /// When it cannot be looked at.
    pub fn of(path: &Path) -> std::io::Result<Self> {
        let metadata = std::fs::metadata(path)?;
        Ok(Self {
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
            device: metadata.dev(),
        })
    }

    /// Whether it is so old that a later change would show in it.
    fn is_settled(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        i64::try_from(now).is_ok_and(|now| now - self.changed.0.max(self.modified.0) > 2)
    }
}

/// A file that is part of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFile {
    /// Its name in the key: its path below `dir`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// The SHA-256 of its bytes.
    pub sha256: Digest,
    /// Whether it may be executed.
    pub executable: bool,
    /// What it was when it was digested.
    pub stamp: Stamp,
}

/// Digests of files, kept between runs so that a large file is read once.
#[derive(Debug, Default)]
pub struct Digests {
    known: BTreeMap<PathBuf, (Stamp, Digest)>,
    patterns: BTreeMap<(PathBuf, String), Vec<InputFile>>,
    cache: Option<PathBuf>,
    changed: bool,
    /// Files that were read, and not only looked up.
    pub read: u64,
}

/// The folder of what this user's runs keep for later ones: `$XDG_CACHE_HOME/matrix`, or `~/.cache/matrix`.
pub(crate) fn cache() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let folder = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute()).or_else(home);
    folder.map(|folder| folder.join("matrix"))
}

impl Digests {
    /// With what earlier runs of this user found out.
    #[must_use]
    pub fn with_cache() -> Self {
        cache().map_or_else(Self::default, |folder| Self::cached_in(folder.join("inputs.json")))
    }

    /// With what is kept in this file.
    #[must_use]
    pub fn cached_in(cache: PathBuf) -> Self {
        // A cache that cannot be read is a cache that is not there.
        let known =
            std::fs::read(&cache).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self { known, cache: Some(cache), ..Self::default() }
    }

    /// Keeps what was found out. That it cannot be kept costs time later, and nothing else.
    pub fn save(&mut self) {
        let Some(cache) = self.cache.as_ref().filter(|_| self.changed) else { return };
        let Some(folder) = cache.parent() else { return };
        let write = || -> std::io::Result<()> {
            std::fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer(&mut file, &self.known)?;
            file.persist(cache).map_err(|error| error.error)?;
            Ok(())
        };
        let _ = write();
        self.changed = false;
    }

    /// Forgets which files patterns matched, so that they are looked at again. Digests stay, by stamp.
    pub fn look_again(&mut self) {
        self.patterns.clear();
    }

    /// The files that a pattern below `dir` matches, in order of their names.
    ///
    /// # Errors
    /// When it matches nothing, or a file cannot be read.
    pub fn files(&mut self, dir: &Path, pattern: &str) -> Result<Vec<InputFile>, InputError> {
        let name = (dir.to_owned(), pattern.to_owned());
        if let Some(found) = self.patterns.get(&name) {
            return Ok(found.clone());
        }
        let bad =
            |error: &dyn std::fmt::Display| InputError::Pattern { pattern: pattern.to_owned(), why: error.to_string() };
        let full = format!("{}/{pattern}", glob::Pattern::escape(&dir.display().to_string()));
        let literal = !pattern.contains(['*', '?', '[']);
        let mut files = Vec::new();
        for path in glob::glob(&full).map_err(|error| bad(&error))? {
            let path =
                path.map_err(|error| InputError::Read { path: error.path().to_owned(), source: error.into() })?;
            if path.is_dir() {
                if literal {
                    return Err(InputError::Folder { path: pattern.into() });
                }
                continue;
            }
            let name = path.strip_prefix(dir).unwrap_or(&path).display().to_string();
            files.push(self.file(name, path)?);
        }
        if files.is_empty() {
            return Err(InputError::Nothing { pattern: pattern.to_owned(), dir: dir.to_owned() });
        }
        files.sort_by(|one, other| one.name.cmp(&other.name));
        self.patterns.insert(name, files.clone());
        Ok(files)
    }

    pub(crate) fn file(&mut self, name: String, path: PathBuf) -> Result<InputFile, InputError> {
        let fail = |source| InputError::Read { path: path.clone(), source };
        let real = path.canonicalize().map_err(fail)?;
        let stamp = Stamp::of(&real).map_err(fail)?;
        let mode = std::fs::metadata(&real).map_err(fail)?.mode();
        let sha256 = match self.known.get(&real) {
            Some((known, sha256)) if *known == stamp => *sha256,
            _ => {
                let sha256 = digest(&real).map_err(fail)?;
                self.read += 1;
                // What changes while it is read has no digest; what is new could change without another stamp.
                if Stamp::of(&real).map_err(fail)? == stamp && stamp.is_settled() {
                    self.known.insert(real.clone(), (stamp.clone(), sha256));
                    self.changed = true;
                }
                sha256
            }
        };
        Ok(InputFile { name, path: real, sha256, executable: mode & 0o111 != 0, stamp })
    }
}

/// The SHA-256 of a file.
///
/// # Errors
/// When it cannot be read.
pub fn digest(path: &Path) -> std::io::Result<Digest> {
    Ok(digest_of(File::open(path)?)?.0)
}

/// The SHA-256 of everything that a reader gives, and how many bytes that was.
///
/// # Errors
/// When it cannot be read.
pub fn digest_of(mut file: impl Read) -> std::io::Result<(Digest, u64)> {
    let mut bytes = 0;
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; 256 << 10];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok((Digest::finish(hasher), bytes)),
            count => {
                bytes += count as u64;
                hasher.update(&chunk[..count]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_once_and_again_when_it_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let (file, cache) = (folder.path().join("bench"), folder.path().join("cache.json"));
        std::fs::write(&file, "one").unwrap();
        // Old enough that a later change would show.
        let old = SystemTime::now() - std::time::Duration::from_secs(60);
        File::options().write(true).open(&file).unwrap().set_modified(old).unwrap();
        let mut digests = Digests::cached_in(cache.clone());
        let found = digests.files(folder.path(), "bench").unwrap();
        assert_eq!((found[0].sha256, digests.read), (Digest::of(b"one"), 1));
        digests.save();
        std::fs::write(&file, "two").unwrap();
        let found = Digests::cached_in(cache).files(folder.path(), "ben*").unwrap();
        assert_eq!(found[0].sha256, Digest::of(b"two"));
        assert!(!found[0].executable);
    }

    #[test]
    fn a_pattern_that_matches_nothing_or_a_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        let mut digests = Digests::default();
        let nothing = digests.files(folder.path(), "*.bin").unwrap_err().to_string();
        assert!(nothing.starts_with("`*.bin` of `inputs` matches no file in "), "{nothing}");
        let message = digests.files(folder.path(), "data").unwrap_err().to_string();
        assert_eq!(message, "`data` of `inputs` is a folder: write `data/**` for the files in it");
    }
}
