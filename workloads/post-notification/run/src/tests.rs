//! Crashes at every operation on the file system: whatever is lost, going on leads to the results of an undisturbed run.
//! And cells whose services do not last.

use matrix_traces::Attempt;
use matrix_traces::Record;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use matrix_app::Row;
use matrix_driver::{Cancel, Driver};
use matrix_plan::{Again, Cell, Part};
use matrix_sim::SimDriver;
use matrix_store::fs::{Fault, FaultyFilesystem, Filesystem, Loss, RealFilesystem};
use matrix_store::{Store, VerifyOptions};

use super::{FailureKind, Input, Program, RunError, Session, SessionEnd, StoreAccess, Unobserved, interrupted_runs};

const EXPERIMENT: &str = r#"
schema = 1
name = "crash"
requests = 12
seed = 5

[[matrix]]
name = "pairs"
post_storage = ["redis", "dynamo"]
notification_storage = ["sns"]
regions = ["eu->us"]
delay_ms = [0]
antipode = [false, true]
"#;

fn program() -> Program {
    Program {
        holder: "the test".to_owned(),
        version: "0".to_owned(),
        commit: None,
        dirty: None,
        lock_file: None,
        target: None,
        toolchain: None,
    }
}

fn driver(input: &Input, _: &[matrix_plan::Cell]) -> Result<Box<dyn Driver<Cell, Row>>, RunError> {
    Ok(Box::new(SimDriver::new(input.model.as_ref().unwrap().0.clone())))
}

/// Begins the experiment, or goes on with its interrupted run, on this file system.
fn go_on(root: &Path, input: &Input, fs: Arc<dyn Filesystem>) -> Result<SessionEnd, RunError> {
    let place = StoreAccess::on(root, program(), fs);
    let interrupted = match Store::open_if_present(root)? {
        Some(store) => interrupted_runs(&store)?.pop(),
        None => None,
    };
    let session = match interrupted {
        Some(run) => Session::resume(&place, run.id().as_str(), &Input::from_run(&run)?, &driver)?,
        None => Session::begin(&place, input, &Part::default(), &Again::None, &driver)?.1,
    };
    match session {
        Some(session) => session.execute(Some(NonZeroUsize::MIN), &Cancel::default(), &Unobserved),
        None => Ok(SessionEnd::Complete),
    }
}

/// Objects and records, by path.
fn results(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.join("objects"), root.join("cells")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn a_run_that_crashes_at_any_operation_resumes_to_the_same_results() {
    let input = Input::from_text(EXPERIMENT).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let undisturbed = folder.path().join("undisturbed");
    let counting = FaultyFilesystem::counting();
    assert_eq!(go_on(&undisturbed, &input, Arc::new(counting.clone())).unwrap(), SessionEnd::Complete);
    let wanted = results(&undisturbed);
    assert_eq!(wanted.keys().filter(|path| path.starts_with("cells")).count(), 4);

    // How many operations there are depends on how fast it is: results that come soon after each other are synced together.
    'operations: for operation in 0.. {
        for loss in [Loss::Nothing, Loss::TornBytes, Loss::Everything] {
            let root = folder.path().join(format!("{operation}-{loss:?}"));
            let faulty = FaultyFilesystem::failing(operation, Fault::Crash(loss));
            // What a crashed process says does not matter: nobody hears it.
            let _ = go_on(&root, &input, Arc::new(faulty.clone()));
            if !faulty.crashed() {
                assert!(operation > 30, "only {operation} operations");
                break 'operations;
            }
            let exit = go_on(&root, &input, Arc::new(FaultyFilesystem::counting()));
            let exit = exit.unwrap_or_else(|failure| panic!("after a crash at {operation} ({loss:?}): {failure:?}"));
            assert_eq!(exit, SessionEnd::Complete, "operation {operation}, {loss:?}");
            assert_eq!(results(&root), wanted, "operation {operation}, {loss:?}");
            let report = matrix_traces::verify(&Store::open(&root).unwrap(), VerifyOptions::default()).unwrap();
            assert!(report.is_sound(), "operation {operation}, {loss:?}: {report:?}");
            std::fs::remove_dir_all(&root).unwrap();
        }
    }
}

