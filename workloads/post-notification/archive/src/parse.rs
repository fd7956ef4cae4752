//! Every parser of what a bundle holds, by itself, for those who try them with any bytes. None may panic, whatever it is
//! given.

use std::io::Cursor;

use matrix_bundle::layout::BundlePath;
use matrix_bundle::{BundleError, Limits, Refusal, Signer, bag, path, tar};
use matrix_store::JournalSummary;

use crate::VerifyOptions;
use crate::cells;
use crate::verify::{BundleReport, verify_input};

/// Reads a whole bundle, within bounds that suit a test.
///
/// # Errors
/// Never for the bytes' sake: what is wrong with them is in the report.
pub fn parse_bundle(bytes: &[u8]) -> Result<BundleReport, BundleError> {
    let limits =
        Limits { max_bytes: 16 << 20, max_entries: 10_000, max_file_bytes: 1 << 20, max_memory_bytes: 4 << 20 };
    verify_input(Cursor::new(bytes.to_vec()), limits, VerifyOptions::default())
}

/// Reads what a bundle decompresses to: compresses it first, so that any bytes get past the compression.
///
/// # Errors
/// When it cannot be compressed.
pub fn parse_archive(bytes: &[u8]) -> Result<BundleReport, BundleError> {
    parse_bundle(&compress_archive(bytes)?)
}

/// Compresses an archive as bundles are.
///
/// # Errors
/// When it cannot be compressed.
pub fn compress_archive(bytes: &[u8]) -> Result<Vec<u8>, BundleError> {
    let failed = || BundleError::io("compressing");
    let mut encoder = matrix_bundle::compress::compressor(Vec::new(), 1)?;
    std::io::Write::write_all(&mut encoder, bytes).map_err(failed())?;
    Ok(matrix_bundle::compress::finish(encoder).map_err(failed())?.0)
}

/// Reads the header of an entry: its path and size.
///
/// # Errors
/// When it is none of a bundle's.
pub fn parse_header(bytes: &[u8]) -> Result<(String, u64), Refusal> {
    let header = bytes.try_into().map_err(|_| Refusal::Truncated)?;
    tar::decode(header).map_err(|(_, why)| why)
}

/// Reads a manifest: how many files it names.
///
/// # Errors
/// When it is none of a bundle's.
pub fn parse_manifest(bytes: &[u8]) -> Result<usize, Refusal> {
    bag::parse_manifest(bytes, 10_000).map(|files| files.len())
}

/// Reads what a bag says of itself: how many fields it has.
///
/// # Errors
/// When it is none of a bundle's.
pub fn parse_bag_info(bytes: &[u8]) -> Result<usize, Refusal> {
    bag::parse_info(bytes).map(|fields| fields.len())
}

/// Reads the list of cells: how many there are.
///
/// # Errors
/// When it is none of a bundle's.
pub fn parse_cells(bytes: &[u8]) -> Result<usize, Refusal> {
    cells::parse(bytes).map(|cells| cells.len())
}

/// Reads a path in a bundle, and where that is; nothing if no such file belongs in one.
///
/// # Errors
/// When it cannot be a path in a bundle.
pub fn parse_path(bytes: &[u8]) -> Result<Option<String>, Refusal> {
    Ok(BundlePath::of(path::parse(bytes)?).map(|place| place.to_string()))
}

/// Reads the journal of a run: how many lines it has.
///
/// # Errors
/// When it is damaged.
pub fn parse_journal(bytes: &[u8]) -> Result<u64, BundleError> {
    Ok(JournalSummary::read("journal.jsonl".as_ref(), bytes, |_| {})?.lines)
}

/// Reads a signature, and the signers of a file that lists them.
///
/// # Errors
/// When it is neither.
pub fn parse_signature(bytes: &[u8]) -> Result<(), BundleError> {
    match matrix_bundle::sign::parse_signature(bytes) {
        Ok(_) => Ok(()),
        Err(error) => match str::from_utf8(bytes) {
            Ok(text) => Signer::parse(text).map(|_| ()),
            Err(_) => Err(error),
        },
    }
}
