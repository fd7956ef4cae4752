//! Checking a bundle from its first byte to its last.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use matrix_bundle::layout::BundlePath;
use matrix_bundle::new_directory::NewDirectory;
use matrix_bundle::{BundleError, BundleInfo, BundleReader, Limits, Looks, Refusal};
use matrix_store::verify::{Checked, Fault, Note};
use matrix_store::{Digest, Pack, Store, VerifyOptions};
use matrix_traces::rows::TraceRead;
use serde::Serialize;

use crate::check::{Followed, made_by};
use crate::contents::Contents;
use crate::restore::{self, Restored};
use crate::rows::{Small, read_rows, recount, rows_of};

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BundleReport {
    /// What the bundle is, if it could be read to its end.
    pub info: Option<BundleInfo>,
    /// What made it, as it says, if it could be read to its end.
    pub made_by: Option<String>,
    /// By which version of the rules its derived files were made, as it says, if it could be read to its end.
    pub deriver: Option<u32>,
    /// Files of another deriver than [`DERIVER_VERSION`](crate::DERIVER_VERSION) that are not what this program derives, in
    /// order: nothing is known of them but their digests. Tables, figures and the README's own text are the caller's to
    /// compare.
    pub not_verified: Vec<Note>,
    /// Files of the payload whose digest was compared.
    pub files: u64,
    /// Bytes of the payload.
    pub payload_bytes: u64,
    /// How much was checked.
    pub checked: Checked,
    /// Files that are not what they should be, in order. A fault of the whole has the file `.`.
    pub faults: Vec<Fault>,
    /// Things worth knowing that harm nobody, in order.
    pub notes: Vec<Note>,
    /// What it is instead, if it is no bundle at all.
    #[serde(skip)]
    pub looks: Option<Looks>,
}

