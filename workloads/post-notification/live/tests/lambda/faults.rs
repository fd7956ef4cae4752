//! Faults for real, in the middle of runs that finish with their books balanced.

use std::time::{Duration, Instant};

use matrix_app::Outcome;
use matrix_live::lambda::LambdaDriver;
use matrix_live::testbed::{CutKind, EmulatorFault, FaultKind, PartName, Testbed};
use matrix_plan::{Arrival, Cell, CellInputs, NotificationStorage, PostStorage};

use crate::bed::{Bed, eventually, runtime};
use crate::lab::{Rows, attempt_into, cell, driver, inputs, settings};

/// A cell that takes about three seconds: time for something to happen.
fn lasting(post: PostStorage, notification: NotificationStorage) -> Cell {
    let inputs = inputs(post, notification, true);
    cell(CellInputs { requests: 60, arrival: Arrival::RatePerSecond(20.0), ..inputs })
}

#[test]
fn a_run_finishes_whatever_breaks_and_every_request_has_a_row() {
    let bed = Bed::up();
    let mut patience = settings("faults");
    (patience.gather_deadline, patience.barrier_margin) = (Duration::from_secs(8), Duration::from_secs(5));
    let driver = driver(&bed, patience);
    for scenario in [
        replica_restarted,
        link_cut_for_five_seconds,
        broker_restarted,
        invocations_throttled,
        invocations_answered_500,
        storage_throttled_and_failing,
        readers_crash,
        readers_crash_and_nobody_delivers_again,
        writers_crash,
    ] {
        let began = Instant::now();
        scenario(&bed, &driver);
        println!("  {:?}", began.elapsed());
    }
}

/// Runs a cell of 60 requests; at its first row `happening` begins in a thread of its own.
fn amid(
    bed: &Bed,
    driver: &LambdaDriver,
    cell: &Cell,
    happening: fn(&Testbed),
) -> (Rows, std::collections::BTreeMap<String, u64>) {
    let (testbed, (tell, told)) = (bed.testbed.clone(), std::sync::mpsc::channel());
    let rows = Rows::with(move || {
        std::thread::spawn(move || {
            happening(&testbed);
            tell.send(()).unwrap();
        });
    });
    let (rows, attempt) = attempt_into(driver, cell, rows);
    told.recv_timeout(Duration::from_secs(60)).expect("what was to happen happened");
    println!("{}: {:?}", cell.axes(), attempt.notes);
    (rows, attempt.notes)
}

fn part(name: &str) -> PartName {
    name.parse().unwrap()
}

fn replica_restarted(bed: &Bed, driver: &LambdaDriver) {
    let (rows, _) = amid(bed, driver, &lasting(PostStorage::Mysql, NotificationStorage::Sns), |testbed| {
        testbed.stop(&part("mariadb-us"), true).unwrap();
        testbed.start(&part("mariadb-us")).unwrap();
    });
    // A barrier waits for the replica to come back; a read that hits the outage fails.
    assert_eq!(rows.misses(), 0);
    let (ok, failed) = (rows.count(Outcome::Ok), rows.count(Outcome::ReaderError));
    assert!(ok + failed == 60 && ok > 30, "{ok} and {failed}");
}

fn link_cut_for_five_seconds(bed: &Bed, driver: &LambdaDriver) {
    let (rows, _) = amid(bed, driver, &lasting(PostStorage::Redis, NotificationStorage::Sns), |testbed| {
        testbed.cut(&"eu->us".parse().unwrap(), CutKind::Hold, Some(Duration::from_secs(5))).unwrap();
    });
    assert_eq!((rows.count(Outcome::Ok), rows.misses()), (60, 0));
    assert!(rows.0.values().any(|row| row.barrier_us > Some(1_000_000)), "nobody waited for the link");
}

fn broker_restarted(bed: &Bed, driver: &LambdaDriver) {
    let (rows, notes) = amid(bed, driver, &lasting(PostStorage::Redis, NotificationStorage::Amq), |testbed| {
        testbed.stop(&part("activemq-us"), false).unwrap();
        testbed.start(&part("activemq-us")).unwrap();
    });
    assert_eq!((rows.count(Outcome::Ok), rows.misses()), (60, 0));
    assert!(notes.contains_key("bridge_reconnected"), "{notes:?}");
}

fn fault(service: &str, operation: &str, kind: FaultKind, times: u64) -> EmulatorFault {
    EmulatorFault { service: Some(service.into()), operation: Some(operation.into()), kind, times: Some(times) }
}

fn invocations_throttled(bed: &Bed, driver: &LambdaDriver) {
    let (rows, notes) = amid(bed, driver, &lasting(PostStorage::Redis, NotificationStorage::Sns), |testbed| {
        testbed.fault(&fault("lambda", "Invoke", FaultKind::Throttle, 12)).unwrap();
    });
    // Refused before they ran: tried again, and nothing is missing.
    assert_eq!(rows.count(Outcome::Ok), 60);
    assert_eq!((notes["throttled"], notes["retried"]), (12, 12));
}

fn invocations_answered_500(bed: &Bed, driver: &LambdaDriver) {
    let (rows, notes) = amid(bed, driver, &lasting(PostStorage::Redis, NotificationStorage::Sns), |testbed| {
        testbed.fault(&fault("lambda", "Invoke", FaultKind::Error, 5)).unwrap();
    });
    // They may have run: never tried again.
    assert_eq!((rows.count(Outcome::Ok), rows.count(Outcome::WriterError)), (55, 5));
    assert_eq!((notes["writer_failures"], notes["retried"]), (5, 0));
}

