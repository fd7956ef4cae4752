//! Requests a second of the simulator and of a plain event loop that does the same, on one core, rows recorded.
//!
//! `cargo bench -p matrix-sim` prints both and their ratio; `-- --large` runs a cell of 10 million requests and prints the
//! process's peak memory.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark may stop at once")]

mod cells;
mod plain_loop;
mod recording;

use std::time::Instant;

use matrix_driver::{Cancel, Driver, nonce_of};
use matrix_plan::{Cell, NotificationStorage, PostStorage};
use matrix_sim::cell::Setup;
use matrix_sim::{Model, SimDriver};
use recording::Recorder;

const REQUESTS: u64 = 500_000;
const REPETITIONS: usize = 5;
const LARGE: u64 = 10_000_000;

fn main() {
    let model = Model::builtin(Model::BUILTIN_NAME).unwrap();
    println!("machine: {}", processor());
    if std::env::args().any(|argument| argument == "--large") {
        large(model);
    } else {
        compare(model);
    }
}

fn redis_sns(model: &Model, requests: u64) -> Cell {
    cells::cell(cells::inputs(model, PostStorage::Redis, NotificationStorage::Sns, false, requests))
}

/// Both take turns, so that both meet the same machine; the best of each counts.
fn compare(model: Model) {
    let cell = redis_sns(&model, REQUESTS);
    let stream = cell.inputs.pair_key().unwrap();
    let setup = Setup::new(&model, &cell.inputs, &stream, nonce_of(&cell.key)).unwrap();
    let driver = SimDriver::new(model);
    let (mut best_sim, mut best_plain) = (0.0, 0.0);
    for _ in 0..REPETITIONS {
        let (sim, sim_digest) = timed(|recorder| {
            driver.attempt(&cell, recorder, &Cancel::default()).unwrap();
        });
        let (plain, plain_digest) = timed(|recorder| plain_loop::run(&setup, recorder));
        assert_eq!(sim_digest, plain_digest, "the simulator and the plain loop disagree");
        best_sim = f64::max(best_sim, sim);
        best_plain = f64::max(best_plain, plain);
    }
    println!("cell: redis, sns, antipode off, 8 clients, {REQUESTS} requests, rows recorded and compressed");
    println!("per second of one core, the best of {REPETITIONS}:");
    println!("simulator:  {best_sim:>9.0} requests/s");
    println!("plain loop: {best_plain:>9.0} requests/s");
    println!("ratio:      {:>9.2}", best_sim / best_plain);
}

fn timed(run: impl FnOnce(&mut Recorder)) -> (f64, String) {
    let mut recorder = Recorder::new();
    let (start, on_core) = (Instant::now(), on_core_s());
    run(&mut recorder);
    let digest = recorder.finish();
    // Time on the core where it is known, so that a busy machine disturbs less.
    let taken = on_core.zip(on_core_s()).map_or(start.elapsed().as_secs_f64(), |(before, after)| after - before);
    (REQUESTS as f64 / taken, digest)
}

/// Seconds that this thread has spent on a core; only Linux tells.
fn on_core_s() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse::<f64>().ok().map(|ns| ns / 1e9)
}

fn large(model: Model) {
    let cell = redis_sns(&model, LARGE);
    let mut recorder = Recorder::new();
    let start = Instant::now();
    SimDriver::new(model).attempt(&cell, &mut recorder, &Cancel::default()).unwrap();
    let (waiting, digest) = (recorder.most_waiting, recorder.finish());
    println!("{LARGE} requests in {:.1} s, trace {digest}", start.elapsed().as_secs_f64());
    println!("rows that waited for an earlier one: at most {waiting}");
    println!("peak memory: {}", status("VmHWM"));
}

/// A line of the process's status; only Linux has it.
fn status(name: &str) -> String {
    field("/proc/self/status", name)
}

fn processor() -> String {
    field("/proc/cpuinfo", "model name")
}

fn field(path: &str, name: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'));
    line.map_or_else(|| "unknown".to_owned(), |value| value.trim().to_owned())
}
