//! The JSON Schema of an experiment that runs a program, for editors.

use matrix_core::axes::RESERVED;
use matrix_core::figure;
use matrix_core::json_schema::{flag, list, names, number, slug, table, text, whole};
use serde_json::{Value, json};

/// The JSON Schema of an experiment of schema 2 that runs a program. Draft 7, because that is what TOML editors know. It
/// says what form the file has; what its values mean together, only the parser checks.
#[must_use]
pub fn schema() -> Value {
    let properties = json!({
        "schema": { "const": 2, "description": "Version of this form." },
        "name": slug("Name of the experiment; results and figures go by it."),
        "workload": { "const": crate::WORKLOAD, "description": "What the experiment runs: a program." },
        "rounds": whole("How often every point is measured. Intervals come from rounds. Default: 1.", 1, None),
        "seed": whole("The order is drawn from it, and {seed} of each round. Default: 0.", 0, None),
        "paired": text("An axis: cells that differ only in it run next to each other and are compared in pairs."),
        "outer": list("Axes that vary slowest, and are not randomised.", json!({ "type": "string" })),
        "axes": {
            "description": "What varies: by name a list of values, a range, or a table.",
            "type": "object", "minProperties": 1, "propertyNames": identifier(), "additionalProperties": axis()
        },
        "matrix": list("Cross-products of axes. Without one, the whole cross-product.", matrix()),
        "site": {
            "description": "What is this machine's: {site.NAME}. No part of any key.",
            "type": "object",
            "properties": {
                "hosts": {
                    "description": "Other hosts that services run on, by name: user@address, or user@address:port.",
                    "type": "object",
                    "additionalProperties": {
                        "oneOf": [{ "type": "string" }, { "type": "array", "maxItems": 1, "items": { "type": "string" } }]
                    }
                },
                "ssh_config": { "description": "The configuration of ssh: ssh -F.", "type": "string" }
            },
            "additionalProperties": { "type": ["string", "number", "boolean"] }
        },
        "prepare": list("What is made once, and shared by cells: {prepared:NAME}.", prepare()),
        "require": list("What some cells need of the machine.", table("A need.", &["else"], json!({
            "where": text("The points that need it, as a filter over axes."),
            "cpus": scalar("Processors."),
            "memory": scalar("Bytes of memory, also as 8 GiB."),
            "disk": scalar("Free bytes on the disk of {scratch}, also as 8 GiB."),
            "run": arguments("A program that has to end with 0."),
            "else": text("Why cells are skipped where the need is not met."),
        }))),
        "command": command(),
        "columns": {
            "description": "What is read of `rows`; a table for each of several named sources.",
            "type": "object",
            "additionalProperties": { "anyOf": [column(), { "type": "object", "additionalProperties": column() }] }
        },
        "metric": list("One number a cell.", table("A metric.", &["name", "is"], json!({
            "name": { "description": "Its name.", "type": "string", "pattern": "^[a-z][a-z0-9_]*$" },
            "is": text("mean sum min max count share p1..p99 of a column, run.wall_s and so on, or a quotient of two."),
            "where": text("The rows that count, as a filter over columns."),
            "from": text("The source, where there are several."),
            "better": names("What is better.", &["higher", "lower"]),
            "unit": text("The unit, where it does not follow from the columns."),
        }))),
        "claim": list("Statements about the results that `matrix check` judges.", claim()),
        "figure": list("What `matrix plot` draws.", figure()),
        "subset": {
            "description": "Parts that `run --subset NAME` chooses.",
            "type": "object",
            "additionalProperties": table("A part.", &[], json!({
                "filter": text("The cells, as a filter over axes and round."),
                "set": { "description": "What is set, as by --set.", "type": "object" },
            }))
        },
        "artifact": {
            "description": "Of the artifact: title, doi, commit, hardware, software, warnings.",
            "type": "object",
            "additionalProperties": { "type": ["string", "number", "boolean", "array"] }
        },
        "host": table("What is asked of the machine that measures.", &[], json!({
            "idle": flag("Wait until nothing else works on the machine."),
            "mixed": flag("Compare results of unlike machines all the same."),
        })),
    });
    json!({
        "description": "An experiment that runs a program: axes, the command, columns, metrics, claims and figures.",
        "type": "object",
        "additionalProperties": false,
        "required": ["schema", "name", "workload", "axes", "command"],
        "properties": properties,
    })
}

