//! `matrix run` and `matrix resume` of programs.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use matrix_command::cells::Cell;
use matrix_command::prepare::MakeError;
use matrix_command::results;
use matrix_command::run::{
    Begun, Input, InputFailure, Options, Part, PlanDocument, Report, Session, interrupted, place_of, site_of,
};

use matrix_core::{Again, CellState, Filter, Point, Problem, Shard};
use matrix_driver::Cancel;
use matrix_store::{ErrorKind, Store};
use serde::Serialize;

use matrix_run::Overrides;

use super::{charts, in_text};
use crate::exit::{CommandResult, Exit, Failure};
use crate::output;
use crate::{runner, signals};

/// What the user asked for.
pub(crate) struct RunOptions<'a> {
    pub(crate) file: &'a Path,
    pub(crate) text: String,
    pub(crate) results: &'a Path,
    pub(crate) filter: Option<&'a str>,
    pub(crate) shard: Option<Shard>,
    pub(crate) subset: Option<&'a str>,
    pub(crate) one: Option<&'a str>,
    pub(crate) site: Option<&'a Path>,
    pub(crate) keep: bool,
    pub(crate) rerun_disturbed: bool,
    pub(crate) fresh: bool,
    pub(crate) fail_fast: bool,
    pub(crate) max_time: Option<u64>,
    pub(crate) wait: bool,
    pub(crate) jobs: Option<NonZeroUsize>,
    pub(crate) plot: bool,
    pub(crate) json: bool,
    /// Whether nothing but notes is printed.
    pub(crate) quiet: bool,
}

#[derive(Serialize)]
struct RunJson {
    ran: usize,
    done: usize,
    failed: usize,
    disturbed: usize,
    read_again: usize,
    planned: usize,
    figures: Vec<PathBuf>,
}

/// Which cells are chosen by filter, subset, key and shard.
pub(super) fn chooser(
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
        let text = filter.unwrap_or_default();
        let problem = Problem::new(format!("the filter matches none of the {} cells", input.cells.len()));
        let problem = if text.is_empty() { problem } else { problem.at(0..text.len()).label("matches nothing") };
        return Err(in_text("--filter", text, problem.help("`matrix plan FILE` lists the cells").into()));
    }
    Ok(part)
}

/// The points that this machine cannot run, each with why; told before anything runs.
pub(super) fn unmet(input: &Input, chosen: &mut Part, programs: bool) -> Result<(), Failure> {
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
        output::note(format_args!("{what}: {cells} cells: {why}"));
    }
    reasons.values().sum()
}

/// Tries, before anything starts, what programs that run as root need.
fn may_be_root(input: &Input) -> Result<(), Failure> {
    matrix_command::root::check(&input.experiment).map_err(|why| {
        Failure::usage(why, "let sudo run these programs without a password, or remove `as` from the experiment")
    })
}

/// Tries, before anything starts, the hosts that services of the chosen cells run on.
fn reach(input: &mut Input, chosen: &Part) -> Result<(), Failure> {
    matrix_command::remote::reach(&input.experiment, &mut input.here, &chosen.points()).map_err(|why| {
        Failure::usage(
            why,
            "`hosts` of [site], or of a file that --site names, says where hosts are; `ssh -o BatchMode=yes HOST true` must end with 0",
        )
    })
}

