//! `matrix run`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use matrix_analysis::{Nature, Pools, load};
use matrix_core::read::Reading;
use matrix_derived::summary::{self, SummaryJson};
use matrix_plan::{Again, Plan};
use matrix_run::costs;
use matrix_run::results::{Results, unreadable};
use matrix_run::{Begun, Input, Overrides, Session, skipped, tally, wording};
use matrix_store::Store;
use serde::Serialize;

use super::budget::BudgetArgs;
use super::plan::TallyJson;
use super::{FilterArgs, Format, FormatArgs, OverrideArgs, ResultsArgs, ShardArgs};
use crate::cli::plot::{self, Written};
use crate::exit::{CommandResult, Exit, Failure};
use crate::output;
use crate::program;
use crate::runner;

/// Execute the cells of an experiment that have no result yet
///
/// What is done is never run again: a second run does nothing. Cells that failed, were interrupted or are new run. The
/// experiment, its plan and a journal are kept in the store; after an interruption of any kind, `matrix resume` goes on.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The experiment
    #[arg(value_name = "FILE", required_unless_present = "cell", conflicts_with = "cell")]
    file: Option<PathBuf>,
    /// Run one combination from flags, quoted, as in 'post_storage=mysql,notification_storage=sns,regions=eu->us'
    #[arg(long, value_name = "AXES")]
    cell: Option<String>,
    /// Run cells that are done again, too
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    shard: ShardArgs,
    #[command(flatten)]
    overrides: OverrideArgs,
    #[command(flatten)]
    budget: BudgetArgs,
    #[command(flatten)]
    program: ProgramArgs,
    #[command(flatten)]
    session: SessionArgs,
    #[command(flatten)]
    results: ResultsArgs,
}

/// What only experiments that run a program have.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ProgramArgs {
    /// Run a part of the experiment that its file names under `[subset]`
    #[arg(long, value_name = "NAME")]
    subset: Option<String>,
    /// Run one cell: any unique beginning of its key
    #[arg(long, value_name = "CELL")]
    one: Option<String>,
    /// Keep the folders of what runs, to look at
    #[arg(long)]
    keep: bool,
    /// Run cells again that other work on the host disturbed, with the cells that they are paired with
    #[arg(long)]
    rerun_disturbed: bool,
    /// What is this machine's, over the file's `[site]`
    #[arg(long, value_name = "FILE")]
    site: Option<PathBuf>,
    /// Begin no other cell after one that failed
    #[arg(long)]
    fail_fast: bool,
    /// Begin no other cell after so many seconds
    #[arg(long, value_name = "SECONDS")]
    max_time: Option<u64>,
}

impl ProgramArgs {
    /// Refuses what an experiment of schema 1 has no use for.
    fn must_be_absent(&self) -> Result<(), Failure> {
        let given = [
            (self.subset.is_some(), "--subset"),
            (self.one.is_some(), "--one"),
            (self.keep, "--keep"),
            (self.site.is_some(), "--site"),
            (self.fail_fast, "--fail-fast"),
            (self.max_time.is_some(), "--max-time"),
        ];
        match given.iter().find(|(given, _)| *given) {
            Some((_, flag)) => {
                Err(Failure::usage(format!("{flag} is for experiments that run a program"), "see docs/command.md"))
            }
            None => Ok(()),
        }
    }
}

/// How many cells at once.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct JobsArgs {
    /// Cells to execute at the same time [default: one per processor]
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
}

/// How a session is executed, and what is made of its results.
#[derive(Debug, Args)]
pub(crate) struct SessionArgs {
    /// Draw the figures afterwards
    #[arg(long)]
    pub(super) plot: bool,
    /// End with 3 instead of waiting for cells that other runners on the same store execute
    #[arg(long)]
    pub(super) no_wait: bool,
    #[command(flatten)]
    pub(super) jobs: JobsArgs,
    #[command(flatten)]
    pub(super) format: FormatArgs,
}

/// A session and its results, for scripts.
#[derive(Default, Serialize)]
struct RunJson {
    /// Cells that were to be executed.
    ran: usize,
    #[serde(flatten)]
    summary: Option<SummaryJson>,
    /// How the cells of the experiment stand now.
    #[serde(skip_serializing_if = "Option::is_none")]
    tally: Option<TallyJson>,
    /// Pictures that were drawn.
    #[serde(serialize_with = "output::lossy::paths")]
    figures: Vec<PathBuf>,
}

