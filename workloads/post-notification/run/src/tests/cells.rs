//! The results of cells: services that do not last, requests that fail, hosts that others use.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::AtomicUsize;

use matrix_app::Row;
use matrix_driver::{Cancel, Driver};
use matrix_plan::{Again, Cell, Part};
use matrix_store::{Store, VerifyOptions};
use matrix_traces::{Attempt, Record};

use super::drivers::{Failing, FailingRows, Notes, OnHost, UnstableServices};
use super::{EXPERIMENT, driver, program};
use crate::{Begun, Input, RunError, Session, SessionEnd, StoreAccess, Unobserved, interrupted_runs};

/// [`EXPERIMENT`] on the local platform, with a claim.
fn local() -> Input {
    let on_host = "name = \"watched\"\nplatform = \"local\"";
    let links = "[local.links]\n\"eu->us\" = { delay_ms = 30 }\n\n[[matrix]]";
    let text = EXPERIMENT.replace("name = \"crash\"", on_host).replace("seed = 5\n", "").replace("[[matrix]]", links);
    let claim = "[[claim]]\nid = \"prevents\"\nsays = \"With antipode on, no reader misses its post\"\n\
                 where = { antipode = true }\nevery_row = \"consistent\"\n";
    Input::from_text(&format!("{text}\n{claim}")).unwrap()
}

#[test]
fn a_cell_whose_services_do_not_last_is_tried_again_and_its_trace_is_the_last_one() {
    let input = Input::from_text(EXPERIMENT).unwrap();
    let run = |spoilt: usize| {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("results");
        let drivers = |input: &Input, _: &[Cell]| -> Result<Box<dyn Driver<Cell, Row>>, RunError> {
            Ok(Box::new(UnstableServices { left: AtomicUsize::new(spoilt), driver: driver(input, &[])? }))
        };
        let Begun { session, .. } =
            Session::begin(&StoreAccess::new(&root, program()), &input, &Part::default(), &Again::None, &drivers)
                .unwrap();
        let exit = session.unwrap().execute(NonZeroUsize::new(1), &Cancel::default(), &Unobserved).unwrap();
        let store = Store::open(&root).unwrap();
        let keys: Vec<_> = input.cells.iter().map(|(_, cell)| cell.key).collect();
        let done = store.done(&keys).unwrap().into_iter().filter(|done| *done).count();
        (exit, store.attempts().unwrap().len(), done, folder)
    };
    let (exit, attempts, done, well) = run(0);
    assert_eq!((exit, attempts, done), (SessionEnd::Complete, 4, 4));
    let (exit, attempts, done, again) = run(2);
    assert_eq!((exit, attempts, done), (SessionEnd::Complete, 6, 4), "two attempts more");
    let objects = |folder: &tempfile::TempDir| {
        let mut names: Vec<_> = Vec::new();
        for prefix in std::fs::read_dir(folder.path().join("results/objects")).unwrap() {
            names.extend(std::fs::read_dir(prefix.unwrap().path()).unwrap().map(|file| file.unwrap().file_name()));
        }
        names.sort();
        names
    };
    assert_eq!(objects(&well), objects(&again));
    let (exit, attempts, done, _) = run(3);
    assert_eq!((exit, attempts, done), (SessionEnd::Failed, 6, 3), "one cell was given up");
}

