//! The archive.

use std::io::{Cursor, Read as _, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use crate::{Glibc, PackageError, check_binary};

/// The package of a function: an archive with the one file `bootstrap`, executable. The same binary makes the same bytes.
///
/// # Errors
/// When the binary would not run on `provided.al2023`.
pub fn bootstrap_zip(binary: &[u8]) -> Result<Vec<u8>, PackageError> {
    check_binary(binary)?;
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o755);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("bootstrap", options)?;
    archive.write_all(binary)?;
    Ok(archive.finish()?.into_inner())
}

/// Most bytes of what a package holds, unpacked (a limit of AWS Lambda).
const UNPACKED_MAX: u64 = 250 << 20;

/// Checks that an archive is a package that runs on `provided.al2023`; tells the newest C library that it needs.
///
/// # Errors
/// When it is no archive, has no executable `bootstrap`, or that would not run there.
pub fn check_package(package: &[u8]) -> Result<Option<Glibc>, PackageError> {
    let wrong = |error: ::zip::result::ZipError| PackageError::Package(error.to_string());
    let mut archive = ZipArchive::new(Cursor::new(package)).map_err(wrong)?;
    let file = archive.by_name("bootstrap").map_err(|error| PackageError::Package(format!("`bootstrap`: {error}")))?;
    if file.unix_mode().is_some_and(|mode| mode & 0o111 == 0) {
        return Err(PackageError::Package("`bootstrap` is not executable".to_owned()));
    }
    let mut binary = Vec::new();
    let read = file.take(UNPACKED_MAX + 1).read_to_end(&mut binary);
    read.map_err(|error| PackageError::Package(format!("`bootstrap`: {error}")))?;
    if binary.len() as u64 > UNPACKED_MAX {
        return Err(PackageError::Package(format!("`bootstrap` is larger than {UNPACKED_MAX} bytes")));
    }
    check_binary(&binary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_one_executable_and_always_the_same() {
        let binary = std::fs::read("/proc/self/exe").unwrap();
        let package = |binary: &[u8]| {
            check_binary(binary).unwrap();
            bootstrap_zip(binary).unwrap()
        };
        let first = package(&binary);
        assert_eq!(first, package(&binary));
        let mut archive = zip::ZipArchive::new(Cursor::new(first)).unwrap();
        assert_eq!(archive.len(), 1);
        let mut file = archive.by_name("bootstrap").unwrap();
        assert_eq!(file.unix_mode(), Some(0o100_755));
        assert_eq!(file.last_modified(), Some(DateTime::DEFAULT));
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        assert_eq!(content, binary);
    }

    #[test]
    fn what_is_no_package_is_refused() {
        let packed = |name: &str, mode: u32, content: &[u8]| {
            let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
            archive.start_file(name, SimpleFileOptions::default().unix_permissions(mode)).unwrap();
            archive.write_all(content).unwrap();
            archive.finish().unwrap().into_inner()
        };
        let binary = std::fs::read("/proc/self/exe").unwrap();
        check_package(&packed("bootstrap", 0o755, &binary)).unwrap();
        let mut torn = bootstrap_zip(&binary).unwrap();
        torn.truncate(torn.len() / 2);
        for (package, says) in [
            (b"no archive".to_vec(), "not a package"),
            (torn, "not a package"),
            (packed("other", 0o755, &binary), "`bootstrap`"),
            (packed("bootstrap", 0o644, &binary), "not executable"),
            (packed("bootstrap", 0o755, b"#!/bin/sh"), "not an executable for x86_64 Linux"),
        ] {
            let error = check_package(&package).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