pub(crate) fn run(args: RunArgs) -> CommandResult {
    let overrides = Overrides::from(args.overrides);
    if let Some(file) = &args.file
        && let Some(text) = program::text_of(file, &overrides)?
    {
        return program::run(&program::RunOptions {
            file: file.clone(),
            text,
            reading: Reading::Given,
            results: args.results.results.clone(),
            filter: args.filter.filter.as_deref(),
            shard: args.shard.shard()?,
            subset: args.program.subset.as_deref(),
            one: args.program.one.as_deref(),
            site: args.program.site.as_deref(),
            keep: args.program.keep,
            rerun_disturbed: args.program.rerun_disturbed,
            fresh: args.fresh,
            fail_fast: args.program.fail_fast,
            max_time: args.program.max_time,
            wait: !args.session.no_wait,
            jobs: args.session.jobs.jobs,
            plot: args.session.plot,
            json: args.session.format.format == Format::Json,
            quiet: false,
        });
    }
    args.program.must_be_absent()?;
    let input = Input::named(args.file.as_deref(), args.cell.as_deref(), &overrides)?;
    let part = input.part(args.filter.filter.as_deref(), args.shard.shard()?)?;
    let again = if args.program.rerun_disturbed && !args.fresh {
        matrix_run::disturbed(Store::open_if_present(&args.results.results)?.as_ref(), &input)?
    } else {
        Again::all_if(args.fresh)
    };
    // Nothing is made before it is known what it costs.
    costs::check(&input, &args.budget.into(), &output::Terminal, || {
        let store = Store::open_if_present(&args.results.results)?;
        let before = matrix_run::plan(store.as_ref(), &input, &part, &again)?;
        Ok(before.to_run().map(|cell| cell.key).collect())
    })?;
    let access = runner::store_access(&args.results.results)?;
    let Begun { plan, session, saved } = Session::begin(&access, &input, &part, &again, &runner::driver)?;
    if let Some(run) = &saved {
        output::note(wording::text_saved(run.as_str()));
    }
    if let Some(session) = session.as_ref().filter(|session| !again.is_none() && !session.is_new()) {
        output::note(wording::goes_on(session.run().as_str()));
    }
    for warning in &plan.warnings {
        output::note(format_args!("note: {}", warning.message));
    }
    finish(&args.results, &input, &plan, session, &args.session)
}

/// Executes a session, if there is something to do, and says what the results are now.
pub(crate) fn finish(
    results: &ResultsArgs,
    input: &Input,
    plan: &Plan,
    session: Option<Session>,
    args: &SessionArgs,
) -> CommandResult {
    let ran = session.as_ref().map_or(0, Session::len);
    let exit = match session {
        Some(session) => {
            let extrapolated =
                Nature { simulated: false, ..Nature::of_planned(input.cells.iter().map(|(_, cell)| &cell.inputs)) };
            for word in extrapolated.words().iter().filter(|word| word.starts_with("extrapolated")) {
                output::note(format_args!("note: {word}: the model has no data of it"));
            }
            output::note(format_args!("{}: {ran} of {} cells to run", input.experiment.name, plan.cells.len()));
            runner::execute(session, args.jobs.jobs, !args.no_wait)?
        }
        None => Exit::Ok,
    };
    let json = args.format.format == Format::Json;
    let plot = args.plot && exit != Exit::Interrupted;
    let why = || wording::nothing_to_do(plan.tally(), plan.shard.is_some());
    if ran == 0 && !json && !plot {
        return nothing(args, why());
    }
    let store = Store::open(&results.results)?;
    let results = Results::of(&store, input, &output::Terminal)?;
    let source = results.source();
    // Summary and figures are made of the same traces, which may be many: they are read once.
    let loaded = load(&results.traced, &plot::options(input)).map_err(unreadable)?;
    let pools = Pools::new(&loaded);
    let rows = matrix_analysis::summary(&pools);
    match ran {
        _ if json => {}
        0 => output::line(why())?,
        _ => output::line(summary::text(&rows, &source, output::width()))?,
    }
    let figures = if plot {
        plot::draw(&pools, &source, &plot::What::everything(&input.experiment.name), Some((input, &loaded)))?
    } else {
        Written::default()
    };
    if json {
        let tally = tally(&store, &input.cells, None, &skipped(plan))?.into();
        let summary = Some(SummaryJson::new(rows, source));
        output::json(&RunJson { ran, summary, tally: Some(tally), figures: figures.pictures })?;
    } else {
        plot::list(&figures)?;
    }
    Ok(exit)
}

/// Says that there is nothing to execute, and that nothing was read.
pub(crate) fn nothing(args: &SessionArgs, why: impl std::fmt::Display) -> CommandResult {
    match args.format.format {
        Format::Table => output::line(why)?,
        Format::Json => output::json(&RunJson::default())?,
    }
    Ok(Exit::Ok)
}
