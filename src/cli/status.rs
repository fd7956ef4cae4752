//! `matrix status`.

use clap::Args;
use matrix_plan::printable::one_line;
use matrix_plan::{CellState, Plan, Tally};
use matrix_run::results::{self, Origins};
use matrix_run::{left_of, skipped, tally};
use matrix_store::{Event, Run, Store};
use matrix_traces::Record;
use serde::Serialize;

use super::plan::{TallyJson, describe};
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
}

#[derive(Serialize)]
struct RunJson {
    name: String,
    started: String,
    cells: usize,
    left: usize,
    state: &'static str,
    resumable: bool,
}

pub(crate) fn status(args: StatusArgs) -> CommandResult {
    let store = args.read.open()?;
    if let Some(chosen) = program::chosen(&store, &args.select.options())? {
        return program::status(&store, &chosen, args.format.format == Format::Json);
    }
    if let Some(records) = results::without_run(&store, &args.select.options())? {
        return without_run(&args, &records);
    }
    let input = args.select.of(&store)?;
    let all = all_runs(&store)?;
    let running = running(&store, &all);
    let runs: Vec<_> = all.into_iter().filter(|(_, plan)| plan.experiment == input.experiment.name).collect();
    let origin = args.select.origin.as_ref();
    Origins::of(&store, &input, origin, &output::Terminal)?;
    let skipped = runs.last().map(|(_, plan)| skipped(plan)).unwrap_or_default();
    let tally = tally(&store, &input.cells, origin, &skipped)?;
    let described = |(run, plan): &(Run, Plan)| {
        let is_running = running.as_deref() == Some(run.id().as_str());
        describe_run(&store, run, plan, is_running)
    };
    let runs = runs.iter().map(described).collect::<Result<Vec<_>, _>>()?;
    match args.format.format {
        Format::Json => {
            let experiment = ExperimentJson { name: input.experiment.name.clone(), tally: tally.into() };
            output::json(&StatusJson { experiment, runs })?;
        }
        Format::Table => {
            output::line(format_args!("{}: {}", input.experiment.name, describe(tally)))?;
            let mut table = output::table(&["run", "started", "cells", "left", "state"], &[2, 3]);
            for run in &runs {
                let numbers = [run.cells.to_string(), run.left.to_string()];
                let [cells, left] = numbers;
                table.add_row([run.name.clone(), run.started.clone(), cells, left, run.state.to_owned()]);
            }
            if !runs.is_empty() {
                output::line(format_args!("\n{}", table.trim_fmt()))?;
            }
            if let (Some(run), Some(holder)) = (runs.iter().find(|run| run.state == RUNNING), store.writer()) {
                output::line(format_args!("{} is running: {}", run.name, one_line(&holder.to_string())))?;
            }
            for run in runs.iter().filter(|run| run.resumable) {
                output::line(format_args!("to go on: {}", output::resume(&run.name, &args.read.results.results)))?;
            }
        }
    }
    Ok(Exit::Ok)
}

/// The name of the run that is going on, if one is: the journal that was written last, while somebody writes the store.
fn running(store: &Store, runs: &[(Run, Plan)]) -> Option<String> {
    let last = |run: &Run| run.journal().entries.last().map(|entry| entry.at.clone());
    let newest = runs.iter().max_by_key(|(run, _)| last(run))?;
    store.is_being_written().then(|| newest.0.id().to_string())
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
            output::json(&StatusJson { experiment: ExperimentJson { name, tally: tally.into() }, runs: Vec::new() })?;
        }
        Format::Table => output::line(format_args!("{name}: {} (no run here planned them)", describe(tally)))?,
    }
    Ok(Exit::Ok)
}

/// The state of a run that a process is executing.
const RUNNING: &str = "running";

fn describe_run(store: &Store, run: &Run, plan: &Plan, is_running: bool) -> Result<RunJson, Failure> {
    let left = left_of(store, run, plan)?.len();
    let entries = &run.journal().entries;
    let failed = run.journal().cell_states().into_values();
    let failed = failed.filter(|state| matches!(state, matrix_store::JournalState::Failed { .. })).count();
    let state = match entries.last().map(|entry| &entry.event) {
        Some(Event::Finished) => "finished",
        _ if left == 0 => "done since",
        Some(Event::Interrupted) => "interrupted",
        _ if is_running => RUNNING,
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
    })
}
