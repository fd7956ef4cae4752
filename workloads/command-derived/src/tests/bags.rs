//! What the files of a bag say of each other, forged with digests that are all as they should be.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use matrix_bundle::container::Container;
use matrix_bundle::item::{Item, Items};
use matrix_bundle::{BundleReader, Findings, Limits};
use matrix_store::{Digest, Store};

use super::fixture::{EXPERIMENT, faster, store};
use crate::bundle::{Contents, CreateOptions, Selection, check};
use crate::{DERIVER_VERSION, Texts};

/// A bag in parts.
struct Bag {
    folder: String,
    info: BTreeMap<String, String>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Bag {
    fn open(path: &Path) -> Self {
        let mut reader = BundleReader::open(path, Limits::default()).unwrap();
        let (folder, info) = (reader.folder().to_owned(), reader.info().clone());
        let mut files = BTreeMap::new();
        while let Some(entry) = reader.next_entry().unwrap() {
            files.insert(entry.path, reader.read_whole().unwrap());
        }
        Self { folder, info, files }
    }

    fn write(mut self, store: &Store, path: &Path) {
        let bytes: usize = self.files.values().map(Vec::len).sum();
        self.info.insert("Payload-Oxum".to_owned(), format!("{bytes}.{}", self.files.len()));
        let info = self.info.into_iter().map(|(name, value)| (&*name.leak(), value)).collect();
        let items: Items<'_> = self.files.into_iter().map(|(path, bytes)| (path, Item::of(bytes))).collect();
        let container = Container::new(self.folder, &info, items).unwrap();
        container.write(store, None, File::create(path).unwrap()).unwrap();
    }

    fn put(&mut self, path: &str, bytes: &[u8]) {
        self.files.insert(path.to_owned(), bytes.to_vec());
    }

    /// Puts in a file that is named by its digest.
    fn name(&mut self, folder: &str, bytes: &[u8], end: &str) {
        self.put(&format!("data/{folder}/{}{end}", Digest::of(bytes)), bytes);
    }

    fn say(&mut self, name: &str, value: &str) {
        self.info.insert(name.to_owned(), value.to_owned());
    }
}

fn found(path: &Path, quick: bool) -> Findings {
    check(BundleReader::open(path, Limits::default()).unwrap(), quick).unwrap()
}

fn create(store: &Store, options: CreateOptions, out: &Path) {
    let contents = Contents::of(store, &Selection { run: None, experiments: &Texts::new(), filter: None });
    contents.unwrap().unwrap().create(options, out).unwrap();
}

/// What is to be found of a forgery: whether another deriver excuses it, the beginning of the file, and words.
type Expected = (bool, &'static str, &'static str);

type Forge<'a> = &'a dyn Fn(&mut Bag);

#[test]
fn what_follows_from_the_rest_of_a_bag_is_compared_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder.path().join("store"), EXPERIMENT, None, faster(4));
    let [good, out] = ["good", "out"].map(|name| folder.path().join(name));
    create(&store, CreateOptions::default(), &good);
    let forgeries: [(Forge<'_>, Expected); 17] = [
        (&|bag| bag.folder = "other-bundle".to_owned(), (false, "other-bundle", "should be kv-bundle")),
        (&|bag| bag.say("Bag-Software-Agent", "other 1.0.0"), (false, "bag-info.txt", "is no version of this program")),
        (&|bag| bag.say("Matrix-Origins", "evaluator"), (false, "bag-info.txt", "follow")),
        (&|bag| bag.say("Matrix-Cells-Planned", "19"), (false, "bag-info.txt", "follow")),
        (&|bag| bag.say("Matrix-Cells-Done", "17"), (false, "bag-info.txt", "follow")),
        (&|bag| bag.say("Matrix-Complete", "no"), (false, "bag-info.txt", "follow")),
        (&|bag| bag.say("Bagging-Date", "2020-01-01"), (false, "bag-info.txt", "follow")),
        (&|bag| bag.say("Contact-Name", "Somebody"), (true, "bag-info.txt", "is not what follows")),
        (&|bag| bag.put("data/ro-crate-metadata.json", b"[]"), (true, "data/ro-crate", "is not what follows")),
        (&|bag| bag.put("data/LICENSE", b"none"), (true, "data/LICENSE", "does not follow")),
        (&|bag| bag.put("data/CITATION.cff", b"other"), (true, "data/CITATION.cff", "does not follow")),
        (
            &|bag| bag.name("objects", b"latency_us\n1\n", ".csv"),
            (false, "data/objects/", "nothing in the bundle names it"),
        ),
        (&|bag| bag.name("outputs", b"1", ""), (false, "data/outputs/", "nothing in the bundle names it")),
        (&|bag| bag.name("plans", b"{}", ".json"), (false, "data/plans/", "nothing in the bundle names it")),
        (
            &|bag| bag.put("data/left-out.json", b"{\"attempts\":[]}"),
            (false, "data/left-out.json", "nothing in the bundle names it"),
        ),
        (
            &|bag| bag.put(&format!("data/source/{}/Cargo.toml", Digest::of(b"other")), b""),
            (false, "data/source/", "not the one of its name"),
        ),
        (&|bag| bag.put("data/ro-crate-metadata.json", b"{"), (false, "data/ro-crate", "EOF")),
    ];
    for (forge, (excused, file, what)) in forgeries {
        for deriver in [DERIVER_VERSION, DERIVER_VERSION - 1] {
            let mut bag = Bag::open(&good);
            forge(&mut bag);
            bag.put("data/tables/deriver.txt", format!("matrix-command {deriver}\n").as_bytes());
            bag.write(&store, &out);
            let findings = found(&out, false);
            // What lists files is another one where there is another file, or another size.
            let is_other = |path: &Path| file == "data/ro-crate" || !path.ends_with("ro-crate-metadata.json");
            let faults: Vec<_> = findings.faults.iter().filter(|fault| is_other(&fault.file)).collect();
            let excuses: Vec<_> = findings.not_verified.iter().filter(|note| is_other(&note.file)).collect();
            let is_excused = excused && deriver != DERIVER_VERSION;
            assert_eq!((faults.len(), excuses.len()), if is_excused { (0, 1) } else { (1, 0) }, "{file}: {findings:?}");
            let at =
                faults.iter().map(|fault| &fault.file).chain(excuses.iter().map(|note| &note.file)).next().unwrap();
            assert!(at.to_str().unwrap().starts_with(file), "{file}: {findings:?}");
            assert!(faults.iter().all(|fault| fault.what.contains(what)), "{what}: {findings:?}");
        }
    }
}

