//! The program itself as a file of a bundle: whoever has no toolchain can check the bundle by it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use matrix_store::Digest;
use sha2::{Digest as _, Sha256};

use crate::bag::BINARY;
use crate::error::{BundleError, Refusal};

/// An executable that goes into a bundle as `bin/matrix`. Its bytes stay where they are until they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binary {
    path: PathBuf,
    bytes: u64,
    sha256: Digest,
}

impl Binary {
    /// Reads an executable's size and digest.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(path: &Path) -> Result<Self, BundleError> {
        let reading = || BundleError::path(format!("reading {}", path.display()));
        let file = File::open(path).map_err(reading())?;
        let mut file = Hashed { file, hasher: Sha256::new(), expected: None };
        let bytes = io::copy(&mut file, &mut io::sink()).map_err(reading())?;
        Ok(Self { path: path.to_owned(), bytes, sha256: Digest::finish(file.hasher) })
    }

    /// Its digest.
    #[must_use]
    pub fn sha256(&self) -> Digest {
        self.sha256
    }

    /// Its size, in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Opens it to be written into a bundle. It has to be the file that it was.
    pub(crate) fn open(&self) -> Result<impl Read, BundleError> {
        let file = File::open(&self.path).map_err(BundleError::path(format!("reading {}", self.path.display())))?;
        Ok(Hashed { file, hasher: Sha256::new(), expected: Some(self.sha256) })
    }
}

/// Reads a file and hashes it. At its end the digest is compared with the expected one, if there is one. Errors hold a
/// [`BundleError`].
struct Hashed {
    file: File,
    hasher: Sha256,
    expected: Option<Digest>,
}

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        let at_end = count == 0 && !buffer.is_empty();
        if let Some(expected) = self.expected.take_if(|_| at_end) {
            let found = Digest::finish(self.hasher.clone());
            if found != expected {
                let (path, why) = (BINARY.to_owned(), Refusal::Digest { expected, found });
                return Err(io::Error::other(BundleError::Unfit { path, why }));
            }
        }
        Ok(count)
    }
}

/// What a bundle's README says of the program in it.
#[must_use]
pub fn about_binary(sha256: Digest) -> String {
    format!(
        "\n## Without a toolchain\n\n\
         `bin/matrix` is the `matrix` that made this bundle, an executable (SHA-256 `{sha256}`).\nIt came with the results: run it \
         where you trust whoever gave you this file. No command of `matrix` ever runs it. Where `FILE.tar.zst`\nis this bundle, in \
         the unpacked folder:\n\n\
         ```console\n\
         $ data/bin/matrix verify FILE.tar.zst\n\
         $ data/bin/matrix report --results FILE.tar.zst\n\
         ```\n"
    )
}
