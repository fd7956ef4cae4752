//! What can be wrong with a model.

use std::ops::Range;

use matrix_plan::{NotificationStorage, PostStorage, RegionPair};

/// A model that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The text is not a model.
    #[error("line {line}, column {column}: {message}")]
    Text {
        /// What is wrong.
        message: String,
        /// Where in the text, in bytes.
        span: Range<usize>,
        /// Line of the beginning of `span`, from 1.
        line: usize,
        /// Column of the beginning of `span`, in characters, from 1.
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
        let before = text.get(..span.start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self::Text { message: message.into(), span, line, column }
    }

    /// Where in the text the error is, in bytes, if it is about the text.
    #[must_use]
    pub fn span(&self) -> Option<Range<usize>> {
        match self {
            Self::Text { span, .. } => Some(span.clone()),
            _ => None,
        }
    }
}
