//! `matrix run` of programs.

mod before;
mod resume;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use matrix_command::cells::Cell;
use matrix_command::results;
use matrix_command::run::{Begun, Input, Options, Report, Session};
use matrix_core::read::Reading;
use matrix_core::{Again, Shard};
use matrix_driver::Cancel;
use matrix_run::SessionEnd;
use matrix_store::{ErrorKind, Store};
use serde::Serialize;

pub(crate) use self::before::check_filter;
pub(super) use self::before::{chooser, unmet, with_subset};
use self::before::{has_scratch, is_there, may_be_root, prepare, reach};
pub(crate) use self::resume::{resumable, resume, several_interrupted};
use super::charts;
use crate::exit::{CommandResult, Exit, Failure};
use crate::output;
use crate::{runner, signals};

/// What the user asked for.
#[derive(Default)]
pub(crate) struct RunOptions<'a> {
    pub(crate) file: PathBuf,
    pub(crate) text: String,
    pub(crate) reading: Reading,
    pub(crate) results: PathBuf,
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

#[derive(Default, Serialize)]
struct RunJson {
    ran: usize,
    done: usize,
    failed: usize,
    disturbed: usize,
    read_again: usize,
    planned: usize,
    figures: Vec<PathBuf>,
}

/// The worse of two ends.
fn worse(unprepared: usize, exit: Exit) -> Exit {
    if unprepared > 0 && exit == Exit::Ok { Exit::Cells } else { exit }
}

pub(crate) fn run(options: &RunOptions<'_>) -> CommandResult {
    let expires_after = runner::expires_after(&options.results)?;
    let mut input = with_subset(&options.file, options.text.clone(), options.subset, options.site, options.reading)?;
    let mut chosen = chooser(&input, options.filter, options.subset, options.one, options.shard)?;
    has_scratch(&input)?;
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
        matrix_command::run::disturbed(Store::open_if_present(&options.results)?.as_ref(), &input)?
    } else {
        Again::None
    };
    is_there(&input, &chosen, options, &again)?;
    let begun = Session::begin(&options.results, &input, Some(&options.file), &chosen, &again, expires_after);
    let Begun { plan, session, reread, unreadable, saved } = begun.map_err(in_the_way)?;
    if reread > 0 {
        output::note(format_args!(
            "rows of {reread} cells were read again from what they left; nothing was executed for that"
        ));
    }
    for (cell, why) in &unreadable {
        output::note(format_args!("not read again: {} ({}): {why}", cell.key.short(), shown(&input, cell)));
    }
    if let Some(run) = &saved {
        output::note(matrix_run::wording::text_saved(run.as_str()));
    }
    let Some(session) = session else {
        let tally = plan.tally();
        if options.quiet {
            return Ok(worse(unreadable.len() + unprepared, Exit::Ok));
        }
        if options.json {
            let planned = tally.planned() as usize;
            output::json(&RunJson { read_again: reread, planned, ..RunJson::default() })?;
        } else if reread == 0 {
            output::line(matrix_run::wording::nothing_to_do(tally, options.shard.is_some()))?;
        }
        if reread > 0 || options.plot {
            after(options, &input)?;
        }
        return Ok(worse(unreadable.len() + unprepared, Exit::Ok));
    };
    if !again.is_none() && !session.is_new() {
        output::note(matrix_run::wording::goes_on(session.id().as_str()));
    }
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
    let resume = output::resume(session.id().as_str(), &options.results);
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
    let report = session.execute(input, &how, &provenance, cancel, &say)?;
    let seconds = start.elapsed().as_secs_f64();
    let Report { ran: mut report, failed, disturbed } = report;
    let done = report.done;
    output::note(format_args!("{done} of {ran} cells done in {seconds:.1} s"));
    if report.others > 0 {
        output::note(format_args!("{} cells were done by other runners", report.others));
    }
    for (cell, error) in &failed {
        output::note(format_args!("failed: {} ({}): {error}", cell.key.short(), shown(input, cell)));
    }
    if disturbed > 0 {
        output::note(matrix_run::wording::disturbed(disturbed));
    }
    if let Some(error) = report.broken.take() {
        output::note(format_args!("the run stopped; what was done is kept. When the cause is fixed: {resume}"));
        let exit = if error.kind() == ErrorKind::Integrity { Exit::Integrity } else { Exit::Cells };
        return Err(Failure { exit, ..error.into() });
    }
    let exit = match report.end() {
        SessionEnd::Interrupted if !cancel.is_cancelled() => {
            output::note(format_args!("stopped with {} cells left. To go on: {resume}", report.left));
            Exit::Cells
        }
        end => {
            if let Some(ended) = matrix_run::wording::ended(&report, &resume) {
                output::note(ended);
            }
            end.into()
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
    let store = Store::open(&options.results)?;
    let loaded = results::load(&store, &input.experiment, &input.cells, None)?;
    super::print::summary(&loaded)?;
    loaded.of_reading().iter().for_each(|text| output::note(format_args!("note: {text}")));
    if options.plot {
        for picture in draw(options, input)? {
            output::line(picture.display())?;
        }
    }
    Ok(())
}

fn draw(options: &RunOptions<'_>, input: &Input) -> Result<Vec<PathBuf>, Failure> {
    let store = Store::open(&options.results)?;
    let loaded = results::load(&store, &input.experiment, &input.cells, None)?;
    charts::write(&loaded, &PathBuf::from("plots").join(&input.experiment.name), &[], &charts::BOTH)
}
