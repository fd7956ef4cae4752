//! Reading an untrusted bundle.
//!
//! Whatever it holds, a reader uses a bounded amount of memory, and every byte that it gives has been or will be compared
//! with a digest. Refused are: paths that are absolute, that leave their folder or that are not UTF-8; links, devices,
//! directories, sparse files, and the headers of PAX and GNU; names that appear twice, that differ only in case, or that
//! are a file and a folder; streams that decompress to more than is allowed, end too early, or go on after their end;
//! headers and padding that differ in any bit from what [`Container`](crate::container::Container) writes; files that the manifest does
//! not name, and the other way round; digests that do not match; JSON that is too large or nested too deep.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use matrix_store::Digest;
use sha2::{Digest as _, Sha256};

use crate::bag::{BAG_INFO, BINARY, FORMAT_FIELD, MANIFEST, TAG_FILES};
use crate::beginning::{check_tags, read_tags};
use crate::error::{BundleError, Refusal};
use crate::files::Files;
use crate::limits::Limits;
use crate::tar::TarReader;
use crate::temporary;

/// Reads a bundle from its beginning to its end, one file at a time.
#[derive(Debug)]
pub struct BundleReader {
    tar: TarReader,
    limits: Limits,
    folder: String,
    info: BTreeMap<String, String>,
    manifest: Vec<(String, Digest)>,
    /// The bag's own files, byte for byte, by name.
    tags: BTreeMap<&'static str, Vec<u8>>,
    /// The bytes of those files of the manifest that have been reached.
    sizes: Vec<u64>,
    payload_bytes: u64,
    /// The file that is being read: its path, what its digest has to be, and what it is so far.
    current: Option<Current>,
    /// Where a copy of each file goes, if anywhere.
    copies: Option<PathBuf>,
    /// The files of which no copy is put there.
    not_copied: BTreeSet<String>,
    ended: bool,
}

#[derive(Debug)]
struct Current {
    path: String,
    size: u64,
    expected: Digest,
    hasher: Sha256,
    copy: Option<File>,
}

impl Current {
    /// Takes note of what was read.
    fn take(&mut self, bytes: &[u8]) -> Result<(), BundleError> {
        self.hasher.update(bytes);
        match &mut self.copy {
            Some(copy) => copy.write_all(bytes).map_err(BundleError::io(format!("writing a copy of {}", self.path))),
            None => Ok(()),
        }
    }
}

/// Room that is made for a file before its bytes have come.
const ROOM: usize = 64 << 20;

/// A file of the payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path in the bag, which begins with `data/`.
    pub path: String,
    /// Its bytes.
    pub size: u64,
    /// Its digest, as the manifest says.
    pub digest: Digest,
}

