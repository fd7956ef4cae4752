//! `matrix aws clean`.

use std::collections::BTreeSet;

use matrix_aws::setup::StackId;
use matrix_driver::Cancel;
use matrix_live::aws::{Inventory, Thing};
use matrix_plan::Regions;
use serde::Serialize;

use super::access::{listen, operator, tell};
use super::{endpoints, request};
use crate::cli::Format;
use crate::cli::ask::go_on;
use crate::cli::aws::CleanArgs;
use crate::exit::{CommandResult, Exit};
use crate::output;

/// What is left, for scripts.
#[derive(Serialize)]
struct LeftJson {
    left: Vec<Thing>,
    runs: Vec<String>,
}

pub(super) fn clean(args: &CleanArgs) -> CommandResult {
    let experiment = request::experiment(args.file.as_deref())?;
    let experiment = experiment.as_ref();
    let path = endpoints::path(&args.place, experiment);
    let info = endpoints::read(&path)?;
    let known = experiment.map_or_else(Regions::built_in, |experiment| experiment.regions.clone());
    let mut regions = info.as_ref().map(endpoints::regions).unwrap_or_default();
    if args.regions.is_empty() {
        regions.extend(known.iter().map(|(_, aws)| aws.to_owned()));
    } else {
        let named = request::named(&args.regions, &known)?;
        regions = named.iter().filter_map(|region| known.aws_name(region)).map(str::to_owned).collect::<BTreeSet<_>>();
    }
    let mut regions: Vec<String> = regions.into_iter().collect();
    let operator = operator(info.as_ref().and_then(|info| info.credentials_profile.as_deref()))?;
    // Looking and asking end at once when they are interrupted: nothing is begun.
    let looking = Cancel::default();
    let name = &args.place.name;
    if args.regions.is_empty() {
        let elsewhere = operator.elsewhere(name, &regions, &looking)?;
        for region in &elsewhere.not_asked {
            output::note(format_args!("not looked at: {region}, where these credentials may not ask"));
        }
        regions.extend(elsewhere.found);
    }
    let found = operator.survey(name, &regions, &looking)?;
    let stacks: Vec<String> = found.stacks().map(ToString::to_string).collect();
    let runs: Vec<String> = found.runs().map(ToString::to_string).collect();
    for stack in stacks.iter().chain(if args.runs { runs.as_slice() } else { &[] }) {
        output::note(format_args!("to be removed: {stack}"));
    }
    let count = stacks.len() + if args.runs { runs.len() } else { 0 };
    if count > 0 && !go_on(&format!("Remove {count} stacks and everything in them?"), args.yes)? {
        output::note("nothing was removed");
        return Ok(Exit::Ok);
    }
    let cancel = listen()?;
    let left = operator.clean(name, &regions, args.runs, &cancel, &tell)?;
    let removed: Vec<StackId> =
        found.stacks().filter(|stack| left.stacks().all(|other| other != *stack)).cloned().collect();
    if let Some(note) = endpoints::forget(&path, name, &removed)? {
        output::note(note);
    }
    show(&left, name, &regions, args.format.format)
}

fn show(left: &Inventory, name: &str, regions: &[String], format: Format) -> CommandResult {
    let things = left.things();
    let exit = if things.is_empty() { Exit::Ok } else { Exit::Cells };
    let runs: Vec<String> = left.runs().map(ToString::to_string).collect();
    if format == Format::Json {
        output::json(&LeftJson { left: things, runs })?;
        return Ok(exit);
    }
    if things.is_empty() {
        output::line(format_args!("left of set-up `{name}` in {}: nothing", regions.join(", ")))?;
    } else {
        output::line(format_args!("left of set-up `{name}`:"))?;
        for thing in &things {
            output::line(format_args!("  {thing}"))?;
        }
        output::note(
            "the tagging service shows what is gone for some minutes: ask again; what stays is removed by hand \
             (docs/aws.md#what-is-left)",
        );
    }
    for run in &runs {
        output::line(format_args!("functions of a run: {run}"))?;
    }
    Ok(exit)
}
