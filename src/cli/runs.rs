//! What is shown of runs, whatever their workload.

use std::path::Path;

use matrix_core::printable::one_line;
use matrix_core::{CellKey, Reason};
use matrix_store::{Holder, JournalState, Progress, Run, RunnerState, RunnerStatus, Store};
use serde::Serialize;

use crate::exit::Failure;
use crate::output;

/// The state of a run that a process is executing.
const RUNNING: &str = "running";

/// How far a run is, and who executes it.
#[derive(Serialize)]
pub(crate) struct RunJson {
    pub(crate) name: String,
    started: String,
    cells: usize,
    left: usize,
    state: &'static str,
    resumable: bool,
    /// Cells that runners execute which are alive.
    in_flight: usize,
    /// Cells that others began and whose end nobody noted.
    abandoned: usize,
    pub(crate) runners: Vec<RunnerJson>,
    /// Claims of runners which are not alive.
    silent_blocks: Vec<SilentJson>,
}

/// A runner of a run.
#[derive(Serialize)]
pub(crate) struct RunnerJson {
    command: String,
    pid: u32,
    since: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    state: &'static str,
    /// Seconds since its last sign of life.
    silent_s: u64,
}

/// A claim of a runner which is not alive.
#[derive(Serialize)]
struct SilentJson {
    /// The number of the claim: of a block, or in a run of more than 512 blocks of several that follow each other.
    block: u32,
    /// What is known of its runner: dead, silent or gone.
    runner: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    /// Seconds since its last sign of life, and within which it promised one.
    #[serde(skip_serializing_if = "Option::is_none")]
    silent_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    promised_s: Option<u64>,
}

impl SilentJson {
    fn of(block: u32, runner: Option<&RunnerStatus>) -> Self {
        Self {
            block,
            runner: runner.map_or("gone", |runner| name_of(runner.state)),
            pid: runner.map(|runner| runner.holder.pid),
            silent_s: runner.map(|runner| runner.silent_s),
            promised_s: runner.map(|runner| runner.promised_s),
        }
    }

    /// The same as the end of a line.
    fn line(&self) -> String {
        let Self { block, runner, .. } = self;
        let pid = self.pid.map(|pid| format!(" (process {pid})")).unwrap_or_default();
        let since = match (self.silent_s, self.promised_s) {
            (Some(silent), Some(promised)) if *runner != "dead" => {
                format!(", without a sign for {silent} s where it promised one within {promised} s")
            }
            _ => String::new(),
        };
        format!("claim {block} is of a runner that is {runner}{pid}{since}: others take over its blocks")
    }
}

fn name_of(state: RunnerState) -> &'static str {
    match state {
        RunnerState::Alive => "alive",
        RunnerState::Dead => "dead",
        _ => "silent",
    }
}

impl RunnerJson {
    /// What is said of a runner; its machine only where `identify` asks for it.
    fn of(runner: RunnerStatus, identify: bool) -> Self {
        let RunnerStatus { holder, state, silent_s, .. } = runner;
        let host = holder.host.filter(|_| identify);
        let (command, pid, since, state) = (holder.command, holder.pid, holder.since, name_of(state));
        Self { command, pid, since, host, state, silent_s }
    }

    /// The same as a line.
    fn line(&self) -> String {
        let host = self.host.as_ref().map(|host| format!(" on {host}")).unwrap_or_default();
        let (command, pid, since, state, silent) = (&self.command, self.pid, &self.since, self.state, self.silent_s);
        format!("`{command}` (process {pid}{host}, since {since}): {state}, last sign of life {silent} s ago")
    }
}

/// Which of a store's runs somebody executes who has the store alone, if somebody does: the one whose journal was written last.
pub(crate) fn running_alone<'r>(store: &Store, runs: impl Iterator<Item = &'r Run>) -> Option<&'r Run> {
    let newest = runs.max_by_key(|run| &run.journal().last_at)?;
    let is_alone = store.is_being_written() && store.runners().is_ok_and(|runners| runners.is_empty());
    is_alone.then_some(newest)
}

/// What there is to say of a run, whose plan has these cells.
pub(crate) fn describe(
    store: &Store,
    run: &Run,
    planned: &[(CellKey, Reason)],
    is_alone: bool,
    identify: bool,
) -> Result<RunJson, Failure> {
    let Progress { runners, in_flight, abandoned, silent } = store.progress_of(run, is_alone)?;
    let is_running = is_alone || runners.iter().any(|runner| runner.state == RunnerState::Alive);
    let left = store.left_of(run, planned.iter().copied())?.len();
    let journal = run.journal();
    let has_failed = |state: &&JournalState| **state == JournalState::Failed;
    let state = match journal {
        _ if journal.is_finished => "finished",
        _ if left == 0 => "done since",
        _ if is_running => RUNNING,
        _ if journal.is_interrupted => "interrupted",
        _ if journal.undone.values().filter(has_failed).count() == left => "failed",
        _ => "killed",
    };
    let runner_of = |name: &str| runners.iter().find(|runner| runner.name == name);
    let silent_blocks = silent.iter().map(|claim| SilentJson::of(claim.block, runner_of(&claim.runner))).collect();
    Ok(RunJson {
        name: run.id().to_string(),
        started: one_line(&journal.first_at).into_owned(),
        cells: planned.iter().filter(|(_, reason)| reason.runs()).count(),
        left,
        state,
        resumable: left > 0 && state != "finished" && state != RUNNING,
        in_flight,
        abandoned,
        silent_blocks,
        runners: runners.into_iter().map(|runner| RunnerJson::of(runner, identify)).collect(),
    })
}

/// Prints runs as a table, and below it what is known of those that go on.
pub(crate) fn print(store: &Store, runs: &[RunJson], results: &Path, identify: bool) -> Result<(), Failure> {
    let mut table = output::table(&["run", "started", "cells", "left", "state"], &[2, 3]);
    for run in runs {
        let [cells, left] = [run.cells, run.left].map(|count| count.to_string());
        table.add_row([run.name.clone(), run.started.clone(), cells, left, run.state.to_owned()]);
    }
    if !runs.is_empty() {
        output::line(format_args!("\n{}", table.trim_fmt()))?;
    }
    for run in runs.iter().filter(|run| run.left > 0) {
        if run.in_flight > 0 {
            output::line(format_args!("{}: {} cells in flight", run.name, run.in_flight))?;
        }
        if run.abandoned > 0 {
            let (name, cells) = (&run.name, run.abandoned);
            output::line(format_args!("{name}: {cells} cells were begun by runners that are no longer at work"))?;
        }
        for silent in &run.silent_blocks {
            output::line(format_args!("{}: {}", run.name, silent.line()))?;
        }
    }
    for run in runs {
        for runner in &run.runners {
            output::line(format_args!("{} has a runner: {}", run.name, one_line(&runner.line())))?;
        }
    }
    let alone = runs.iter().find(|run| run.state == RUNNING && run.runners.is_empty());
    if let (Some(run), Some(holder)) = (alone, store.writer()) {
        let holder = if identify { holder } else { Holder { host: None, ..holder } };
        output::line(format_args!("{} is running: {}", run.name, one_line(&holder.to_string())))?;
    }
    for run in runs.iter().filter(|run| run.resumable) {
        output::line(format_args!("to go on: {}", output::resume(&run.name, results)))?;
    }
    Ok(())
}
