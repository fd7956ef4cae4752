//! `matrix init`.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::exit::{CommandResult, Exit, Failure};
use crate::output;

/// Write an experiment file to start from
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The file to write; an existing one is left alone
    #[arg(value_name = "FILE", default_value = "experiment.toml")]
    file: PathBuf,
    /// What it runs
    #[arg(long, value_enum, default_value_t = Workload::PostNotification)]
    workload: Workload,
}

/// Workloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Workload {
    /// The application of the paper that this program began with.
    PostNotification,
    /// A program of your own.
    Command,
}

pub(crate) fn init(args: InitArgs) -> CommandResult {
    let file = output::path(&args.file);
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::usage(format!("{file} already exists"), "name another file: matrix init FILE")
        }
        _ => output::unwritable(&args.file, &error),
    };
    let mut target = output::new_file(&args.file)?;
    let text = if args.workload == Workload::Command { COMMAND } else { TEMPLATE };
    target.write_all(text.as_bytes()).map_err(failed)?;
    target.persist_noclobber(&args.file).map_err(|error| failed(error.error))?;
    output::line(format_args!("wrote {file}\nnext: matrix run {} --plot", output::word(&args.file)))?;
    Ok(Exit::Ok)
}

const TEMPLATE: &str = include_str!("init.toml");

const COMMAND: &str = include_str!("init-command.toml");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_a_good_experiment() {
        let experiment = matrix_plan::Experiment::parse(TEMPLATE).unwrap();
        assert!(!experiment.cells().is_empty());
        let experiment = matrix_command::Experiment::parse(COMMAND).unwrap();
        assert!(!experiment.points.is_empty() && !experiment.figures.is_empty());
    }
}
