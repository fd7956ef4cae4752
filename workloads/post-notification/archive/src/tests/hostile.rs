//! Bundles made to do harm: refused, with nothing written.

use std::fmt::Write as _;
use std::fs;
use std::io::Cursor;

use matrix_bundle::{AGENT, BundleError, BundleReader, ErrorKind, Extraction, Limits};
use matrix_store::Digest;

use super::fixture::{Fate, TestRun, bundle, compress, tempdir};
use super::forge::{entries, header, name_of, pack, payload, reseal_record, seal, with_checksum};
use crate::verify::verify_input;
use crate::{DERIVER_VERSION, VerifyOptions, extract, to_store};

fn good() -> Vec<u8> {
    bundle(&TestRun::new(&[(0, Fate::Done(1)), (100, Fate::Done(2)), (200, Fate::Failed)]))
}

/// What becomes of a bundle: what verification says, and what unpacking says. Nothing may be left behind.
fn refused(name: &str, bytes: &[u8], limits: Limits, log: &mut String) {
    let directory = tempdir();
    let target = directory.path().join("target");
    let open = || BundleReader::new(Cursor::new(bytes.to_vec()), limits);
    let report = verify_input(Cursor::new(bytes.to_vec()), limits, VerifyOptions::default()).unwrap();
    assert!(!report.is_sound(), "{name}");
    let error: BundleError = open().and_then(|reader| to_store(reader, &target)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity, "{name}: {error}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "{name}: something is left");
    let plain: BundleError = open().and_then(|reader| extract(reader, &target, Extraction::default())).unwrap_err();
    assert_eq!(plain.kind(), ErrorKind::Integrity, "{name}: {plain}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "{name}: something is left");
    let said = format!("{}: {}", report.faults[0].file.display(), report.faults[0].what);
    let _ = writeln!(log, "{name}: {}", stable(&said));
    if !said.contains(&error.to_string().replace(".: ", "")) {
        let _ = writeln!(log, "    and when unpacked: {}", stable(&error.to_string()));
    }
    if plain.to_string() != error.to_string() {
        let _ = writeln!(log, "    and as it is: {}", stable(&plain.to_string()));
    }
}

/// Journals have the time in them, and so their digests differ from test to test.
fn stable(text: &str) -> String {
    if !text.contains("data/runs/") {
        return text.to_owned();
    }
    let words = text.split_inclusive(['/', '.', ' ']).map(|word| {
        let is_digest = word.len() >= 64 && word.as_bytes()[..64].iter().all(u8::is_ascii_hexdigit);
        if is_digest { format!("<digest>{}", &word[64..]) } else { word.to_owned() }
    });
    words.collect()
}

#[test]
fn entries_other_than_plain_files_are_refused() {
    let good = good();
    let before = entries(&good);
    let mut log = String::new();
    let first = name_of(&before[4].0);
    let mut try_entry = |what: &str, entry: Vec<u8>, bytes: &[u8], at: usize| {
        let mut all = before.clone();
        all.insert(at, (entry, bytes.to_vec()));
        refused(what, &pack(&all), Limits::default(), &mut log);
    };
    let named = |name: &[u8]| header(name, b'0', 1);
    try_entry("absolute", named(b"/tmp/evil"), b"x", 4);
    try_entry("parent", named(b"test-bundle/../../evil"), b"x", 4);
    try_entry("dot", named(b"test-bundle/./evil"), b"x", 4);
    try_entry("empty part", named(b"test-bundle//evil"), b"x", 4);
    try_entry("backslash", named(b"test-bundle\\..\\evil"), b"x", 4);
    try_entry("drive", named(b"C:evil"), b"x", 4);
    try_entry("not UTF-8", named(b"test-bundle/data/\xff\xfe"), b"x", 4);
    try_entry("outside the bag", named(b"other/evil"), b"x", 4);
    try_entry("first", named(b"other/evil"), b"x", 0);
    try_entry("not in the manifest", named(b"test-bundle/data/evil"), b"x", 4);
    try_entry("at the end", named(b"test-bundle/data/evil"), b"x", before.len());
    for (what, kind) in [
        ("hard link", b'1'),
        ("symbolic link", b'2'),
        ("character device", b'3'),
        ("block device", b'4'),
        ("directory", b'5'),
        ("pipe", b'6'),
        ("contiguous", b'7'),
        ("old", 0),
        ("pax", b'x'),
        ("pax global", b'g'),
        ("long name", b'L'),
        ("long link", b'K'),
        ("sparse", b'S'),
        ("volume", b'V'),
    ] {
        let mut entry = header(first.as_bytes(), kind, 0);
        entry[157..168].copy_from_slice(b"/etc/passwd");
        try_entry(what, with_checksum(entry), b"", 4);
    }
    try_entry("twice", before[5].0.clone(), &before[5].1, 6);
    try_entry("tag file twice", before[0].0.clone(), &before[0].1, 6);
    let lower = name_of(&before[4].0).to_lowercase();
    try_entry("other case", named(lower.as_bytes()), b"x", 5);
    try_entry("file and folder", named(b"test-bundle/data/objects"), b"x", 4);
    try_entry("below a file", named(b"test-bundle/data/README.md/x"), b"x", 4);
    let base256 = {
        let mut entry = named(b"test-bundle/data/evil");
        entry[124..136].copy_from_slice(b"\x80\0\0\0\0\0\0\0\0\0\x10\0");
        with_checksum(entry)
    };
    try_entry("size in base 256", base256, b"x", 4);
    let mut gnu = named(b"test-bundle/data/evil");
    gnu[257..265].copy_from_slice(b"ustar  \0");
    try_entry("gnu", with_checksum(gnu), b"x", 4);
    for (what, at, text) in [("owner", 265, "root"), ("time", 136, "00000000001\0"), ("mode", 100, "0004755\0")] {
        let mut entry = named(b"test-bundle/data/evil");
        entry[at..at + text.len()].copy_from_slice(text.as_bytes());
        try_entry(what, with_checksum(entry), b"x", 4);
    }
    let mut wrong = named(b"test-bundle/data/evil");
    wrong[0] = b'T';
    try_entry("checksum", wrong, b"x", 4);
    let mut hidden = named(b"test-bundle/data/evil");
    hidden[90] = b'x';
    try_entry("bytes after the name", with_checksum(hidden), b"x", 4);
    insta::assert_snapshot!(log);
}

#[test]
fn malformed_streams_are_refused() {
    let good = good();
    let before = entries(&good);
    let mut log = String::new();
    let mut try_bytes = |what: &str, bytes: &[u8]| refused(what, bytes, Limits::default(), &mut log);
    try_bytes("empty", b"");
    try_bytes("text", b"hello");
    try_bytes("mark only", &good[..4]);
    try_bytes("cut", &good[..good.len() / 2]);
    try_bytes("cut at the checksum", &good[..good.len() - 1]);
    try_bytes("byte after the frame", &[good.as_slice(), b"x"].concat());
    try_bytes("skippable frame", &[good.as_slice(), &[0x50, 0x2A, 0x4D, 0x18, 1, 0, 0, 0, 7]].concat());
    try_bytes("second frame", &[good.as_slice(), &good].concat());
    let plain = super::fixture::archive(&good);
    try_bytes("other compressor", &zstd::encode_all(plain.as_slice(), 1).unwrap());
    try_bytes("archive cut", &compress(&plain[..plain.len() - 600]));
    try_bytes("no end blocks", &compress(&plain[..plain.len() - 1024]));
    try_bytes("one end block", &compress(&plain[..plain.len() - 512]));
    try_bytes("three end blocks", &compress(&[plain.as_slice(), &[0; 512]].concat()));
    try_bytes("nothing but an end", &compress(&[0; 1024]));
    let mut missing = before.clone();
    missing.remove(7);
    try_bytes("file missing", &pack(&missing));
    let mut swapped = before.clone();
    swapped.swap(7, 8);
    try_bytes("files swapped", &pack(&swapped));
    let mut padded = plain.clone();
    let end = 512 + before[0].1.len();
    padded[end] = 1;
    try_bytes("padding", &compress(&padded));
    let mut huge = before.clone();
    huge[0].0 = header(name_of(&huge[0].0).as_bytes(), b'0', 1 << 32);
    try_bytes("huge declaration", &pack(&huge));
    insta::assert_snapshot!(log);
}

/// The files of a bundle but for one.
fn without(bundle: &[u8], path: &str) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut files = payload(bundle);
    assert!(files.remove(path).is_some(), "{path}");
    files
}

/// The files of a bundle, and one more.
fn with_file(bundle: &[u8], path: &str, bytes: &[u8]) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut files = payload(bundle);
    files.insert(path.to_owned(), bytes.to_vec());
    files
}

