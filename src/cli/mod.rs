//! What the user types: one file per command.

mod appendix;
pub(crate) mod ask;
mod aws;
mod badge;
mod budget;
mod bundle;
mod check;
mod completions;
mod diff;
mod export;
mod gc;
mod import;
mod init;
mod live;
mod man;
mod model;
mod plan;
mod plot;
mod replay;
mod report;
mod resume;
mod run;
mod show;
mod status;
mod store;
mod submit;
mod table;
mod testbed;
mod verify;
mod why;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use matrix_bundle::Limits;
use matrix_plan::{Filter, Regions, Shard};
use matrix_run::results::{self, Opened, Select};
use matrix_run::{Input, Overrides, RunError};
use matrix_store::Origin;

use crate::exit::{CommandResult, Exit, Failure};
use crate::output;
pub(crate) use plot::PictureFormat;
pub(crate) use plan::TallyJson;
pub(crate) use status::RunnerJson;
pub(crate) use why::Answer;

/// A declarative experiment-matrix runner for geo-replication experiments.
///
/// An experiment is one TOML file that declares the cross-product of post storages, notification storages, region pairs,
/// delays and antipode on/off. `matrix run` executes every cell of it once, resumes after anything, and keeps every trace
/// in a content-addressed store, from which figures and verdicts are derived.
#[derive(Debug, Parser)]
#[command(name = "matrix", version, arg_required_else_help = true, propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 all well; 1 internal error; 2 bad usage or input; 3 cells failed or are partial; \
4 a claim is contradicted (check only); 5 integrity violated; 6 another process is writing the store; 130 interrupted (state \
saved). A reader of the output that goes away (`| head`) changes none of them."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    Resume(resume::ResumeArgs),
    Plan(plan::PlanArgs),
    Status(status::StatusArgs),
    Submit(submit::SubmitArgs),
    Table(table::TableArgs),
    Show(show::ShowArgs),
    Why(why::WhyArgs),
    Plot(plot::PlotArgs),
    Check(check::CheckArgs),
    Report(report::ReportArgs),
    Appendix(appendix::AppendixArgs),
    Verify(verify::VerifyArgs),
    Diff(diff::DiffArgs),
    Bundle(bundle::BundleArgs),
    Import(import::ImportArgs),
    Export(export::ExportArgs),
    Testbed(testbed::TestbedArgs),
    Live(live::LiveArgs),
    Aws(aws::AwsArgs),
    Badge(badge::BadgeArgs),
    Gc(gc::GcArgs),
    Store(store::StoreArgs),
    Model(model::ModelArgs),
    Init(init::InitArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

/// Where results live.
#[derive(Clone, Debug, Args)]
pub(crate) struct ResultsArgs {
    /// The store of results, or, for commands that only read, a bundle
    #[arg(long, value_name = "PATH", default_value = output::RESULTS)]
    pub(crate) results: PathBuf,
}

/// Where results are read.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReadArgs {
    #[command(flatten)]
    pub(crate) results: ResultsArgs,
    #[command(flatten)]
    pub(crate) size: SizeArgs,
}

impl ReadArgs {
    /// The store or bundle.
    pub(crate) fn open(&self) -> Result<Opened, Failure> {
        Ok(results::open_within(&self.results.results, self.size.limits())?)
    }
}

/// Limits on what an untrusted bundle may cost.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct SizeArgs {
    /// Most bytes that a bundle may unpack to, also as 512M or 16GiB
    #[arg(long, value_name = "BYTES", value_parser = bytes, default_value_t = Limits::default().max_bytes)]
    max_size: u64,
}

impl SizeArgs {
    pub(crate) fn limits(self) -> Limits {
        Limits::with_max_bytes(self.max_size)
    }
}

/// A number of bytes: digits, and perhaps a unit, of 1024 as often as it says.
fn bytes(text: &str) -> Result<u64, String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let power = match unit {
        "" | "B" => Some(0),
        "K" | "KiB" => Some(1),
        "M" | "MiB" => Some(2),
        "G" | "GiB" => Some(3),
        "T" | "TiB" => Some(4),
        _ => None,
    };
    let parsed =
        number.parse::<u64>().ok().zip(power).and_then(|(n, power)| n.checked_mul(1024_u64.checked_pow(power)?));
    parsed.ok_or_else(|| "write a number of bytes, as in 1000000, 512M or 16GiB".to_owned())
}

/// How to print.
#[derive(Clone, Debug, Args)]
pub(crate) struct FormatArgs {
    /// How to print: a table for people, or JSON for scripts
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}

/// Forms of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for people.
    Table,
    /// JSON for scripts.
    Json,
}

/// Which experiment's results to read.
#[derive(Clone, Debug, Args)]
pub(crate) struct SelectArgs {
    /// The experiment; without it, the only one in the store
    #[arg(value_name = "FILE", conflicts_with = "run")]
    pub(crate) file: Option<PathBuf>,
    /// A run in the store, whose saved experiment is read
    #[arg(long, value_name = "NAME")]
    pub(crate) run: Option<String>,
    /// Only what this origin measured [default: of each cell what was measured here, else what the first origin did]
    #[arg(long, value_name = "NAME")]
    pub(crate) origin: Option<Origin>,
}