#[test]
fn a_disk_that_fills_up_stops_the_run_and_loses_nothing_done() {
    let input = Input::from_text(EXPERIMENT).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let undisturbed = folder.path().join("undisturbed");
    let counting = FaultyFilesystem::counting();
    go_on(&undisturbed, &input, Arc::new(counting.clone())).unwrap();
    let mut unnoticed = 0;
    for operation in (0..counting.operations()).step_by(3) {
        let root = folder.path().join(operation.to_string());
        let full = Fault::From(std::io::ErrorKind::StorageFull);
        let faulty = FaultyFilesystem::failing(operation, full);
        let Err(failure) = go_on(&root, &input, Arc::new(faulty.clone())) else {
            // What only tidies up at the end may fail unnoticed: everything is done. The others end before this operation.
            assert_eq!(results(&root), results(&undisturbed), "operation {operation}");
            unnoticed += usize::from(faulty.operations() > operation);
            continue;
        };
        assert_eq!(failure.kind, FailureKind::Unfinished, "operation {operation}: {failure:?}");
        assert!(failure.to_string().contains("no space left"), "{failure:?}");
        assert_eq!(go_on(&root, &input, Arc::new(RealFilesystem)).unwrap(), SessionEnd::Complete);
        assert_eq!(results(&root), results(&undisturbed));
    }
    assert!(unnoticed < 5, "{unnoticed} operations failed unnoticed");
}

/// The simulator, on services that do not last: the first so many attempts are spoilt after some rows.
struct UnstableServices {
    left: AtomicUsize,
    driver: Box<dyn Driver<Cell, Row>>,
}

impl Driver<Cell, Row> for UnstableServices {
    fn attempt(
        &self,
        cell: &matrix_plan::Cell,
        rows: &mut dyn matrix_driver::RowSink<Row>,
        cancel: &Cancel,
    ) -> Result<matrix_driver::AttemptDetails, matrix_driver::DriverError> {
        let told = self.driver.attempt(cell, rows, cancel)?;
        let is_spoilt =
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        if is_spoilt {
            Err(matrix_driver::DriverError::EnvironmentChanged("the server ended".to_owned()))
        } else {
            Ok(told)
        }
    }

    fn resources(&self, cell: &matrix_plan::Cell) -> Vec<String> {
        self.driver.resources(cell)
    }
}

#[test]
fn a_cell_whose_services_do_not_last_is_tried_again_and_its_trace_is_the_last_one() {
    let input = Input::from_text(EXPERIMENT).unwrap();
    let run = |spoilt: usize| {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("results");
        let drivers = |input: &Input, _: &[matrix_plan::Cell]| -> Result<Box<dyn Driver<Cell, Row>>, RunError> {
            Ok(Box::new(UnstableServices { left: AtomicUsize::new(spoilt), driver: driver(input, &[])? }))
        };
        let (_, session) =
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

/// Services that fail the first so many requests of every cell, and then work.
struct Failing {
    requests: u64,
    driver: Box<dyn Driver<Cell, Row>>,
}

impl Driver<Cell, Row> for Failing {
    fn attempt(
        &self,
        cell: &matrix_plan::Cell,
        rows: &mut dyn matrix_driver::RowSink<Row>,
        cancel: &Cancel,
    ) -> Result<matrix_driver::AttemptDetails, matrix_driver::DriverError> {
        let mut failing = FailingRows { first: self.requests, rows };
        let mut told = self.driver.attempt(cell, &mut failing, cancel)?;
        for i in 0..self.requests.min(cell.inputs.requests) {
            told.reasons.add(&format!("AccessDenied for 123456789012: password=p{i}"));
        }
        Ok(told)
    }

    fn resources(&self, cell: &matrix_plan::Cell) -> Vec<String> {
        self.driver.resources(cell)
    }
}

struct FailingRows<'a> {
    first: u64,
    rows: &'a mut dyn matrix_driver::RowSink<Row>,
}

impl matrix_driver::RowSink<Row> for FailingRows<'_> {
    fn push(&mut self, row: matrix_app::Row) -> Result<(), matrix_driver::SinkError> {
        use matrix_app::Outcome;
        let failed = row.i < self.first;
        let outcome = if row.i.is_multiple_of(3) { Outcome::Lost } else { Outcome::WriterError };
        self.rows.push(if failed { matrix_app::Row { outcome, consistent_read: None, ..row } } else { row })
    }
}

