//! `matrix aws setup`.

use matrix_aws::SetupRequest;
use matrix_aws::cost::{HourlyCost, Prices, setup_cost};
use matrix_aws::setup::stacks;
use matrix_driver::Cancel;
use matrix_live::aws::{Action, Planned};
use serde::Serialize;

use super::access::{listen, operator, tell};
use super::{endpoints, request};
use crate::cli::Format;
use crate::cli::ask::go_on;
use crate::cli::aws::SetupArgs;
use crate::exit::{CommandResult, Exit, Failure};
use crate::output;

/// A plan for scripts.
#[derive(Serialize)]
struct PlanJson<'a> {
    name: &'a str,
    stores: Vec<&'a str>,
    stacks: Vec<StackJson<'a>>,
    /// US dollars an hour of everything, an estimate.
    usd_per_hour: f64,
    /// US dollars once, an estimate.
    usd_once: f64,
    prices_of: &'a str,
}

#[derive(Serialize)]
struct StackJson<'a> {
    region: &'a str,
    name: &'a str,
    purpose: &'a str,
    action: &'static str,
    why: Option<&'a str>,
}

pub(super) fn setup(args: &SetupArgs) -> CommandResult {
    let experiment = request::experiment(args.file.as_deref())?;
    let experiment = experiment.as_ref();
    let request = request::request(args, experiment)?;
    let path = endpoints::path(&args.place, experiment);
    // A file that cannot be read would not be written either: it is known before anything is made.
    let old = endpoints::read(&path)?;
    output::check_folder(&path)?;
    // Refused before anybody is asked for credentials.
    stacks(&request).map_err(|error| Failure::usage(error.to_string(), error.fix()))?;
    hourly(&request)?;
    let operator = operator(old.as_ref().and_then(|info| info.credentials_profile.as_deref()))?;
    // Looking and asking end at once when they are interrupted: nothing is begun.
    let looking = Cancel::default();
    let asked = request;
    let request = operator.with_standing(&asked, &looking)?;
    if let Some(more) = more(&asked, &request) {
        output::note(format_args!("set-up `{}` has {more} as well, which stay", request.name));
    }
    let cost = hourly(&request)?;
    let plan = operator.plan(&request, &looking)?;
    show(&request, &plan, &cost, args.format.format)?;
    let to_do = plan.iter().filter(|planned| !matches!(planned.action, Action::Keep | Action::Stay)).count();
    if to_do > 0 {
        for unknown in operator.check_offers(&request, &looking)? {
            output::note(unknown);
        }
    }
    if args.plan {
        return Ok(Exit::Ok);
    }
    if to_do > 0 && !go_on(&format!("Make or change {to_do} stacks?"), args.yes)? {
        output::note("nothing was done");
        return Ok(Exit::Ok);
    }
    let cancel = listen()?;
    let done = operator.set_up(&request, &cancel, &tell)?;
    let endpoints::Written { written, kept } = endpoints::write(&path, done.info)?;
    let file = path.display();
    if let Some(kept) = kept {
        output::note(format_args!("what {file} was before is kept in {}", kept.display()));
    }
    if done.changed + done.set == 0 && !written {
        output::note(format_args!("nothing had to be changed; {file} says where everything is"));
    } else {
        output::note(format_args!(
            "{} stacks made or changed, {} replications set; {file} {}; next: matrix aws doctor",
            done.changed,
            done.set,
            if written { "is written" } else { "is as it was" }
        ));
    }
    Ok(Exit::Ok)
}

/// What is in a request beside what was asked for.
fn more(asked: &SetupRequest, request: &SetupRequest) -> Option<String> {
    let stores = request.stores.difference(&asked.stores).map(|store| store.as_str().to_owned());
    let regions = request.readers.iter().filter(|region| !asked.readers.contains(region)).map(ToString::to_string);
    let more: Vec<String> = stores.chain(regions).collect();
    (!more.is_empty()).then(|| more.join(", "))
}

fn hourly(request: &SetupRequest) -> Result<HourlyCost, Failure> {
    let prices = Prices::builtin().map_err(|error| Failure::new(Exit::Internal, error.to_string()))?;
    setup_cost(request, &prices).map_err(|error| Failure::usage(error.to_string(), error.fix()))
}

fn show(request: &SetupRequest, plan: &[Planned], cost: &HourlyCost, format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        let stacks = plan.iter().map(|planned| {
            let (action, why) = action(&planned.action);
            let Planned { stack, purpose, .. } = planned;
            StackJson { region: &stack.region, name: &stack.name, purpose, action, why }
        });
        let stores = request.stores.iter().map(|store| store.as_str()).collect();
        let (usd_per_hour, prices_of) = (cost.total(), cost.prices_of.as_str());
        let name = &request.name;
        return output::json(&PlanJson {
            name,
            stores,
            stacks: stacks.collect(),
            usd_per_hour,
            usd_once: cost.usd_once,
            prices_of,
        });
    }
    let mut table = output::table(&["region", "stack", "to do", "what it is for"], &[]);
    for Planned { stack, purpose, action: to_do } in plan {
        let (action, why) = action(to_do);
        let to_do = why.map_or_else(|| action.to_owned(), |why| format!("{action} ({why})"));
        table.add_row([stack.region.as_str(), &stack.name, &to_do, purpose]);
    }
    output::line(table)?;
    output::line(format_args!("\n{cost}"))
}

fn action(action: &Action) -> (&'static str, Option<&str>) {
    match action {
        Action::Make => ("make", None),
        Action::Keep => ("keep", None),
        Action::Change => ("change", None),
        Action::Wait { status } => ("wait", Some(status)),
        Action::Again { why } => ("make again", Some(why)),
        Action::Stay => ("leave", None),
    }
}
