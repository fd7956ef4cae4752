//! Tests of `schema.rs`.

use std::collections::BTreeSet;

use super::*;
use crate::experiment::{Experiment, aws, axis, barrier, document, local, matrix, sim};

/// A file that has every table.
const FILE: &str = r#"
    schema = 1
    name = "n"
    requests = 1
    [barrier]
    [sim]
    [local.links."eu->us"]
    delay_ms = 1
    [local.lag.s3]
    [local.servers]
    [aws.services]
    [[matrix]]
    name = "m"
    post_storage = ["s3"]
    notification_storage = ["sns"]
    regions = ["eu->us"]
    antipode = [true]
    delay_ms = { from = 0, to = 0, step = 1 }
    exclude = [{}]
    include = [{}]
    [[claim]]
    id = "c"
    says = "s"
    where = {}
    metric = "window_mean_ms"
    within = { value = 1, percent = 1 }
"#;

/// Every table: the way to it in [`FILE`] and in the schema, and the parser's keys.
fn tables() -> Vec<(&'static str, &'static str, &'static [&'static str])> {
    const MATRIX: &str = "/properties/matrix/items";
    const CLAIM: &str = "/properties/claim/items";
    let under = |at: &str, rest: &str| &*format!("{at}{rest}").leak();
    vec![
        ("", "", document::KEYS),
        ("barrier", "/properties/barrier", barrier::KEYS),
        ("sim", "/properties/sim", sim::KEYS),
        ("local", "/properties/local", local::KEYS),
        ("local links eu->us", "/properties/local/properties/links/additionalProperties", local::LINK),
        ("local lag", "/properties/local/properties/lag", local::LAGS),
        ("local lag s3", "/properties/local/properties/lag/properties/s3", local::LAG),
        ("local servers", "/properties/local/properties/servers", local::SERVERS),
        ("aws", "/properties/aws", aws::KEYS),
        ("aws services", "/properties/aws/properties/services", aws::SERVICES),
        ("matrix", MATRIX, matrix::KEYS),
        ("matrix delay_ms", under(MATRIX, "/properties/delay_ms/oneOf/1"), axis::SPAN_KEYS),
        ("matrix exclude", under(MATRIX, "/properties/exclude/items"), &axis::KEYS),
        ("matrix include", under(MATRIX, "/properties/include/items"), &axis::KEYS),
        ("claim", CLAIM, crate::claims::parse::KEYS),
        ("claim where", under(CLAIM, "/properties/where"), &axis::KEYS),
        ("claim within", under(CLAIM, "/properties/within"), crate::claims::parse::WITHIN_KEYS),
    ]
}

/// The problems of [`FILE`] when `key` of a table is a date, which nothing accepts.
fn with_a_date(way: &str, key: &str) -> String {
    let mut file: toml::Table = toml::from_str(FILE).unwrap();
    let mut table = &mut file;
    for step in way.split_whitespace() {
        let value = table.get_mut(step).unwrap();
        table = if value.is_array() { &mut value[0] } else { value }.as_table_mut().unwrap();
    }
    // What excludes a key makes room for it.
    let excluded: &[&str] = match key {
        "every_row" => &["metric", "within"],
        "at_most" | "at_least" => &["within"],
        _ => &[],
    };
    excluded.iter().for_each(|other| drop(table.remove(*other)));
    table.insert(key.to_owned(), toml::Value::Datetime("1999-12-31".parse().unwrap()));
    let text = toml::to_string(&file).unwrap();
    crate::rendered::render(&text, &Experiment::parse(&text).unwrap_err())
}

#[test]
fn the_schema_and_the_parser_know_the_same_keys() {
    for (table, way, parser) in tables() {
        let schema = schema();
        let schema = schema.pointer(way).unwrap()["properties"].as_object().unwrap();
        let schema: BTreeSet<&str> = schema.keys().map(String::as_str).collect();
        assert_eq!(schema, parser.iter().copied().collect(), "{table}");
    }
}

#[test]
fn the_parser_reads_every_key_that_it_knows_and_no_other() {
    for (table, _, keys) in tables() {
        for key in keys {
            let problems = with_a_date(table, key);
            assert!(problems.contains("not a date"), "{table} {key}:\n{problems}");
            assert!(!problems.contains("unknown key"), "{table} {key}:\n{problems}");
        }
        assert!(with_a_date(table, "nonsense").contains("unknown key `nonsense`"), "{table}");
    }
}

#[test]
fn the_committed_schema_is_current() {
    // Asked for now: what was built for one clone may serve another that shares its target directory.
    let path = std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/../../../docs/experiment.schema.json";
    let current = experiment_schema().unwrap();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == current, "docs/experiment.schema.json is old: run this test with UPDATE_SCHEMA=1");
}
