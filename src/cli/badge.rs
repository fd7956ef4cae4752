//! `matrix badge`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{Format, FormatArgs, ReadArgs};
use crate::badge::{Item, Status, Subject, sosp26};
use crate::exit::{CommandResult, Exit, Failure};
use crate::output;

/// Check a project and its results against what artifact badges ask
///
/// Every item of the checklists is either checked by machine, with what was seen and the mend, or marked as a person's to
/// judge. An item that fails is a finding, not an error: the command ends with 0, and JSON says which failed.
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
    let subject = Subject::open(args.project, args.read.results.results, args.read.size.limits())?;
    let Profile::Sosp26 = args.profile;
    let items = sosp26(&subject);
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
        output::line(format_args!("{:23}  {}: {}", "", item.looks_at, item.seen))?;
        if let Some(mend) = &item.mend {
            output::line(format_args!("{:23}  mend: {mend}", ""))?;
        }
    }
    output::line(format_args!("\n{passed} pass, {failed} fail, {for_a_person} are a person's to judge"))?;
    Ok(Exit::Ok)
}
