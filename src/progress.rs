//! Progress: cells done and total, requests a second, time left, cells in flight.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use matrix_run::Observer;
use matrix_run::wording::duration;

use crate::output;

/// Time between two plain lines, where the output is no terminal.
const PLAIN_INTERVAL: Duration = Duration::from_secs(2);

/// The progress of a run, shared by its workers.
pub(crate) struct Progress {
    bar: ProgressBar,
    plain: bool,
    started: Instant,
    cells: u64,
    requests: u64,
    cells_done: AtomicU64,
    requests_done: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    in_flight: BTreeMap<usize, String>,
    last_line: Option<Instant>,
}

impl Progress {
    /// The progress of a run of so many cells with so many requests altogether.
    pub(crate) fn new(cells: u64, requests: u64) -> Self {
        let plain = !std::io::stderr().is_terminal();
        let target = if plain { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(10) };
        let style = ProgressStyle::with_template("{bar:24} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(Some(requests.max(1)), target).with_style(style);
        Self {
            bar,
            plain,
            started: Instant::now(),
            cells,
            requests,
            cells_done: AtomicU64::new(0),
            requests_done: AtomicU64::new(0),
            state: Mutex::new(State::default()),
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        // A worker that panicked leaves the state as it was; showing it is harmless.
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        change(&mut state);
        if self.plain {
            let due = state.last_line.is_none_or(|last| last.elapsed() >= PLAIN_INTERVAL);
            if due && !state.in_flight.is_empty() {
                state.last_line = Some(Instant::now());
                output::note(self.text(&state));
            }
        } else {
            self.bar.set_position(self.requests_done.load(Ordering::Relaxed));
            self.bar.set_message(self.text(&state));
        }
    }

    fn text(&self, state: &State) -> String {
        let cells_done = self.cells_done.load(Ordering::Relaxed);
        let requests_done = self.requests_done.load(Ordering::Relaxed);
        let elapsed = self.started.elapsed().as_secs_f64();
        let rate = if elapsed > 0.0 { requests_done as f64 / elapsed } else { 0.0 };
        let left = self.requests.saturating_sub(requests_done) as f64;
        let time_left = if rate > 0.0 { duration(left / rate) } else { "unknown time".to_owned() };
        let mut flight: Vec<&str> = state.in_flight.values().take(2).map(String::as_str).collect();
        let more = format!("{} more", state.in_flight.len().saturating_sub(2));
        if state.in_flight.len() > 2 {
            flight.push(&more);
        }
        let flight = flight.join("; ");
        format!("{cells_done}/{} cells, {rate:.0} requests/s, {time_left} left, in flight: {flight}", self.cells)
    }
}

impl Observer for Progress {
    fn note(&self, text: std::fmt::Arguments<'_>) {
        output::note(text);
    }

    fn begin(&self, cell: usize, name: String) {
        self.change(|state| {
            state.in_flight.insert(cell, name);
        });
    }

    fn requests(&self, count: u64) {
        self.requests_done.fetch_add(count, Ordering::Relaxed);
        self.change(|_| {});
    }

    fn end(&self, cell: usize, done: bool) {
        if done {
            self.cells_done.fetch_add(1, Ordering::Relaxed);
        }
        self.change(|state| {
            state.in_flight.remove(&cell);
        });
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
