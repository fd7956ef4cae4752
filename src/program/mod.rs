//! Commands on experiments whose workload is a program (schema 2): what is common to them.

mod appendix;
mod attempts;
mod badge;
mod bundle;
mod charts;
mod choose;
mod consent;
mod derive;
mod diff;
mod overlay;
mod print;
mod replay;
pub(crate) mod report;
mod run;
mod shards;
mod show;
mod why;

use std::path::Path;

use matrix_command::Experiment;
use matrix_command::cells::CellError;
use matrix_command::run::InputFailure;

use matrix_core::Problems;
use matrix_run::{Overrides, RunError};

use crate::exit::{Exit, Failure};

pub(crate) use appendix::appendix;
pub(crate) use badge::{badge, stand};
pub(crate) use bundle::{CreateOptions, check as check_bundle, create, is_program_bundle, merge, page_of};
pub(crate) use charts::{Picture, files, picture, unless_empty};
pub(crate) use choose::chosen;
pub(crate) use diff::{Comparing, diff};
pub(crate) use print::{PlanOptions, check, export, plan, plot, status};
pub(crate) use replay::{ReplayOptions, replay};
pub(crate) use run::{RunOptions, check_filter, resumable, resume, run, several_interrupted};
pub(crate) use show::show;
pub(crate) use why::why;

/// The problems of a text, each at its place.
fn in_text(name: &str, text: &str, problems: Problems) -> Failure {
    RunError::in_text(name, text, problems).into()
}

/// The text of an experiment's file with its overrides, if it is one of schema 2.
pub(crate) fn text_of(file: &Path, overrides: &Overrides) -> Result<Option<String>, Failure> {
    // A file that cannot be read is told by whoever reads it next.
    let Ok(text) = std::fs::read_to_string(file) else { return Ok(None) };
    if !matrix_command::file::is_schema_2(&text) {
        return Ok(None);
    }
    if overrides.platform.is_some() {
        return Err(Failure::usage("--platform says nothing of a program", "the workload runs on this machine"));
    }
    Ok(Some(matrix_run::apply(&file.display().to_string(), text, overrides)?))
}

/// The name of a file's experiment, if it is one of schema 2. The files that its cells depend on need not be there.
pub(crate) fn name_of(file: &Path) -> Result<Option<String>, Failure> {
    Ok(experiment_of(file)?.map(|experiment| experiment.name))
}

/// The experiment of a file, if it is one of schema 2. The files that its cells depend on need not be there.
pub(crate) fn experiment_of(file: &Path) -> Result<Option<Experiment>, Failure> {
    let Some(text) = text_of(file, &Overrides::default())? else { return Ok(None) };
    let (_, experiment) = matrix_command::run::Input::without_files(&file.display().to_string(), text)?;
    Ok(Some(experiment))
}

impl From<InputFailure> for Failure {
    fn from(failure: InputFailure) -> Self {
        match failure {
            InputFailure::Text(name, text, problems) => in_text(&name, &text, problems),
            InputFailure::Cells(error @ CellError::Json(_)) => Self::new(Exit::Internal, error.to_string()),
            InputFailure::Cells(error) => Self::usage(
                error.to_string(),
                "`inputs` of [command] are files below `dir` that are part of every cell's key",
            ),
            InputFailure::Read(path, error) => Self::new(Exit::Usage, format!("{}: {error}", path.display())),
        }
    }
}
