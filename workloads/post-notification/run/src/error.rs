//! What can go wrong, as a caller needs it: of what kind it is, what to say, where, and what to do about it.

use std::error::Error;
use std::fmt;

use matrix_bundle::BundleError;
use matrix_plan::printable::one_line;
use matrix_plan::{Problem, Problems};
use matrix_store::StoreError;

/// Of what kind a failure is: a command chooses its exit code by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureKind {
    /// Bad input.
    Input,
    /// Another process is writing the store.
    Busy,
    /// Cells were left undone: something ended that they need, or there is no room for their results.
    Unfinished,
    /// What is stored is not what was stored, or does not follow from it.
    Integrity,
    /// The program's own fault, or the system's.
    Internal,
}

impl From<matrix_store::ErrorKind> for FailureKind {
    fn from(kind: matrix_store::ErrorKind) -> Self {
        use matrix_store::ErrorKind;
        match kind {
            ErrorKind::Input | ErrorKind::NotWritable => Self::Input,
            ErrorKind::Locked => Self::Busy,
            ErrorKind::Full => Self::Unfinished,
            ErrorKind::Integrity => Self::Integrity,
            _ => Self::Internal,
        }
    }
}

/// A failure: its kind, and one problem or several, each with its message and, where there is one, its place and its help.
#[derive(Debug)]
#[non_exhaustive]
pub struct RunError {
    /// Of what kind it is.
    pub kind: FailureKind,
    /// What is wrong. Spans are places in [`text`](Self::text).
    pub problems: Vec<Problem>,
    /// The text that the problems are in, and the name of its file.
    pub text: Option<(String, String)>,
}

impl RunError {
    /// A failure with one message.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, problems: vec![Problem::new(message)], text: None }
    }

    /// A failure with a message and what to do about it.
    pub fn with_help(kind: FailureKind, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { kind, problems: vec![Problem::new(message).help(help)], text: None }
    }

    /// Bad input.
    pub fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::with_help(FailureKind::Input, message, help)
    }

    /// The problems of a text, each at its place.
    #[must_use]
    pub fn in_text(file: &str, text: &str, problems: Problems) -> Self {
        let placed = |mut problem: Problem| {
            problem.message = one_line(&problem.message).into_owned();
            if problem.span.is_none() {
                problem.message = format!("{file}: {}", problem.message);
            }
            problem
        };
        let problems = problems.0.into_iter().map(placed).collect();
        Self { kind: FailureKind::Input, problems, text: Some((file.to_owned(), text.to_owned())) }
    }

    /// What is wrong with a bundle, and which one it is: the library is given its bytes.
    #[must_use]
    pub fn of_bundle(name: &str, error: BundleError) -> Self {
        let is_refused = matches!(error, BundleError::Refused { .. });
        let mut this = Self::from(error);
        for problem in this.problems.iter_mut().filter(|_| is_refused) {
            problem.message = format!("{name}: {}", problem.message);
        }
        this
    }

    /// A file that an experiment, of this name and text, names by `key` of `table`, and that cannot be used: told at the place
    /// where it is named, if it is.
    #[must_use]
    pub fn named_file((name, text): (&str, &str), (table, key): (&str, &str), message: String, help: &str) -> Self {
        let document = toml_edit::Document::parse(text).ok();
        let place = document.and_then(|document| document.as_table().get(table)?.get(key)?.span());
        match place {
            Some(span) => {
                Self::in_text(name, text, Problem::new(message).at(span).label("named here").help(help).into())
            }
            None => Self::usage(message, help),
        }
    }

    /// The same failure, of another kind.
    #[must_use]
    pub fn of_kind(self, kind: FailureKind) -> Self {
        Self { kind, ..self }
    }

    fn of(kind: FailureKind, error: &dyn Error, help: Option<String>) -> Self {
        // It may repeat what stands in a file: it stays in one line.
        let mut problem = Problem::new(one_line(&with_causes(error)));
        problem.help = help;
        Self { kind, problems: vec![problem], text: None }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let messages: Vec<&str> = self.problems.iter().map(|problem| problem.message.as_str()).collect();
        f.write_str(&messages.join("; "))
    }
}

impl Error for RunError {}

impl From<StoreError> for RunError {
    fn from(error: StoreError) -> Self {
        Self::of(error.kind().into(), &error, error.help())
    }
}

impl From<BundleError> for RunError {
    fn from(error: BundleError) -> Self {
        let kind = match (&error, error.kind()) {
            (BundleError::Store(error), _) if error.kind() == matrix_store::ErrorKind::Locked => FailureKind::Busy,
            (_, matrix_bundle::ErrorKind::Input) => FailureKind::Input,
            (_, matrix_bundle::ErrorKind::Integrity) => FailureKind::Integrity,
            _ => FailureKind::Internal,
        };
        if let BundleError::Conflicts(_) = &error {
            // A list, of names that are checked.
            return Self::with_help(kind, error.to_string(), error.help().unwrap_or_default());
        }
        Self::of(kind, &error, error.help())
    }
}

impl From<std::io::Error> for RunError {
    fn from(error: std::io::Error) -> Self {
        Self::new(FailureKind::Internal, error.to_string())
    }
}

/// An error and what caused it, in one line.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
