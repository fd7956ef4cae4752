//! Crashes at every operation on the file system: whatever is lost, going on leads to the results of an undisturbed run.
//! And cells that break: they are results too, which others' tools read.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use matrix_bundle::{BundleReader, Limits};
use matrix_driver::{Cancel, Driver};
use matrix_sim::{Model, SimDriver};
use matrix_store::fs::{Fault, FaultyFilesystem, Filesystem, Loss, RealFilesystem};
use matrix_store::{Store, VerifyOptions};

use super::{Place, Session, driver, interrupted_runs};
use crate::cli::budget::BudgetArgs;
use crate::cli::{self, OverrideArgs};
use crate::costs;
use crate::exit::{Exit, Failure};
use crate::input::Input;

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

/// Begins the experiment, or goes on with its interrupted run, on this file system.
fn go_on(root: &Path, input: &Input, fs: Arc<dyn Filesystem>) -> Result<Exit, Failure> {
    let place = Place::on(root, fs);
    let interrupted = match Store::open_if_present(root)? {
        Some(store) => interrupted_runs(&store)?.pop(),
        None => None,
    };
    let session = match interrupted {
        Some(run) => Session::resume(&place, run.id().as_str(), &Input::from_run(&run)?, &driver)?,
        None => Session::begin(&place, input, None, false, &driver)?.1,
    };
    match session {
        Some(session) => session.execute_until(Some(NonZeroUsize::MIN), &Cancel::default()),
        None => Ok(Exit::Ok),
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
    assert_eq!(go_on(&undisturbed, &input, Arc::new(counting.clone())).unwrap(), Exit::Ok);
    let wanted = results(&undisturbed);
    assert_eq!(wanted.keys().filter(|path| path.starts_with("cells")).count(), 4);

    for operation in 0..counting.operations() {
        for loss in [Loss::Nothing, Loss::TornBytes, Loss::Everything] {
            let root = folder.path().join(format!("{operation}-{loss:?}"));
            let faulty = FaultyFilesystem::failing(operation, Fault::Crash(loss));
            // What a crashed process says does not matter: nobody hears it.
            let _ = go_on(&root, &input, Arc::new(faulty.clone()));
            assert!(faulty.crashed(), "operation {operation} exists");
            let exit = go_on(&root, &input, Arc::new(FaultyFilesystem::counting()));
            let exit = exit.unwrap_or_else(|failure| panic!("after a crash at {operation} ({loss:?}): {failure:?}"));
            assert_eq!(exit, Exit::Ok, "operation {operation}, {loss:?}");
            assert_eq!(results(&root), wanted, "operation {operation}, {loss:?}");
            let report = Store::open(&root).unwrap().verify(VerifyOptions::default()).unwrap();
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
    for operation in (0..counting.operations()).step_by(3) {
        let root = folder.path().join(operation.to_string());
        let full = Fault::From(std::io::ErrorKind::StorageFull);
        let failure = go_on(&root, &input, Arc::new(FaultyFilesystem::failing(operation, full))).unwrap_err();
        assert_eq!(failure.exit, Exit::Cells, "operation {operation}: {failure:?}");
        assert!(format!("{:?}", failure.reports[0]).contains("no space left"), "{failure:?}");
        assert_eq!(go_on(&root, &input, Arc::new(RealFilesystem)).unwrap(), Exit::Ok);
        assert_eq!(results(&root), results(&undisturbed));
    }
}

/// The services as a model tells them that agrees with the experiment's on everything but Redis.
fn with_another_redis(input: &Input) -> SimDriver {
    let (_, text) = input.model.as_ref().unwrap();
    let (before, redis) = text.split_once("[post_storage.redis.write]").unwrap();
    let other = format!("{before}[post_storage.redis.write]{}", redis.replacen("value = ", "value = 1", 1));
    SimDriver::new(Model::parse(&other).unwrap())
}

/// What a bundle says of itself.
fn metadata(bundle: &Path) -> serde_json::Value {
    let mut reader = BundleReader::open(bundle, Limits::default()).unwrap();
    while let Some(entry) = reader.next_entry().unwrap() {
        if entry.path == "data/ro-crate-metadata.json" {
            return serde_json::from_slice(&reader.read_whole().unwrap()).unwrap();
        }
        reader.finish_entry().unwrap();
    }
    panic!("{} has no metadata", bundle.display());
}

/// The driver refuses the cells that it does not know: their attempts have failed, for good reason. Bundles tell of it, in
/// a form that independent validators accept, until the run is resumed.
#[test]
fn cells_that_break_are_told_in_the_bundle_and_mended_by_resuming() {
    // Asked for now: what was built for one clone may serve another that shares its target directory.
    let project = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let project = Path::new(&project);
    let folder = tempfile::tempdir().unwrap();
    let (results, bundle) = (folder.path().join("results"), folder.path().join("quick.tar.zst"));
    let matrix = |words: &[&str]| {
        let at = ["--results", results.to_str().unwrap()];
        cli::run(["matrix"].iter().chain(words).chain(&at))
    };
    let create = |allow: &[&str]| matrix(&[&["bundle", "create", "-o", bundle.to_str().unwrap()], allow].concat());
    let check = || {
        let script = project.join("scripts/check-bundle-with-validators");
        let output = std::process::Command::new(script).arg(&bundle).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };

    let input = Input::from_file(&project.join("experiments/quick.toml"), &OverrideArgs::default()).unwrap();
    let drivers = |input: &Input, _: &[matrix_plan::Cell]| -> Result<Box<dyn Driver>, Failure> {
        Ok(Box::new(with_another_redis(input)))
    };
    let session = Session::begin(&Place::new(&results), &input, None, false, &drivers).unwrap().1.unwrap();
    let exit = session.execute_until(None, &Cancel::default()).unwrap();
    assert_eq!(exit, Exit::Cells);
    assert_eq!(create(&[]), Exit::Usage, "an incomplete bundle has to be allowed");
    assert_eq!(create(&["--allow-incomplete"]), Exit::Ok);
    check();
    let metadata = metadata(&bundle);
    let graph = metadata["@graph"].as_array().unwrap();
    let failed = graph.iter().filter(|entity| entity["actionStatus"] == "http://schema.org/FailedActionStatus");
    let errors: Vec<&str> = failed.map(|entity| entity["error"].as_str().unwrap()).collect();
    assert_eq!(errors, ["the cell was planned under another model or version of the simulator"; 6]);

    assert_eq!(matrix(&["resume"]), Exit::Ok);
    assert_eq!(create(&[]), Exit::Ok);
    check();
}

/// A driver that must not be used.
struct Unused;

impl Driver for Unused {
    fn attempt(
        &self,
        _: &matrix_plan::Cell,
        _: &mut dyn matrix_driver::RowSink,
        _: &Cancel,
    ) -> Result<matrix_driver::Attempt, matrix_driver::DriverError> {
        Err(matrix_driver::DriverError::Failed("used".to_owned()))
    }

    fn resources(&self, _: &matrix_plan::Cell) -> Vec<String> {
        Vec::new()
    }
}

/// The simulator, on services that do not last: the first so many attempts are spoilt after some rows.
struct Spoilt {
    left: AtomicUsize,
    driver: Box<dyn Driver>,
}

impl Driver for Spoilt {
    fn attempt(
        &self,
        cell: &matrix_plan::Cell,
        rows: &mut dyn matrix_driver::RowSink,
        cancel: &Cancel,
    ) -> Result<matrix_driver::Attempt, matrix_driver::DriverError> {
        let told = self.driver.attempt(cell, rows, cancel)?;
        let is_spoilt =
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        if is_spoilt { Err(matrix_driver::DriverError::Spoilt("the server ended".to_owned())) } else { Ok(told) }
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
        let drivers = |input: &Input, _: &[matrix_plan::Cell]| -> Result<Box<dyn Driver>, Failure> {
            Ok(Box::new(Spoilt { left: AtomicUsize::new(spoilt), driver: driver(input, &[])? }))
        };
        let (_, session) = Session::begin(&Place::new(&root), &input, None, false, &drivers).unwrap();
        let exit = session.unwrap().execute_until(NonZeroUsize::new(1), &Cancel::default()).unwrap();
        let store = Store::open(&root).unwrap();
        let keys: Vec<_> = input.cells.iter().map(|(_, cell)| cell.key).collect();
        let done = store.done(&keys).unwrap().into_iter().filter(|done| *done).count();
        (exit, store.attempts().unwrap().len(), done, folder)
    };
    let (exit, attempts, done, well) = run(0);
    assert_eq!((exit, attempts, done), (Exit::Ok, 4, 4));
    let (exit, attempts, done, again) = run(2);
    assert_eq!((exit, attempts, done), (Exit::Ok, 6, 4), "two attempts more");
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
    assert_eq!((exit, attempts, done), (Exit::Cells, 6, 3), "one cell was given up");
}

#[test]
fn an_interrupted_run_on_aws_is_held_to_a_budget_for_what_is_left() {
    let text = EXPERIMENT.replace("requests = 12", "requests = 12\nplatform = \"aws\"\naws.memory_mb = 256");
    let input = Input::from_text(&text).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("results");
    let drivers = |_: &Input, _: &[matrix_plan::Cell]| -> Result<Box<dyn Driver>, Failure> { Ok(Box::new(Unused)) };
    let (_, session) = Session::begin(&Place::new(&root), &input, None, false, &drivers).unwrap();
    assert_eq!(session.unwrap().len(), 4, "begun, and gone");

    let store = Store::open(&root).unwrap();
    let run = interrupted_runs(&store).unwrap().pop().unwrap();
    // What the run saved is enough: the same cells with the same keys.
    let saved = Input::from_run(&run).unwrap();
    assert_eq!(saved.cells, input.cells);
    let left = |most: f64, cells: usize| {
        let keys = saved.cells.iter().take(cells).map(|(_, cell)| cell.key).collect();
        let budget = BudgetArgs { max_cost: Some(most), ..BudgetArgs::default() };
        costs::check(&saved, &budget, || Ok(keys)).map_err(|failure| failure.reports[0].to_string())
    };
    assert!(left(0.0, 4).unwrap_err().starts_with("4 cells to run are estimated to cost"));
    assert!(left(0.0, 1).unwrap_err().starts_with("1 cells to run are estimated to cost"));
    assert_eq!((left(10.0, 4), left(0.0, 0)), (Ok(()), Ok(())));

    let before = std::fs::read(run.directory().join("journal.jsonl")).unwrap();
    let results = root.to_str().unwrap();
    assert_eq!(cli::run(["matrix", "resume", "--max-cost", "0", "--results", results]), Exit::Usage);
    assert_eq!(std::fs::read(run.directory().join("journal.jsonl")).unwrap(), before);
}