#[test]
fn bombs_cost_no_more_than_allowed() {
    let mut log = String::new();
    let good = good();
    let small = Limits { max_bytes: 1 << 20, ..Limits::default() };
    refused("archive", &compress(&vec![0; 64 << 20]), small, &mut log);
    let mut files = payload(&good);
    files.insert("data/figures/big.svg".to_owned(), vec![0; 64 << 20]);
    refused("figure", &seal(&files), small, &mut log);
    refused("figure in memory", &seal(&files), Limits { max_file_bytes: 1 << 20, ..Limits::default() }, &mut log);
    let mut files = payload(&good);
    for n in 0..40 {
        files.insert(format!("data/tables/{n}.csv"), vec![0; 100_000]);
    }
    refused("tables in memory", &seal(&files), Limits { max_memory_bytes: 1 << 20, ..Limits::default() }, &mut log);
    refused("deep path", &seal(&with_file(&good, &format!("data/tables/{}x", "a/".repeat(60)), b"")), small, &mut log);
    for (what, path) in [("experiment", "experiments/{}.toml"), ("model", "models/{}.toml"), ("plan", "plans/{}.json")]
    {
        let bytes = "zz=[[],[],[]]\n".repeat(if what == "plan" { 5_000_000 } else { 80_000 }).into_bytes();
        let path = format!("data/{}", path.replace("{}", &Digest::of(&bytes).to_string()));
        refused(what, &seal(&with_file(&good, &path, &bytes)), Limits::default(), &mut log);
    }
    refused("entries", &seal(&files), Limits { max_entries: 20, ..Limits::default() }, &mut log);
    insta::assert_snapshot!(log);
}

