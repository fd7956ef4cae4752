//! `matrix status`.

use clap::Args;
use matrix_plan::printable::one_line;
use matrix_plan::{CellState, Plan, Platform, Tally};
use matrix_run::results::{self, Hosts, Origins};
use matrix_run::{left_of, skipped, tally};
use matrix_store::{Event, Holder, Run, RunnerState, RunnerStatus, Store};
use matrix_traces::Record;
use serde::Serialize;

use super::plan::TallyJson;
use super::{Format, FormatArgs, ReadArgs, SelectArgs};
use crate::exit::{CommandResult, Exit, Failure};
use crate::output;
use crate::program;

/// Show how far an experiment and its runs are
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    read: ReadArgs,
    /// Name the machines that execute runs
    #[arg(long)]
    identify: bool,
}

#[derive(Serialize)]
struct StatusJson {
    experiment: ExperimentJson,
    runs: Vec<RunJson>,
}

#[derive(Serialize)]
struct ExperimentJson {
    name: String,
    tally: TallyJson,
    /// Of the local platform, whose host is watched.
    #[serde(flatten)]
    host: Option<HostJson>,
}

/// Done cells by what is known of the host that measured them.
#[derive(Clone, Copy, Serialize)]
struct HostJson {
    disturbed: usize,
    not_watched: usize,
}

#[derive(Serialize)]
struct RunJson {
    name: String,
    started: String,
    cells: usize,
    left: usize,
    state: &'static str,
    resumable: bool,
    /// Cells that are being executed.
    in_flight: usize,
    runners: Vec<RunnerJson>,
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

impl RunnerJson {
    /// What is said of a runner; its machine only where `identify` asks for it.
    pub(crate) fn of(runner: RunnerStatus, identify: bool) -> Self {
        let RunnerStatus { holder, state, silent_s, .. } = runner;
        let state = match state {
            RunnerState::Alive => "alive",
            RunnerState::Dead => "dead",
            _ => "silent",
        };
        let host = holder.host.filter(|_| identify);
        Self { command: holder.command, pid: holder.pid, since: holder.since, host, state, silent_s }
    }

