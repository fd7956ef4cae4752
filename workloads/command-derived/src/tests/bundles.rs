//! Bundles that are made, forged, and checked.

use std::path::Path;

use matrix_bundle::{BundleError, BundleReader, Extras, GenericOptions, Limits};
use matrix_store::{ErrorKind, Store};

use super::fixture::{EXPERIMENT, faster, store};
use crate::bundle::{Contents, CreateOptions, Made, Selection, active_files_of, check, extras};
use crate::{Chosen, DERIVER_VERSION, DerivedError, Texts, newest};

fn create(store: &Store, filter: Option<&str>, options: CreateOptions, out: &Path) -> Result<Made, DerivedError> {
    let selection = Selection { run: None, experiments: &Texts::new(), filter };
    Contents::of(store, &selection)?.unwrap().create(options, out)
}

#[test]
fn a_bundle_is_the_same_every_time_and_what_it_says_follows_from_its_results() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder.path().join("store"), EXPERIMENT, None, faster(4));
    let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
    for out in [&one, &two] {
        let made = create(&store, None, CreateOptions::default(), out).unwrap();
        assert_eq!((made.info.cells.done, made.left_out, made.missing_shards), (18, 0, None));
    }
    assert!(std::fs::read(&one).unwrap() == std::fs::read(&two).unwrap());
    let findings = check(BundleReader::open(&one, Limits::default()).unwrap(), false).unwrap();
    assert!(findings.faults.is_empty() && findings.notes.is_empty() && !findings.another_version, "{findings:?}");
    assert_eq!(findings.claims, ["kv: C1: supported"]);
    // Once in the middle of the compressed stream, a byte is another one.
    let mut bytes = std::fs::read(&one).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&one, bytes).unwrap();
    match BundleReader::open(&one, Limits::default()).map(|reader| check(reader, true).unwrap()) {
        Ok(findings) => assert_eq!(findings.faults.len(), 1, "{findings:?}"),
        Err(error) => assert_eq!(error.kind(), matrix_bundle::ErrorKind::Integrity, "{error}"),
    }
}

type Forge<'a> = &'a dyn Fn(&mut Extras);

/// Makes a bundle whose bytes are all as its manifest says, but in which something was changed that follows from the results.
fn forged(store: &Store, folder: &Path, forge: Forge<'_>) -> matrix_bundle::Findings {
    let runs = newest(store, &Texts::new()).unwrap();
    let mut extras = extras(store, &Chosen::of_runs(store, &runs).unwrap(), None).unwrap();
    forge(&mut extras);
    let out = folder.join("forged.tar.zst");
    matrix_bundle::create_generic(store, &runs, &extras, &GenericOptions::default(), &out).unwrap();
    let findings = check(BundleReader::open(&out, Limits::default()).unwrap(), false).unwrap();
    let active = active_files_of(&out, Limits::default()).unwrap();
    let is_active = |file: &Path| file.ends_with("report.html") || file.starts_with("data/figures");
    let faults = findings.faults.iter().filter(|fault| is_active(&fault.file)).cloned();
    let not_verified = findings.not_verified.iter().filter(|note| is_active(&note.file)).cloned();
    assert_eq!(
        (&active.faults, &active.not_verified),
        (&faults.collect(), &not_verified.collect()),
        "both find the same"
    );
    findings
}

#[test]
fn each_forged_file_is_found_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder.path().join("store"), EXPERIMENT, None, faster(4));
    let change = |bytes: &mut Vec<u8>| bytes.extend_from_slice(b" forged");
    let forgeries: [(Forge<'_>, &str, &str); 8] = [
        (&|_| {}, "", ""),
        (&|extras| change(&mut extras.readme), "data/README.md", "does not follow"),
        (&|extras| change(&mut extras.cells), "data/cells.csv", "does not follow"),
        (
            &|extras| change(extras.tables.get_mut("kv/claims.csv").unwrap()),
            "data/tables/kv/claims.csv",
            "does not follow",
        ),
        (
            &|extras| change(extras.figures.get_mut("kv/scaling.svg").unwrap()),
            "data/figures/kv/scaling.svg",
            "does not follow",
        ),
        (&|extras| drop(extras.tables.remove("kv/metrics.csv")), "data/tables/kv/metrics.csv", "it is missing"),
        (
            &|extras| drop(extras.tables.insert("kv/more.csv".to_owned(), b"1\n".to_vec())),
            "data/tables/kv/more.csv",
            "nothing in the results gives it",
        ),
        (&|extras| change(&mut extras.report), matrix_bundle::bag::REPORT, "does not follow"),
    ];
    for (forge, file, what) in forgeries {
        let findings = forged(&store, folder.path(), forge);
        let found: Vec<_> = findings.faults.iter().map(|fault| fault.file.to_str().unwrap()).collect();
        assert_eq!(found, Vec::from_iter((!file.is_empty()).then_some(file)), "{findings:?}");
        assert!(findings.faults.iter().all(|fault| fault.what.contains(what)), "{findings:?}");
    }
}

