//! What is wrong with a text that a person wrote, and where.

use std::fmt;
use std::ops::Range;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// Where: byte offsets into the text.
    pub span: Option<Range<usize>>,
    /// The label at that place.
    pub label: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    /// A problem without a place.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), span: None, label: None, help: None }
    }

    /// The same problem, at a place.
    #[must_use]
    pub fn at(mut self, span: Range<usize>) -> Self {
        self.span = Some(span);
        self
    }

    /// The same problem, with words for its place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// The same problem, with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same problem with a name that nothing goes by: the label asks for the nearest valid spelling, the help lists
    /// all of them.
    #[must_use]
    pub fn unknown(self, text: &str, what: &str, known: &[&str]) -> Self {
        if known.is_empty() {
            return self.label("unknown").help("there is none here");
        }
        let problem = self.help(format!("{what}: {}", known.join(", ")));
        match crate::spelling::nearest(text, known) {
            Some(near) => problem.label(format!("did you mean `{near}`?")),
            None => problem.label("unknown"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Everything that is wrong with a text, in the order of the text. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// `Ok(value)` if nothing was wrong, else the problems in the order of the text.
    ///
    /// # Errors
    /// The problems, where there are any.
    pub fn unless_none<T>(mut problems: Vec<Problem>, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if problems.is_empty() => Ok(value),
            _ => {
                problems.sort_by_key(|problem| problem.span.as_ref().map(|span| (span.start, span.end)));
                Err(Self(problems))
            }
        }
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            fmt::Display::fmt(problem, f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