/// Makes what the chosen cells need to be prepared. Cells of what cannot be made are left out; how many.
fn prepare(input: &mut Input, chosen: &mut Part, cancel: &Cancel) -> Result<usize, Failure> {
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

/// The worse of two ends.
fn worse(unprepared: usize, exit: Exit) -> Exit {
    if unprepared > 0 && exit == Exit::Ok { Exit::Cells } else { exit }
}

/// The experiment with a subset's settings in it.
pub(super) fn with_subset(
    file: &Path,
    text: String,
    subset: Option<&str>,
    site: Option<&Path>,
) -> Result<Input, Failure> {
    let Some(name) = subset else { return Ok(Input::from_file(file, text, site)?) };
    let shown = file.display().to_string();
    let (text, experiment) = Input::without_files(&shown, text)?;
    let Some(subset) = experiment.subsets.get(name) else {
        let known: Vec<&str> = experiment.subsets.keys().map(String::as_str).collect();
        let problem = Problem::new(format!("the experiment has no subset `{name}`")).unknown(name, "subsets", &known);
        return Err(in_text(&shown, &text, problem.into()));
    };
    let set = subset.set.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let text = matrix_run::apply(&shown, text, &Overrides { set, platform: None })?;
    Ok(Input::from_file(file, text, site)?)
}

pub(crate) fn run(options: &RunOptions<'_>) -> CommandResult {
    let mut input = with_subset(options.file, options.text.clone(), options.subset, options.site)?;
    let mut chosen = chooser(&input, options.filter, options.subset, options.one, options.shard)?;
    unmet(&input, &mut chosen, true)?;
    may_be_root(&input)?;
    reach(&mut input, &chosen)?;
    let cancel = Cancel::default();
    signals::listen(&cancel)?;
    let unprepared = prepare(&mut input, &mut chosen, &cancel)?;
    let input = input;
    let again = if options.fresh || options.one.is_some() && options.keep {
        Again::All
    } else if options.rerun_disturbed {
        matrix_command::run::disturbed(Store::open_if_present(options.results)?.as_ref(), &input)?
    } else {
        Again::None
    };
    let expires_after = runner::expires_after();
    let begun = Session::begin(options.results, &input, Some(options.file), &chosen, &again, expires_after);
    let Begun { plan, session, reread, unreadable } = begun.map_err(in_the_way)?;
    if reread > 0 {
        output::note(format_args!(
            "rows of {reread} cells were read again from what they left; nothing was executed for that"
        ));
    }
    for (cell, why) in &unreadable {
        output::note(format_args!("not read again: {} ({}): {why}", cell.key.short(), shown(&input, cell)));
    }
    let Some(session) = session else {
        let tally = plan.tally();
        let skipped = match tally.count(CellState::Skipped) {
            0 => String::new(),
            skipped if options.shard.is_some() => {
                format!(" ({skipped} more are other shards' or left out by the filter)")
            }
            skipped => format!(" ({skipped} more are left out by the filter)"),
        };
        if options.quiet {
            return Ok(worse(unreadable.len() + unprepared, Exit::Ok));
        }
        if options.json {
            output::json(&RunJson {
                ran: 0,
                done: 0,
                failed: 0,
                disturbed: 0,
                read_again: reread,
                planned: tally.planned() as usize,
                figures: Vec::new(),
            })?;
        } else if reread == 0 {
            output::line(format_args!(
                "nothing to do: {} of {} cells are done{skipped}",
                tally.count(CellState::Done),
                tally.planned()
            ))?;
        }
        if reread > 0 || options.plot {
            after(options, &input)?;
        }
        return Ok(worse(unreadable.len() + unprepared, Exit::Ok));
    };
    output::note(format_args!("{}: {} of {} cells to run", input.experiment.name, session.len(), plan.cells.len()));
    let exit = execute(session, &input, options, &cancel)?;
    Ok(worse(unreadable.len() + unprepared, exit))
}

/// A place that cannot hold a store is bad input, whatever the system calls it.
fn in_the_way(error: matrix_store::StoreError) -> Failure {
    match error.kind() {
        ErrorKind::Internal => Failure { exit: Exit::Usage, ..error.into() },
        _ => error.into(),
    }
}

fn shown(input: &Input, cell: &Cell) -> String {
    format!("{} round {}", input.experiment.axes.show(&cell.point), cell.round)
}

fn execute(session: Session, input: &Input, options: &RunOptions<'_>, cancel: &Cancel) -> CommandResult {
    let resume = output::resume(session.id().as_str(), options.results);
    let ran = session.len();
    let how = Options {
        jobs: options.jobs.unwrap_or(NonZeroUsize::MIN),
        keep: options.keep,
        fail_fast: options.fail_fast,
        max_time: options.max_time.map(Duration::from_secs),
        wait: options.wait,
    };
    let start = Instant::now();
    let provenance = runner::program().provenance(Default::default());
    let say = |text: &str| output::note(text);
    let (left, report) = session.execute(input, &how, &provenance, cancel, &say)?;
    let seconds = start.elapsed().as_secs_f64();
    output::note(format_args!("{} of {ran} cells done in {seconds:.1} s", report.done));
    let Report { failed, broken, disturbed, done, failed_in_all, pending, .. } = report;
    let others = ran.saturating_sub(done + left + failed_in_all);
    if others > 0 {
        output::note(format_args!("{others} cells were done by other runners"));
    }
    for (cell, error) in &failed {
        output::note(format_args!("failed: {} ({}): {error}", cell.key.short(), shown(input, cell)));
    }
    if disturbed > 0 {
        output::note(format_args!(
            "{disturbed} cells are disturbed: the host did other work, or was slowed down, while they ran; `matrix show CELL` says how. \
             To run them again: matrix run FILE --rerun-disturbed"
        ));
    }
    if let Some(error) = broken {
        output::note(format_args!("the run stopped; what was done is kept. When the cause is fixed: {resume}"));
        let exit = if error.kind() == ErrorKind::Integrity { Exit::Integrity } else { Exit::Cells };
        return Err(Failure { exit, ..error.into() });
    }
    let exit = match (left, failed_in_all) {
        (left, failed) if left > 0 && !pending.is_empty() => {
            output::note(format_args!(
                "{}. To wait for them: {resume}",
                matrix_run::wording::pending(left, failed, &pending)
            ));
            Exit::Cells
        }
        (0, 0) => Exit::Ok,
        (0, failed) => {
            output::note(format_args!("{failed} cells failed. To try them again: {resume}"));
            Exit::Cells
        }
        (left, _) if cancel.is_cancelled() => {
            output::note(format_args!(
                "interrupted with {left} cells left; what was done is saved. To go on: {resume}"
            ));
            Exit::Interrupted
        }
        (left, _) => {
            output::note(format_args!("stopped with {left} cells left. To go on: {resume}"));
            Exit::Cells
        }
    };
    if options.quiet {
        return Ok(exit);
    }
    if options.json {
        let figures = if options.plot && exit != Exit::Interrupted { draw(options, input)? } else { Vec::new() };
        let (failed, planned) = (failed.len(), input.cells.len());
        output::json(&RunJson { ran, done, failed, disturbed, read_again: 0, planned, figures })?;
    } else if exit != Exit::Interrupted {
        after(options, input)?;
    }
    Ok(exit)
}

/// Prints what the results are now, and draws the figures if that was asked for.
fn after(options: &RunOptions<'_>, input: &Input) -> Result<(), Failure> {
    if options.json {
        return Ok(());
    }
    let store = Store::open(options.results)?;
    let loaded = results::load(&store, &input.experiment, &input.cells, None)?;
    super::print::summary(&loaded)?;
    if options.plot {
        for picture in draw(options, input)? {
            output::line(picture.display())?;
        }
    }
    Ok(())
}

fn draw(options: &RunOptions<'_>, input: &Input) -> Result<Vec<PathBuf>, Failure> {
    let store = Store::open(options.results)?;
    let loaded = results::load(&store, &input.experiment, &input.cells, None)?;
    charts::write(&loaded, &PathBuf::from("plots").join(&input.experiment.name), &[], &charts::BOTH)
}

/// The interrupted run of schema 2 that `matrix resume` means, if it means one.
pub(crate) fn resumable(store: &Store, name: Option<&str>) -> Result<Option<String>, Failure> {
    if let Some(name) = name {
        let run = store.run(name)?;
        return Ok(super::choose::plan_of(&run)?.map(|_| name.to_owned()));
    }
    match interrupted(store)?.as_slice() {
        [] => Ok(None),
        [run] => Ok(Some(run.id().to_string())),
        several => {
            let names: Vec<String> =
                several.iter().map(|run| format!("  {}", output::resume(run.id().as_str(), store.path()))).collect();
            Err(Failure::usage(
                format!("{} runs were interrupted", several.len()),
                format!("choose one:\n{}", names.join("\n")),
            ))
        }
    }
}

/// Goes on with a run from the experiment that it saved, in the folder that its file was in.
pub(crate) fn resume(
    results: &Path,
    name: &str,
    jobs: Option<NonZeroUsize>,
    wait: bool,
    plot: bool,
    json: bool,
) -> CommandResult {
    let store = Store::open(results)?;
    let run = store.run(name)?;
    let text =
        String::from_utf8(run.experiment()?).map_err(|error| Failure::new(Exit::Integrity, error.to_string()))?;
    let Some(file) = place_of(&store, run.id()) else {
        return Err(Failure::usage(
            format!("where the experiment of run {name} was is not known here"),
            "run it by its file, which does what is left: matrix run FILE",
        ));
    };
    let plan = super::choose::plan_of(&run)?;
    let site = site_of(&store, run.id());
    drop((run, store));
    let mut input = Input::from_file(&file, text.clone(), site.as_deref())?;
    let cancel = Cancel::default();
    signals::listen(&cancel)?;
    may_be_root(&input)?;
    let mut left = of_plan(&input, plan.as_ref());
    reach(&mut input, &left)?;
    let unprepared = prepare(&mut input, &mut left, &cancel)?;
    if unprepared > 0 {
        return Ok(Exit::Cells);
    }
    let Some(session) = Session::resume(results, name, &input, runner::expires_after())? else {
        output::line(format_args!("nothing to resume: every cell of run {name} is done"))?;
        return Ok(Exit::Ok);
    };
    output::note(format_args!("{}: {} cells left", input.experiment.name, session.len()));
    let options = RunOptions {
        file: &file,
        text,
        results,
        filter: None,
        shard: None,
        subset: None,
        one: None,
        site: None,
        keep: false,
        rerun_disturbed: false,
        fresh: false,
        fail_fast: false,
        max_time: None,
        wait,
        jobs,
        plot,
        json,
        quiet: false,
    };
    execute(session, &input, &options, &cancel)
}

/// The cells that a run planned to execute.
fn of_plan(input: &Input, plan: Option<&PlanDocument>) -> Part {
    let axes = &input.experiment.axes;
    let planned: BTreeSet<(String, u32)> = plan
        .into_iter()
        .flat_map(PlanDocument::to_run)
        .map(|cell| (serde_json::Value::from(cell.axes.clone()).to_string(), cell.round))
        .collect();
    let shown = |point: &Point| serde_json::Value::from(axes.to_json(point)).to_string();
    let cells = input.cells.iter().filter(|cell| planned.contains(&(shown(&cell.point), cell.round)));
    Part::of_cells(cells)
}
