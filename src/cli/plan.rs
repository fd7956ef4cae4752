//! `matrix plan`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use comfy_table::Table;
use matrix_analysis::Nature;
use matrix_aws::cost::CellCost;
use matrix_plan::plan::{PlannedCell, Reason};
use matrix_plan::{
    Again, CellKey, CellState, Combination, NotificationStorage, Plan, Platform, PostStorage, RegionPair, Tally,
};
use matrix_run::costs::{self, CostJson, Estimate};
use matrix_run::edits::{self, Edit};
use matrix_run::{Input, results};
use serde::Serialize;

use super::budget::PricesArgs;
use super::{FilterArgs, Format, FormatArgs, OverrideArgs, ReadArgs, ShardArgs};
use crate::endpoints;
use crate::exit::{CommandResult, Exit, Failure};
use crate::output;
use crate::program;

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
    shard: ShardArgs,
    #[command(flatten)]
    overrides: OverrideArgs,
    /// A part of the experiment that its file names under `[subset]`
    #[arg(long, value_name = "NAME")]
    subset: Option<String>,
    /// What is this machine's, over the file's `[site]`
    #[arg(long, value_name = "FILE")]
    site: Option<PathBuf>,
    #[command(flatten)]
    prices: PricesArgs,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    read: ReadArgs,
}

pub(crate) fn plan(args: PlanArgs) -> CommandResult {
    let overrides = args.overrides.into();
    if let Some(text) = program::text_of(&args.file, &overrides)? {
        return program::plan(&program::PlanOptions {
            results: &args.read.results.results,
            file: &args.file,
            text,
            filter: args.filter.filter.as_deref(),
            shard: args.shard.shard()?,
            subset: args.subset.as_deref(),
            site: args.site.as_deref(),
            fresh: args.fresh,
            cells: args.cells,
            json: args.format.format == Format::Json,
        });
    }
    if args.subset.is_some() || args.site.is_some() {
        return Err(Failure::usage(
            "--subset and --site are for experiments that run a program",
            "see docs/command.md",
        ));
    }
    let input = Input::from_file(&args.file, &overrides)?;
    let part = input.part(args.filter.filter.as_deref(), args.shard.shard()?)?;
    let store = results::open_if_present(&args.read.results.results, args.read.size.limits())?;
    let plan = matrix_run::plan(store.as_deref(), &input, &part, &Again::all_if(args.fresh))?;
    let estimate = Estimate::of(&input, args.prices.prices.as_deref())?;
    let edits = match &store {
        Some(store) => edits::edits(store, &matrix_run::to_run(&plan, &input).iter().collect::<Vec<_>>())?,
        None => Vec::new(),
    };
    let nature = Nature::of_planned(input.cells.iter().map(|(_, cell)| &cell.inputs));
    match args.format.format {
        Format::Json => output::json(&PlanJson::new(&input, &plan, estimate.as_ref(), &nature, &edits))?,
        Format::Table => table(&input, &plan, estimate.as_ref(), &nature, &edits, args.cells)?,
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
    /// Of what would run, on AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate: Option<EstimateJson<'a>>,
    warnings: &'a [matrix_plan::plan::Warning],
    /// What the model has no data of: region pairs, and post or notification storages.
    extrapolated: &'a [(RegionPair, PostStorage)],
    extrapolated_notifications: &'a [(RegionPair, NotificationStorage)],
    /// In what the cells to run differ from done ones of the same axes.
    edits: &'a [Edit],
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
    /// On AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate: Option<CostJson>,
}

/// An estimate as JSON.
#[derive(Serialize)]
struct EstimateJson<'a> {
    prices_of: &'a str,
    total: CostJson,
}

impl<'a> PlanJson<'a> {
    fn new(
        input: &'a Input,
        plan: &'a Plan,
        estimate: Option<&'a Estimate>,
        nature: &'a Nature,
        edits: &'a [Edit],
    ) -> Self {
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
            estimate: estimate.and_then(|estimate| estimate.cell(&cell.key)).map(CostJson::from),
        };
        Self {
            experiment: &plan.experiment,
            platform: plan.platform,
            simulated: plan.platform == Platform::Sim,
            requests_per_cell: input.experiment.requests,
            tally: plan.tally().into(),
            to_run: plan.to_run().count(),
            estimate: estimate.map(|estimate| EstimateJson {
                prices_of: &estimate.prices_of,
                total: CostJson::from(&estimate.sum(plan.to_run().map(|cell| cell.key))),
            }),
            warnings: &plan.warnings,
            extrapolated: &nature.extrapolated,
            extrapolated_notifications: &nature.extrapolated_notifications,
            edits,
            cells: plan.cells.iter().map(cell).collect(),
        }
    }
}

