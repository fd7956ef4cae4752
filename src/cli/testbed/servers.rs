//! `matrix testbed`: the servers on this machine.

use std::path::Path;

use matrix_live::testbed::{StateDir, down, install, status, supervise};
use matrix_plan::LocalConfig;
use matrix_run::{Input, Overrides};

use crate::cli::testbed::{TestbedArgs, TestbedCommand, UpArgs};
use crate::cli::{Format, FormatArgs};
use crate::exit::{CommandResult, Exit, Failure};
use crate::live::local::bring_up;
use crate::output;
use crate::signals;

/// Does what was asked.
pub(in crate::cli) fn testbed(args: TestbedArgs) -> CommandResult {
    let state = match &args.state {
        Some(path) => StateDir::at(path)?,
        None => StateDir::of_user()?,
    };
    match args.command {
        TestbedCommand::Install => {
            install()?;
            output::line("everything that the local testbed needs is installed")?;
            Ok(Exit::Ok)
        }
        TestbedCommand::Up(args) => start(&state, &args),
        TestbedCommand::Status(format) => show(&state, &format),
        TestbedCommand::Down => stop(&state),
        TestbedCommand::Supervise => {
            signals::leave_to_command();
            supervise(&state)?;
            Ok(Exit::Ok)
        }
    }
}

fn start(state: &StateDir, args: &UpArgs) -> CommandResult {
    let config = match &args.file {
        Some(file) => config_of(file)?,
        None => LocalConfig::default(),
    };
    let (testbed, _lease) = bring_up(state, &config)?;
    testbed.keep()?;
    output::line(testbed.status()?.to_string().trim_end())?;
    output::line(format_args!("logs: {}\nto end it: matrix testbed down", state.logs().display()))?;
    Ok(Exit::Ok)
}

/// The testbed that an experiment needs, whatever platform it names.
fn config_of(file: &Path) -> Result<LocalConfig, Failure> {
    let overrides = Overrides { platform: Some("local".to_owned()), ..Overrides::default() };
    Ok(Input::from_file(file, &overrides)?.experiment.local.config)
}

fn show(state: &StateDir, format: &FormatArgs) -> CommandResult {
    let (_, status) = status(state)?;
    match format.format {
        Format::Json => output::json(&status)?,
        Format::Table => {
            output::line(status.to_string().trim_end())?;
            output::line(format_args!("logs: {}", state.logs().display()))?;
        }
    }
    Ok(if status.is_healthy() { Exit::Ok } else { Exit::Cells })
}

fn stop(state: &StateDir) -> CommandResult {
    let ended = down(state)?;
    output::line(match (ended.was_running, ended.killed) {
        (true, _) => "the testbed has ended".to_owned(),
        (false, 0) => "no testbed was running".to_owned(),
        (false, killed) => format!("{killed} processes were left of a testbed and have been ended"),
    })?;
    Ok(Exit::Ok)
}