impl BundleReader {
    /// Opens a file.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn open(path: &Path, limits: Limits) -> Result<Self, BundleError> {
        let opening = || BundleError::path(format!("opening {}", path.display()));
        let file = File::open(path).map_err(opening())?;
        // A folder can be opened, and not read.
        if file.metadata().map_err(opening())?.is_dir() {
            return Err(opening()(io::ErrorKind::IsADirectory.into()));
        }
        Self::new(file, limits)
    }

    /// Begins to read: the bag's own files, up to the payload.
    ///
    /// # Errors
    /// When they are not what a bundle has.
    pub fn new(input: impl Read + Send + 'static, limits: Limits) -> Result<Self, BundleError> {
        let mut tar = TarReader::new(input, limits.max_bytes);
        let (folder, tags) = read_tags(&mut tar, &TAG_FILES, limits)?;
        let (info, manifest) = check_tags(&tags, limits).map_err(|(name, why)| BundleError::Refused {
            place: Some(name.to_owned()),
            offset: tar.offset(),
            why,
        })?;
        Ok(Self {
            tar,
            limits,
            folder,
            info,
            manifest,
            tags,
            sizes: Vec::new(),
            payload_bytes: 0,
            current: None,
            copies: None,
            not_copied: BTreeSet::new(),
            ended: false,
        })
    }

    /// The bag's folder.
    #[must_use]
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// What the bag says of itself, by name.
    #[must_use]
    pub fn info(&self) -> &BTreeMap<String, String> {
        &self.info
    }

    /// Whether it is a bundle of format 3.
    #[must_use]
    pub fn is_generic(&self) -> bool {
        self.info.get(FORMAT_FIELD).is_some_and(|format| format == crate::generic::FORMAT)
    }

    /// The files that the bag says it has, in order, each with its digest.
    #[must_use]
    pub fn manifest(&self) -> &[(String, Digest)] {
        &self.manifest
    }

    /// The files that were read, once its end was reached; the reader has no manifest then.
    pub fn take_files(&mut self) -> Files {
        Files::new(std::mem::take(&mut self.manifest), std::mem::take(&mut self.sizes))
    }

    /// The bounds on what is read.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// From now on, puts a copy of each file but some below a folder, which is there, as it is read.
    pub(crate) fn copy_to(&mut self, folder: PathBuf, but: BTreeSet<String>) {
        self.copies = Some(folder);
        self.not_copied = but;
    }

    /// The bag's own files, byte for byte, by name; without those that were forgotten.
    pub fn tags(&self) -> &BTreeMap<&'static str, Vec<u8>> {
        &self.tags
    }

    /// Forgets the bytes of the manifest, which are many and have been parsed.
    pub fn forget_manifest(&mut self) {
        self.tags.remove(MANIFEST);
    }

    /// The digest and size of the bundle's file, once its end was reached.
    #[must_use]
    pub fn end(&self) -> Option<(Digest, u64)> {
        self.tar.end().filter(|_| self.ended)
    }

    /// Payload bytes so far.
    #[must_use]
    pub fn payload_bytes(&self) -> u64 {
        self.payload_bytes
    }

    /// The next file of the payload, or nothing at the end of the bundle. What was not read of the one before is read
    /// first, and its digest compared.
    ///
    /// # Errors
    /// When the bundle is not what it should be. After [`Refusal::Digest`] it can be read on, after all others not.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, BundleError> {
        self.finish_entry()?;
        if self.ended {
            return Ok(None);
        }
        let Some((path, size)) = self.tar.next()? else {
            if let Some((path, _)) = self.manifest.get(self.sizes.len()) {
                return Err(self.refuse(path, Refusal::Missing));
            }
            let oxum = format!("{}.{}", self.payload_bytes, self.manifest.len());
            if self.info.get("Payload-Oxum") != Some(&oxum) {
                let what = format!("its Payload-Oxum is not {oxum}");
                // Nothing comes after it, though it can be read on.
                self.ended = true;
                return Err(self.refuse(BAG_INFO, Refusal::Contents(what)));
            }
            self.ended = true;
            return Ok(None);
        };
        let Some(inner) = path.strip_prefix(&self.folder).and_then(|rest| rest.strip_prefix('/')) else {
            return Err(self.refuse(&path, Refusal::OutsideTheBag));
        };
        let Some((expected_path, digest)) =
            self.manifest.get(self.sizes.len()).filter(|(expected, _)| expected == inner)
        else {
            return Err(self.refuse(inner, self.why_not(inner)));
        };
        let entry = Entry { path: expected_path.clone(), size, digest: *digest };
        self.sizes.push(size);
        self.payload_bytes += size;
        let Entry { path, digest, .. } = entry.clone();
        let copies = self.copies.as_ref().filter(|_| !self.not_copied.contains(&path));
        let copy = copies.map(|folder| temporary::create(&folder.join(&path))).transpose()?;
        if path == BINARY
            && let Some(copy) = &copy
        {
            let all = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            copy.set_permissions(all).map_err(BundleError::io(format!("making {path} executable")))?;
        }
        self.current = Some(Current { path, size, expected: digest, hasher: Sha256::new(), copy });
        Ok(Some(entry))
    }

    /// Reads the current file to its end, and compares its digest.
    ///
    /// # Errors
    /// When the stream is damaged, or the digest is another.
    pub fn finish_entry(&mut self) -> Result<(), BundleError> {
        let Some(mut current) = self.current.take() else { return Ok(()) };
        loop {
            let chunk = self.tar.chunk()?;
            let count = chunk.len();
            if count == 0 {
                break;
            }
            current.take(chunk)?;
            self.tar.consume(count);
        }
        let found = Digest::finish(current.hasher);
        if found == current.expected {
            return Ok(());
        }
        Err(self.refuse(&current.path, Refusal::Digest { expected: current.expected, found }))
    }

    /// Reads the current file whole. Its digest has been compared when this returns.
    ///
    /// # Errors
    /// When it is too large to be held, or not what it should be.
    pub fn read_whole(&mut self) -> Result<Vec<u8>, BundleError> {
        let (path, size) = match &self.current {
            Some(current) => (current.path.clone(), current.size),
            None => return Ok(Vec::new()),
        };
        if size > self.limits.max_file_bytes {
            let why = Refusal::FileTooLarge { bytes: size, max: self.limits.max_file_bytes };
            return Err(self.refuse(&path, why));
        }
        let mut bytes = Vec::new();
        loop {
            let chunk = self.tar.take_chunk()?;
            match &mut self.current {
                Some(current) if !chunk.is_empty() => current.take(&chunk)?,
                _ => break,
            }
            // A small file is one chunk. A large one gets room for the size that it says, but not for any: that may be wrong.
            if bytes.is_empty() {
                bytes = chunk;
                bytes.reserve_exact(usize::try_from(size).unwrap_or(ROOM).min(ROOM).saturating_sub(bytes.len()));
            } else {
                bytes.extend_from_slice(&chunk);
            }
        }
        self.finish_entry()?;
        Ok(bytes)
    }

    /// Why a file is not the next one of the manifest.
    fn why_not(&self, path: &str) -> Refusal {
        let lower = path.to_ascii_lowercase();
        let seen = self.manifest.get(..self.sizes.len()).unwrap_or_default();
        if TAG_FILES.contains(&path) || seen.iter().any(|(other, _)| other == path) {
            return Refusal::Duplicate;
        }
        for (other, _) in &self.manifest {
            if other != path && other.eq_ignore_ascii_case(&lower) {
                return Refusal::CaseCollision { other: other.clone() };
            }
            let inside = |folder: &str, file: &str| file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
            if inside(other, path) || inside(path, other) {
                let other = if inside(other, path) { other.clone() } else { path.to_owned() };
                return Refusal::FileAndFolder { other };
            }
        }
        match self.manifest.get(self.sizes.len()) {
            Some((expected, _)) if self.manifest.iter().any(|(other, _)| other == path) => {
                Refusal::OutOfOrder { expected: expected.clone() }
            }
            _ => Refusal::NotInManifest,
        }
    }

    fn refuse(&self, place: &str, why: Refusal) -> BundleError {
        BundleError::Refused { place: Some(place.to_owned()), offset: self.tar.offset(), why }
    }
}

/// Reads the current file. Errors hold a [`BundleError`], see [`BundleError::from_read`].
impl Read for BundleReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(current) = &mut self.current else { return Ok(0) };
        let count = self.tar.read(buffer)?;
        current.take(&buffer[..count]).map_err(io::Error::other)?;
        Ok(count)
    }
}
