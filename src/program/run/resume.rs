//! `matrix resume` of programs.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::Path;

use matrix_command::run::{Input, Part, Places, PlanDocument, PlannedCell, Session, interrupted};
use matrix_core::Again;
use matrix_core::read::Reading;
use matrix_core::text::counted;
use matrix_driver::Cancel;
use matrix_store::{Run, Store};

use super::before::{has_scratch, is_there, may_be_root, prepare, reach};
use super::{RunOptions, execute, worse};
use crate::exit::{CommandResult, Exit, Failure};
use crate::{output, runner, signals};

/// The interrupted run of schema 2 that `matrix resume` means, if it means one.
pub(crate) fn resumable(store: &Store, name: Option<&str>) -> Result<Option<String>, Failure> {
    if let Some(name) = name {
        let run = store.run_documents(name)?;
        return Ok(PlanDocument::of_run(&run)?.map(|_| name.to_owned()));
    }
    match interrupted(store)?.as_slice() {
        [] => Ok(None),
        [run] => Ok(Some(run.id().to_string())),
        several => Err(several_interrupted(several, store.path())),
    }
}

/// Asks which of several interrupted runs is meant.
pub(crate) fn several_interrupted(runs: &[Run], results: &Path) -> Failure {
    let names: Vec<String> =
        runs.iter().map(|run| format!("  {}", output::resume(run.id().as_str(), results))).collect();
    Failure::usage(format!("{} runs were interrupted", runs.len()), format!("choose one:\n{}", names.join("\n")))
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
    let expires_after = runner::expires_after(results)?;
    let run = store.run(name)?;
    let text = run.experiment_text()?;
    let Places { file, site } = Places::of(&store, run.id())?;
    let Some(file) = file else {
        return Err(Failure::usage(
            format!("where the experiment of run {name} was is not known here"),
            "run it by its file, which does what is left: matrix run FILE",
        ));
    };
    let plan = PlanDocument::of_run(&run)?;
    drop((run, store));
    let mut input = Input::from_file(&file, text.clone(), site.as_deref(), Reading::Saved)?;
    let cancel = Cancel::default();
    signals::listen(&cancel)?;
    has_scratch(&input)?;
    may_be_root(&input)?;
    let mut left = of_plan(&input, plan.as_ref());
    reach(&mut input, &left)?;
    let unprepared = prepare(&mut input, &mut left, &cancel)?;
    let options =
        RunOptions { file, text, results: results.to_owned(), wait, jobs, plot, json, ..RunOptions::default() };
    is_there(&input, &left, &options, &Again::None)?;
    let Some(session) = Session::resume(results, name, &input, &left, expires_after)? else {
        if unprepared == 0 {
            output::line(format_args!("nothing to resume: every cell of run {name} is done"))?;
        }
        return Ok(worse(unprepared, Exit::Ok));
    };
    output::note(format_args!("{}: {} left", input.experiment.name, counted(session.len(), "cell")));
    Ok(worse(unprepared, execute(session, &input, &options, &cancel)?))
}

/// The cells that a run planned to execute.
fn of_plan(input: &Input, plan: Option<&PlanDocument>) -> Part {
    let planned: BTreeSet<(String, u32)> =
        plan.into_iter().flat_map(PlanDocument::to_run).map(PlannedCell::place).collect();
    let cells = input.cells.iter().filter(|cell| planned.contains(&input.place(cell)));
    Part::of_cells(cells)
}
