//! Exit codes and failures: what the command tells a script, and what it tells a person.

use matrix_antipode_artifact::{ExportError, ImportError};
use matrix_bundle::BundleError;
use matrix_plan::Problem;
use matrix_plan::printable::{self, is_unprintable, one_line};
use matrix_report::page::PageError;
use matrix_run::{FailureKind, RunError, SessionEnd, with_causes};
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
    /// Another process is writing the store.
    Busy = 6,
    /// Interrupted; the state is saved.
    Interrupted = 130,
}

impl Exit {
    /// How a command ends after trouble of this kind with a store.
    pub(crate) fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Input | ErrorKind::NotWritable => Self::Usage,
            ErrorKind::Locked => Self::Busy,
            ErrorKind::Full => Self::Cells,
            ErrorKind::Integrity => Self::Integrity,
            _ => Self::Internal,
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
        Self { exit, reports: vec![MietteDiagnostic::new(printable::lines(&message.into())).into()] }
    }

    /// A failure with a message and a fix.
    pub(crate) fn with_help(exit: Exit, message: impl Into<String>, help: impl Into<String>) -> Self {
        let (message, help) = (message.into(), help.into());
        let diagnostic = MietteDiagnostic::new(printable::lines(&message)).with_help(printable::lines(&help));
        Self { exit, reports: vec![diagnostic.into()] }
    }

    /// Bad usage or input.
    pub(crate) fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::with_help(Exit::Usage, message, help)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let exit = match error.kind {
            FailureKind::Input => Exit::Usage,
            FailureKind::Busy => Exit::Busy,
            FailureKind::Unfinished => Exit::Cells,
            FailureKind::Integrity => Exit::Integrity,
            _ => Exit::Internal,
        };
        let report = |problem: Problem| {
            let mut diagnostic = MietteDiagnostic::new(printable::lines(&problem.message));
            diagnostic.help = problem.help.map(|help| printable::lines(&help).into_owned());
            match (problem.span, &error.text) {
                (Some(span), Some((file, text))) => {
                    let label = problem.label.unwrap_or_else(|| "here".to_owned());
                    let (text, span) = shown(text, span);
                    let diagnostic = diagnostic.with_label(LabeledSpan::at(span, one_line(&label)));
                    Report::from(diagnostic).with_source_code(NamedSource::new(one_line(file), text))
                }
                _ => diagnostic.into(),
            }
        };
        Self { exit, reports: error.problems.into_iter().map(report).collect() }
    }
}

impl From<SessionEnd> for Exit {
    fn from(end: SessionEnd) -> Self {
        match end {
            SessionEnd::Complete => Self::Ok,
            SessionEnd::Failed | SessionEnd::Pending => Self::Cells,
            SessionEnd::Interrupted => Self::Interrupted,
        }
    }
}

/// A text and a place in it, as they are shown: what a terminal would act on becomes one visible character each, so that
/// columns stay what they are.
fn shown(text: &str, span: std::ops::Range<usize>) -> (String, std::ops::Range<usize>) {
    let (mut shown, mut start, mut end) = (String::with_capacity(text.len()), None, None);
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        if at >= span.start {
            start.get_or_insert(shown.len());
        }
        if at >= span.end {
            end.get_or_insert(shown.len());
        }
        let ends_line = letter == '\r' && letters.peek().is_some_and(|(_, next)| *next == '\n');
        shown.push(match letter {
            '\n' | '\t' => letter,
            '\r' if ends_line => letter,
            // Unicode has pictures of the first 32 control characters, and of DEL.
            '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(letter)).unwrap_or('\u{fffd}'),
            '\u{7f}' => '\u{2421}',
            letter if is_unprintable(letter) => '\u{fffd}',
            letter => letter,
        });
    }
    let (start, end) = (start.unwrap_or(shown.len()), end.unwrap_or(shown.len()));
    (shown, start..end)
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        RunError::from(error).into()
    }
}

impl From<BundleError> for Failure {
    fn from(error: BundleError) -> Self {
        RunError::from(error).into()
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
    // No cell is left undone where there is no room: that is for a run to say.
    let exit = if kind == ErrorKind::Full { Exit::Usage } else { Exit::of(kind) };
    let mut diagnostic = MietteDiagnostic::new(one_line(&with_causes(error)));
    diagnostic.help = help;
    Failure { exit, reports: vec![diagnostic.into()] }
}

impl From<PageError> for Failure {
    fn from(error: PageError) -> Self {
        Self::new(Exit::Internal, with_causes(&error))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Exit::Internal, error.to_string())
    }
}

/// What a command returns.
pub(crate) type CommandResult = Result<Exit, Failure>;