#[test]
fn a_cell_in_which_every_request_failed_has_failed_keeps_why_and_is_tried_again() {
    let input = Input::from_text(EXPERIMENT).unwrap();
    let requests = input.experiment.requests;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("results");
    let keys: Vec<_> = input.cells.iter().map(|(_, cell)| cell.key).collect();
    let run = |failing: u64| {
        let drivers = |input: &Input, cells: &[Cell]| -> Result<Box<dyn Driver<Cell, Row>>, RunError> {
            Ok(Box::new(Failing { requests: failing, driver: driver(input, cells)? }))
        };
        let Begun { session, .. } =
            Session::begin(&StoreAccess::new(&root, program()), &input, &Part::default(), &Again::None, &drivers)
                .unwrap();
        session.map(|session| session.execute(NonZeroUsize::new(1), &Cancel::default(), &Unobserved).unwrap())
    };
    assert_eq!(run(requests), Some(SessionEnd::Failed));
    let store = Store::open(&root).unwrap();
    assert!(store.done(&keys).unwrap().iter().all(|done| !done));
    assert_eq!(store.records::<Record>().unwrap().count(), 0, "no rows are kept");
    for id in store.attempts().unwrap() {
        let attempt = store.attempt::<Attempt>(&id).unwrap().unwrap();
        let error = attempt.error.unwrap();
        assert!(error.starts_with(&format!("nothing was observed: of {requests} requests")), "{error}");
        let [reason] = &attempt.reasons[..] else { panic!("one reason: {:?}", attempt.reasons) };
        assert_eq!((reason.text.as_str(), reason.count), ("AccessDenied for <account>: password=<removed>", requests));
    }
    assert!(matrix_traces::verify(&store, VerifyOptions::default()).unwrap().faults.is_empty());
    drop(store);
    // One request that works makes a result; the reasons of the others are kept all the same.
    assert_eq!(run(requests - 1), Some(SessionEnd::Complete));
    let store = Store::open(&root).unwrap();
    assert!(store.done(&keys).unwrap().iter().all(|done| *done));
    let attempts = store.attempts().unwrap();
    let attempts = attempts.iter().map(|id| store.attempt::<Attempt>(id).unwrap().unwrap());
    let done = attempts.filter(|attempt| attempt.status == matrix_store::AttemptStatus::Done);
    assert_eq!(done.map(|attempt| attempt.reasons[0].count).collect::<Vec<_>>(), vec![requests - 1; keys.len()]);
    assert_eq!(run(0), None, "nothing is left to do");
}

#[test]
fn a_result_of_an_earlier_version_in_which_nothing_was_observed_is_run_again() {
    let input = Input::from_text(EXPERIMENT).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("results");
    let cell = &input.cells[0].1;
    {
        let store = Store::create_or_open_for_writing(&root, "test").unwrap();
        let mut sink = matrix_traces::TraceSink::new(&store, cell.inputs.requests).unwrap();
        let mut rows = FailingRows { first: u64::MAX, rows: &mut sink };
        driver(&input, &[]).unwrap().attempt(cell, &mut rows, &Cancel::default()).unwrap();
        let object = sink.finish().unwrap();
        let record = Record::new(cell, matrix_store::Origin::default(), &object, false).unwrap();
        store.write_record(&record).unwrap();
        store.close().unwrap();
    }
    let left = |root: &Path| {
        let store = Store::open(root).unwrap();
        let faults = matrix_traces::verify(&store, VerifyOptions::default()).unwrap().faults;
        // This test wrote no attempt for it.
        let others: Vec<_> = faults.iter().filter(|fault| !fault.what.starts_with("the attempt is missing")).collect();
        assert!(others.is_empty(), "it stays valid: {others:?}");
        let results = crate::results::Results::of(&store, &input, &Unobserved).unwrap();
        let plan = crate::states::plan(Some(&store), &input, &Part::default(), &Again::None).unwrap();
        (plan.to_run().count(), results.source().done)
    };
    assert_eq!(left(&root), (4, 0));
    let Begun { session, .. } =
        Session::begin(&StoreAccess::new(&root, program()), &input, &Part::default(), &Again::None, &driver).unwrap();
    assert_eq!(session.unwrap().execute(None, &Cancel::default(), &Unobserved).unwrap(), SessionEnd::Complete);
    assert_eq!(left(&root), (0, 4));
}

