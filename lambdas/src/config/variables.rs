//! Environment variables: their names, and reading them.

use std::collections::BTreeMap;
use std::fmt;

use super::ConfigError;

/// An end of a storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// In the writer's region.
    Writer,
    /// In the reader's region.
    Reader,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Writer => "writer",
            Self::Reader => "reader",
        })
    }
}

/// Variables by name.
pub type Variables = BTreeMap<String, String>;

/// The process's environment. Variables that are not Unicode are none of ours.
#[must_use]
pub fn environment() -> Variables {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The variable of a setting: `<datastore>_<setting>`, upper-cased, with `-` as `_`. The setting
/// `host__eu-central-1__writer` of `mysql` becomes `MYSQL_HOST__EU_CENTRAL_1__WRITER`.
pub(super) fn name(datastore: &str, setting: &str) -> String {
    format!("{datastore}_{setting}").replace('-', "_").to_ascii_uppercase()
}

/// The variable of a setting that a region has.
pub(super) fn regional(datastore: &str, setting: &str, region: &str) -> String {
    name(datastore, &format!("{setting}__{region}"))
}

/// The variable of a setting that an end of a storage has.
pub(super) fn sided(datastore: &str, setting: &str, region: &str, side: Side) -> String {
    name(datastore, &format!("{setting}__{region}__{side}"))
}

/// The text of a variable that must be there.
pub(super) fn required(variables: &Variables, name: &str) -> Result<String, ConfigError> {
    optional(variables, name).map(str::to_owned).ok_or_else(|| ConfigError::Missing(name.to_owned()))
}

/// The text of a variable, unless it is missing or empty.
pub(super) fn optional<'a>(variables: &'a Variables, name: &str) -> Option<&'a str> {
    variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

/// Reads a variable that must be there.
pub(super) fn parsed<T>(
    variables: &Variables,
    name: &str,
    expected: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, ConfigError> {
    let value = required(variables, name)?;
    read(&value).ok_or_else(|| ConfigError::Invalid { variable: name.to_owned(), value, expected })
}

/// Reads a variable that may be missing.
pub(super) fn parsed_or<T>(
    variables: &Variables,
    name: &str,
    expected: &'static str,
    default: T,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, ConfigError> {
    if optional(variables, name).is_none() { Ok(default) } else { parsed(variables, name, expected, read) }
}
