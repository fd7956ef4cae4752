//! Bundles as they should be: the same every time, whole, and back again.

use std::collections::BTreeSet;
use std::fs;
use std::io::Cursor;
use std::num::NonZeroU32;
use std::path::Path;

use matrix_bundle::compress::{compressor, finish};
use matrix_bundle::tar::TarWriter;
use matrix_bundle::{BundleError, BundleReader, ErrorKind, Extraction, Limits};
use matrix_store::Store;

use super::fixture::{Fate, TestRun, archive, bundle_of, compress, extras, files, options, reader, store};
use super::forge::{entries, name_of};
use crate::{
    CreateOptions, Selection, VerifyOptions, create, create_file, extract, to_store, verify, verify_input,
    verify_to_store,
};

fn run() -> TestRun {
    TestRun::new(&[
        (0, Fate::Done(1)),
        (100, Fate::Done(2)),
        (200, Fate::Failed),
        (300, Fate::Partial),
        (400, Fate::Pending),
    ])
}

fn complete() -> TestRun {
    TestRun::new(&[(0, Fate::Done(1)), (100, Fate::Done(2))])
}

/// What `tar` carries, and how it is compressed, has not changed since version 0.1.0.
#[test]
fn an_old_bundle_is_written_again_to_the_same_bytes() {
    let top = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    for name in ["whole", "merged", "source"] {
        let path = Path::new(&top).join(format!("../../../tests/fixtures/v0.1.0/{name}.tar.zst"));
        let old = fs::read(path).unwrap();
        let mut tar = TarWriter::new(compressor(Vec::new(), 2).unwrap());
        for (header, bytes) in entries(&old) {
            tar.append(&name_of(&header), bytes.len() as u64, bytes.as_slice()).unwrap();
        }
        let (again, ..) = finish(tar.finish().unwrap()).unwrap();
        assert!(again == old, "{name}");
    }
}

/// Copies a store file by file, the last first.
fn copy_backwards(from: &Path, to: &Path) {
    for (path, bytes) in files(from).into_iter().rev() {
        let path = to.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

#[test]
fn the_same_store_gives_the_same_bytes() {
    let (directory, first) = store(&run());
    let (bytes, info) = bundle_of(&first);
    assert_eq!(info.sha256, matrix_store::Digest::of(&bytes));
    assert_eq!(info.bytes, bytes.len() as u64);
    assert_eq!(info.folder, "test-bundle");
    let tally = info.cells;
    assert_eq!((tally.done, tally.failed, tally.partial, tally.pending, tally.skipped), (2, 1, 1, 1, 0));

    let copy = directory.path().join("copy");
    copy_backwards(first.path(), &copy);
    let second = Store::open(&copy).unwrap();
    for workers in [1, 2, 4] {
        let options = CreateOptions { workers: NonZeroU32::new(workers), ..options() };
        let mut again = Vec::new();
        create(&second, &Selection::default(), &extras(&second), &options, &mut again).unwrap();
        assert!(again == bytes, "{workers} workers");
    }
}

#[test]
fn a_bundle_is_verified_and_unpacked() {
    let (directory, store) = store(&run());
    let (bytes, info) = bundle_of(&store);
    for quick in [false, true] {
        let report = verify(reader(&bytes).unwrap(), VerifyOptions { rows: !quick }).unwrap();
        assert_eq!(report.faults, []);
        assert_eq!(report.info.as_ref(), Some(&info));
        assert_eq!(report.checked.rows, if quick { 0 } else { 40 });
        assert_eq!((report.checked.records, report.checked.attempts, report.checked.objects), (2, 4, 2));
    }
    let target = directory.path().join("unpacked");
    extract(reader(&bytes).unwrap(), &target, Extraction::default()).unwrap();
    let found: Vec<String> = files(&target).keys().map(|path| path.display().to_string()).collect();
    let names: Vec<String> = found.iter().map(|path| short_digests(path)).collect();
    insta::assert_snapshot!(names.join("\n"));
    insta::assert_snapshot!(fs::read_to_string(target.join("bag-info.txt")).unwrap());
    insta::assert_snapshot!(fs::read_to_string(target.join("data/README.md")).unwrap());
    insta::assert_snapshot!(fs::read_to_string(target.join("data/cells.csv")).unwrap());
    let metadata = fs::read_to_string(target.join("data/ro-crate-metadata.json")).unwrap();
    let kept: Vec<String> = metadata.lines().filter(|line| !line.contains("\"File\"")).map(short_digests).collect();
    insta::assert_snapshot!(kept.join("\n"));

    let error = extract(reader(&bytes).unwrap(), &target, Extraction::default()).unwrap_err();
    assert!(matches!(error, BundleError::TargetExists(_)));
    assert_eq!(files(&target).len(), found.len());
}

/// Journals have the time in them, and so their digests differ.
fn short_digests(text: &str) -> String {
    let mut out = String::new();
    let mut digits = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_hexdigit() && !c.is_ascii_uppercase() {
            digits.push(c);
            continue;
        }
        if digits.len() == 64 && text.contains("runs/") {
            out.push_str("<digest>");
        } else {
            out.push_str(&digits);
        }
        digits.clear();
        if c != '\n' {
            out.push(c);
        }
    }
    out
}

#[test]
fn a_store_comes_back() {
    let (directory, first) = store(&run());
    let (bytes, _) = bundle_of(&first);
    let target = directory.path().join("again");
    to_store(reader(&bytes).unwrap(), &target).unwrap();
    let second = Store::open(&target).unwrap();
    assert!(matrix_traces::verify(&second, matrix_store::VerifyOptions::default()).unwrap().is_sound());
    let keep = |root: &Path| {
        let mut all = files(root);
        // A store that was made of a bundle remembers what came with it.
        let own = ["lock", "index", "received.json"].map(Path::new);
        all.retain(|path, _| !own.contains(&path.as_path()));
        all
    };
    assert!(keep(first.path()) == keep(&target), "{:?}\n{:?}", keep(first.path()).keys(), keep(&target).keys());
    assert!(bundle_of(&second).0 == bytes);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "nothing is left over");
}

