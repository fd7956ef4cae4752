//! `matrix resume`.

use clap::Args;
use matrix_plan::Part;
use matrix_run::costs;
use matrix_run::results::plan_of;
use matrix_run::{Input, Session, interrupted_runs, left_of};
use matrix_store::Store;

use super::budget::BudgetArgs;
use super::run::{SessionArgs, finish, nothing};
use super::{Format, ResultsArgs};
use crate::exit::CommandResult;
use crate::output;
use crate::program;
use crate::runner;

/// Go on with an interrupted run
///
/// The experiment, the model and the plan are those saved in the run, whatever has happened to the files since.
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// The run; without it, the only interrupted one
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    #[command(flatten)]
    budget: BudgetArgs,
    #[command(flatten)]
    session: SessionArgs,
    #[command(flatten)]
    results: ResultsArgs,
}

pub(crate) fn resume(args: ResumeArgs) -> CommandResult {
    let store = Store::open(&args.results.results)?;
    // A run killed at its very end left nothing to execute, but perhaps a half-written file.
    matrix_run::sweep(&store, &runner::store_access(&args.results.results)?)?;
    if let Some(name) = program::resumable(&store, args.run.as_deref())? {
        let json = args.session.format.format == Format::Json;
        let SessionArgs { plot, no_wait, jobs, .. } = &args.session;
        return program::resume(&args.results.results, &name, jobs.jobs, !no_wait, *plot, json);
    }
    let name = match args.run {
        Some(name) => {
            let run = store.run(&name)?;
            if left_of(&store, &run, &plan_of(&run)?)?.is_empty() {
                let why = format_args!("nothing to resume: every cell of run {name} is done");
                return nothing(&args.session, why);
            }
            name
        }
        None => match interrupted_runs(&store)?.as_slice() {
            [] => return nothing(&args.session, "nothing to resume: no run was interrupted"),
            [run] => run.id().to_string(),
            several => return Err(program::several_interrupted(several, &args.results.results)),
        },
    };
    let run = store.run(&name)?;
    let input = Input::from_run(&run)?;
    costs::check(&input, &args.budget.into(), &output::Terminal, || {
        Ok(left_of(&store, &run, &plan_of(&run)?)?.into_iter().collect())
    })?;
    let session = Session::resume(&runner::store_access(&args.results.results)?, &name, &input, &runner::driver)?;
    let plan = matrix_run::plan(Some(&store), &input, &Part::default(), &matrix_plan::Again::None)?;
    finish(&args.results, &input, &plan, session, &args.session)
}
