//! What an examination finds.

use std::fmt;

use serde::Serialize;

use crate::cloud::{Answer, CloudError};

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Not as it should be.
    Problem,
    /// Nobody can tell from here, or not yet.
    NotChecked,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Problem => "problem",
            Self::NotChecked => "not checked",
        })
    }
}

/// A line of an examination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How it is.
    pub verdict: Verdict,
    /// What was looked at.
    pub about: String,
    /// What was seen.
    pub seen: String,
    /// What to do about a problem, or to have it checked.
    pub fix: Option<String>,
}

impl Finding {
    /// Something that is as it should be.
    #[must_use]
    pub fn ok(about: impl Into<String>, seen: impl Into<String>) -> Self {
        Self { verdict: Verdict::Ok, about: about.into(), seen: seen.into(), fix: None }
    }

    /// Something that is not.
    #[must_use]
    pub fn problem(about: impl Into<String>, seen: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { verdict: Verdict::Problem, about: about.into(), seen: seen.into(), fix: Some(fix.into()) }
    }

    /// Something that nobody can tell.
    #[must_use]
    pub fn not_checked(about: impl Into<String>, seen: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { verdict: Verdict::NotChecked, about: about.into(), seen: seen.into(), fix: Some(fix.into()) }
    }

    /// Something that could not be asked for. Where the caller may not (`action`), nobody can tell how it is; else it is a
    /// problem.
    pub(super) fn unanswered(about: impl Into<String>, error: &CloudError, action: &str, fix: &str) -> Self {
        if error.answer() == Some(Answer::Denied) {
            let fix = format!("allow these credentials {action} (docs/aws.md#security)");
            return Self::not_checked(about, error.to_string(), fix);
        }
        Self::problem(about, error.to_string(), fix)
    }
}
