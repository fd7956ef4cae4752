//! What is settled before anything is measured: which cells are meant, which of them this machine can run, and that what
//! they need is there.

use std::collections::BTreeMap;
use std::path::Path;

use matrix_command::Experiment;
use matrix_command::cells::Cell;
use matrix_command::prepare::MakeError;
use matrix_command::run::{Input, InputFailure, Part};
use matrix_core::read::Reading;
use matrix_core::text::counted;
use matrix_core::{Again, Filter, Point, Problem, Shard};
use matrix_driver::Cancel;
use matrix_run::Overrides;
use matrix_store::Store;

use crate::exit::{Exit, Failure};
use crate::output;
use crate::program::in_text;

use super::RunOptions;

/// The experiment with a subset's settings in it.
pub(in crate::program) fn with_subset(
    file: &Path,
    text: String,
    subset: Option<&str>,
    site: Option<&Path>,
    reading: Reading,
) -> Result<Input, Failure> {
    let Some(name) = subset else { return Ok(Input::from_file(file, text, site, reading)?) };
    let shown = file.display().to_string();
    let (text, experiment) = Input::without_files(&shown, text, reading)?;
    let Some(subset) = experiment.subsets.get(name) else {
        let known: Vec<&str> = experiment.subsets.keys().map(String::as_str).collect();
        let problem = Problem::new(format!("the experiment has no subset `{name}`")).unknown(name, "subsets", &known);
        return Err(in_text(&shown, &text, problem.into()));
    };
    let set = subset.set.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let text = matrix_run::apply(&shown, text, &Overrides { set, platform: None })?;
    Ok(Input::from_file(file, text, site, reading)?)
}

/// Which cells are chosen by filter, subset, key and shard.
pub(in crate::program) fn chooser(
    input: &Input,
    filter: Option<&str>,
    subset: Option<&str>,
    one: Option<&str>,
    shard: Option<Shard>,
) -> Result<Part, Failure> {
    let named = filter.or(subset);
    let mut filters: Vec<Filter> = Vec::new();
    let subset = subset.and_then(|name| input.experiment.subsets.get(name)).and_then(|subset| subset.filter.as_deref());
    for (name, text) in [("--filter", filter), ("the subset's filter", subset)] {
        let Some(text) = text else { continue };
        filters.push(input.experiment.filter(text).map_err(|problem| in_text(name, text, problem.into()))?);
    }
    let selects = |cell: &Cell| {
        filters.iter().all(|filter| matrix_command::run::matches(filter, cell))
            && one.is_none_or(|prefix| cell.key.to_string().starts_with(prefix))
    };
    let part = Part::new(input, named, shard, &selects);
    let part = part.map_err(|problem| {
        in_text("--shard", &shard.map(|shard| shard.to_string()).unwrap_or_default(), problem.into())
    })?;
    if let (Some(prefix), 0 | 2..) = (one, part.len()) {
        let what = if part.is_empty() { "no cell's key begins so" } else { "several cells' keys begin so" };
        return Err(Failure::usage(
            format!("--one {prefix}: {what}"),
            "`matrix plan FILE` lists the cells with their keys",
        ));
    }
    if part.is_empty() {
        return Err(matches_nothing(filter.unwrap_or_default(), input.cells.len()));
    }
    Ok(part)
}

fn matches_nothing(filter: &str, cells: usize) -> Failure {
    let problem = Problem::new(format!("the filter matches none of the {cells} cells"));
    let problem = if filter.is_empty() { problem } else { problem.at(0..filter.len()).label("matches nothing") };
    in_text("--filter", filter, problem.help("`matrix plan FILE` lists the cells").into())
}

/// Refuses what is no filter of an experiment, or matches none of its cells. The files that its cells depend on need not be there.
pub(crate) fn check_filter(experiment: &Experiment, text: &str) -> Result<(), Failure> {
    let filter = experiment.filter(text).map_err(|problem| in_text("--filter", text, problem.into()))?;
    if matrix_command::run::matches_any(&filter, experiment) {
        return Ok(());
    }
    Err(matches_nothing(text, experiment.points.len().saturating_mul(experiment.rounds as usize)))
}

/// The points that this machine cannot run, each with why; told before anything runs.
pub(in crate::program) fn unmet(input: &Input, chosen: &mut Part, programs: bool) -> Result<(), Failure> {
    let unmet = matrix_command::run::unmet(input, programs).map_err(|why| Failure::new(Exit::Usage, why))?;
    leave_out(input, chosen, &unmet, "skipped");
    Ok(())
}

/// Leaves cells out, and says why; how many.
fn leave_out(input: &Input, chosen: &mut Part, points: &BTreeMap<Point, String>, what: &str) -> usize {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for cell in input.cells.iter().filter(|cell| chosen.has(cell)) {
        if let Some(why) = points.get(&cell.point) {
            *reasons.entry(why).or_default() += 1;
        }
    }
    chosen.without(points);
    for (why, cells) in &reasons {
        output::note(format_args!("{what}: {}: {why}", counted(*cells, "cell")));
    }
    reasons.values().sum()
}

/// Tries, before anything starts, the system's place for temporary folders: attempts have theirs there, unless `scratch` of `[site]` says
/// where.
pub(super) fn has_scratch(input: &Input) -> Result<(), Failure> {
    if !input.here.site.contains_key("scratch") {
        matrix_bundle::temporary::place()?;
    }
    Ok(())
}

/// Tries, before anything starts, what programs that run as root need.
pub(super) fn may_be_root(input: &Input) -> Result<(), Failure> {
    matrix_command::root::check(&input.experiment).map_err(|why| {
        Failure::usage(
            why.to_string(),
            "let sudo run these programs without a password, or remove `as` from the experiment",
        )
    })
}

/// Refuses to start where the program is not there, unless nothing is left to run.
pub(super) fn is_there(input: &Input, chosen: &Part, options: &RunOptions<'_>, again: &Again) -> Result<(), Failure> {
    let Some(problem) = matrix_command::run::missing_program(input, &chosen.points()) else { return Ok(()) };
    let store = Store::open_if_present(&options.results)?;
    if matrix_command::run::plan(store.as_ref(), input, chosen, again)?.to_run().next().is_none() {
        return Ok(());
    }
    Err(in_text(&options.file.display().to_string(), &input.text, problem.into()))
}

/// Tries, before anything starts, the hosts that services of the chosen cells run on.
pub(super) fn reach(input: &mut Input, chosen: &Part) -> Result<(), Failure> {
    matrix_command::remote::reach(&input.experiment, &mut input.here, &chosen.points()).map_err(|why| {
        Failure::usage(
            why.to_string(),
            "`hosts` of [site], or of a file that --site names, says where hosts are; `ssh -o BatchMode=yes HOST true` must end with 0",
        )
    })
}

/// Makes what the chosen cells need to be prepared. Cells of what cannot be made are left out; how many.
pub(super) fn prepare(input: &mut Input, chosen: &mut Part, cancel: &Cancel) -> Result<usize, Failure> {
    let failed = input.prepare(&chosen.points(), cancel, &|text| output::note(text)).map_err(|error| match error {
        MakeError::Interrupted => Failure::with_help(
            Exit::Interrupted,
            "interrupted while something was prepared",
            "the same command goes on: what was finished stays, the rest is made again",
        ),
        MakeError::Cells(error) => InputFailure::Cells(error).into(),
        MakeError::Failed(why) => Failure::new(Exit::Internal, why),
    })?;
    Ok(leave_out(input, chosen, &failed, "failed"))
}