    /// The same as a line.
    pub(crate) fn line(&self) -> String {
        let host = self.host.as_ref().map(|host| format!(" on {host}")).unwrap_or_default();
        let (command, pid, since, state, silent) = (&self.command, self.pid, &self.since, self.state, self.silent_s);
        format!("`{command}` (process {pid}{host}, since {since}): {state}, last sign of life {silent} s ago")
    }
}

pub(crate) fn status(args: StatusArgs) -> CommandResult {
    let store = args.read.open()?;
    if let Some(chosen) = program::chosen(&store, &args.select.options())? {
        return program::status(&store, &chosen, args.format.format == Format::Json, args.identify);
    }
    if let Some(records) = results::without_run(&store, &args.select.options())? {
        return without_run(&args, &records);
    }
    let input = args.select.of(&store)?;
    let all = all_runs(&store)?;
    let running = running(&store, &all);
    let runs: Vec<_> = all.into_iter().filter(|(_, plan)| plan.experiment == input.experiment.name).collect();
    let origin = args.select.origin.as_ref();
    let origins = Origins::of(&store, &input, origin, &output::Terminal)?;
    let host = (input.experiment.platform == Platform::Local).then(|| host(&store, &origins)).transpose()?;
    let skipped = runs.last().map(|(_, plan)| skipped(plan)).unwrap_or_default();
    let tally = tally(&store, &input.cells, origin, &skipped)?;
    let described = |(run, plan): &(Run, Plan)| {
        let is_running = running.as_deref() == Some(run.id().as_str());
        describe_run(&store, run, plan, is_running, args.identify)
    };
    let runs = runs.iter().map(described).collect::<Result<Vec<_>, _>>()?;
    match args.format.format {
        Format::Json => {
            let experiment = ExperimentJson { name: input.experiment.name.clone(), tally: tally.into(), host };
            output::json(&StatusJson { experiment, runs })?;
        }
        Format::Table => {
            output::line(format_args!("{}: {tally}", input.experiment.name))?;
            if let Some(HostJson { disturbed, not_watched }) = host.filter(|host| host.disturbed + host.not_watched > 0)
            {
                output::line(format_args!(
                    "{disturbed} cells were disturbed while they ran, {not_watched} were not watched"
                ))?;
            }
            let mut table = output::table(&["run", "started", "cells", "left", "state"], &[2, 3]);
            for run in &runs {
                let numbers = [run.cells.to_string(), run.left.to_string()];
                let [cells, left] = numbers;
                table.add_row([run.name.clone(), run.started.clone(), cells, left, run.state.to_owned()]);
            }
            if !runs.is_empty() {
                output::line(format_args!("\n{}", table.trim_fmt()))?;
            }
            for run in &runs {
                if run.in_flight > 0 && run.state == RUNNING {
                    output::line(format_args!("{}: {} cells in flight", run.name, run.in_flight))?;
                }
                for runner in &run.runners {
                    output::line(format_args!("{} has a runner: {}", run.name, one_line(&runner.line())))?;
                }
            }
            let alone = runs.iter().find(|run| run.state == RUNNING && run.runners.is_empty());
            if let (Some(run), Some(holder)) = (alone, store.writer()) {
                let holder = if args.identify { holder } else { Holder { host: None, ..holder } };
                output::line(format_args!("{} is running: {}", run.name, one_line(&holder.to_string())))?;
            }
            for run in runs.iter().filter(|run| run.resumable) {
                output::line(format_args!("to go on: {}", output::resume(&run.name, &args.read.results.results)))?;
            }
        }
    }
    Ok(Exit::Ok)
}

/// What is known of the host that measured the cells that are read.
fn host(store: &Store, origins: &Origins) -> Result<HostJson, Failure> {
    let mut records = Vec::new();
    for (key, origin) in &origins.chosen {
        records.extend(store.record::<Record>(key, origin)?);
    }
    let hosts = Hosts::of(store, &records)?;
    let count = |is: &dyn Fn(&Record) -> bool| records.iter().filter(|record| is(record)).count();
    Ok(HostJson {
        disturbed: count(&|record| hosts.is_disturbed(record)),
        not_watched: count(&|record| hosts.is_unwatched(record)),
    })
}

/// The name of the run that is executed by one who has the store alone, if one is: the journal that was written last.
fn running(store: &Store, runs: &[(Run, Plan)]) -> Option<String> {
    let last = |run: &Run| run.journal().entries.last().map(|entry| entry.at.clone());
    let newest = runs.iter().max_by_key(|(run, _)| last(run))?;
    let alone = store.is_being_written() && store.runners().is_ok_and(|runners| runners.is_empty());
    alone.then(|| newest.0.id().to_string())
}

/// The runs of a store, the oldest first, each with its plan.
fn all_runs(store: &Store) -> Result<Vec<(Run, Plan)>, Failure> {
    let mut runs = Vec::new();
    for id in store.runs()? {
        let run = store.run(id.as_str())?;
        let plan = results::plan_of(&run)?;
        runs.push((run, plan));
    }
    Ok(runs)
}

/// What there is to say of results that no run here planned.
fn without_run(args: &StatusArgs, records: &[Record]) -> CommandResult {
    let tally: Tally = records.iter().map(|_| CellState::Done).collect();
    let name = results::origins_of(records);
    match args.format.format {
        Format::Json => {
            output::json(&StatusJson {
                experiment: ExperimentJson { name, tally: tally.into(), host: None },
                runs: Vec::new(),
            })?;
        }
        Format::Table => output::line(format_args!("{name}: {tally} (no run here planned them)"))?,
    }
    Ok(Exit::Ok)
}

/// The state of a run that a process is executing.
const RUNNING: &str = "running";

fn describe_run(store: &Store, run: &Run, plan: &Plan, is_alone: bool, identify: bool) -> Result<RunJson, Failure> {
    let runners = store.runners_of(run.id())?;
    let is_running = is_alone || runners.iter().any(|runner| runner.state == RunnerState::Alive);
    let left = left_of(store, run, plan)?.len();
    let entries = &run.journal().entries;
    let states = run.journal().cell_states();
    let failed = states.values().filter(|state| matches!(state, matrix_store::JournalState::Failed { .. })).count();
    let in_flight = states.values().filter(|state| **state == matrix_store::JournalState::Started).count();
    let state = match entries.last().map(|entry| &entry.event) {
        _ if run.journal().is_finished() => "finished",
        _ if left == 0 => "done since",
        _ if is_running => RUNNING,
        Some(Event::Interrupted) => "interrupted",
        _ if failed == left => "failed",
        _ => "killed",
    };
    Ok(RunJson {
        name: run.id().to_string(),
        started: entries.first().map(|entry| one_line(&entry.at).into_owned()).unwrap_or_default(),
        cells: plan.to_run().count(),
        left,
        state,
        resumable: left > 0 && state != "finished" && state != RUNNING,
        in_flight: if is_running { in_flight } else { 0 },
        runners: runners.into_iter().map(|runner| RunnerJson::of(runner, identify)).collect(),
    })
}
