//! The JSON Schema of the experiment's file, for editors.

use matrix_core::json_schema::{flag, list, names, number, slug, table, text, whole};
use serde_json::{Value, json};

use crate::aws::{MAX_MEMORY_MB, MIN_MEMORY_MB};
use crate::axes::{NotificationStorage, Platform, PostStorage};
use crate::claims::Metric;
use crate::experiment::axis::MAX_DELAY_MS;
use crate::experiment::document::SCHEMA;
use crate::experiment::load::INVOCATIONS;
use crate::local::{MAX_CV, MAX_LAG_MS, MAX_LINK_MS};

/// The JSON Schema of the experiment's file, as indented JSON that ends with a line break. Draft 7, because that is what
/// TOML editors know. It says what form the file has; what its values mean together, only the parser checks.
///
/// # Errors
/// None that could happen: the type is that of the JSON library.
pub fn experiment_schema() -> Result<String, serde_json::Error> {
    // Canonical JSON sorts the keys, whatever the build makes of maps.
    let sorted: Value = serde_json::from_str(&serde_json_canonicalizer::to_string(&schema())?)?;
    Ok(serde_json::to_string_pretty(&sorted)? + "\n")
}

fn schema() -> Value {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Experiment",
        "description": "An experiment of matrix: axes, settings and claims.",
        "type": "object",
        "additionalProperties": false,
        "required": ["schema", "name", "requests", "matrix"],
        "properties": {
            "schema": { "const": SCHEMA, "description": "Version of this form." },
            "name": slug("Name of the experiment; results and figures go by it."),
            "platform": names("What the cells run on. Default: sim.", Platform::SPELLINGS),
            "requests": whole("Requests per cell.", 1, Some(1_000_000_000)),
            "rounds": whole("How often every point is measured. Default: 1.", 1, Some(1_000_000)),
            "seed": whole("Seed of all randomness. Default: 0.", 0, None),
            "payload": {
                "description": "Length of a post's content: bytes, or \"original\" (dynamo 350000, mysql and s3 \
                                1000000, redis 2871000). Default: \"original\".",
                "oneOf": [{ "const": "original" }, { "type": "integer", "minimum": 1 }]
            },
            "concurrency": whole("Closed loop: clients that each wait for the writer's answer. Default: 8.", 1, Some(1000)),
            "rate": {
                "description": "Open loop instead of `concurrency`: requests a second, evenly spaced.",
                "type": "number", "minimum": 0.001, "maximum": 1_000_000
            },
            "invocation": names(
                "How the client invokes the writer. A closed loop needs RequestResponse, the default.", &INVOCATIONS),
            "barrier": table("How the barrier polls.", &[], json!({
                "min_ms": whole("First pause between two polls; it doubles. Default: 1.", 1, Some(86_400_000)),
                "max_ms": whole("Longest pause between two polls. Default: 50.", 1, Some(86_400_000)),
                "deadline_ms": whole("Time after which the barrier gives up. Default: 120000.", 1, Some(86_400_000)),
            })),
            "sim": table("Settings of the simulator.", &[], json!({
                "model": text("Path of the model, relative to this file, or \"builtin:aws-2021\", the default."),
            })),
            "local": local(),
            "aws": aws(),
            "regions": {
                "description": "More regions than eu, us and sg: short name = name at AWS.",
                "type": "object",
                "propertyNames": { "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$" },
                "additionalProperties": { "type": "string", "pattern": "^[a-z]+(-[a-z]+)+-[0-9]+$" }
            },
            "matrix": list("Cross-products of axes. A cell that several name runs once.", matrix()),
            "claim": list("Statements about the results that `matrix check` judges.", claim()),
        },
        // One is a closed loop, the other an open one.
        "not": { "required": ["concurrency", "rate"] }
    })
}

fn local() -> Value {
    let number = |description: &str, most: f64| json!({ "description": description, "type": "number", "minimum": 0, "maximum": most });
    let lag = |description: &str| {
        table(
            description,
            &[],
            json!({
                "mean_ms": number("Mean of the lognormal lag, in milliseconds, before the cut.", MAX_LAG_MS),
                "cv": number("Standard deviation over mean; 0 makes the lag constant.", MAX_CV),
                "max_ms": number("No lag is longer, in milliseconds.", MAX_LAG_MS),
            }),
        )
    };
    let major =
        |server: &str| json!({ "description": format!("{server}'s."), "type": "string", "pattern": "^[0-9]+$" });
    let link = table(
        "A link.",
        &["delay_ms"],
        json!({
            "delay_ms": number("One-way delay in milliseconds, in both directions.", MAX_LINK_MS),
            "jitter_ms": number("Uniform addition to each delay, in milliseconds. Default: 0.", MAX_LINK_MS),
        }),
    );
    table(
        "Settings of the testbed on this machine.",
        &[],
        json!({
            "links": {
                "description": "Replication links between eu, us and sg. Default: half the published round trips.",
                "type": "object",
                "additionalProperties": link
            },
            "lag": table("Lags of what the emulator replicates. They are configured, not measured.", &[], json!({
                "dynamo": lag("DynamoDB global tables. Default: 900 ms, cv 0.35, at most 2500 ms."),
                "s3": lag("S3 replication. Default: 1300 ms, cv 0.25, at most 2000 ms."),
            })),
            "servers": table("Major versions of the servers: a run refuses others.", &[], json!({
                "activemq": major("ActiveMQ"),
                "mariadb": major("MariaDB"),
                "ministack": major("MiniStack"),
                "redis": major("Redis"),
            })),
        }),
    )
}

