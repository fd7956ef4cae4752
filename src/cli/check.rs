//! `matrix check`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use matrix_analysis::{ClaimResult, Nature, Options, Traces, claims_text, evaluate};
use matrix_core::text::counted;
use matrix_derived::summary::labels;
use matrix_plan::{Axes, Cell, Verdict};
use matrix_run::edits;
use matrix_run::results::{self, Opened, Results, Select, unreadable};
use matrix_store::Origin;
use serde::Serialize;

use super::{Format, FormatArgs, ReadArgs};
use crate::exit::{CommandResult, Exit};
use crate::output;
use crate::program;

/// Judge the claims of experiments by their results
///
/// Ends with 4 when a claim is contradicted; an inconclusive claim ends with 0, or with 4 under --strict.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The experiments; without any, the only one in the store
    #[arg(value_name = "FILE", conflicts_with = "run")]
    files: Vec<PathBuf>,
    /// A run in the store, whose saved experiment is read
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// Only what this origin measured [default: of each cell what was measured here, else what the first origin did]
    #[arg(long, value_name = "NAME")]
    origin: Option<Origin>,
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
    let select =
        |file: Option<&PathBuf>| Select { file: file.cloned(), run: args.run.clone(), origin: args.origin.clone() };
    let several: Vec<Select> = match args.files.as_slice() {
        [] => vec![select(None)],
        files => files.iter().map(|file| select(Some(file))).collect(),
    };
    let json = args.format.format == Format::Json;
    let in_list = json && several.len() > 1;
    let mut exit = Exit::Ok;
    for (number, select) in several.iter().enumerate() {
        match (number, json) {
            (0, true) if in_list => output::line("[")?,
            (0, _) => {}
            (_, true) => output::line(",")?,
            (_, false) => output::line("")?,
        }
        let one = match program::chosen(&store, select)? {
            Some(chosen) => program::check(&store, &chosen, args.origin.as_ref(), args.strict, json)?,
            None => original(&store, select, args.strict, json)?,
        };
        // The worst of them.
        exit = if exit == Exit::Ok { one } else { exit };
    }
    if in_list {
        output::line("]")?;
    }
    Ok(exit)
}

/// Judges the claims of an experiment of the original application.
fn original(store: &Opened, select: &Select, strict: bool, json: bool) -> CommandResult {
    let input = results::selected(store, select, &output::Terminal)?;
    let results = Results::of_origin(store, &input, select.origin.as_ref(), &output::Terminal)?;
    let claims = evaluate(&input.experiment.claims, &results.traced, &not_done(&results), &Options::default());
    let claims = claims.map_err(unreadable)?;
    let source = results.source();
    if json {
        output::json(&CheckJson {
            experiment: &source.experiment,
            nature: &source.nature,
            cells_planned: source.planned,
            cells_done: source.done,
            origins: results.origins.read(),
            origins_left_out: &results.origins.left_out,
            claims: &claims,
        })?;
    } else {
        output::line(format_args!("{}{}\n", source.experiment, labels(&source)))?;
        output::line(claims_text(&claims))?;
        for line in edits::describe(&edits::edits(store, &without_result(&results))?) {
            output::line(line)?;
        }
        let count = |wanted: Verdict| claims.iter().filter(|claim| claim.verdict == wanted).count();
        output::line(format_args!(
            "{}: {} supported, {} held, {} inconclusive, {} contradicted",
            counted(claims.len(), "claim"),
            count(Verdict::Supported),
            count(Verdict::Held),
            count(Verdict::Inconclusive),
            count(Verdict::Contradicted),
        ))?;
    }
    let bad = |claim: &ClaimResult| claim.verdict.holds().map_or(strict, |holds| !holds);
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
