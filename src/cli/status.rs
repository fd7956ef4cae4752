//! `matrix status`.

use clap::Args;
use matrix_plan::{CellState, Plan, Platform, Tally};
use matrix_run::results::{self, Hosts, Origins};
use matrix_run::{skipped, tally};
use matrix_store::{Run, Store};
use matrix_traces::Record;
use serde::Serialize;

use super::plan::TallyJson;
use super::runs::{self, RunJson};
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

pub(crate) fn status(args: StatusArgs) -> CommandResult {
    let store = args.read.open()?;
    if let Some(chosen) = program::chosen(&store, &args.select.options())? {
        let is_json = args.format.format == Format::Json;
        return program::status(&store, &chosen, &args.read.results.results, is_json, args.identify);
    }
    if let Some(records) = results::without_run(&store, &args.select.options())? {
        return without_run(&args, &records);
    }
    let input = args.select.of(&store)?;
    let all = all_runs(&store)?;
    let alone = runs::running_alone(&store, all.iter().map(|(run, _)| run)).map(|run| run.id().clone());
    let runs: Vec<_> = all.into_iter().filter(|(_, plan)| plan.experiment == input.experiment.name).collect();
    let origin = args.select.origin.as_ref();
    let origins = Origins::of(&store, &input, origin, &output::Terminal)?;
    let host = (input.experiment.platform == Platform::Local).then(|| host(&store, &origins)).transpose()?;
    let skipped = runs.last().map(|(_, plan)| skipped(plan)).unwrap_or_default();
    let tally = tally(&store, &input.cells, origin, &skipped)?;
    let described = |(run, plan): &(Run, Plan)| {
        let planned: Vec<_> = plan.cells.iter().map(|cell| (cell.key, cell.reason)).collect();
        runs::describe(&store, run, &planned, alone.as_ref() == Some(run.id()), args.identify)
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
            runs::print(&store, &runs, &args.read.results.results, args.identify)?;
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
