//! What can be wrong with an environment.

/// An environment that does not describe a function. Every case names the variable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A variable is missing or empty.
    #[error("environment variable `{0}` is not set")]
    Missing(String),
    /// A variable holds what it cannot.
    #[error("environment variable `{variable}` holds `{value}`, which is not {expected}")]
    Invalid {
        /// The variable.
        variable: String,
        /// What it holds. Never a secret: those are any text.
        value: String,
        /// What it should hold.
        expected: &'static str,
    },
}