impl BundleReport {
    /// Whether no fault was found.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Checks a bundle that was opened. Memory grows with the number of records and attempts, within the reader's limits.
///
/// What tables and figures say is not checked here, only that they are what was put in: whoever can derive them again
/// compares.
///
/// # Errors
/// When it cannot be read. What is wrong with it is in the report.
pub fn verify(mut reader: BundleReader, options: VerifyOptions) -> Result<BundleReport, BundleError> {
    let mut seen: BTreeMap<Digest, Option<TraceRead>> = BTreeMap::new();
    let mut faults = Vec::new();
    let read = Contents::read(
        &mut reader,
        false,
        &mut |reader, digest, _| {
            let place = BundlePath::Object(digest).to_string();
            let rows = if options.rows { Some(read_rows(&place, reader)?) } else { None };
            seen.insert(digest, rows);
            Ok(())
        },
        &mut |error| keep(&mut faults, error),
    );
    Ok(conclude(read, &reader, seen, faults)?.0)
}

/// Judges what was read: the report, and the contents.
fn conclude(
    read: Result<Contents, BundleError>,
    reader: &BundleReader,
    seen: BTreeMap<Digest, Option<TraceRead>>,
    mut faults: Vec<Fault>,
) -> Result<(BundleReport, Option<Contents>), BundleError> {
    let mut report = BundleReport::default();
    let contents = match read {
        Ok(contents) => {
            report.files = contents.files.count();
            report.payload_bytes = contents.payload_bytes;
            report.checked = checked(&contents, &seen);
            if faults.is_empty() {
                let recounted = recount(&contents.inventory, &seen).into_iter();
                drop(seen);
                faults.extend(recounted.map(|(file, what)| Fault { file: PathBuf::from(file), what }));
                report.deriver = Some(contents.deriver());
                let followed = contents.check(reader, &mut |error| keep(&mut faults, error))?;
                if let Some(Followed { facts, not_verified }) = followed {
                    report.checked.journal_lines = facts.journal_lines;
                    report.info = contents.info(reader, &facts);
                    let made_by = made_by(reader).unwrap_or("an unknown program");
                    report.made_by = Some(made_by.chars().filter(|c| !c.is_control()).take(80).collect());
                    let note = |(file, what)| Note { file: PathBuf::from(file), what };
                    report.notes = contents.notes(&facts).into_iter().map(note).collect();
                    report.not_verified = not_verified.into_iter().map(note).collect();
                }
            }
            Some(contents)
        }
        Err(error) => {
            keep(&mut faults, error)?;
            None
        }
    };
    faults.sort();
    report.faults = faults;
    Ok((report, contents))
}

/// Objects up to this many bytes are read whole, so that their rows are read on the way, and put into one file together.
const HELD: u64 = 1 << 20;

/// Checks a bundle that was opened, every row of it, and makes a store of its objects and runs at `target` on the way, so that the
/// file is read once: what is derived needs no files of records and attempts. The store is there if no fault was found; small objects
/// are in a temporary file that only the store which is returned knows.
///
/// # Errors
/// When `target` exists and is not an empty directory, or something cannot be read or written. What is wrong with the
/// bundle is in the report.
pub fn verify_to_store(
    opened: Result<BundleReader, BundleError>,
    target: &Path,
) -> Result<(BundleReport, Option<(Store, Restored)>), BundleError> {
    let mut reader = match opened {
        Ok(reader) => reader,
        Err(error) => return Ok((of_beginning(error)?, None)),
    };
    let directory = NewDirectory::begin(target)?;
    let store = matrix_bundle::restore::open(&directory.path())?;
    let mut pack = Pack::new(matrix_bundle::temporary::unnamed()?);
    let (mut faults, mut objects, mut small) = (Vec::new(), Vec::new(), Small::default());
    let read = Contents::read(
        &mut reader,
        true,
        &mut |reader, digest, size| {
            if size > HELD {
                matrix_bundle::restore::keep_object(reader, digest, &store)?;
                objects.push(digest);
                return Ok(());
            }
            let bytes = reader.read_whole()?;
            pack.add(&digest, &bytes)?;
            small.add(digest, bytes);
            Ok(())
        },
        &mut |error| keep(&mut faults, error),
    );
    let small = small.finish(&mut |error| keep(&mut faults, error))?;
    let large = rows_of(&store, objects, &mut |error| keep(&mut faults, error))?;
    let seen = small.into_iter().map(|(digest, rows)| (digest, Some(rows))).chain(large).collect();
    let (report, contents) = conclude(read, &reader, seen, faults)?;
    let (Some(contents), true) = (contents, report.info.is_some() && report.is_sound()) else {
        return Ok((report, None));
    };
    let binary = contents.binary();
    let Contents { inventory, extras, .. } = contents;
    restore::fill_runs(&store, &inventory)?;
    store.close()?;
    directory.finish()?;
    pack.flush()?;
    let store = Store::open(target)?.with_pack(pack);
    Ok((report, Some((store, Restored { inventory, extras, binary }))))
}

/// Opens and checks a bundle; what is wrong with its beginning is in the report too.
///
/// # Errors
/// When it cannot be read.
pub fn verify_input(
    input: impl std::io::Read + Send + 'static,
    limits: Limits,
    options: VerifyOptions,
) -> Result<BundleReport, BundleError> {
    verify_opened(BundleReader::new(input, limits), options)
}

/// Checks a bundle that was opened; what is wrong with its beginning is in the report too.
///
/// # Errors
/// When it cannot be read.
pub fn verify_opened(
    opened: Result<BundleReader, BundleError>,
    options: VerifyOptions,
) -> Result<BundleReport, BundleError> {
    match opened {
        Ok(reader) => verify(reader, options),
        Err(error) => of_beginning(error),
    }
}

/// The report on a bundle whose beginning is refused already.
fn of_beginning(error: BundleError) -> Result<BundleReport, BundleError> {
    let looks = match &error {
        BundleError::Refused { why: Refusal::NotABundle(looks), .. } => Some(*looks),
        _ => None,
    };
    let mut report = BundleReport { looks, ..BundleReport::default() };
    keep(&mut report.faults, error)?;
    Ok(report)
}

/// Keeps a fault of the bundle; other errors are not the bundle's.
fn keep(faults: &mut Vec<Fault>, error: BundleError) -> Result<(), BundleError> {
    faults.push(error.into_fault()?);
    Ok(())
}

fn checked(contents: &Contents, seen: &BTreeMap<Digest, Option<TraceRead>>) -> Checked {
    Checked {
        attempts: contents.inventory.attempts.len() as u64,
        journal_lines: 0,
        object_bytes: contents.inventory.objects().values().sum(),
        objects: seen.len() as u64,
        records: contents.inventory.records.len() as u64,
        rows: seen.values().flatten().map(|rows| rows.rows).sum(),
        runs: contents.inventory.journals.len() as u64,
    }
}
