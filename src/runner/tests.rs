//! Crashes at every operation on the file system: whatever is lost, going on leads to the results of an undisturbed run.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use matrix_driver::Cancel;
use matrix_store::fs::{Fault, FaultyFilesystem, Filesystem, Loss, RealFilesystem};
use matrix_store::{Store, VerifyOptions};

use super::{Place, Session, driver, interrupted_runs};
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
        Some(run) => Session::resume(&place, run.id().as_str(), &driver)?.1,
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
