//! `matrix check`.

use std::collections::BTreeSet;

use clap::Args;
use matrix_analysis::{ClaimResult, Nature, Options, Traces, claims_text, evaluate};
use matrix_plan::{Axes, Cell, Verdict};
use matrix_report::summary::labels;
use matrix_run::edits;
use matrix_run::results::{Results, unreadable};
use matrix_store::Origin;
use serde::Serialize;

use super::{Format, FormatArgs, ReadArgs, SelectArgs};
use crate::exit::{CommandResult, Exit};
use crate::output;
use crate::program;

/// Judge the claims of an experiment by its results
///
/// Ends with 4 when a claim is contradicted; an inconclusive claim ends with 0, or with 4 under --strict.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    select: SelectArgs,
    /// Inconclusive is not good enough
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    read: ReadArgs,
}

#[derive(Serialize)]
struct CheckJson<'a> {
    experiment: &'a str,
    #[serde(flatten)]
    nature: &'a Nature,
    cells_planned: u64,
    cells_done: u64,
    /// Whose results were judged, and whose of the same cells were not.
    origins: BTreeSet<&'a Origin>,
    origins_left_out: &'a BTreeSet<Origin>,
    claims: &'a [ClaimResult],
}

pub(crate) fn check(args: CheckArgs) -> CommandResult {
    let store = args.read.open()?;
    if let Some(chosen) = program::chosen(&store, &args.select.options())? {
        let json = args.format.format == Format::Json;
        return program::check(&store, &chosen, args.select.origin.as_ref(), args.strict, json);
    }
    let input = args.select.of(&store)?;
    let results = Results::of_origin(&store, &input, args.select.origin.as_ref(), &output::Terminal)?;
    let claims = evaluate(&input.experiment.claims, &results.traced, &not_done(&results), &Options::default());
    let claims = claims.map_err(unreadable)?;
    let source = results.source();
    match args.format.format {
        Format::Json => output::json(&CheckJson {
            experiment: &source.experiment,
            nature: &source.nature,
            cells_planned: source.planned,
            cells_done: source.done,
            origins: results.origins.read(),
            origins_left_out: &results.origins.left_out,
            claims: &claims,
        })?,
        Format::Table => {
            output::line(format_args!("{}{}\n", source.experiment, labels(&source)))?;
            output::line(claims_text(&claims))?;
            for line in edits::describe(&edits::edits(&store, &without_result(&results))?) {
                output::line(line)?;
            }
            let count = |wanted: fn(&Verdict) -> bool| claims.iter().filter(|claim| wanted(&claim.verdict)).count();
            output::line(format_args!(
                "{} claims: {} supported, {} held, {} inconclusive, {} contradicted",
                claims.len(),
                count(|verdict| matches!(verdict, Verdict::Supported)),
                count(|verdict| matches!(verdict, Verdict::Held { .. })),
                count(|verdict| matches!(verdict, Verdict::Inconclusive)),
                count(|verdict| matches!(verdict, Verdict::Contradicted)),
            ))?;
        }
    }
    let bad = |claim: &ClaimResult| match claim.verdict {
        Verdict::Contradicted => true,
        Verdict::Inconclusive => args.strict,
        Verdict::Supported | Verdict::Held { .. } => false,
    };
    Ok(if claims.iter().any(bad) { Exit::Claim } else { Exit::Ok })
}

/// The axes of every planned cell without a result.
fn not_done(results: &Results<'_>) -> Vec<Axes> {
    without_result(results).into_iter().map(|cell| cell.axes().clone()).collect()
}

/// Every planned cell without a result.
fn without_result<'a>(results: &Results<'a>) -> Vec<&'a Cell> {
    let done: BTreeSet<_> = results.traced.cells().iter().map(|cell| cell.key).collect();
    let cells = results.input.cells.iter().map(|(_, cell)| cell);
    cells.filter(|cell| !done.contains(&cell.key)).collect()
}
