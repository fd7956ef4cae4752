use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use matrix_core::{CellKey, CellState, Reason, key};
use matrix_driver::Cancel;
use matrix_store::attempt::{AttemptStatus, Execution};
use matrix_store::fs::{Fault, FaultyFilesystem, Filesystem, RealFilesystem};
use matrix_store::generic::{Costs, Outputs};
use matrix_store::{
    Digest, Event, GenericAttempt, GenericEnd, GenericRecord, Group, NewRecord, NewRun, Origin, Provenance, RowsRef,
    Store, StoreError, WritableStore,
};
use serde_json::{Value, json};

use crate::{Ended, Options, Report, Session, SessionEnd, Work};

/// Cells whose inputs are their numbers.
struct Numbers<'a> {
    root: &'a Path,
    /// The cells that fail.
    failing: BTreeSet<usize>,
    /// Whether a cell ends only when the one before it is in the store.
    lasting: bool,
    /// Cells that are running: those of one block may not run at the same time.
    running: Mutex<BTreeSet<usize>>,
    counted: Mutex<Vec<usize>>,
    overlapped: AtomicBool,
}

fn inputs(cell: usize) -> Value {
    json!({ "number": cell })
}

fn key_of(cell: usize) -> CellKey {
    key::key_of(&inputs(cell)).unwrap()
}

impl Work for Numbers<'_> {
    type Cell = usize;
    type Result = usize;
    type Failure = ();

    fn key_and_block(&self, cell: &usize) -> (CellKey, u32) {
        (key_of(*cell), *cell as u32 / 2)
    }

    fn resources(&self, cell: &usize) -> Vec<String> {
        vec![(cell / 2).to_string()]
    }

    fn execute(
        &self,
        session: &Session,
        _: usize,
        cell: &usize,
        group: &mut Group,
    ) -> Result<Ended<usize, ()>, StoreError> {
        if !self.running.lock().unwrap().insert(cell / 2) {
            self.overlapped.store(true, Ordering::Relaxed);
        }
        let begun = Instant::now();
        while self.lasting && *cell > 0 && !Store::open(self.root)?.done(&[key_of(*cell - 1)])?[0] {
            assert!(begun.elapsed() < Duration::from_secs(60), "the cell before is not in the store");
            std::thread::yield_now();
        }
        let execution = Execution::begin(key_of(*cell), session.run().id(), Arc::new(Provenance::default()))?;
        let attempt = execution.id.clone();
        session.journal().append(&Event::Started { attempt: attempt.clone(), cell: key_of(*cell) })?;
        let failed = self.failing.contains(cell);
        let end = match failed {
            true => {
                GenericEnd::Without { status: AttemptStatus::Failed, inputs: inputs(*cell), error: "broke".to_owned() }
            }
            false => GenericEnd::Done,
        };
        let file = GenericAttempt::new(execution.end(), end, Outputs::new(), BTreeMap::new())?;
        self.running.lock().unwrap().remove(&(cell / 2));
        if failed {
            session.store().write_attempt(&file)?;
            session.journal().append(&Event::Failed { attempt, cell: key_of(*cell), error: "broke".to_owned() })?;
            return Ok(Ended::Failed(()));
        }
        let rows = format!("x\n{cell}\n");
        let sha256 = Digest::of(rows.as_bytes());
        group.keep_object(&sha256, &mut rows.as_bytes())?;
        let new = NewRecord {
            workload: "numbers".to_owned(),
            inputs: inputs(*cell),
            key: key_of(*cell),
            costs: Costs::new(),
            outputs: Outputs::new(),
            reading: Digest::of(b""),
            rows: [("x".to_owned(), RowsRef { bytes: rows.len() as u64, rows: 1, sha256 })].into(),
        };
        group.add(&file, &GenericRecord::new(new, Origin::default())?, Event::Done { attempt, cell: key_of(*cell) })?;
        Ok(Ended::Done(*cell))
    }

    fn count(&self, cell: &usize, end: Result<usize, ()>) {
        assert_eq!(end, if self.failing.contains(cell) { Err(()) } else { Ok(*cell) });
        self.counted.lock().unwrap().extend(end);
    }

    fn note(&self, _: &str) {}
}

