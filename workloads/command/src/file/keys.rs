//! The keys of every table, for who compares them with the JSON Schema.

pub(crate) const EXPERIMENT: &[&str] = super::document::KEYS;
pub(crate) const REQUIRE: &[&str] = super::require::KEYS;
pub(crate) const COMMAND: &[&str] = super::command::KEYS;
pub(crate) const SERVICE: &[&str] = super::service::KEYS;
pub(crate) const COLUMN: &[&str] = super::columns::KEYS;
pub(crate) const METRIC: &[&str] = super::metrics::KEYS;
pub(crate) const PREPARE: &[&str] = super::prepare::KEYS;
pub(crate) const HOST: &[&str] = super::host::KEYS;
