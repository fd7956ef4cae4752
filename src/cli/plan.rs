//! `matrix plan`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use matrix_plan::plan::PlannedCell;
use matrix_plan::{CellState, Combination, Plan, Platform, Tally};
use matrix_store::Store;
use serde::Serialize;

use super::{FilterArgs, Format, FormatArgs, OverrideArgs, ResultsArgs};
use crate::exit::{Exit, Outcome};
use crate::input::Input;
use crate::output;
use crate::runner;

/// Show what a run would do, and why; nothing is executed or written
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// The experiment
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// List every cell
    #[arg(long)]
    cells: bool,
    /// As if every cell were to run again
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    overrides: OverrideArgs,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    results: ResultsArgs,
}

pub(crate) fn plan(args: PlanArgs) -> Outcome {
    let input = Input::from_file(&args.file, &args.overrides)?;
    let filter = input.filter(&args.filter)?;
    let store = Store::open_if_present(&args.results.results)?;
    let plan = runner::plan(store.as_ref(), &input, filter.as_ref(), args.fresh)?;
    match args.format.format {
        Format::Json => output::json(&PlanJson::new(&input, &plan))?,
        Format::Table => table(&input, &plan, args.cells)?,
    }
    Ok(Exit::Ok)
}

/// Counts of cells by state, as JSON: they add up to `planned`.
#[derive(Serialize)]
pub(crate) struct TallyJson {
    planned: u64,
    done: u64,
    partial: u64,
    failed: u64,
    skipped: u64,
    pending: u64,
}

impl From<Tally> for TallyJson {
    fn from(tally: Tally) -> Self {
        let Tally { done, partial, failed, skipped, pending } = tally;
        Self { planned: tally.planned(), done, partial, failed, skipped, pending }
    }
}

#[derive(Serialize)]
struct PlanJson<'a> {
    experiment: &'a str,
    platform: Platform,
    simulated: bool,
    requests_per_cell: u64,
    tally: TallyJson,
    to_run: usize,
    warnings: &'a [matrix_plan::plan::Warning],
    cells: Vec<CellJson<'a>>,
}

/// A planned cell as JSON, its axes by their names.
#[derive(Serialize)]
struct CellJson<'a> {
    key: String,
    post_storage: &'a str,
    notification_storage: &'a str,
    regions: String,
    delay_ms: u64,
    antipode: bool,
    round: u32,
    block: u32,
    state: CellState,
    runs: bool,
    reason: matrix_plan::plan::Reason,
}

impl<'a> PlanJson<'a> {
    fn new(input: &'a Input, plan: &'a Plan) -> Self {
        let cell = |cell: &'a PlannedCell| CellJson {
            key: cell.key.to_string(),
            post_storage: cell.axes.combination.post_storage.as_str(),
            notification_storage: cell.axes.combination.notification_storage.as_str(),
            regions: cell.axes.combination.regions.to_string(),
            delay_ms: cell.axes.delay_ms,
            antipode: cell.axes.antipode,
            round: cell.round,
            block: cell.block,
            state: cell.state,
            runs: cell.reason.runs(),
            reason: cell.reason,
        };
        Self {
            experiment: &plan.experiment,
            platform: plan.platform,
            simulated: plan.platform == Platform::Sim,
            requests_per_cell: input.experiment.requests,
            tally: plan.tally().into(),
            to_run: plan.to_run().count(),
            warnings: &plan.warnings,
            cells: plan.cells.iter().map(cell).collect(),
        }
    }
}

fn table(input: &Input, plan: &Plan, every_cell: bool) -> Result<(), crate::exit::Failure> {
    let tally = plan.tally();
    let to_run = plan.to_run().count() as u64;
    let simulated = if plan.platform == Platform::Sim { " (simulated)" } else { "" };
    output::line(format_args!("{} on {}{simulated}: {}", plan.experiment, plan.platform, describe(tally)))?;
    let requests = to_run * input.experiment.requests;
    output::line(format_args!("a run would execute {to_run} cells, {requests} requests\n"))?;
    if every_cell {
        let heads =
            ["order", "cell", "post", "notification", "regions", "delay ms", "antipode", "round", "state", "why"];
        let mut table = output::table(&heads, &[0, 5, 7]);
        for (order, cell) in plan.cells.iter().enumerate() {
            let combination = &cell.axes.combination;
            table.add_row([
                (order + 1).to_string(),
                cell.key.short(),
                combination.post_storage.to_string(),
                combination.notification_storage.to_string(),
                combination.regions.to_string(),
                cell.axes.delay_ms.to_string(),
                on_off(cell.axes.antipode).to_owned(),
                cell.round.to_string(),
                cell.state.to_string(),
                why(cell).to_owned(),
            ]);
        }
        output::line(table.trim_fmt())?;
    } else {
        let mut combinations: BTreeMap<&Combination, (u64, u64)> = BTreeMap::new();
        for cell in &plan.cells {
            let (cells, runs) = combinations.entry(&cell.axes.combination).or_default();
            *cells += 1;
            *runs += u64::from(cell.reason.runs());
        }
        let mut table = output::table(&["post", "notification", "regions", "cells", "to run"], &[3, 4]);
        for (combination, (cells, runs)) in combinations {
            table.add_row([
                combination.post_storage.to_string(),
                combination.notification_storage.to_string(),
                combination.regions.to_string(),
                cells.to_string(),
                runs.to_string(),
            ]);
        }
        output::line(table.trim_fmt())?;
    }
    for warning in &plan.warnings {
        output::line(format_args!("\nwarning: {}\n  {}", warning.message, warning.help))?;
    }
    Ok(())
}

/// Counts of cells, as a sentence whose numbers add up.
pub(crate) fn describe(tally: Tally) -> String {
    let counts = CellState::ALL.into_iter().map(|state| format!("{} {state}", tally.count(state)));
    format!("{} cells = {}", tally.planned(), counts.collect::<Vec<_>>().join(" + "))
}

pub(crate) fn on_off(antipode: bool) -> &'static str {
    if antipode { "on" } else { "off" }
}

fn why(cell: &PlannedCell) -> &'static str {
    use matrix_plan::plan::Reason;
    match cell.reason {
        Reason::Pending => "runs: no result yet",
        Reason::Failed => "runs: its last attempt failed",
        Reason::Partial => "runs: its last attempt ended early",
        Reason::Fresh => "runs: a fresh result was asked for",
        Reason::Done => "does not run: done",
        Reason::Filtered => "does not run: left out by the filter",
    }
}