fn numbers(root: &Path) -> Numbers<'_> {
    let (running, counted, overlapped) = (Mutex::default(), Mutex::default(), AtomicBool::default());
    Numbers { root, failing: BTreeSet::new(), lasting: false, running, counted, overlapped }
}

fn planned(cells: usize) -> impl Iterator<Item = (CellKey, Reason)> {
    (0..cells).map(|cell| (key_of(cell), Reason::Pending))
}

fn join(root: &Path, fs: Arc<dyn Filesystem>) -> Result<WritableStore, StoreError> {
    WritableStore::join_with(root, "the test", fs, None)
}

fn begin(root: &Path, cells: usize, fs: Arc<dyn Filesystem>) -> Result<Session, StoreError> {
    let new = NewRun { time: "20261122T130000Z", name: "n", experiment: b"", model: None, plan: b"{\"schema\":3}" };
    Session::begin(join(root, fs)?, &new, &Digest::of(b"same"), planned(cells), &|_| Ok(true))
}

/// Executes so many cells; one of each of these blocks is left out.
fn execute(session: Session, work: &Numbers<'_>, cells: usize, left_out: &[u32], jobs: usize) -> Report {
    let cells: Vec<usize> = (0..cells).collect();
    let options = Options { jobs: NonZeroUsize::new(jobs).unwrap(), wait: true, cancel: &Cancel::default() };
    session.execute(work, &cells, cells.len().div_ceil(2) as u32, left_out, options).unwrap()
}

/// Executes so many cells as one of the store's runners.
fn run(work: &Numbers<'_>, cells: usize, jobs: usize, fs: Arc<dyn Filesystem>) -> Result<Report, StoreError> {
    Ok(execute(begin(work.root, cells, fs)?, work, cells, &[], jobs))
}

fn is_finished(root: &Path) -> bool {
    let store = Store::open(root).unwrap();
    store.run(store.all_runs().unwrap()[0].as_str()).unwrap().journal().is_finished
}

fn done(root: &Path, cells: usize) -> usize {
    let keys: Vec<CellKey> = (0..cells).map(key_of).collect();
    Store::open(root).unwrap().done(&keys).unwrap().into_iter().filter(|done| *done).count()
}

#[test]
fn a_result_is_in_the_store_while_the_next_cell_lasts() {
    let folder = tempfile::tempdir().unwrap();
    let work = Numbers { lasting: true, ..numbers(folder.path()) };
    let report = run(&work, 3, 1, Arc::new(RealFilesystem)).unwrap();
    assert_eq!((report.end(), report.done), (SessionEnd::Complete, 3));
}

#[test]
fn runners_divide_the_cells_and_each_is_counted_once() {
    let folder = tempfile::tempdir().unwrap();
    const CELLS: usize = 300;
    let (reports, counted): (Vec<Report>, Vec<Vec<usize>>) = std::thread::scope(|scope| {
        let runner = || {
            let work = numbers(folder.path());
            let report = run(&work, CELLS, 2, Arc::new(RealFilesystem)).unwrap();
            assert!(!work.overlapped.into_inner(), "what cells need was not theirs alone");
            (report, work.counted.into_inner().unwrap())
        };
        let runners: Vec<_> = (0..3).map(|_| scope.spawn(runner)).collect();
        runners.into_iter().map(|runner| runner.join().unwrap()).unzip()
    });
    for report in &reports {
        assert_eq!((report.end(), report.done + report.others), (SessionEnd::Complete, CELLS), "{report:?}");
        assert!(report.broken.is_none(), "{report:?}");
    }
    let mut all = counted.concat();
    all.sort_unstable();
    assert_eq!(all, (0..CELLS).collect::<Vec<_>>());
    assert!(is_finished(folder.path()));
}