#[test]
fn what_is_missing_is_refused_unless_it_is_allowed() {
    let (directory, store) = store(&run());
    let path = directory.path().join("x.tar.zst");
    let error =
        create_file(&store, &Selection::default(), &extras(&store), &CreateOptions::default(), &path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    insta::assert_snapshot!(error.to_string(), @"3 of 5 planned cells are not done (1 partial, 1 failed, 0 skipped, 1 pending)");
    assert!(!path.exists());
    let selection = Selection {
        run: Some("20261122T130000Z-test".to_owned()),
        filter: Some(matrix_plan::Filter::parse("delay_ms < 200", &matrix_plan::Regions::default()).unwrap()),
        ..Selection::default()
    };
    let info = create_file(&store, &selection, &extras(&store), &CreateOptions::default(), &path).unwrap();
    assert!(info.is_complete());
    assert_eq!((info.cells.done, info.attempts, info.records), (2, 2, 2));
    let bytes = fs::read(&path).unwrap();
    assert_eq!(verify(reader(&bytes).unwrap(), VerifyOptions::default()).unwrap().faults, []);
    let nothing = Selection {
        filter: Some(matrix_plan::Filter::parse("delay_ms > 9000", &matrix_plan::Regions::default()).unwrap()),
        ..Selection::default()
    };
    assert!(matches!(create_file(&store, &nothing, &extras(&store), &options(), &path), Err(BundleError::Empty)));
}

#[test]
fn a_damaged_object_makes_no_bundle() {
    let (directory, store) = store(&complete());
    let object = files(store.path()).into_keys().find(|path| path.starts_with("objects")).unwrap();
    let file = store.path().join(object);
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let path = directory.path().join("x.tar.zst");
    let error =
        create_file(&store, &Selection::default(), &extras(&store), &CreateOptions::default(), &path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no file is left");
}

#[test]
fn a_check_that_makes_a_store_finds_and_makes_the_same() {
    let (directory, store) = store(&run());
    let (bytes, _) = bundle_of(&store);
    let limits = Limits::default();
    let check = |bytes: &[u8], name: &str| {
        let target = directory.path().join(name);
        let (report, restored) =
            verify_to_store(BundleReader::new(Cursor::new(bytes.to_vec()), limits), &target).unwrap();
        assert_eq!(restored.is_some(), target.exists());
        (report, restored, target)
    };
    let (report, restored, target) = check(&bytes, "checked");
    assert_eq!(report, verify(reader(&bytes).unwrap(), VerifyOptions::default()).unwrap());
    let plain = directory.path().join("plain");
    let (checked, restored) = restored.unwrap();
    assert_eq!(restored.inventory, to_store(reader(&bytes).unwrap(), &plain).unwrap().inventory);
    let runs = |root: &Path| {
        let mut found = files(root);
        found.retain(|path, _| path.starts_with("runs"));
        found
    };
    assert!(runs(&target) == runs(&plain));
    for (object, size) in restored.inventory.objects() {
        assert_eq!(checked.open_object(&object).unwrap().check().unwrap(), size);
    }

    let archive = archive(&bytes);
    let object = archive.windows(9).rposition(|bytes| bytes == b"i,key,out").unwrap();
    for (number, at) in [object + 2000, archive.len() / 2, 600, 3000].into_iter().enumerate() {
        let mut changed = archive.clone();
        changed[at] ^= 1;
        let changed = compress(&changed);
        let (report, ..) = check(&changed, &format!("changed-{number}"));
        assert!(!report.is_sound());
        let plain = verify_input(Cursor::new(changed), limits, VerifyOptions::default()).unwrap();
        let told = |report: &crate::BundleReport| {
            report.faults.iter().map(|fault| fault.file.clone()).collect::<BTreeSet<_>>()
        };
        assert_eq!(told(&report), told(&plain));
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3, "a refused bundle leaves nothing");
}

#[test]
fn another_origin_and_a_name_only_when_asked() {
    let (_directory, store) = store(&complete());
    let options = CreateOptions {
        origin: Some("evaluator-1".parse().unwrap()),
        identify: Some("Ada L.".to_owned()),
        ..CreateOptions::default()
    };
    let mut bytes = Vec::new();
    let info = create(&store, &Selection::default(), &extras(&store), &options, &mut bytes).unwrap();
    assert_eq!(info.origins, ["evaluator-1"]);
    assert_eq!(verify(reader(&bytes).unwrap(), VerifyOptions::default()).unwrap().faults, []);
    let text = String::from_utf8(archive(&bytes)).unwrap();
    assert!(text.contains("\"agent\":{\"@id\":\"#agent/evaluator-1/Ada%20L.\"}"));
    assert!(!String::from_utf8(archive(&bundle_of(&store).0)).unwrap().contains("\"agent\""));
}

#[test]
fn a_bundle_larger_than_allowed_is_refused_before_it_costs_anything() {
    let (directory, store) = store(&complete());
    let (bytes, _) = bundle_of(&store);
    let limits = Limits::with_max_bytes(20_000);
    let target = directory.path().join("unpacked");
    let open = || matrix_bundle::BundleReader::new(std::io::Cursor::new(bytes.clone()), limits);
    let error = open().and_then(|reader| extract(reader, &target, Extraction::default())).unwrap_err();
    assert_eq!(error.to_string(), "it decompresses to more than 20000 bytes");
    assert!(error.help().unwrap().contains("--max-size"));
    assert!(!target.exists());
}

#[test]
fn a_path_that_cannot_be_used_is_bad_input() {
    let (directory, store) = store(&complete());
    let (bytes, _) = bundle_of(&store);
    let place = |name: &str| directory.path().join(name);
    let open = |path: &Path| matrix_bundle::BundleReader::open(path, Limits::default()).map(|_| ());
    let unpack = |name: &str| extract(reader(&bytes).unwrap(), &place(name), Extraction::default());
    let restore = |name: &str| to_store(reader(&bytes).unwrap(), &place(name)).map(|_| ());
    let make = |path: &Path| create_file(&store, &Selection::default(), &extras(&store), &options(), path).map(|_| ());
    fs::write(place("file"), b"x").unwrap();
    for (what, outcome) in [
        ("a missing file", open(&place("nothing"))),
        ("a folder", open(directory.path())),
        ("into a file", unpack("file/x")),
        ("a store into a file", restore("file/x")),
        ("a bundle in a file", make(&place("file/x.tar.zst"))),
        ("a bundle in place of a folder", make(directory.path())),
    ] {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input, "{what}: {error}");
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "nothing is left over");
}
