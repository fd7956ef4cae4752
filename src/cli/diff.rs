//! `matrix diff`.

mod json;
mod table;

use std::path::PathBuf;

use clap::Args;
use matrix_plan::claims::Metric;
use matrix_run::diff::{Matching, Pair, compare, matching};
use matrix_run::results;
use matrix_store::Store;
use matrix_traces::Record;

use self::json::{DiffJson, PairJson, ResultJson, SideJson};
use super::{Format, FormatArgs, SizeArgs};
use crate::exit::{CommandResult, Exit, Failure};
use crate::output;
use crate::program;

/// Compare two stores or bundles: cells only in one, and by how much each metric of the others differs
///
/// Results of the same cell are compared first. Of the rest, those that agree in axes and round are compared as having the
/// same axes, but another meaning: a model against another one, or a simulation against a measurement. A change is B less
/// A, with the 95 % interval of independent samples; it is marked where that interval leaves out 0. Differences are no error.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// A store or bundle
    #[arg(value_name = "A")]
    a: PathBuf,
    /// Another one
    #[arg(value_name = "B")]
    b: PathBuf,
    /// Only this metric, as claims name it (may be repeated) [default: every one that was observed]
    #[arg(long = "metric", value_name = "M")]
    metrics: Vec<String>,
    /// Every metric of every point, not only what is marked; JSON always has all
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    size: SizeArgs,
    #[command(flatten)]
    format: FormatArgs,
}

pub(crate) fn diff(args: DiffArgs) -> CommandResult {
    let limits = args.size.limits();
    let (a, b) = (results::open_within(&args.a, limits)?, results::open_within(&args.b, limits)?);
    let comparing = program::Comparing { metrics: &args.metrics, all: args.all, tolerance: None };
    if let Some(exit) = program::diff(&a, &b, comparing, args.format.format == Format::Json)? {
        return Ok(exit);
    }
    let wanted = args.metrics.iter().map(|name| metric(name)).collect::<Result<Vec<_>, _>>()?;
    let (ours, theirs) = (records(&a)?, records(&b)?);
    let (side_a, side_b) = (SideJson::new(args.a, &ours), SideJson::new(args.b, &theirs));
    let Matching { same_key, same_axes, only_a, only_b } = matching(ours, theirs)?;
    let compared = |pairs: Vec<Pair>| -> Result<Vec<PairJson>, Failure> {
        let changes = compare(&a, &b, &pairs)?;
        Ok(pairs.into_iter().zip(changes).map(|(pair, changes)| PairJson::new(pair, changes, &wanted)).collect())
    };
    let found = DiffJson {
        a: side_a,
        b: side_b,
        identical: same_key.iter().filter(|pair| pair.is_identical()).count(),
        only_in_a: only_a.iter().map(ResultJson::new).collect(),
        only_in_b: only_b.iter().map(ResultJson::new).collect(),
        same_key: compared(same_key)?,
        same_axes: compared(same_axes)?,
    };
    match args.format.format {
        Format::Json => output::json(&found)?,
        Format::Table => table::table(&found, args.all)?,
    }
    Ok(Exit::Ok)
}

fn metric(name: &str) -> Result<Metric, Failure> {
    name.parse()
        .map_err(|error| Failure::usage(format!("{error}"), format!("the metrics are: {}", Metric::NAMES.join(", "))))
}

fn records(store: &Store) -> Result<Vec<Record>, Failure> {
    Ok(store.records()?.collect::<Result<_, _>>()?)
}