#[test]
fn what_failed_or_was_left_out_is_neither_finished_nor_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let work = Numbers { failing: [1].into(), ..numbers(folder.path()) };
    let report = run(&work, 4, 2, Arc::new(RealFilesystem)).unwrap();
    assert_eq!((report.end(), report.done, report.failed), (SessionEnd::Failed, 3, 1));
    let store = Store::open(folder.path()).unwrap();
    let keys: Vec<CellKey> = (0..5).map(key_of).collect();
    let done = store.done(&keys).unwrap();
    let states = crate::states(&store, || store.all_runs(), &keys, &done, |_| Ok(CellState::Pending)).unwrap();
    let is = |cell: usize| match cell {
        1 => CellState::Failed,
        4 => CellState::Pending,
        _ => CellState::Done,
    };
    assert_eq!(states, (0..5).map(is).collect::<Vec<_>>());
    let interrupted = || {
        let planned = |_: &_| Ok::<_, StoreError>(planned(4).collect());
        crate::interrupted(&store, store.all_runs().unwrap(), planned).unwrap().len()
    };
    assert_eq!(interrupted(), 1);

    let writable = join(folder.path(), Arc::new(RealFilesystem)).unwrap();
    let taken = writable.run(store.all_runs().unwrap()[0].as_str()).unwrap();
    let session = Session::resume(writable, taken, &Digest::of(b"same")).unwrap();
    let report = execute(session, &numbers(folder.path()), 4, &[2, 2], 1);
    assert_eq!((report.end(), report.left), (SessionEnd::Interrupted, 2));
    assert_eq!(interrupted(), 0, "all of its cells are done");
}

#[test]
fn a_run_is_finished_by_the_last_runner_that_lacks_nothing_or_that_made_it() {
    let fs = || Arc::new(RealFilesystem);
    for is_whole_last in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let (lame, whole) = (begin(root, 4, fs()).unwrap(), begin(root, 4, fs()).unwrap());
        assert_eq!((lame.is_new(), whole.is_new()), (true, false));
        let work = numbers(root);
        let (mut lame, mut whole) = (Some(lame), Some(whole));
        for is_whole in [!is_whole_last, is_whole_last] {
            let (session, cells, left_out): (_, _, &[u32]) =
                if is_whole { (whole.take(), 4, &[]) } else { (lame.take(), 3, &[1]) };
            let report = execute(session.unwrap(), &work, cells, left_out, 1);
            assert_eq!((report.end(), report.left), (SessionEnd::Complete, 0));
            assert_eq!(is_finished(root), is_whole || whole.is_none(), "{is_whole_last}");
        }
        assert_eq!(work.counted.into_inner().unwrap().len(), 4, "each was executed once");
    }
    // Who joined a run does not know what else it has.
    let folder = tempfile::tempdir().unwrap();
    let (made, joined) = (begin(folder.path(), 4, fs()).unwrap(), begin(folder.path(), 4, fs()).unwrap());
    drop(made);
    assert_eq!(execute(joined, &numbers(folder.path()), 3, &[1], 1).end(), SessionEnd::Complete);
    assert!(!is_finished(folder.path()));
}

#[test]
fn a_run_that_a_person_stops_is_not_found_by_the_next_command_and_another_one_is() {
    for is_by_hand in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let session = begin(folder.path(), 2, Arc::new(RealFilesystem)).unwrap();
        let cancel = Cancel::default();
        cancel.cancel();
        cancel.flag_by_hand().store(is_by_hand, Ordering::Relaxed);
        let options = Options { jobs: NonZeroUsize::MIN, wait: true, cancel: &cancel };
        let report = session.execute(&numbers(folder.path()), &[0, 1], 1, &[], options).unwrap();
        assert_eq!((report.end(), report.left), (SessionEnd::Interrupted, 2));
        let claims = std::fs::read_dir(folder.path().join("claims")).unwrap().count();
        assert_eq!(claims == 0, is_by_hand);
    }
}

#[test]
fn what_was_done_is_reported_whatever_fails_later() {
    for operation in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let faulty = FaultyFilesystem::failing(operation, Fault::From(ErrorKind::StorageFull));
        let work = numbers(folder.path());
        let ran = run(&work, 3, 1, Arc::new(faulty.clone()));
        let counted = work.counted.into_inner().unwrap().len();
        let Ok(report) = ran else {
            assert_eq!(counted, 0, "operation {operation}: {ran:?}");
            continue;
        };
        assert_eq!(report.done, counted);
        assert_eq!(report.done, done(folder.path(), 3), "operation {operation}: {report:?}");
        if report.broken.is_none() {
            assert_eq!((report.end(), report.done), (SessionEnd::Complete, 3), "operation {operation}");
        }
        if faulty.operations() <= operation {
            assert!(operation > 20, "only {operation} operations");
            break;
        }
    }
}