fn aws() -> Value {
    let version = |of: &str, default: &str| {
        json!({
            "description": format!("Engine version of {of}. Default: {default}."), "type": "string", "pattern": "^[0-9][a-z0-9._-]*$"
        })
    };
    let class = |of: &str, kind: &str, default: &str| {
        json!({
            "description": format!("Instance class of {of}. Default: {default}."),
            "type": "string", "pattern": format!("^{kind}\\.[a-z0-9_-]+\\.[a-z0-9_-]+$")
        })
    };
    let services = json!({
        "mysql_version": version("Aurora MySQL", "8.0.mysql_aurora.3.04.3"),
        "mysql_class": class("Aurora MySQL", "db", "db.r6g.large"),
        "redis_version": version("ElastiCache for Redis", "6.2"),
        "redis_class": class("ElastiCache for Redis", "cache", "cache.r5.large"),
        "amq_version": version("Amazon MQ for ActiveMQ", "5.18"),
        "amq_class": class("Amazon MQ for ActiveMQ", "mq", "mq.m5.large"),
    });
    table(
        "Settings of the testbed at Amazon.",
        &[],
        json!({
            "connection_info": text("File of the endpoints, relative to the directory in which matrix runs. Default: connection_info.yaml."),
            "memory_mb": whole("Memory of each function, in MB. Default: 128.", MIN_MEMORY_MB, Some(MAX_MEMORY_MB)),
            "services": table("Engine versions and sizes of the services.", &[], services),
        }),
    )
}

fn matrix() -> Value {
    let list_of = |description: &str, item: Value| json!({ "description": description, "type": "array", "minItems": 1, "uniqueItems": true, "items": item });
    let selector = || table("Values of axes.", &[], axes());
    let mut every = selector();
    every["required"] = json!(crate::experiment::axis::KEYS);
    let delays = list_of("Artificial delays before the notification, in milliseconds.", delay());
    table(
        "A cross-product of axes.",
        &["name", "post_storage", "notification_storage", "regions", "delay_ms", "antipode"],
        json!({
            "name": slug("Name of the matrix."),
            "post_storage": list_of("Where posts live.", axes()["post_storage"].clone()),
            "notification_storage": list_of("What carries notifications.", axes()["notification_storage"].clone()),
            "regions": list_of("Region pairs: writer, then reader.", axes()["regions"].clone()),
            "delay_ms": { "oneOf": [delays, span()] },
            "antipode": list_of("Whether the reader waits in the barrier.", axes()["antipode"].clone()),
            "exclude": list("Cells to leave out: those that have all the values named.", selector()),
            "include": list("Cells to add, after the excludes: every axis is named.", every),
        }),
    )
}

fn claim() -> Value {
    let mut places = axes();
    if let Some(places) = places.as_object_mut() {
        for (key, value) in places.iter_mut() {
            let several = json!({ "type": "array", "minItems": 1, "uniqueItems": true, "items": value });
            *value = match key.as_str() {
                "delay_ms" => json!({ "oneOf": [value, several, span()] }),
                _ => json!({ "oneOf": [value, several] }),
            };
        }
    }
    let mut claim = table(
        "A statement about the results.",
        &["id", "says"],
        json!({
            "id": slug("Name of the claim."),
            "says": text("The claim in words."),
            "source": text("Where the claim comes from."),
            "where": table("The cells that the claim is about. Default: all.", &[], places),
            "every_row": names("What holds for every row.", &["consistent"]),
            "metric": names("What is bounded.", &Metric::NAMES),
            "at_most": number("The metric is not above this."),
            "at_least": number("The metric is not below this."),
            "within": table("The metric is near a value.", &["value", "percent"], json!({
                "value": number("The value."),
                "percent": { "description": "How far off it may be, in percent.", "type": "number", "exclusiveMinimum": 0 },
            })),
            "pool": flag("Judge the rounds of one point as one; measured rounds always are. Default: false."),
        }),
    );
    claim["oneOf"] = json!([{ "required": ["every_row"] }, { "required": ["metric"] }]);
    claim
}

/// One value for each axis.
fn axes() -> Value {
    json!({
        "post_storage": names("A post storage.", PostStorage::SPELLINGS),
        "notification_storage": names("A notification storage.", NotificationStorage::SPELLINGS),
        "regions": {
            "description": "The writer's region, then the reader's.",
            "type": "string", "pattern": "^ *[a-z0-9-]*[a-z0-9] *-> *[a-z0-9-]*[a-z0-9] *$"
        },
        "delay_ms": delay(),
        "antipode": flag("Whether the reader waits in the barrier."),
    })
}

fn delay() -> Value {
    whole("A delay in milliseconds.", 0, Some(MAX_DELAY_MS))
}

fn span() -> Value {
    table(
        "Delays from one to another, both included.",
        &["from", "to", "step"],
        json!({
            "from": whole("The first delay.", 0, Some(MAX_DELAY_MS)),
            "to": whole("The last delay, a whole number of steps after the first.", 0, Some(MAX_DELAY_MS)),
            "step": whole("The distance between two.", 1, Some(MAX_DELAY_MS)),
        }),
    )
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