/// Heads of the columns about costs.
const COSTS: [&str; 4] = ["requests", "GB between regions", "minutes", "dollars"];

fn costs(cost: &CellCost) -> [String; 4] {
    [cost.requests.to_string(), costs::gigabytes(cost), costs::minutes(cost), costs::dollars(cost.total())]
}

fn table(
    input: &Input,
    plan: &Plan,
    estimate: Option<&Estimate>,
    nature: &Nature,
    edits: &[Edit],
    every_cell: bool,
) -> Result<(), Failure> {
    let tally = plan.tally();
    let to_run = plan.to_run().count();
    let nature = nature.words().join("; ");
    let nature = if nature.is_empty() { nature } else { format!(" ({nature})") };
    output::line(format_args!("{} on {}{nature}: {tally}", plan.experiment, plan.platform))?;
    let requests = to_run as u64 * input.experiment.requests;
    output::line(format_args!("a run would execute {to_run} cells, {requests} requests"))?;
    for line in edits::describe(edits) {
        output::line(line)?;
    }
    if let Some(estimate) = estimate {
        let sum = estimate.sum(plan.to_run().map(|cell| cell.key));
        output::line(estimate.describe(to_run, &sum))?;
        output::line(match endpoints::needed(input, &matrix_run::to_run(plan, input)) {
            Ok(_) => format!("{} has all endpoints", output::path(&endpoints::path(&input.experiment.aws))),
            Err(failure) => {
                let reports = failure.reports.iter().map(|report| format!("\n  {report}"));
                format!("endpoints that a run needs first:{}", reports.collect::<String>())
            }
        })?;
    }
    output::line("")?;
    let table = if every_cell { cells_table(plan, estimate) } else { combinations_table(plan, estimate) };
    output::line(table.trim_fmt())?;
    for warning in &plan.warnings {
        output::line(format_args!("\nwarning: {}\n  {}", warning.message, warning.help))?;
    }
    Ok(())
}

/// A table with these heads, those of `right` for numbers, and columns about costs where there is an estimate.
fn with_costs(mut heads: Vec<&str>, mut right: Vec<usize>, estimate: Option<&Estimate>) -> Table {
    if estimate.is_some() {
        right.extend(heads.len()..heads.len() + COSTS.len());
        heads.extend(COSTS);
    }
    output::table(&heads, &right)
}

/// Every cell, in the order of a run.
fn cells_table(plan: &Plan, estimate: Option<&Estimate>) -> Table {
    let heads =
        vec!["order", "cell", "post", "notification", "regions", "delay ms", "antipode", "round", "state", "why"];
    let mut table = with_costs(heads, vec![0, 5, 7], estimate);
    for (order, cell) in plan.cells.iter().enumerate() {
        let combination = &cell.axes.combination;
        let mut row = vec![
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
        ];
        row.extend(estimate.and_then(|estimate| estimate.cell(&cell.key)).into_iter().flat_map(costs));
        table.add_row(row);
    }
    table
}

/// Every combination that the filter leaves, with what would run of it.
fn combinations_table(plan: &Plan, estimate: Option<&Estimate>) -> Table {
    let mut combinations: BTreeMap<&Combination, (u64, Vec<CellKey>)> = BTreeMap::new();
    // What the filter left out is counted above the table.
    for cell in plan.cells.iter().filter(|cell| !matches!(cell.reason, Reason::Filtered | Reason::OtherShard)) {
        let (cells, runs) = combinations.entry(&cell.axes.combination).or_default();
        *cells += 1;
        runs.extend(cell.reason.runs().then_some(cell.key));
    }
    let heads = vec!["post", "notification", "regions", "cells", "to run"];
    let mut table = with_costs(heads, vec![3, 4], estimate);
    for (combination, (cells, runs)) in combinations {
        let mut row = vec![
            combination.post_storage.to_string(),
            combination.notification_storage.to_string(),
            combination.regions.to_string(),
            cells.to_string(),
            runs.len().to_string(),
        ];
        row.extend(estimate.into_iter().flat_map(|estimate| costs(&estimate.sum(runs.iter().copied()))));
        table.add_row(row);
    }
    table
}

pub(crate) fn on_off(antipode: bool) -> &'static str {
    if antipode { "on" } else { "off" }
}

fn why(cell: &PlannedCell) -> &'static str {
    match cell.reason {
        Reason::Pending => "runs: no result yet",
        Reason::Failed => "runs: its last attempt failed",
        Reason::Partial => "runs: its last attempt ended early",
        Reason::Fresh => "runs: a fresh result was asked for",
        Reason::Done => "does not run: done",
        Reason::Filtered => "does not run: left out by the filter",
        Reason::OtherShard => "does not run: another shard's",
    }
}
