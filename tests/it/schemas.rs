//! The JSON Schema of schema 2, for editors: `docs/experiment-2.schema.json`.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::workbench::{Workbench, ended, here, installed};

/// Both workloads: which one it is, `workload` says.
fn schema() -> String {
    let mut original: Value = serde_json::from_str(&matrix_plan::experiment_schema().unwrap()).unwrap();
    let title = original.as_object_mut().unwrap();
    title.remove("$schema");
    title.remove("title");
    original["properties"]["schema"]["const"] = json!(2);
    original["properties"]["workload"] =
        json!({ "const": "post-notification", "description": "What the experiment runs." });
    original["properties"]["figure"] = json!({
        "description": "What `matrix plot` draws beside its presets.", "type": "array", "items": matrix_command::schema::figure(),
    });
    original["required"].as_array_mut().unwrap().push(json!("workload"));
    let whole = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Experiment",
        "description": "An experiment of matrix, of schema 2.",
        "type": "object",
        "required": ["schema", "workload"],
        "properties": { "workload": { "enum": ["command", "post-notification"] } },
        "if": { "properties": { "workload": { "const": "post-notification" } } },
        "then": original,
        "else": matrix_command::schema::schema(),
    });
    serde_json::to_string_pretty(&whole).unwrap() + "\n"
}

fn committed() -> PathBuf {
    here().join("docs/experiment-2.schema.json")
}

#[test]
fn the_committed_schema_is_current() {
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(committed(), schema()).unwrap();
    }
    let found = std::fs::read_to_string(committed()).unwrap_or_default();
    assert!(found == schema(), "docs/experiment-2.schema.json is old: run this test with UPDATE_SCHEMA=1");
}

#[test]
fn a_validator_accepts_what_init_writes_and_what_is_shipped_and_nothing_misspelt() {
    let python = installed("tables/bin/python3");
    let bench = Workbench::new();
    bench.matrix(&["init", "--workload", "command", "init.toml"]).code(0);
    let text = bench.read("init.toml");
    for (name, from, to) in [
        ("bad-key.toml", "rounds = 5", "ruonds = 5"),
        ("bad-kind.toml", "kind = \"line\"", "kind = \"pie\""),
        ("bad-workload.toml", "workload = \"command\"", "workload = \"comand\""),
        ("bad-type.toml", "better = \"lower\"", "better = \"less\""),
    ] {
        assert!(text.contains(from), "{from}");
        bench.write(name, &text.replacen(from, to, 1));
    }
    let validate = "import json, sys, tomllib, jsonschema\n\
                    schema = json.load(open(sys.argv[1]))\n\
                    jsonschema.Draft7Validator.check_schema(schema)\n\
                    for name in sys.argv[2:]:\n    \
                        errors = list(jsonschema.Draft7Validator(schema).iter_errors(tomllib.load(open(name, 'rb'))))\n    \
                        print(name.rsplit('/', 1)[-1], 'valid' if not errors else errors[0].message[:200])\n";
    let mut files: Vec<PathBuf> = std::fs::read_dir(here().join("experiments"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { crate::workbench::walk(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .filter(|path| std::fs::read_to_string(path).unwrap().contains("\nworkload = "))
        .collect();
    files.sort();
    files.push(here().join("workloads/command/src/everything.toml"));
    let shipped = files.len();
    assert!(shipped >= 3, "{files:?}");
    files.push(bench.path("init.toml"));
    files.extend(["bad-key.toml", "bad-kind.toml", "bad-workload.toml", "bad-type.toml"].map(|name| bench.path(name)));
    let printed = ended(Command::new(python).args(["-c", validate]).arg(committed()).args(&files)).code(0);
    let lines: Vec<&str> = printed.out.lines().collect();
    assert!(lines[..=shipped].iter().all(|line| line.ends_with(" valid")), "{}", printed.out);
    assert!(lines[shipped + 1..].iter().all(|line| !line.ends_with(" valid")), "{}", printed.out);
}
