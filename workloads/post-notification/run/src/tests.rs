//! Crashes at every operation on the file system: whatever is lost, going on leads to the results of an undisturbed run.
//! The results of cells, and what a change runs again.

mod cells;
mod changes;
mod drivers;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use matrix_app::Row;
use matrix_driver::{Cancel, Driver};
use matrix_plan::{Again, Cell, Part};
use matrix_sim::SimDriver;
use matrix_store::fs::{Fault, FaultyFilesystem, Filesystem, Loss, RealFilesystem};
use matrix_store::{Event, Store, VerifyOptions};

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
    Program { holder: "the test".to_owned(), version: "0".to_owned(), ..Program::default() }
}

fn driver(input: &Input, _: &[Cell]) -> Result<Box<dyn Driver<Cell, Row>>, RunError> {
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
        None => Session::begin(&place, input, &Part::default(), &Again::None, &driver)?.session,
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
fn results_of_several_claims_are_synced_together() {
    let input = Input::from_text(EXPERIMENT).unwrap();
    let folder = tempfile::tempdir().unwrap();
    // On a machine that is busy a group may close before all cells are done.
    let spans = (0..20).any(|number| {
        let root = folder.path().join(number.to_string());
        assert_eq!(go_on(&root, &input, Arc::new(RealFilesystem)).unwrap(), SessionEnd::Complete);
        let store = Store::open(&root).unwrap();
        let mut events = Vec::new();
        let run = &store.runs().unwrap()[0];
        store.read_run(run.as_str(), |entry| events.push(entry.event.clone())).unwrap();
        let place = |wanted: fn(&Event) -> bool| events.iter().position(wanted).unwrap();
        let last = events.iter().rposition(|event| matches!(event, Event::Started { .. })).unwrap();
        last < place(|event| matches!(event, Event::Done { .. }))
    });
    assert!(spans, "a group ends with each claim");
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