#[test]
fn each_file_that_every_bag_has_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder.path().join("store"), EXPERIMENT, None, faster(4));
    let [good, out] = ["good", "out"].map(|name| folder.path().join(name));
    create(&store, CreateOptions::default(), &good);
    for file in ["README.md", "LICENSE", "CITATION.cff", "cells.csv", "ro-crate-metadata.json", "tables/deriver.txt"] {
        let file = format!("data/{file}");
        let mut bag = Bag::open(&good);
        bag.files.remove(&file).unwrap();
        bag.write(&store, &out);
        let findings = found(&out, true);
        let is_missed =
            |fault: &matrix_store::verify::Fault| fault.file == Path::new(&file) && fault.what == "it is missing";
        assert!(findings.faults.iter().any(is_missed), "{file}: {findings:?}");
    }
}

#[test]
fn whoever_measured_and_the_source_may_be_in_a_bag() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder.path().join("store"), EXPERIMENT, None, faster(4));
    let out = folder.path().join("out");
    let source = [("Cargo.toml", b"[package]"), ("src/lib.rs", b"// empty.")];
    let source = source.map(|(name, text)| (name.to_owned(), text.to_vec()));
    let options = CreateOptions {
        identify: Some("A \"Person\"".to_owned()),
        origin: Some("authors".parse().unwrap()),
        source: source.into(),
        ..CreateOptions::default()
    };
    create(&store, options, &out);
    let findings = found(&out, false);
    assert!(findings.faults.is_empty() && findings.not_verified.is_empty(), "{findings:?}");
    let follow = findings.checked.iter().find(|(what, _)| what.starts_with("bag-info.txt"));
    assert_eq!(follow.map(|(_, count)| *count), Some(2), "{findings:?}");
}
