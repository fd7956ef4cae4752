//! `[site]`: what is this machine's, and no part of any key.

use std::collections::BTreeMap;

use matrix_core::Value;
use matrix_core::read::{self, Table};
use matrix_core::{Problem, Problems};
use toml::de::{DeTable, DeValue};

/// Reads `[site]`.
pub(super) fn site(root: &Table<'_>, problems: &mut Vec<Problem>) -> BTreeMap<String, String> {
    texts(root, "site", "[site]", problems)
}

/// Reads a table of texts and numbers.
pub(super) fn texts(root: &Table<'_>, key: &str, name: &str, problems: &mut Vec<Problem>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let Some(value) = root.get(key) else { return found };
    let Some(table) = read::any_table(value, name, problems) else { return found };
    entries(table, name, &mut found, problems);
    found
}

fn entries(table: &DeTable<'_>, name: &str, found: &mut BTreeMap<String, String>, problems: &mut Vec<Problem>) {
    for (key, place, value) in read::entries(table) {
        if name == "[site]" && key == "hosts" {
            problems.push(read::unsupported("`hosts` of [site]", place));
            continue;
        }
        let text = match value.get_ref() {
            DeValue::Array(items) if name == "[artifact]" => {
                let items: Vec<String> = items
                    .iter()
                    .filter_map(|item| Value::of_toml(item.get_ref()))
                    .map(|item| item.to_string())
                    .collect();
                Some(items.join("; "))
            }
            other => Value::of_toml(other).map(|value| value.to_string()),
        };
        match text {
            Some(text) => drop(found.insert(key.to_owned(), text)),
            None => problems.push(read::wrong_type(
                &format!("`{key}` of {name}"),
                "a text or a number",
                value.get_ref(),
                value.span(),
            )),
        }
    }
}

/// Reads a file of `--site`: the keys of `[site]` at its top.
///
/// # Errors
/// What is wrong with it, with places in `text`.
pub fn parse_site(text: &str) -> Result<BTreeMap<String, String>, Problems> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut problems = Vec::new();
    if let Some(error) = errors.first() {
        let problem = Problem::new(error.message().to_owned());
        problems.push(error.span().map_or_else(|| problem.clone(), |span| problem.clone().at(span)));
    }
    let mut found = BTreeMap::new();
    let document = document.get_ref();
    let table = match document.get("site").map(|value| value.get_ref()) {
        Some(DeValue::Table(table)) => table,
        _ => document,
    };
    entries(table, "[site]", &mut found, &mut problems);
    Problems::unless_none(problems, Some(found))
}