fn storage_throttled_and_failing(bed: &Bed, driver: &LambdaDriver) {
    let (rows, _) = amid(bed, driver, &lasting(PostStorage::Dynamo, NotificationStorage::Sns), |testbed| {
        testbed.fault(&fault("dynamodb", "GetItem", FaultKind::Throttle, 40)).unwrap();
        testbed.fault(&fault("dynamodb", "PutItem", FaultKind::Error, 6)).unwrap();
        testbed.fault(&fault("sqs", "ReceiveMessage", FaultKind::Error, 6)).unwrap();
    });
    // The functions' clients try again, a bounded number of times.
    assert_eq!(rows.misses(), 0);
    assert!(rows.count(Outcome::Ok) >= 30, "{:?}", rows.0.values().map(|row| row.outcome).collect::<Vec<_>>());
    assert_eq!(rows.count(Outcome::Lost), 0);
}

/// Readers that wait in their barriers are killed there.
fn kill_readers(testbed: &Testbed) {
    let link = "eu->us".parse().unwrap();
    testbed.cut(&link, CutKind::Hold, None).unwrap();
    runtime().block_on(a_reader_waits(testbed));
    let killed = kill_functions(testbed, "reader");
    testbed.restore(&link).unwrap();
    assert!(killed > 0, "no reader was at work");
}

/// Waits until a reader polls for a post that the cut link holds back. Posts that had passed it are missed a few times at most.
async fn a_reader_waits(testbed: &Testbed) {
    const MANY: u64 = 50;
    let at = &testbed.endpoints().regions["us"];
    let replica = redis::Client::open((at.host.clone(), at.redis_port)).unwrap();
    let mut replica = replica.get_multiplexed_async_connection().await.unwrap();
    let mut misses = async || {
        let stats: redis::InfoDict = redis::cmd("INFO").arg("stats").query_async(&mut replica).await.unwrap();
        stats.get::<u64>("keyspace_misses").unwrap()
    };
    let before = misses().await;
    eventually("a reader that waits for its post", async || (misses().await >= before + MANY).then_some(())).await;
}

fn readers_crash(bed: &Bed, driver: &LambdaDriver) {
    let cell = lasting(PostStorage::Redis, NotificationStorage::Amq);
    let (rows, notes) = amid(bed, driver, &cell, |testbed| {
        // The link carries notifications too: here the replica is what the barrier waits for.
        testbed.stop(&part("redis-us"), true).unwrap();
        // In its place, something that a reader can connect to and that never answers.
        let at = &testbed.endpoints().regions["us"];
        let silent = std::net::TcpListener::bind((at.host.as_str(), at.redis_port)).unwrap();
        silent.set_nonblocking(true).unwrap();
        let _reader = runtime().block_on(eventually("a reader at work", async || silent.accept().ok()));
        assert!(kill_functions(testbed, "reader") > 0, "no reader was at work");
        drop(silent);
        testbed.start(&part("redis-us")).unwrap();
    });
    // The bridge delivers again; a read that hit the outage failed.
    let (ok, failed) = (rows.count(Outcome::Ok), rows.count(Outcome::ReaderError));
    assert!(ok + failed == 60 && failed <= 1, "{ok} and {failed}");
    assert_eq!(rows.misses(), 0);
    assert!(notes["bridge_retried"] > 0, "{notes:?}");
}

fn readers_crash_and_nobody_delivers_again(bed: &Bed, driver: &LambdaDriver) {
    let mut inputs = lasting(PostStorage::Redis, NotificationStorage::Sns).inputs;
    inputs.barrier.deadline_ms = 3000;
    let (rows, _) = amid(bed, driver, &cell(inputs), kill_readers);
    // The emulator's SNS delivers once, which AWS does not: what the killed readers had is lost.
    let (ok, lost) = (rows.count(Outcome::Ok), rows.count(Outcome::Lost));
    assert!(ok + lost == 60 && lost > 0, "{ok} and {lost}");
    assert_eq!(rows.misses(), 0);
}

fn writers_crash(bed: &Bed, driver: &LambdaDriver) {
    let mut inputs = lasting(PostStorage::Redis, NotificationStorage::Sns).inputs;
    inputs.axes.delay_ms = 500;
    let (rows, notes) = amid(bed, driver, &cell(inputs), |testbed| {
        assert!(kill_functions(testbed, "writer") > 0, "no writer was at work");
    });
    let (ok, failed) = (rows.count(Outcome::Ok), rows.count(Outcome::WriterError));
    assert!(ok + failed == 60 && failed > 0, "{ok} and {failed}");
    assert_eq!((rows.misses(), notes["retried"]), (0, 0));
}

/// Kills this testbed's function processes of one side, by their ids. Says how many.
fn kill_functions(testbed: &Testbed, side: &str) -> usize {
    let variable = |environment: &[u8], name: &str| {
        let prefix = format!("{name}=");
        let found = environment.split(|byte| *byte == 0).find_map(|entry| entry.strip_prefix(prefix.as_bytes()));
        found.map(|value| String::from_utf8_lossy(value).into_owned())
    };
    let marker = testbed.state().path().display().to_string();
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let environment = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
        let ours = variable(&environment, "MATRIX_TESTBED_MEMBER")? == marker;
        let function = variable(&environment, "AWS_LAMBDA_FUNCTION_NAME")?;
        (ours && function.ends_with(side)).then(|| rustix::process::Pid::from_raw(pid))?
    });
    processes.filter(|pid| rustix::process::kill_process(*pid, rustix::process::Signal::KILL).is_ok()).count()
}
