//! `matrix diff`.

mod json;
mod table;

use std::path::PathBuf;

use clap::Args;
use matrix_command_derived::compare::holds_programs;
use matrix_plan::claims::Metric;
use matrix_run::diff::{Matching, Pair, compare, matching};
use matrix_run::results;
use matrix_store::Store;
use matrix_traces::Record;

use self::json::{AllJson, DiffJson, PairJson, ResultJson, SideJson};
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
    let (ours, theirs) = (records(&a)?, records(&b)?);
    let programs = [holds_programs(&a)?, holds_programs(&b)?];
    // What has no results of programs is read as one of schema 1, even if it is empty.
    let built_in = [!programs[0] || !ours.is_empty(), !programs[1] || !theirs.is_empty()];
    let (mut of_programs, mut of_built_in) = (programs == [true; 2], built_in == [true; 2]);
    if !of_programs && !of_built_in {
        return Err(of_other_workloads());
    }
    note_one_sided(programs, "programs");
    note_one_sided(built_in, "schema 1");
    let (mut metrics, mut known) = (args.metrics.clone(), args.metrics.clone());
    if of_programs && of_built_in && !args.metrics.is_empty() {
        // Each metric is looked for where it is known.
        (known, metrics) = args.metrics.iter().cloned().partition(|name| name.parse::<Metric>().is_ok());
        (of_programs, of_built_in) = (!metrics.is_empty(), !known.is_empty());
        for (is_compared, whose) in [(of_programs, "programs"), (of_built_in, "schema 1")] {
            if !is_compared {
                output::note(format_args!("left out: results of {whose}, as --metric names none of their metrics"));
            }
        }
    }
    let json = args.format.format == Format::Json;
    let comparing = program::Comparing { metrics: &metrics, all: args.all, one_sided: args.all, tolerance: None };
    let compared = if of_programs { program::compared(&a, &b, comparing)? } else { Vec::new() };
    if !of_built_in {
        program::print_comparisons(&compared, comparing, json)?;
        return Ok(Exit::Ok);
    }
    let wanted = known.iter().map(|name| metric(name)).collect::<Result<Vec<_>, _>>()?;
    let sides = [SideJson::new(args.a, &ours), SideJson::new(args.b, &theirs)];
    let found = traced([&a, &b], sides, [ours, theirs], &wanted)?;
    match (json, compared.is_empty()) {
        (true, true) => output::json(&found)?,
        (true, false) => output::json(&AllJson { programs: &compared, built_in: &found })?,
        (false, true) => table::table(&found, args.all)?,
        (false, false) => {
            program::print_comparisons(&compared, comparing, json)?;
            output::line("")?;
            table::table(&found, args.all)?;
        }
    }
    Ok(Exit::Ok)
}

/// Compares the results of the built-in workload.
fn traced(
    [a, b]: [&Store; 2],
    [side_a, side_b]: [SideJson; 2],
    [ours, theirs]: [Vec<Record>; 2],
    wanted: &[Metric],
) -> Result<DiffJson, Failure> {
    let Matching { same_key, same_axes, only_a, only_b } = matching(ours, theirs)?;
    let compared = |pairs: Vec<Pair>| -> Result<Vec<PairJson>, Failure> {
        let changes = compare(a, b, &pairs)?;
        Ok(pairs.into_iter().zip(changes).map(|(pair, changes)| PairJson::new(pair, changes, wanted)).collect())
    };
    Ok(DiffJson {
        a: side_a,
        b: side_b,
        identical: same_key.iter().filter(|pair| pair.is_identical()).count(),
        only_in_a: only_a.iter().map(ResultJson::new).collect(),
        only_in_b: only_b.iter().map(ResultJson::new).collect(),
        same_key: compared(same_key)?,
        same_axes: compared(same_axes)?,
    })
}

/// Says that only one side has results of a workload, where those of another one are compared.
fn note_one_sided(has: [bool; 2], whose: &str) {
    if has[0] != has[1] {
        output::note(format_args!("only in {}: results of {whose}", if has[0] { "A" } else { "B" }));
    }
}

/// The failure of comparing results that have no workload in common.
pub(crate) fn of_other_workloads() -> Failure {
    Failure::usage(
        "one side has results of a program, the other of schema 1",
        "only results of the same kind can be compared",
    )
}

fn metric(name: &str) -> Result<Metric, Failure> {
    name.parse()
        .map_err(|error| Failure::usage(format!("{error}"), format!("the metrics are: {}", Metric::NAMES.join(", "))))
}

fn records(store: &Store) -> Result<Vec<Record>, Failure> {
    Ok(store.records()?.collect::<Result<_, _>>()?)
}
