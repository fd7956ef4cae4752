//! The archive.

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::{PackageError, check_binary};

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

#[cfg(test)]
mod tests {
    use std::io::Read as _;

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
}