/// Replaces a text in the only file whose path contains `place`.
fn forged(bundle: &[u8], place: &str, change: impl Fn(&str) -> String) -> Vec<u8> {
    let mut files = payload(bundle);
    let path = files.keys().find(|path| path.contains(place)).unwrap().clone();
    let text = String::from_utf8(files[&path].clone()).unwrap();
    let after = change(&text);
    assert_ne!(text, after, "{place}");
    // Who forges a file that is named by its digest gives it its new name.
    let old = Digest::of(&files.remove(&path).unwrap()).to_string();
    let new = Digest::of(after.as_bytes()).to_string();
    files.insert(path.replace(&old, &new), after.into_bytes());
    seal(&files)
}

/// What another deriver made is not held to our words, but to everything that files say of each other.
#[test]
fn another_version_excuses_nothing_missing() {
    let other = forged(&good(), "data/tables/deriver.txt", |_| "matrix 9\n".to_owned());
    let other = forged(&other, "bag-info.txt", |text| text.replacen(AGENT, "matrix 0.9.1", 1));
    let other = forged(&other, "bag-info.txt", |text| text.replacen("Results of", "What came of", 1));
    let other = forged(&other, "data/ro-crate", |text| text.replacen("Results of", "What came of", 1));
    let report = verify_input(Cursor::new(other.clone()), Limits::default(), VerifyOptions::default()).unwrap();
    assert_eq!((report.faults.as_slice(), report.notes.as_slice()), (&[][..], &[][..]));
    assert_eq!((report.made_by.as_deref(), report.deriver), (Some("matrix 0.9.1"), Some(9)));
    let said: Vec<String> =
        report.not_verified.iter().map(|file| format!("{}: {}", file.file.display(), file.what)).collect();
    let what = format!("NOT VERIFIED: derived by version 9, and version {DERIVER_VERSION} derives another file");
    assert_eq!(said, [format!("bag-info.txt: {what}"), format!("data/ro-crate-metadata.json: {what}")]);

    let mut log = String::new();
    let mut try_bytes = |what: &str, bytes: &[u8]| refused(what, bytes, Limits::default(), &mut log);
    let without = |folder: &str| {
        let mut files = payload(&other);
        files.retain(|path, _| !path.starts_with(folder));
        seal(&files)
    };
    try_bytes("no attempts", &without("data/attempts/"));
    for number in 0..3 {
        let mut files = payload(&other);
        let name = files.keys().filter(|path| path.starts_with("data/attempts/")).nth(number).unwrap().clone();
        files.remove(&name);
        try_bytes(&format!("attempt {number} removed"), &seal(&files));
    }
    for (field, from, to) in [
        ("number of cells", "Matrix-Cells-Planned: 3", "Matrix-Cells-Planned: 2"),
        ("cells failed", "Matrix-Cells-Failed: 1\n", ""),
        ("complete", "Matrix-Complete: no", "Matrix-Complete: yes"),
        ("origins", "Matrix-Origins: local", "Matrix-Origins: sosp"),
        ("date", "Bagging-Date: 2026-11-22", "Bagging-Date: 2023-10-23"),
        ("another program", "matrix 0.9.1", "gzip 1.2.3"),
        ("no version", "matrix 0.9.1", "matrix newest"),
    ] {
        try_bytes(field, &forged(&other, "bag-info.txt", |text| text.replacen(from, to, 1)));
    }
    // The last line is one file's end: what follows from the rest is the same, and it is told all the same.
    let cut = forged(&other, "data/runs", |text| text.lines().take(3).map(|line| format!("{line}\n")).collect());
    let report = verify_input(Cursor::new(cut), Limits::default(), VerifyOptions::default()).unwrap();
    assert!(report.is_sound());
    let said: Vec<&str> = report.notes.iter().map(|note| note.what.as_str()).collect();
    assert_eq!(said, ["the journal of its run 20261122T130000Z-test says nothing of it"]);
    insta::assert_snapshot!(log);
}