/// The JSON Schema of `[[figure]]`, which is the same for every workload.
#[must_use]
pub fn figure() -> Value {
    table(
        "A figure.",
        &["name", "kind", "x"],
        json!({
            "name": slug("Its name, and that of its files."),
            "paper": text("The figure of the paper that it is to be compared with."),
            "kind": names("How it is drawn.", &figure::KINDS),
            "x": text("What is across: an axis, a column, or a metric (with `along`)."),
            "y": text("The metric. A distribution (ecdf) has none."),
            "series": text("The axis whose values are lines, bars of a group, or rows of a heat map."),
            "panel": text("The axis whose values are panels."),
            "where": selection("The points that it shows."),
            "log": list("Logarithmic axes.", json!({ "enum": ["x", "y"] })),
            "ratio_to": pattern("The baseline: the same point but for these values."),
            "over": over(),
            "stack": flag("Bars on top of each other."),
            "along": text("The axis along which points are connected, where `x` is a metric."),
            "from": text("The source of a column, where there are several."),
        }),
    )
}

fn axis() -> Value {
    let value = json!({ "type": ["string", "number", "boolean"] });
    let values = json!({ "type": "array", "minItems": 1, "uniqueItems": true, "items": value });
    let whole = table(
        "An axis.",
        &[],
        json!({
            "values": values,
            "from": number("The first value."),
            "to": number("The last value, if it is hit."),
            "step": number("What is added from one to the next."),
            "factor": number("What one is multiplied with for the next."),
            "default": { "description": "The value of a [[matrix]] that does not name the axis.", "type": ["string", "number", "boolean"] },
            "labels": { "description": "What figures call values.", "type": "object", "additionalProperties": { "type": "string" } },
            "args": {
                "description": "What {AXIS:args} stands for, for every value.",
                "type": "object", "additionalProperties": { "type": "array", "items": { "type": "string" } }
            },
        }),
    );
    json!({ "oneOf": [values, whole] })
}

fn matrix() -> Value {
    json!({
        "description": "A cross-product: for each axis one value or a list.",
        "type": "object",
        "properties": {
            "name": slug("Its name."),
            "exclude": list("Points to leave out.", pattern("Values of axes.")),
            "include": list("Points to add.", pattern("Values of axes.")),
        },
        "additionalProperties": one_or_several()
    })
}

fn command() -> Value {
    let several = |description: &str| list(description, arguments("A program and its arguments."));
    table(
        "The program. There is no shell: each text is one argument, in which {NAME} stands for values.",
        &["run"],
        json!({
            "run": arguments("The program and its arguments."),
            "setup": several("What runs before each attempt, not measured."),
            "teardown": several("What always runs after it."),
            "dir": text("The folder that it runs in, relative to this file. Default: this file's."),
            "inputs": list("Files and globs below `dir` whose digest is part of every key.", json!({ "type": "string" })),
            "env": texts("Variables of its environment, besides PATH, HOME, TMPDIR and LANG."),
            "pass": list("Names of variables that are passed on.", json!({ "type": "string" })),
            "version": arguments("A program whose first line is noted beside each result."),
            "timeout_s": scalar("Seconds after which it is stopped. Default: 3600."),
            "warmup": whole("Runs before each attempt that are not recorded. Default: 0.", 0, None),
            "retries": whole("Tries again after a failure. Default: 0.", 0, None),
            "rows": {
                "description": "FORMAT:PLACE (csv jsonl json regex kv; {out}/FILE, stdout, stderr, @SERVICE), or a table of named sources.",
                "oneOf": [{ "type": "string" }, { "type": "object", "additionalProperties": { "type": "string" } }]
            },
            "service": list("Servers that the program needs, fresh for each attempt.", service()),
            "as": names("Run it as another user.", &["root"]),
        }),
    )
}

fn service() -> Value {
    table(
        "A server.",
        &["name", "run"],
        json!({
            "name": text("Its name: {port:NAME}."),
            "where": text("The points that have it, as a filter over axes."),
            "run": arguments("The program and its arguments."),
            "ready": text("When it can be used: tcp:HOST:PORT, http://..., or line:TEXT."),
            "ready_s": { "description": "Seconds that it may take. Default: 30.", "type": ["number", "string"] },
            "stop": {
                "description": "How it is stopped: a signal, or a program.",
                "oneOf": [{ "type": "string" }, arguments("A program.")]
            },
            "until": names("The attempt ends when it does.", &["exit"]),
            "on": text("A host of [site] hosts."),
            "as": names("Run it as another user.", &["root"]),
            "dir": text("The folder that it runs in."),
            "env": texts("Variables of its environment."),
        }),
    )
}

fn prepare() -> Value {
    table(
        "Something to make.",
        &["name"],
        json!({
            "name": text("Its name: {prepared:NAME}."),
            "each": list("Axes: one is made for each of their values.", json!({ "type": "string" })),
            "run": arguments("The program that writes it into {prepared}."),
            "fetch": table("A download.", &["url", "sha256"], json!({
                "url": text("Where it is."),
                "sha256": { "description": "Its digest.", "type": "string", "pattern": "^[0-9a-f]{64}$" },
            })),
            "inputs": list("Files and globs that it is made of.", json!({ "type": "string" })),
        }),
    )
}