#[test]
fn files_of_another_version_are_listed_as_not_verified_and_nothing_excuses_a_bundle_that_names_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder.path().join("store"), EXPERIMENT, None, faster(4));
    let deriver = matrix_bundle::layout::DERIVER.to_owned();
    let forge = |extras: &mut Extras| {
        extras.tables.insert("kv/claims.csv".to_owned(), b"forged".to_vec());
        extras.figures.insert("kv/scaling.svg".to_owned(), b"<svg><script/></svg>".to_vec());
        extras.figures.insert("kv/more.html".to_owned(), b"<script>".to_vec());
        extras.readme = b"forged".to_vec();
        extras.tables.remove("kv/metrics.csv");
    };
    let forged_files = ["README.md", "figures/kv/more.html", "figures/kv/scaling.svg", "tables/kv/claims.csv"];
    for theirs in [1, DERIVER_VERSION - 1, DERIVER_VERSION + 1] {
        let findings = forged(&store, folder.path(), &|extras| {
            forge(extras);
            extras.tables.insert(deriver.clone(), format!("matrix-command {theirs}\n").into_bytes());
        });
        assert!(findings.another_version && findings.faults.is_empty(), "{findings:?}");
        assert_eq!(findings.deriver, Some(theirs));
        assert_eq!(findings.claims, ["kv: C1: supported"], "judged by this version");
        let files: Vec<&Path> = findings.not_verified.iter().map(|note| note.file.as_path()).collect();
        assert_eq!(files, forged_files.map(|file| Path::new("data").join(file)), "{findings:?}");
        let what =
            format!("NOT VERIFIED: derived by version {theirs}, and version {DERIVER_VERSION} derives another file");
        assert!(findings.not_verified.iter().all(|note| note.what == what), "{findings:?}");
    }
    for wrong in [None, Some("matrix-command 05\n"), Some("matrix 4\n"), Some("matrix-command 0\n"), Some("")] {
        let findings = forged(&store, folder.path(), &|extras| {
            forge(extras);
            match wrong {
                Some(text) => drop(extras.tables.insert(deriver.clone(), text.as_bytes().to_vec())),
                None => drop(extras.tables.remove(&deriver)),
            }
        });
        assert!(findings.not_verified.is_empty(), "{findings:?}");
        let files: Vec<&Path> = findings.faults.iter().map(|fault| fault.file.as_path()).collect();
        let expected = ["tables/deriver.txt"].into_iter().chain(forged_files).chain(["tables/kv/metrics.csv"]);
        assert_eq!(files, Vec::from_iter(expected.map(|file| Path::new("data").join(file))), "{findings:?}");
    }
}

#[test]
fn what_is_left_out_is_counted_and_cells_that_are_missing_have_to_be_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let fast = faster(4);
    let store = store(&folder.path().join("store"), EXPERIMENT, None, |cell| fast(cell).filter(|_| cell.round < 3));
    let out = folder.path().join("out");
    let strict = CreateOptions::default();
    let error = create(&store, None, strict.clone(), &out).unwrap_err();
    assert!(matches!(&error, DerivedError::Bundle(BundleError::Incomplete(tally)) if tally.done == 12), "{error}");
    assert_eq!((error.kind(), out.exists()), (ErrorKind::Input, false));
    let allowed = CreateOptions { allow_incomplete: true, ..strict.clone() };
    let filters = [(None, &allowed, 12, 0), (Some("round < 3 and threads = 1"), &strict, 4, 14)];
    for (filter, options, done, left_out) in filters {
        let made = create(&store, filter, options.clone(), &out).unwrap();
        assert_eq!((made.info.cells.done, made.left_out), (done, left_out), "{filter:?}");
        let findings = check(BundleReader::open(&out, Limits::default()).unwrap(), false).unwrap();
        assert!(findings.faults.is_empty(), "{findings:?}");
    }
    let wrong = |filter| create(&store, Some(filter), strict.clone(), &out).unwrap_err();
    assert!(matches!(wrong("threads ="), DerivedError::Filter { problem, .. } if problem.span.is_some()));
    assert!(matches!(wrong("threads = 4 and round = 9"), DerivedError::NothingMatches { cells: 18 }));
}

#[test]
fn a_figure_that_is_called_like_a_table_leaves_the_table_alone() {
    let folder = tempfile::tempdir().unwrap();
    let named = |name: &str| {
        let text = EXPERIMENT.replace("name = \"scaling\"", &format!("name = \"{name}\""));
        let store = store(&folder.path().join(name), &text, None, faster(4));
        let chosen = Chosen::of_runs(&store, &newest(&store, &Texts::new()).unwrap()).unwrap();
        extras(&store, &chosen, None).unwrap()
    };
    let (scaling, cells) = (named("scaling"), named("cells"));
    assert_eq!(cells.tables["kv/cells.csv"], scaling.tables["kv/cells.csv"]);
    assert_eq!(cells.tables["kv/figure_cells.csv"], scaling.tables["kv/scaling.csv"]);
    assert!(cells.figures.contains_key("kv/cells.svg"));
}
