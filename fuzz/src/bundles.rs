//! Bundles, whole and in parts.

use std::collections::BTreeSet;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use matrix_archive::{BundleReport, VerifyOptions, parse, to_store, verify_input};
use matrix_bundle::{BundleReader, Limits};
use matrix_store::Store;

use crate::seal;

/// Bounds that suit a test.
const LIMITS: Limits =
    Limits { max_bytes: 16 << 20, max_entries: 10_000, max_file_bytes: 1 << 20, max_memory_bytes: 4 << 20 };

/// The parsers of a bundle's small parts.
pub fn bundle(data: &[u8]) {
    if let Ok((path, _)) = parse::parse_header(data) {
        assert!(!path.is_empty() && !path.starts_with('/') && !path.split('/').any(|part| part == ".."), "{path}");
    }
    let lines = data.iter().filter(|&&byte| byte == b'\n').count();
    if let Ok(files) = parse::parse_manifest(data) {
        assert_eq!(files, lines);
    }
    if let Ok(fields) = parse::parse_bag_info(data) {
        assert!(fields <= lines + 1);
    }
    if let Ok(cells) = parse::parse_cells(data) {
        assert!(cells <= lines);
    }
    if let Ok(Some(place)) = parse::parse_path(data) {
        assert_eq!(place.as_bytes(), data, "a place has one path");
    }
    let _ = parse::parse_signature(data);
}

fn check(bundle: &[u8], quick: bool) -> BundleReport {
    let input = Cursor::new(bundle.to_vec());
    verify_input(input, LIMITS, VerifyOptions { rows: !quick }).expect("what is wrong with bytes is in the report")
}

/// Any bytes as a bundle, and as what one decompresses to.
pub fn verify(data: &[u8]) {
    for bundle in [data, &compress(data)] {
        let report = check(bundle, false);
        assert_eq!(report.info.is_some(), report.is_sound(), "{report:?}");
        if report.is_sound() {
            assert!(check(bundle, true).is_sound(), "a quick look finds no more than a long one");
        }
    }
}

/// An archive whose digests are put right, unpacked and made a store: what is refused leaves nothing, what is not is all
/// there, and neither touches anything beside its target.
pub fn extract(data: &[u8]) {
    let Some(archive) = seal::archive(data) else { return };
    let bundle = compress(&archive);
    let report = check(&bundle, false);
    let scratch = crate::scratch();
    let base = scratch.path().join("base");
    fs::create_dir(&base).expect("a folder");

    let target = base.join("target");
    let unpacked = BundleReader::new(Cursor::new(bundle.clone()), LIMITS)
        .and_then(|reader| matrix_archive::extract(reader, &target, matrix_bundle::Extraction::default()));
    if report.is_sound() {
        assert!(unpacked.is_ok(), "{unpacked:?}");
        assert!(check(&bundle, true).is_sound(), "a quick look finds no more than a long one");
    }
    let found = files(scratch.path());
    if unpacked.is_ok() {
        let reader = BundleReader::new(Cursor::new(bundle.clone()), LIMITS).expect("it was opened before");
        let listed = reader.manifest().iter().map(|(path, _)| target.join(path));
        let tags = ["bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt"];
        let wanted: BTreeSet<PathBuf> = listed.chain(tags.map(|name| target.join(name))).collect();
        assert_eq!(found, wanted);
        fs::remove_dir_all(&target).expect("it can be removed");
    } else {
        assert!(found.is_empty() && !target.exists(), "a refused bundle leaves nothing: {found:?}");
    }

    let restored = BundleReader::new(Cursor::new(bundle), LIMITS).and_then(|reader| to_store(reader, &target));
    if restored.is_ok() {
        let store = Store::open(&target)
            .and_then(|store| matrix_traces::verify(&store, matrix_store::VerifyOptions::default()));
        let faults = store.expect("the store can be read").faults;
        assert!(!report.is_sound() || faults.is_empty(), "a sound bundle makes a sound store: {faults:?}");
    } else {
        assert!(!report.is_sound(), "a sound bundle makes a store: {restored:?}");
        let found = files(scratch.path());
        assert!(found.is_empty() && !target.exists(), "a refused bundle leaves nothing: {found:?}");
    }
}

fn compress(archive: &[u8]) -> Vec<u8> {
    parse::compress_archive(archive).expect("memory can be written")
}

/// Every file below a folder.
fn files(top: &Path) -> BTreeSet<PathBuf> {
    let (mut found, mut folders) = (BTreeSet::new(), vec![top.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder can be listed") {
            let entry = entry.expect("an entry");
            if entry.file_type().expect("a type").is_dir() {
                folders.push(entry.path());
            } else {
                found.insert(entry.path());
            }
        }
    }
    found
}
