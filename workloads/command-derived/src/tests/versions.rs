//! Experiments whose runs saved several texts of them.

use std::path::Path;

use matrix_bundle::{BundleReader, Limits};
use matrix_command::Experiment;
use matrix_command::run::{Input, Part, Session, plan};
use matrix_core::Again;
use matrix_store::{NewRun, RunId, Store};

use super::fixture::{EXPERIMENT, faster, store};
use crate::bundle::{Contents, CreateOptions, Selection, check};
use crate::{Chosen, Texts, Version, newest, unsaved, versions};

/// Makes a bundle, which has to be sound: its done cells, and the verdict on the only claim.
fn bundled(store: &Store, run: Option<&str>, experiments: &Texts) -> (u64, String) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let contents = Contents::of(store, &Selection { run, experiments, filter: None }).unwrap().unwrap();
    let made = contents.create(CreateOptions::default(), &out).unwrap();
    assert_eq!(made.left_out, 0);
    let mut findings = check(BundleReader::open(&out, Limits::default()).unwrap(), false).unwrap();
    assert!(findings.faults.is_empty() && findings.notes.is_empty(), "{findings:?}");
    (made.info.cells.done, findings.claims.remove(0))
}

/// Gives `run` an experiment's text, where nothing is left to execute: the run that saved it.
fn run(place: &Path, text: &str) -> Option<RunId> {
    let input = Input::new("kv.toml", text.to_owned(), Path::new("."), None).unwrap();
    let part = Part::new(&input, None, None, &|_| true).unwrap();
    let begun = Session::begin(place, &input, None, &part, &Again::None, None).unwrap();
    assert!(begun.session.is_none());
    begun.saved
}

#[test]
fn a_run_with_nothing_to_execute_saves_a_changed_text_once_and_bundles_follow_it() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("store");
    let made = store(&place, EXPERIMENT, None, faster(4));
    let runs = || Store::open(&place).unwrap().all_runs().unwrap().len();
    assert_eq!((run(&place, EXPERIMENT), runs()), (None, 1));
    drop(made);
    let strict = EXPERIMENT.replace("at_most = 0.5", "at_most = 0.1");
    let saved = run(&place, &strict).unwrap();
    assert_eq!((run(&place, &strict), runs()), (None, 2));

    let store = Store::open(&place).unwrap();
    assert!(store.run(saved.as_str()).unwrap().journal().is_finished);
    assert_eq!(bundled(&store, None, &Texts::new()), (18, "kv: C1: contradicted".to_owned()));
    assert_eq!(versions(&store, &saved).unwrap()[0].differs, ["claims"]);
    // The earlier text again is another one than the newest.
    assert!(run(&place, EXPERIMENT).is_some());
    assert_eq!(Chosen::only(&store).unwrap().unwrap().experiment.claims, Experiment::parse(EXPERIMENT).unwrap().claims);
}

#[test]
fn a_comment_before_claims_makes_no_other_claims() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("store");
    drop(store(&place, EXPERIMENT, None, faster(4)));
    let saved = run(&place, &EXPERIMENT.replace("[[claim]]", "# As in the paper.\n[[claim]]")).unwrap();
    let others = versions(&Store::open(&place).unwrap(), &saved).unwrap();
    assert_eq!(others[0].differs, ["nothing that results depend on"]);
}

#[test]
fn the_newest_version_is_read_and_how_others_differ_is_said_unless_a_text_or_run_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (fast, wide) = (faster(4), EXPERIMENT.replace("[1, 2, 4]", "[1, 2, 4, 8]"));
    drop(store(folder.path(), EXPERIMENT, None, |cell| fast(cell).filter(|_| cell.round < 3)));
    // The later run did what was left of the earlier one.
    let store = store(folder.path(), &wide, None, |cell| {
        fast(cell).filter(|_| cell.round == 3 || cell.point[1].to_string() == "8")
    });
    let [first, last] = store.all_runs().unwrap().try_into().unwrap();
    assert_eq!(Chosen::only(&store).unwrap().unwrap().run, Some(last.clone()));
    let differs = vec!["threads [1, 2, 4] -> [1, 2, 4, 8]".to_owned(), "cells 18 -> 24".to_owned()];
    assert_eq!(versions(&store, &last).unwrap(), [Version { run: first.clone(), differs }]);
    assert_eq!(versions(&store, &first).unwrap(), []);

    let texts = |text: &str| Texts::from([("kv".to_owned(), text.to_owned())]);
    let other = texts(&EXPERIMENT.replace("0.5", "0.1"));
    assert_eq!(newest(&store, &texts(EXPERIMENT)).unwrap(), vec![first.clone()]);
    assert_eq!(newest(&store, &other).unwrap(), vec![last.clone()]);
    assert!(unsaved(&store, &texts(EXPERIMENT)).unwrap().is_empty());
    assert_eq!(unsaved(&store, &other).unwrap()["kv"], last);
    let supported = || "kv: C1: supported".to_owned();
    assert_eq!(bundled(&store, None, &Texts::new()), (24, supported()));
    assert_eq!(bundled(&store, None, &texts(EXPERIMENT)), (18, supported()));
    assert_eq!(bundled(&store, Some(first.as_str()), &Texts::new()), (18, supported()));
}

#[test]
fn what_a_run_saved_is_read_though_a_file_may_not_say_it_any_more() {
    let text = EXPERIMENT.replace("at_most = 0.5", "at_most = 0.5\nalong = \"threads\"");
    assert!(Experiment::parse(&text).is_err());
    let input = Input::new("kv.toml", EXPERIMENT.to_owned(), Path::new("."), None).unwrap();
    let part = Part::new(&input, None, None, &|_| true).unwrap();
    let plan = serde_json::to_vec(&plan(None, &input, &part, &Again::None).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create_or_open_for_writing(&folder.path().join("store"), "a test").unwrap();
    let new = NewRun { time: "20201122T130000Z", name: "kv", experiment: text.as_bytes(), model: None, plan: &plan };
    store.create_run(&new).unwrap();
    let saved = Chosen::only(&store).unwrap().unwrap().experiment;
    assert_eq!(saved.claims, input.experiment.claims);
}