#[test]
fn a_changed_text_of_done_cells_is_saved_once_and_nothing_is_executed() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("results");
    let begin = |text: &str, again: &Again| {
        let input = Input::from_text(text).unwrap();
        Session::begin(&StoreAccess::new(&root, program()), &input, &Part::default(), again, &driver).unwrap()
    };
    let first = begin(EXPERIMENT, &Again::None);
    assert_eq!(first.saved, None, "it has something to execute");
    first.session.unwrap().execute(None, &Cancel::default(), &Unobserved).unwrap();
    let runs = || Store::open(&root).unwrap().runs().unwrap();
    let with_claim = format!(
        "{EXPERIMENT}\n[[claim]]\nid = \"prevents\"\nsays = \"No reader misses\"\nwhere = {{ antipode = true }}\nevery_row = \"consistent\"\n"
    );
    for (text, saves) in [(EXPERIMENT, false), (&with_claim, true), (&with_claim, false), (EXPERIMENT, true)] {
        let before = runs();
        let Begun { plan, session, saved } = begin(text, &Again::None);
        assert!(session.is_none() && plan.to_run().next().is_none());
        let new: Vec<_> = runs().into_iter().filter(|run| !before.contains(run)).collect();
        assert_eq!(new, saved.iter().cloned().collect::<Vec<_>>());
        assert_eq!(saved.is_some(), saves, "{text}");
        let Some(saved) = saved else { continue };
        let store = Store::open(&root).unwrap();
        let run = store.run(saved.as_str()).unwrap();
        assert_eq!(run.experiment_text().unwrap(), text);
        assert!(run.journal().is_finished);
        assert!(matrix_traces::verify(&store, VerifyOptions::default()).unwrap().is_sound());
    }
    // A text that is damaged is not there.
    let last = Store::open(&root).unwrap().run(runs().last().unwrap().as_str()).unwrap();
    std::fs::write(last.directory().join("experiment.toml"), "").unwrap();
    assert!(begin(EXPERIMENT, &Again::None).saved.is_some());
    assert_eq!(begin(EXPERIMENT, &Again::None).saved, None);
    assert!(interrupted_runs(&Store::open(&root).unwrap()).unwrap().is_empty());
}

#[test]
fn a_local_cell_beside_other_work_is_disturbed_everywhere_until_its_pair_has_run_again() {
    let input = local();
    let folder = tempfile::tempdir().unwrap();
    let run = |root: &Path, again: &Again, jobs: usize, others_work: bool| {
        let drivers = |_: &Input, cells: &[Cell]| -> Result<Box<dyn Driver<Cell, Row>>, RunError> {
            let simulated = Input::from_text(EXPERIMENT).unwrap();
            let driver = driver(&simulated, cells)?;
            Ok(Box::new(OnHost { simulated, driver, others_work }))
        };
        let Begun { session, .. } =
            Session::begin(&StoreAccess::new(root, program()), &input, &Part::default(), again, &drivers).unwrap();
        let (session, notes) = (session.unwrap(), Notes::default());
        let ran = session.len();
        assert_eq!(session.execute(NonZeroUsize::new(jobs), &Cancel::default(), &notes).unwrap(), SessionEnd::Complete);
        (ran, notes.0.into_inner().unwrap().join("\n"))
    };
    let words = |root: &Path| {
        let store = Store::open(root).unwrap();
        assert!(matrix_traces::verify(&store, VerifyOptions::default()).unwrap().is_sound());
        let results = crate::results::Results::of(&store, &input, &Unobserved).unwrap();
        let claims = &input.experiment.claims;
        let claims =
            matrix_analysis::claims::evaluate(claims, &results.traced, &[], &matrix_analysis::Options::default());
        (results.source().nature.words(), matrix_analysis::claims::claims_text(&claims.unwrap()))
    };
    let root = folder.path().join("results");
    let (ran, said) = run(&root, &Again::None, 1, true);
    assert!(ran == 4 && said.contains("1 cells are disturbed: "), "{said}");
    let (source, claims) = words(&root);
    assert_eq!(source, ["configured lag: dynamo", "disturbed by other work: 1 cell"]);
    assert!(claims.contains("disturbed by other work: 1 cell)"), "{claims}");

    // Both sides of the pair run again, and nothing else.
    let disturbed = || crate::disturbed(Some(&Store::open(&root).unwrap()), &input).unwrap();
    let (ran, said) = run(&root, &disturbed(), 1, false);
    assert!(ran == 2 && !said.contains("disturbed"), "{said}");
    assert_eq!(words(&root).0, ["configured lag: dynamo"]);
    assert!(disturbed().is_none(), "nothing is left to run again");

    // What runs beside a cell is not its own, and no watch can tell.
    let several = folder.path().join("several");
    run(&several, &Again::None, 2, true);
    let store = Store::open(&several).unwrap();
    for id in store.attempts().unwrap() {
        let host = store.attempt::<Attempt>(&id).unwrap().unwrap().host;
        assert_eq!(host.as_deref(), Some("not watched: 2 at a time"));
    }
}