#[test]
fn forged_contents_are_refused() {
    let good = good();
    let mut log = String::new();
    assert!(
        verify_input(Cursor::new(seal(&payload(&good))), Limits::default(), VerifyOptions::default())
            .unwrap()
            .is_sound()
    );
    let mut try_bytes = |what: &str, bytes: &[u8]| refused(what, bytes, Limits::default(), &mut log);
    let replace = |from: &'static str, to: &'static str| move |text: &str| text.replacen(from, to, 1);
    try_bytes("record altered", &forged(&good, "data/records", replace("\"misses\":", "\"misses\":1")));
    try_bytes(
        "record's inputs altered",
        &forged(&good, "data/records", replace("\"seed\":\"2023\"", "\"seed\":\"2024\"")),
    );
    try_bytes(
        "record resealed with other inputs",
        &forged(&good, "data/records", |text| {
            reseal_record(&text.replacen("\"seed\":\"2023\"", "\"seed\":\"2024\"", 1))
        }),
    );
    try_bytes(
        "record resealed with other counts",
        &forged(&good, "data/records", |text| reseal_record(&text.replacen("\"misses\":6", "\"misses\":0", 1))),
    );
    try_bytes(
        "record resealed with another size",
        &forged(&good, "data/records", |text| reseal_record(&text.replacen("\"bytes\":2", "\"bytes\":3", 1))),
    );
    try_bytes(
        "record of another schema",
        &forged(&good, "data/records", replace("\"schema\":1,\"simulated\"", "\"schema\":9,\"simulated\"")),
    );
    try_bytes("record in another form", &forged(&good, "data/records", |text| format!(" {text}")));
    try_bytes("record with more", &forged(&good, "data/records", replace("{", "{\"a\":1,")));
    try_bytes("deep record", &forged(&good, "data/records", |_| "[".repeat(100_000)));
    try_bytes("large record", &forged(&good, "data/records", |text| text.to_owned() + &" ".repeat(2 << 20)));
    try_bytes(
        "deep fingerprint",
        &forged(&good, "data/records", |text| {
            text.replacen(
                "\"fingerprint\":{\"version\":1}",
                &format!("\"fingerprint\":{}1{}", "[".repeat(500), "]".repeat(500)),
                1,
            )
        }),
    );
    try_bytes(
        "attempt altered",
        &forged(&good, "data/attempts", replace("2026-11-22T13:00:00.000Z", "2026-11-22T14:00:00.000Z")),
    );
    try_bytes("journal altered", &forged(&good, "data/runs", replace("\"seq\":1", "\"seq\":2")));
    try_bytes("object altered", &forged(&good, "data/objects", replace(",ok,", ",lost,")));
    try_bytes("plan altered", &forged(&good, "data/plans", replace("\"2023\"", "\"2024\"")));
    try_bytes("cells altered", &forged(&good, "data/cells.csv", replace(",failed,", ",pending,")));
    try_bytes("metadata altered", &forged(&good, "data/ro-crate", replace("Failed", "Completed")));
    try_bytes("deep metadata", &forged(&good, "data/ro-crate", |_| "[".repeat(1_000_000)));
    try_bytes(
        "bag-info altered",
        &forged(&good, "bag-info.txt", replace("Matrix-Complete: no", "Matrix-Complete: yes")),
    );
    try_bytes(
        "format of the future",
        &forged(&good, "bag-info.txt", replace("Matrix-Bundle-Format: 2", "Matrix-Bundle-Format: 4")),
    );
    try_bytes(
        "format of programs",
        &forged(&good, "bag-info.txt", replace("Matrix-Bundle-Format: 2", "Matrix-Bundle-Format: 3")),
    );
    try_bytes(
        "format of the past",
        &forged(&good, "bag-info.txt", replace("Matrix-Bundle-Format: 2", "Matrix-Bundle-Format: 1")),
    );
    try_bytes("no deriver", &seal(&without(&good, "data/tables/deriver.txt")));
    try_bytes("deriver with a zero", &forged(&good, "deriver.txt", replace("matrix 4", "matrix 04")));
    try_bytes("notice removed", &forged(&good, "data/README.md", replace("> **Incomplete.**", "")));
    try_bytes("source altered", &forged(&good, "src/main.rs", replace("fn main", "fn evil")));
    type Files = std::collections::BTreeMap<String, Vec<u8>>;
    let with = |change: &dyn Fn(&mut Files)| {
        let mut files = payload(&good);
        change(&mut files);
        seal(&files)
    };
    try_bytes("more files", &with(&|files| drop(files.insert("data/evil.sh".to_owned(), b"x".to_vec()))));
    try_bytes("no licence", &with(&|files| drop(files.remove("data/LICENSE"))));
    let first = |files: &Files, folder: &str| files.keys().find(|path| path.starts_with(folder)).unwrap().clone();
    try_bytes("object removed", &with(&|files| drop(files.remove(&first(files, "data/objects/")))));
    try_bytes("record removed", &with(&|files| drop(files.remove(&first(files, "data/records/")))));
    try_bytes("attempt removed", &with(&|files| drop(files.remove(&first(files, "data/attempts/")))));
    try_bytes("journal removed", &with(&|files| drop(files.remove(&first(files, "data/runs/")))));
    try_bytes(
        "object exchanged",
        &with(&|files| {
            let names: Vec<String> = files.keys().filter(|path| path.starts_with("data/objects/")).cloned().collect();
            let other = files[&names[1]].clone();
            files.insert(names[0].clone(), other);
        }),
    );
    try_bytes(
        "record in another's place",
        &with(&|files| {
            let names: Vec<String> = files.keys().filter(|path| path.starts_with("data/records/")).cloned().collect();
            let other = files[&names[1]].clone();
            files.insert(names[0].clone(), other);
        }),
    );
    insta::assert_snapshot!(log);
}
