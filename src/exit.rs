//! Exit codes and failures: what the command tells a script, and what it tells a person.

use matrix_bundle::BundleError;
use matrix_gather::{ExportError, ImportError};
use matrix_plan::{Problem, Problems};
use matrix_store::{ErrorKind, StoreError};
use miette::{LabeledSpan, MietteDiagnostic, NamedSource, Report};

/// How the command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All well.
    Ok = 0,
    /// The program's own fault.
    Internal = 1,
    /// Bad usage or input.
    Usage = 2,
    /// Cells failed or are partial.
    Cells = 3,
    /// A claim is contradicted.
    Claim = 4,
    /// Integrity is violated.
    Integrity = 5,
    /// Interrupted; the state is saved.
    Interrupted = 130,
}

impl Exit {
    /// How a command ends after trouble of this kind with a store.
    pub(crate) fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Input | ErrorKind::Locked | ErrorKind::NotWritable => Self::Usage,
            ErrorKind::Full => Self::Cells,
            ErrorKind::Integrity => Self::Integrity,
            ErrorKind::Internal => Self::Internal,
        }
    }
}

/// A failure: how the command ends and what it says on the way out.
#[derive(Debug)]
pub(crate) struct Failure {
    /// How the command ends.
    pub(crate) exit: Exit,
    /// What it says: one report a problem.
    pub(crate) reports: Vec<Report>,
}

impl Failure {
    /// A failure with one message.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, reports: vec![MietteDiagnostic::new(message).into()] }
    }

    /// A failure with a message and a mend.
    pub(crate) fn with_help(exit: Exit, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { exit, reports: vec![MietteDiagnostic::new(message).with_help(help).into()] }
    }

    /// Bad usage or input.
    pub(crate) fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::with_help(Exit::Usage, message, help)
    }

    /// The problems of a text, each at its place.
    pub(crate) fn in_text(file: &str, text: &str, problems: Problems) -> Self {
        let report = |problem: Problem| {
            let mut diagnostic = MietteDiagnostic::new(problem.message);
            diagnostic.help = problem.help;
            match problem.span {
                Some(span) => {
                    let label = problem.label.unwrap_or_else(|| "here".to_owned());
                    let diagnostic = diagnostic.with_label(LabeledSpan::at(span, label));
                    Report::from(diagnostic).with_source_code(NamedSource::new(file, text.to_owned()))
                }
                None => {
                    diagnostic.message = format!("{file}: {}", diagnostic.message);
                    diagnostic.into()
                }
            }
        };
        Self { exit: Exit::Usage, reports: problems.0.into_iter().map(report).collect() }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let mut diagnostic = MietteDiagnostic::new(with_causes(&error));
        diagnostic.help = error.help();
        Self { exit: Exit::of(error.kind()), reports: vec![diagnostic.into()] }
    }
}

impl From<BundleError> for Failure {
    fn from(error: BundleError) -> Self {
        let exit = match error.kind() {
            matrix_bundle::ErrorKind::Input => Exit::Usage,
            matrix_bundle::ErrorKind::Integrity => Exit::Integrity,
            matrix_bundle::ErrorKind::Internal => Exit::Internal,
        };
        let mut diagnostic = MietteDiagnostic::new(with_causes(&error));
        diagnostic.help = error.help();
        Self { exit, reports: vec![diagnostic.into()] }
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        of_gather(&error, error.kind(), error.help())
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        of_gather(&error, error.kind(), error.help())
    }
}

fn of_gather(error: &dyn std::error::Error, kind: ErrorKind, help: Option<String>) -> Failure {
    let mut diagnostic = MietteDiagnostic::new(with_causes(error));
    diagnostic.help = help;
    // No cell is left undone where there is no room: that is for a run to say.
    let exit = if kind == ErrorKind::Full { Exit::Usage } else { Exit::of(kind) };
    Failure { exit, reports: vec![diagnostic.into()] }
}

/// An error and what caused it, in one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Exit::Internal, error.to_string())
    }
}

/// What a command returns.
pub(crate) type Outcome = Result<Exit, Failure>;