impl SelectArgs {
    /// What is meant.
    pub(crate) fn options(&self) -> Select {
        Select { file: self.file.clone(), run: self.run.clone(), origin: self.origin.clone() }
    }

    /// The experiment that is meant.
    pub(crate) fn of(&self, store: &Opened) -> Result<Input, Failure> {
        Ok(results::selected(store, &self.options(), &output::Terminal)?)
    }
}

/// What changes an experiment without editing its file.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct OverrideArgs {
    /// Set a value of the experiment, for example `requests=100` or `barrier.deadline_ms=5000` (may be repeated)
    #[arg(long = "set", value_name = "K=V")]
    pub(crate) set: Vec<String>,
    /// Run on another platform than the file says
    #[arg(long, value_name = "P")]
    pub(crate) platform: Option<String>,
}

impl From<OverrideArgs> for Overrides {
    fn from(args: OverrideArgs) -> Self {
        Self { set: args.set, platform: args.platform }
    }
}

/// Which cells to keep.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct FilterArgs {
    /// Only the cells that match, for example 'post_storage=s3 and delay_ms<1000 and regions="eu->us"'
    #[arg(long, value_name = "E")]
    pub(crate) filter: Option<String>,
}

impl FilterArgs {
    /// The filter, if there is one; it may name these regions.
    pub(crate) fn parse(&self, regions: &Regions) -> Result<Option<Filter>, Failure> {
        let parse = |text: &String| {
            Filter::parse(text, regions).map_err(|problems| RunError::in_text("--filter", text, problems))
        };
        Ok(self.filter.as_ref().map(parse).transpose()?)
    }
}

/// Which shard of an experiment is meant.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ShardArgs {
    /// Only the K-th of N shards, which `matrix bundle merge` unites; K is `auto` in an array job
    #[arg(long, value_name = "K/N")]
    shard: Option<String>,
}

impl ShardArgs {
    /// The shard, if there is one.
    pub(crate) fn shard(&self) -> Result<Option<Shard>, Failure> {
        let variable = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        let parse = |text: &String| {
            Shard::parse(text, variable).map_err(|problem| RunError::in_text("--shard", text, problem.into()))
        };
        Ok(self.shard.as_ref().map(parse).transpose()?)
    }
}

/// The command line as clap knows it, for help, completions and the manual.
pub(crate) fn definition() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// Parses the command line, executes the command and reports its failure.
pub(crate) fn main() -> Exit {
    run(std::env::args_os())
}

/// The same with these words, of which the first is the program's name.
pub(crate) fn run(words: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Exit {
    output::set_up_diagnostics();
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) => {
            let error = with_hint(error);
            output::usage(&error);
            return output::close(if error.use_stderr() { Exit::Usage } else { Exit::Ok });
        }
    };
    let exit = execute(cli.command).unwrap_or_else(|failure| {
        failure.reports.iter().for_each(output::complain);
        failure.exit
    });
    output::close(exit)
}

/// Values of an experiment that people look for among the options.
const SETTINGS: [&str; 7] = ["requests", "rounds", "seed", "payload", "concurrency", "rate", "invocation"];

/// An unknown option that names a value of the experiment is to be set in another way.
fn with_hint(mut error: clap::Error) -> clap::Error {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    let key = match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::UnknownArgument, Some(ContextValue::String(option))) => {
            option.trim_start_matches('-').split('=').next().unwrap_or_default().to_owned()
        }
        _ => return error,
    };
    if SETTINGS.contains(&key.as_str()) {
        let hint = format!("it is a value of the experiment: write `--set {key}=VALUE`");
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![hint.into()]));
    }
    error
}

fn execute(command: Command) -> CommandResult {
    match command {
        Command::Run(args) => run::run(args),
        Command::Resume(args) => resume::resume(args),
        Command::Plan(args) => plan::plan(args),
        Command::Status(args) => status::status(args),
        Command::Submit(args) => submit::submit(args),
        Command::Table(args) => table::table(args),
        Command::Show(args) => show::show(args),
        Command::Why(args) => why::why(args),
        Command::Plot(args) => plot::plot(args),
        Command::Check(args) => check::check(args),
        Command::Appendix(args) => appendix::appendix(&args),
        Command::Report(args) => report::report(&args),
        Command::Verify(args) => verify::verify(args),
        Command::Diff(args) => diff::diff(args),
        Command::Bundle(args) => bundle::bundle(args),
        Command::Import(args) => import::import(args),
        Command::Export(args) => export::export(args),
        Command::Testbed(args) => testbed::testbed(args),
        Command::Live(args) => live::live(args),
        Command::Aws(args) => aws::aws(args),
        Command::Badge(args) => badge::badge(args),
        Command::Gc(args) => gc::gc(args),
        Command::Store(args) => store::store(&args),
        Command::Model(args) => model::model(args),
        Command::Init(args) => init::init(args),
        Command::Completions(args) => completions::completions(args),
        Command::Man(args) => man::man(args),
    }
}