#[test]
fn a_cell_in_which_every_request_failed_has_failed_keeps_why_and_is_tried_again() {
    let input = Input::from_text(EXPERIMENT).unwrap();
    let requests = input.experiment.requests;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("results");
    let keys: Vec<_> = input.cells.iter().map(|(_, cell)| cell.key).collect();
    let run = |failing: u64| {
        let drivers = |input: &Input, cells: &[matrix_plan::Cell]| -> Result<Box<dyn Driver<Cell, Row>>, RunError> {
            Ok(Box::new(Failing { requests: failing, driver: driver(input, cells)? }))
        };
        let (_, session) =
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
    assert!(matrix_traces::verify(&store, matrix_store::VerifyOptions::default()).unwrap().faults.is_empty());
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
        let record = matrix_traces::Record::new(cell, matrix_store::Origin::default(), &object, false).unwrap();
        store.write_record(&record).unwrap();
        store.close().unwrap();
    }
    let left = |root: &Path| {
        let store = Store::open(root).unwrap();
        let faults = matrix_traces::verify(&store, matrix_store::VerifyOptions::default()).unwrap().faults;
        // This test wrote no attempt for it.
        let others: Vec<_> = faults.iter().filter(|fault| !fault.what.starts_with("the attempt is missing")).collect();
        assert!(others.is_empty(), "it stays valid: {others:?}");
        let results = crate::results::Results::of(&store, &input, &Unobserved).unwrap();
        let plan = crate::states::plan(Some(&store), &input, &Part::default(), &Again::None).unwrap();
        (plan.to_run().count(), results.source().done)
    };
    assert_eq!(left(&root), (4, 0));
    let (_, session) =
        Session::begin(&StoreAccess::new(&root, program()), &input, &Part::default(), &Again::None, &driver).unwrap();
    assert_eq!(session.unwrap().execute(None, &Cancel::default(), &Unobserved).unwrap(), SessionEnd::Complete);
    assert_eq!(left(&root), (0, 4));
}

/// [`EXPERIMENT`] on the local platform, with a claim.
fn local() -> Input {
    let on_host = "name = \"watched\"\nplatform = \"local\"";
    let links = "[local.links]\n\"eu->us\" = { delay_ms = 30 }\n\n[[matrix]]";
    let text = EXPERIMENT.replace("name = \"crash\"", on_host).replace("seed = 5\n", "").replace("[[matrix]]", links);
    let claim = "[[claim]]\nid = \"prevents\"\nsays = \"With antipode on, no reader misses its post\"\n\
                 where = { antipode = true }\nevery_row = \"consistent\"\n";
    Input::from_text(&format!("{text}\n{claim}")).unwrap()
}

/// The simulator in the place of services on this host, on which others work while one cell runs.
struct OnHost {
    simulated: Input,
    driver: Box<dyn Driver<Cell, Row>>,
    others_work: bool,
}

impl Driver<Cell, Row> for OnHost {
    fn attempt(
        &self,
        cell: &Cell,
        rows: &mut dyn matrix_driver::RowSink<Row>,
        cancel: &Cancel,
    ) -> Result<matrix_driver::AttemptDetails, matrix_driver::DriverError> {
        let same = self.simulated.cells.iter().find(|(_, simulated)| simulated.axes() == cell.axes()).unwrap();
        let told = self.driver.attempt(&same.1, rows, cancel)?;
        let is_disturbed = self.others_work && cell.axes().to_string() == "redis+sns eu->us delay 0 ms antipode on";
        let host = if is_disturbed { "disturbed: 40 % of the processors' time went to others" } else { "quiet" };
        Ok(matrix_driver::AttemptDetails { host: Some(host.to_owned()), ..told })
    }

    fn resources(&self, _: &Cell) -> Vec<String> {
        Vec::new()
    }

    fn needs_exclusive_host(&self) -> bool {
        true
    }
}

/// Keeps what is said.
#[derive(Default)]
struct Notes(std::sync::Mutex<Vec<String>>);

impl super::Observer for Notes {
    fn note(&self, text: std::fmt::Arguments<'_>) {
        self.0.lock().unwrap().push(text.to_string());
    }
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
        let (_, session) =
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
    let disturbed = || super::disturbed(Some(&Store::open(&root).unwrap()), &input).unwrap();
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