fn column() -> Value {
    table(
        "A column.",
        &["type"],
        json!({
            "unit": text("The unit of numbers; \"1\" for none."),
            "type": names("The type of its values.", &["integer", "real", "boolean", "text", "quantity"]),
            "optional": flag("Whether a value may be missing. Default: false."),
            "path": text("json and jsonl: where the value is (RFC 6901); kv: its name."),
            "each": text("json: where the list of rows is (RFC 6901)."),
            "match": text("regex: an expression with a group of the column's name."),
            "pick": names("regex: which of several matches counts.", &["last"]),
            "every": flag("regex: every match is a row."),
            "weight": text("The column that says how often each value was there: rows are buckets of a histogram."),
        }),
    )
}

fn claim() -> Value {
    let bounds = || {
        json!({
            "at_least": number("It is not below this."),
            "at_most": number("It is not above this."),
            "within": table("It is near a value.", &["value", "percent"], json!({
                "value": { "type": "number" }, "percent": { "type": "number", "minimum": 0 },
            })),
        })
    };
    let mut properties = json!({
        "id": text("Its name."),
        "paper": text("Where the paper makes it."),
        "source": text("Where it comes from."),
        "says": text("The claim in words."),
        "where": selection("The points that it is about."),
        "metric": text("What is bounded."),
        "from": text("The source of `every_row`, where there are several."),
        "ratio_to": pattern("The baseline: the same point but for these values."),
        "over": over(),
        "every_row": text("A boolean column that is true in every row."),
        "best_over": text("An axis: the selected value is better than every other one."),
        "trend": names("The metric rises or falls along an axis.", &["increasing", "decreasing"]),
        "along": text("The axis of `trend`."),
        "basis": names("Whether an interval is needed, or one measurement is enough.", &["interval", "point"]),
        "elsewhere": table("What is judged on another processor than [artifact] hardware names.", &[], bounds()),
        "uncovered": text("A claim of the paper that nothing here covers, and why."),
    });
    if let (Some(properties), Value::Object(bounds)) = (properties.as_object_mut(), bounds()) {
        properties.extend(bounds);
    }
    table("A statement about the results.", &[], properties)
}

fn one_or_several() -> Value {
    json!({ "type": ["string", "number", "boolean", "array", "object"] })
}

fn pattern(description: &str) -> Value {
    json!({ "description": description, "type": "object", "additionalProperties": one_or_several() })
}

fn selection(description: &str) -> Value {
    json!({ "description": description, "oneOf": [{ "type": "string" }, pattern("Values of axes.")] })
}

fn over() -> Value {
    let axes = || json!({ "type": "array", "minItems": 1, "items": { "type": "string" } });
    let mut over = table(
        "Axes that become one number, and how.",
        &[],
        json!({ "geomean": axes(), "max": axes(), "min": axes(), "best": axes() }),
    );
    over["minProperties"] = json!(1);
    over["maxProperties"] = json!(1);
    over
}

/// A name that axes and columns may have.
fn identifier() -> Value {
    json!({ "pattern": "^[a-z][a-z0-9_]*$", "not": { "enum": RESERVED } })
}

fn arguments(description: &str) -> Value {
    json!({ "description": description, "type": "array", "minItems": 1, "items": { "type": "string" } })
}

fn texts(description: &str) -> Value {
    json!({ "description": description, "type": "object", "additionalProperties": { "type": ["string", "number"] } })
}

fn scalar(description: &str) -> Value {
    json!({ "description": description, "type": ["string", "number"] })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::file::keys;

    #[test]
    fn the_schema_and_the_parser_know_the_same_keys() {
        let schema = schema();
        for (way, parser) in [
            ("", keys::EXPERIMENT),
            ("/properties/axes/additionalProperties/oneOf/1", matrix_core::axes::KEYS),
            ("/properties/require/items", keys::REQUIRE),
            ("/properties/prepare/items", keys::PREPARE),
            ("/properties/host", keys::HOST),
            ("/properties/command", keys::COMMAND),
            ("/properties/command/properties/service/items", keys::SERVICE),
            ("/properties/columns/additionalProperties/anyOf/0", keys::COLUMN),
            ("/properties/metric/items", keys::METRIC),
            ("/properties/claim/items", matrix_core::claims::KEYS),
            ("/properties/figure/items", figure::KEYS),
        ] {
            let known = schema.pointer(way).and_then(|table| table["properties"].as_object()).unwrap();
            let known: BTreeSet<&str> = known.keys().map(String::as_str).collect();
            assert_eq!(known, parser.iter().copied().collect(), "{way}");
        }
    }
}
