//! `ro-crate-metadata.json`: the bundle as others' tools read it, RO-Crate 1.1 with the profile Process Run Crate 0.5.
//!
//! It follows from the inventory and the list of files alone, so that a reader can make it again and compare.

mod actions;
mod entity;
mod files;

use std::collections::{BTreeMap, BTreeSet};

use entity::{Entity, refs};
use matrix_plan::ConfiguredLag;

use crate::inventory::{Facts, Inventory};

const CONTEXT: &str = "https://w3id.org/ro/crate/1.1/context";
const RO_CRATE: &str = "https://w3id.org/ro/crate/1.1";
const PROFILE: &str = "https://w3id.org/ro/wfrun/process/0.5";

/// Renders the metadata. `files` are the payload's other files, by path in the crate, with their sizes.
pub(crate) fn render(
    inventory: &Inventory,
    facts: &Facts,
    files: &BTreeMap<String, u64>,
) -> Result<Vec<u8>, serde_json::Error> {
    let mut entities: BTreeMap<String, Entity> = BTreeMap::new();
    let mut add = |entity: Entity| {
        entities.entry(entity.id().to_owned()).or_insert(entity);
    };
    for entity in files::entities(inventory, files) {
        add(entity);
    }
    let mut actions = BTreeSet::new();
    actions::entities(inventory, facts, files, &mut |entity| {
        if entity.is("CreateAction") {
            actions.insert(entity.id().to_owned());
        }
        add(entity);
    });
    add(Entity::new(PROFILE, "CreativeWork").text("name", "Process Run Crate").text("version", "0.5"));

    let descriptor = Entity::new("ro-crate-metadata.json", "CreativeWork")
        .value("about", refs(["./"]))
        .value("conformsTo", refs([RO_CRATE]));
    let root = root(inventory, facts, files, actions.iter().map(String::as_str));
    let graph: Vec<&Entity> = [&descriptor, &root].into_iter().chain(entities.values()).collect();
    let mut bytes = Vec::new();
    bytes.extend_from_slice(format!("{{\"@context\":\"{CONTEXT}\",\"@graph\":[").as_bytes());
    for (number, entity) in graph.into_iter().enumerate() {
        bytes.extend_from_slice(if number == 0 { b"\n" } else { b",\n" });
        serde_json::to_writer(&mut bytes, entity)?;
    }
    bytes.extend_from_slice(b"\n]}\n");
    Ok(bytes)
}

fn root<'a>(
    inventory: &Inventory,
    facts: &Facts,
    files: &BTreeMap<String, u64>,
    actions: impl IntoIterator<Item = &'a str>,
) -> Entity {
    let names: Vec<&str> = facts.experiments.iter().map(String::as_str).collect();
    let name = if names.is_empty() { "matrix".to_owned() } else { names.join(", ") };
    let tally = &facts.tally;
    let planned = tally.planned();
    let state = if tally.done == planned {
        format!("complete: {planned} of {planned} planned cells are done")
    } else {
        format!(
            "incomplete: {} of {planned} planned cells are done, {} partial, {} failed, {} skipped, {} pending",
            tally.done, tally.partial, tally.failed, tally.skipped, tally.pending
        )
    };
    let how = how(inventory);
    Entity::new("./", "Dataset")
        .value("conformsTo", refs([PROFILE]))
        .text("name", &format!("Results of {name}"))
        .text("description", &format!("Traces, records, tables and figures of a consistency experiment ({how})."))
        .text("datePublished", &facts.date)
        .text("creativeWorkStatus", &state)
        .value("license", refs(["LICENSE"]))
        .value(
            "hasPart",
            refs(files.keys().map(|path| entity::iri(path)).collect::<Vec<_>>().iter().map(String::as_str)),
        )
        .value("mentions", refs(actions))
}

/// How the results came to be: simulated says simulated, configured lag says configured.
pub(crate) fn how(inventory: &Inventory) -> String {
    let kinds: BTreeSet<&str> = inventory.records.values().map(label).collect();
    if kinds.is_empty() { "no results".to_owned() } else { kinds.into_iter().collect::<Vec<_>>().join("; ") }
}

/// How one result came to be.
fn label(record: &matrix_traces::Record) -> &'static str {
    match (record.simulated, record.configured_lag, ConfiguredLag::of(&record.inputs).notification) {
        (true, ..) => "simulated",
        (_, true, true) => "measured, with configured replication lag of posts and of notifications",
        (_, true, false) => "measured, with configured replication lag of posts",
        (_, false, true) => "measured, with configured replication lag of notifications",
        (_, false, false) => "measured",
    }
}
