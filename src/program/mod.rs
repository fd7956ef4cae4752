//! Commands on experiments whose workload is a program (schema 2): what is common to them.

mod charts;
mod choose;
mod consent;
mod diff;
mod print;
mod read;
mod replay;
mod run;
mod show;
mod table;
mod why;

use std::path::Path;

use matrix_command::Experiment;
use matrix_command::cells::CellError;
use matrix_command::run::{Input, InputFailure};
use matrix_command_derived::DerivedError;

use matrix_core::Problems;
use matrix_core::read::Reading;
use matrix_run::{Overrides, RunError, with_causes};

use crate::exit::{Exit, Failure};

pub(crate) use charts::{files, unless_empty};
pub(crate) use choose::{chosen, texts};
pub(crate) use diff::{Comparing, compared, print as print_comparisons};
pub(crate) use print::{PlanOptions, check, export, plan, plot, status};
pub(crate) use replay::{ReplayOptions, replay};
pub(crate) use run::{RunOptions, check_filter, resumable, resume, run, several_interrupted};
pub(crate) use show::show;
pub(crate) use table::table;
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
    let (_, experiment) = Input::without_files(&file.display().to_string(), text, Reading::Given)?;
    Ok(Some(experiment))
}

impl From<DerivedError> for Failure {
    fn from(error: DerivedError) -> Self {
        let (exit, help) = (Exit::of(error.kind()), error.help());
        match error {
            DerivedError::Store(error) => error.into(),
            DerivedError::Bundle(error) => error.into(),
            DerivedError::Input(failure) => failure.into(),
            DerivedError::Filter { text, problem } => in_text("--filter", &text, problem.into()),
            error => match help {
                Some(help) => Self::with_help(exit, with_causes(&error), help),
                None => Self::new(exit, with_causes(&error)),
            },
        }
    }
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
