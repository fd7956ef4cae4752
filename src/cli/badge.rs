//! `matrix badge`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use matrix_analysis::ClaimResult;
use matrix_archive::{Inventory, Selection};
use matrix_badge::{Item, Progress, Results, Status, Subject, Tree, sosp26};
use matrix_command_derived::badge as programs;
use matrix_derived::derive::all_parts;
use matrix_plan::printable::one_line;
use matrix_report::environment;
use matrix_run::results;
use matrix_store::{Store, VerifyOptions};
use matrix_traces::Attempt;
use serde::Serialize;

use super::{Format, FormatArgs, ReadArgs};
use crate::exit::{CommandResult, Exit, Failure};
use crate::output;

/// Check your project and its results against what artifact badges ask
///
/// The project may be of any language: files are looked for under the names that people give them, and nothing is run. Every
/// item of the checklists is either checked by machine, with what was seen and a fix, or marked as a person's to judge. An
/// item that fails is a finding, not an error: the command ends with 0, and JSON says which failed.
#[derive(Debug, Args)]
pub(crate) struct BadgeArgs {
    /// Whose checklists
    #[arg(long, value_enum, default_value_t = Profile::Sosp26)]
    profile: Profile,
    /// The project: its documents, sources and experiments
    #[arg(long, value_name = "DIR", default_value = ".")]
    project: PathBuf,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    read: ReadArgs,
}

/// Checklists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
enum Profile {
    /// Available, Functional and Reproduced at SOSP 2026.
    Sosp26,
}

#[derive(Serialize)]
struct BadgeJson {
    profile: Profile,
    passed: usize,
    failed: usize,
    for_a_person: usize,
    items: Vec<Item>,
}

pub(crate) fn badge(args: BadgeArgs) -> CommandResult {
    if !args.project.is_dir() {
        return Err(Failure::usage(
            format!("there is no folder {}", args.project.display()),
            "name the project's folder with --project",
        ));
    }
    let unreadable = |error: std::io::Error| Failure::new(Exit::Usage, error.to_string());
    let tree = Tree::read(&args.project).map_err(unreadable)?;
    let place = &args.read.results.results;
    let found = match results::open_if_present(place, args.read.size.limits())? {
        Some(store) => of_store(&store)?,
        None => Err(format!("there are no results at {}", output::path(place))),
    };
    let Profile::Sosp26 = args.profile;
    let items = sosp26(&Subject { tree, results: found });
    let count = |status| items.iter().filter(|item| item.status == status).count();
    let [passed, failed, for_a_person] = [Status::Pass, Status::Fail, Status::Person].map(count);
    if args.format.format == Format::Json {
        output::json(&BadgeJson { profile: args.profile, passed, failed, for_a_person, items })?;
        return Ok(Exit::Ok);
    }
    for item in &items {
        let status = match item.status {
            Status::Pass => "pass",
            Status::Fail => "FAIL",
            Status::Person => "person",
        };
        output::line(format_args!("{status:<6}  {:<13}  {}", item.id, item.asks))?;
        // Names of files may have line ends.
        output::line(format_args!("{:23}  {}: {}", "", item.looks_at, one_line(&item.seen)))?;
        if let Some(fix) = &item.fix {
            output::line(format_args!("{:23}  fix: {}", "", one_line(fix)))?;
        }
    }
    output::line(format_args!("\n{passed} pass, {failed} fail, {for_a_person} are a person's to judge"))?;
    Ok(Exit::Ok)
}

/// What a store shows, whatever the workload, or why nothing can be told of it.
fn of_store(store: &Store) -> Result<Result<Results, String>, Failure> {
    let report = match matrix_traces::verify(store, VerifyOptions { rows: false }) {
        Ok(report) => report,
        Err(error) => return Ok(Err(format!("the results cannot be read: {}", matrix_run::with_causes(&error)))),
    };
    let fault = |fault: &matrix_store::verify::Fault| format!("{}: {}", fault.file.display(), fault.what);
    let mut results = Results {
        checked: (report.checked.records, report.checked.objects),
        faults: report.faults.iter().map(fault).collect(),
        ..Results::default()
    };
    // What is damaged says nothing of claims.
    if results.faults.is_empty() {
        built_in(store, &mut results)?;
        programs::add_to(&mut results, store)?;
    }
    Ok(Ok(results))
}

/// Adds what there is of the built-in workload.
fn built_in(store: &Store, results: &mut Results) -> Result<(), Failure> {
    if store.runs()?.is_empty() {
        return Ok(());
    }
    let inventory = Inventory::gather(store, &Selection::default(), None)?;
    for part in all_parts(store, &inventory)? {
        let name = &part.source.experiment;
        results.simulated |= part.source.nature.simulated;
        results.experiments.push(Progress { name: name.clone(), planned: part.source.planned, done: part.source.done });
        let stands = |claim: &ClaimResult| (format!("{} of {name}", claim.id), programs::stand(claim.verdict));
        results.claims.extend(part.claims.iter().map(stands));
    }
    // Who imported what others measured cannot know on what.
    let ours: Vec<_> = inventory.records.keys().filter(|(_, origin)| origin.as_str() != "imported").collect();
    let is_described =
        |attempt: &&Attempt| attempt.provenance.kernel.is_some() && attempt.provenance.cpu_model.is_some();
    let described = inventory.attempts.values().filter(is_described);
    let known: BTreeSet<_> = described.map(|attempt| (attempt.key, attempt.origin.clone())).collect();
    results.unknown.1 += ours.len() as u64;
    results.unknown.0 += ours.iter().filter(|record| !known.contains(record)).count() as u64;
    results.environments.extend(inventory.attempts.values().map(|attempt| environment(&attempt.provenance)));
    Ok(())
}
