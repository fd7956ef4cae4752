//! `[site]`: what is this machine's, and no part of any key.

use std::collections::BTreeMap;

use matrix_core::Value;
use matrix_core::read::{self, Table};
use matrix_core::{Problem, Problems};
use toml::de::{DeTable, DeValue};

use crate::remote::Destination;

/// What is this machine's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// Texts and numbers by name.
    pub values: BTreeMap<String, String>,
    /// Other hosts by the names that services know them by; none where only `--site` says where one is.
    pub hosts: BTreeMap<String, Option<Destination>>,
}

/// Reads `[site]`.
pub(super) fn site(root: &Table<'_>, problems: &mut Vec<Problem>) -> Site {
    let mut site = Site::default();
    if let Some(table) = root.get("site").and_then(|value| read::any_table(value, "[site]", problems)) {
        site_entries(table, &mut site, problems);
    }
    site
}

fn site_entries(table: &DeTable<'_>, site: &mut Site, problems: &mut Vec<Problem>) {
    for (key, _, value) in read::entries(table) {
        match key {
            "hosts" => hosts(value, site, problems),
            _ => site.values.extend(text_of(key, value, "[site]", problems)),
        }
    }
}

/// Reads `hosts`: for each name one destination, alone or in a list; an empty list where only `--site` says it.
fn hosts(value: &read::Value<'_>, site: &mut Site, problems: &mut Vec<Problem>) {
    let Some(table) = read::any_table(value, "`hosts` of [site]", problems) else { return };
    for (name, _, value) in read::entries(table) {
        let one = match value.get_ref() {
            DeValue::Array(items) => match items.len() {
                0 => None,
                1 => items.iter().next(),
                _ => {
                    let problem = Problem::new(format!("`{name}` of `hosts` has several hosts")).at(value.span());
                    problems.push(problem.label("expected one").help(
                        "give each host a name and a service of its own: hosts = { first = [...], second = [...] }",
                    ));
                    continue;
                }
            },
            _ => Some(value),
        };
        let Some(one) = one else {
            site.hosts.insert(name.to_owned(), None);
            continue;
        };
        let Some(text) = read::text(one, &format!("a host of `{name}`"), problems) else { continue };
        match Destination::parse(text) {
            Some(destination) => drop(site.hosts.insert(name.to_owned(), Some(destination))),
            None => {
                let problem =
                    Problem::new(format!("`{text}` is no host")).at(one.span()).label("cannot be reached by ssh");
                problems.push(problem.help("write user@10.0.0.2, or user@10.0.0.2:2222 with ssh's port"));
            }
        }
    }
}

/// Reads a table of texts and numbers.
pub(super) fn texts(root: &Table<'_>, key: &str, name: &str, problems: &mut Vec<Problem>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let Some(value) = root.get(key) else { return found };
    let Some(table) = read::any_table(value, name, problems) else { return found };
    for (key, _, value) in read::entries(table) {
        found.extend(text_of(key, value, name, problems));
    }
    found
}

/// A text or number, with its key.
fn text_of(key: &str, value: &read::Value<'_>, name: &str, problems: &mut Vec<Problem>) -> Option<(String, String)> {
    let text = match value.get_ref() {
        DeValue::Array(items) if name == "[artifact]" => {
            let items = items.iter().filter_map(|item| Value::of_toml(item.get_ref()));
            Some(items.map(|item| item.to_string()).collect::<Vec<_>>().join("; "))
        }
        other => Value::of_toml(other).map(|value| value.to_string()),
    };
    if text.is_none() {
        let what = format!("`{key}` of {name}");
        problems.push(read::wrong_type(&what, "a text or a number", value.get_ref(), value.span()));
    }
    if text.as_ref().is_some_and(|text| text.contains('\0')) {
        problems.push(super::strings::nul(value.span()));
    }
    text.map(|text| (key.to_owned(), text))
}

/// Reads a file of `--site`: the keys of `[site]` at its top.
///
/// # Errors
/// What is wrong with it, with places in `text`.
pub fn parse_site(text: &str) -> Result<Site, Problems> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut problems = Vec::new();
    if let Some(error) = errors.first() {
        let problem = Problem::new(error.message().to_owned());
        problems.push(error.span().map_or_else(|| problem.clone(), |span| problem.clone().at(span)));
    }
    let mut found = Site::default();
    let document = document.get_ref();
    let table = match document.get("site").map(|value| value.get_ref()) {
        Some(DeValue::Table(table)) => table,
        _ => document,
    };
    site_entries(table, &mut found, &mut problems);
    Problems::unless_none(problems, Some(found))
}
