//! The command line as a whole.

use std::ffi::OsString;

use clap::{Parser, Subcommand};

use super::{
    appendix, aws, badge, bundle, check, completions, diff, export, gc, import, init, live, man, model, plan, plot,
    report, resume, run, show, status, store, submit, table, testbed, verify, why,
};
use crate::exit::{CommandResult, Exit};
use crate::output;

/// A declarative experiment-matrix runner, for any program and for geo-replication experiments.
///
/// An experiment is one TOML file that declares the cross-product of some axes: of a program of one's own (`workload =
/// "command"`), whatever varies; of the post-notification application, post storages, notification storages, region pairs,
/// delays and antipode on/off. `matrix run` executes every cell of it once, resumes after anything, and keeps every result
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

/// The commands, each of which is a file.
macro_rules! commands {
    ($($command:ident($name:ident::$args:ident),)+) => {
        #[derive(Debug, Subcommand)]
        enum Command {
            $($command($name::$args),)+
        }

        fn execute(command: Command) -> CommandResult {
            match command {
                $(Command::$command(args) => $name::$name(args),)+
            }
        }
    };
}

commands! {
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

/// The command line as clap knows it, for help, completions and the manual.
pub(crate) fn definition() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// Parses the command line, executes the command and reports its failure.
pub(crate) fn main() -> Exit {
    run_words(std::env::args_os())
}

/// The same with these words, of which the first is the program's name.
pub(crate) fn run_words(words: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Exit {
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
