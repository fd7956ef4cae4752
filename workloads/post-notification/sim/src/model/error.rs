//! What can be wrong with a model.

use std::ops::Range;

use matrix_plan::{NotificationStorage, PostStorage, Problem, RegionPair};

/// A model that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The text is not a model.
    #[error("line {line}, column {column}: {}{}{}", problem.message, after("; ", problem.label.as_ref().filter(|label| *label != "unknown")), after("; ", problem.help.as_ref()))]
    Text {
        /// What is wrong, and where in the text.
        problem: Problem,
        /// Line of the beginning, from 1.
        line: usize,
        /// Column of the beginning, in characters, from 1.
        column: usize,
    },
    /// No model goes by that name.
    #[error("there is no built-in model `{0}`: the only one is `{BUILTIN}`", BUILTIN = super::Model::BUILTIN_NAME)]
    Unknown(String),
    /// The model says nothing of a post storage.
    #[error("the model has no post storage `{0}`")]
    NoPostStorage(PostStorage),
    /// The model says nothing of a notification storage.
    #[error("the model has no notification storage `{0}`")]
    NoNotificationStorage(NotificationStorage),
    /// The model has no round-trip time for a pair, nor for its reverse.
    #[error("the model has no round-trip time for `{0}`: add it under [rtt]")]
    NoRoundTrip(RegionPair),
    /// The model has no data for its reference pair, from which it could extrapolate.
    #[error("the model has no data of `{storage}` for its reference pair `{pair}`, from which others are extrapolated")]
    NoReference {
        /// The storage.
        storage: PostStorage,
        /// The reference pair.
        pair: RegionPair,
    },
    /// A parameter has no canonical JSON.
    #[error("the model's parameters cannot be written down: {0}")]
    Canonical(String),
}

impl ModelError {
    /// An error at a place of `text`.
    pub(super) fn at(text: &str, span: Range<usize>, message: impl Into<String>) -> Self {
        Self::of(text, span, Problem::new(message))
    }

    /// A problem at a place of `text`.
    pub(super) fn of(text: &str, span: Range<usize>, problem: Problem) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self::Text { problem: problem.at(span), line, column }
    }

    /// What the library that reads TOML says, at a place of `text`: of a name that nothing goes by with the nearest valid
    /// spelling.
    pub(super) fn of_toml(text: &str, error: &toml::de::Error) -> Self {
        let message = error.message().trim().replace('\n', ", ");
        let unknown = [("unknown field `", "key"), ("unknown variant `", "value")]
            .into_iter()
            .find_map(|(start, what)| Some((message.strip_prefix(start)?, what)));
        let problem = unknown.and_then(|(names, what)| {
            let mut names = names.split('`').step_by(2);
            let found = names.next()?;
            let known: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
            (!known.is_empty())
                .then(|| Problem::new(format!("unknown {what} `{found}`")).unknown(found, "known", &known))
        });
        Self::of(text, error.span().unwrap_or_default(), problem.unwrap_or_else(|| Problem::new(message)))
    }

    /// What is wrong with the text and where, if the error is about the text.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Text { problem, .. } => Some(problem),
            _ => None,
        }
    }
}

fn after(separator: &str, words: Option<&String>) -> String {
    words.map_or_else(String::new, |words| format!("{separator}{words}"))
}
