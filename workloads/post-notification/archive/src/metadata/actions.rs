//! Actions: what was executed, with what, and what came of it.

use std::collections::BTreeMap;

use matrix_bundle::bag::PAYLOAD;
use matrix_bundle::place::Place;
use matrix_plan::{Arrival, CellInputs, CellKey, ConfiguredLag, Invocation, Platform};
use matrix_store::{AttemptStatus, Digest, Provenance, RunId};
use matrix_traces::{Attempt, Record};
use serde::Deserialize;

use super::entity::{Entity, iri, refs};
use super::label;
use crate::inventory::{Facts, Inventory};

/// An action for each attempt, and the entities that they refer to.
pub(super) fn entities(
    inventory: &Inventory,
    facts: &Facts,
    files: &BTreeMap<String, u64>,
    add: &mut dyn FnMut(Entity),
) {
    let mut records: BTreeMap<CellKey, &Record> = BTreeMap::new();
    for ((key, _), record) in &inventory.records {
        records.entry(*key).or_insert(record);
    }
    for (origin, names) in &inventory.agents {
        for name in names {
            add(Entity::new(&agent_id(origin.as_str(), name), "Person").text("name", name));
        }
    }
    for attempt in inventory.attempts.values() {
        let Some(cell) = facts.cells.get(&attempt.key) else { continue };
        let record = records.get(&attempt.key).copied();
        let told = record.map(|record| &record.inputs).or(attempt.inputs.as_ref());
        let imported = told.and_then(imported_by);
        let software = imported.as_deref().map_or_else(|| software(&attempt.provenance), foreign);
        let mut inputs = vec![
            ("post_storage", cell.axes.combination.post_storage.to_string()),
            ("notification_storage", cell.axes.combination.notification_storage.to_string()),
            ("regions", cell.axes.combination.regions.to_string()),
            ("delay_ms", cell.axes.delay_ms.to_string()),
            ("antipode", cell.axes.antipode.to_string()),
            ("round", cell.round.to_string()),
            ("platform", cell.platform.to_string()),
            ("simulated", (cell.platform == Platform::Sim).to_string()),
        ];
        match told {
            // What a folder of the original does not tell is not known, whatever the record has in its place.
            Some(told) if imported.is_some() => inputs.push(("requests", told.requests.to_string())),
            Some(told) => inputs.extend(further_inputs(told, record)),
            None => {}
        }
        let mut objects = Vec::new();
        for (name, value) in inputs {
            let id = format!("#input/{name}/{}", iri(&value));
            add(Entity::new(&id, "PropertyValue").text("name", name).text("value", &value));
            objects.push(id);
        }
        objects.extend(attempt.run.as_ref().into_iter().flat_map(|run| files_of(facts, run)));
        let software_id = software.id().to_owned();
        add(software);
        let name = format!("{} round {}", cell.axes, cell.round);
        let is_imported = imported.is_some();
        let executed = Executed { name, attempt, record, is_imported, software: &software_id, objects: &objects };
        add(action(inventory, files, &executed));
    }
}

/// What is known of an execution.
struct Executed<'a> {
    name: String,
    attempt: &'a Attempt,
    record: Option<&'a Record>,
    is_imported: bool,
    /// The runner's entity.
    software: &'a str,
    /// The entities of its inputs and files.
    objects: &'a [String],
}

fn action(inventory: &Inventory, files: &BTreeMap<String, u64>, executed: &Executed<'_>) -> Entity {
    let Executed { name, attempt, record, is_imported, software, objects } = executed;
    let done = attempt.status == AttemptStatus::Done;
    let result = attempt.object.map(|object| in_crate(&Place::Object(object))).filter(|path| files.contains_key(path));
    let simulated = record.map_or("", label);
    let mut description = format!("Origin {}.", attempt.origin);
    if *is_imported {
        description
            .push_str(&format!(" Imported by matrix {}; the times are the import's.", attempt.provenance.matrix));
    }
    if !simulated.is_empty() {
        description.push_str(&format!(" The result is {simulated}."));
    }
    if done && result.is_none() {
        description.push_str(" A later attempt has replaced its result.");
    }
    let agents: Vec<String> = inventory
        .agents
        .get(&attempt.origin)
        .into_iter()
        .flatten()
        .map(|name| agent_id(attempt.origin.as_str(), name))
        .collect();
    let status = if done { "http://schema.org/CompletedActionStatus" } else { "http://schema.org/FailedActionStatus" };
    let error = match (attempt.status, attempt.error.as_deref()) {
        (AttemptStatus::Partial, Some(why)) => format!("ended early: {why}"),
        (_, error) => error.unwrap_or_default().to_owned(),
    };
    Entity::new(&format!("#attempt/{}", iri(attempt.id.as_str())), "CreateAction")
        .text("name", name)
        .text("description", &description)
        .text("identifier", &attempt.key.to_string())
        .value("instrument", refs([*software]))
        .value("agent", refs(agents.iter().map(String::as_str)))
        .value("object", refs(objects.iter().map(String::as_str)))
        .value("result", refs(result.as_deref()))
        .value("subjectOf", refs([in_crate(&Place::Attempt(attempt.id.clone())).as_str()]))
        .text("startTime", &with_offset(&attempt.started))
        .text("endTime", &with_offset(&attempt.ended))
        .text("actionStatus", status)
        .text("error", &error)
}

/// An instant in UTC, with its offset written out, as the profile recommends.
fn with_offset(instant: &str) -> String {
    instant.strip_suffix('Z').map_or_else(|| instant.to_owned(), |start| format!("{start}+00:00"))
}

fn further_inputs(inputs: &CellInputs, record: Option<&Record>) -> Vec<(&'static str, String)> {
    let configured_lag = record.map_or_else(|| ConfiguredLag::of(inputs).post, |record| record.configured_lag);
    let arrival = match inputs.arrival {
        Arrival::Concurrency(clients) => ("concurrency", clients.to_string()),
        Arrival::RatePerSecond(rate) => ("rate_per_s", rate.to_string()),
    };
    let invocation = match inputs.invocation {
        Invocation::RequestResponse => "RequestResponse",
        Invocation::Event => "Event",
    };
    let mut further = vec![
        arrival,
        ("requests", inputs.requests.to_string()),
        ("payload_bytes", inputs.payload_bytes.to_string()),
        ("seed", inputs.seed.to_string()),
        ("invocation", invocation.to_owned()),
        ("barrier_min_ms", inputs.barrier.min_ms.to_string()),
        ("barrier_max_ms", inputs.barrier.max_ms.to_string()),
        ("barrier_deadline_ms", inputs.barrier.deadline_ms.to_string()),
        ("workload_version", inputs.workload_version.to_string()),
        ("configured_lag", configured_lag.to_string()),
    ];
    // Only where it is so: bundles of other results stay what they were.
    if ConfiguredLag::of(inputs).notification {
        further.push(("configured_notification_lag", true.to_string()));
    }
    further
}

/// The experiment and the model of a run.
fn files_of(facts: &Facts, run: &RunId) -> Vec<String> {
    let of_the_run = facts.runs.range((run.clone(), Digest::MIN)..=(run.clone(), Digest::MAX));
    let mut found: Vec<String> = of_the_run
        .flat_map(|(_, files)| files)
        .filter_map(|(name, digest)| match name.as_str() {
            "experiment.toml" => Some(in_crate(&Place::Experiment(*digest))),
            "model.toml" => Some(in_crate(&Place::Model(*digest))),
            _ => None,
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

/// The runner that executed an attempt. What tells two of them apart is in the name, which is a URI of its own: a UUID
/// drawn from a digest (RFC 9562, version 8).
fn software(provenance: &Provenance) -> Entity {
    let Provenance { matrix, commit, dirty, toolchain, target, lock_file, .. } = provenance;
    let mut version = matrix.clone();
    if let Some(commit) = commit {
        version.push('+');
        version.push_str(commit);
    }
    if *dirty == Some(true) {
        version.push_str(".dirty");
    }
    let built = [toolchain.as_deref(), target.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" for ");
    let lock = lock_file.map(|digest| digest.to_string()).unwrap_or_default();
    let hex = Digest::of(format!("matrix\n{version}\n{built}\n{lock}\n").as_bytes()).to_string();
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
    let id = format!("urn:uuid:{}-{}-8{}-8{}-{}", part(0..8), part(8..12), part(13..16), part(17..20), part(20..32));
    let mut requirements = Vec::new();
    if !built.is_empty() {
        requirements.push(format!("built with {built}"));
    }
    if !lock.is_empty() {
        requirements.push(format!("Cargo.lock {lock}"));
    }
    Entity::new(&id, "SoftwareApplication")
        .text("name", "matrix")
        .text("description", "Runs the cells of an experiment matrix and keeps their traces")
        .text("softwareVersion", &version)
        .text("softwareRequirements", &requirements.join("; "))
}

/// What wrote the gathering that a cell was imported from, as the cell's fingerprint says; none where it was not imported.
fn imported_by(inputs: &CellInputs) -> Option<String> {
    #[derive(Deserialize)]
    struct Wire {
        imported: Imported,
    }
    #[derive(Deserialize)]
    struct Imported {
        by: String,
    }
    serde_json::from_str(inputs.fingerprint.as_str()).ok().map(|Wire { imported }| imported.by)
}

/// What executed a cell elsewhere, of which no more than the name is known.
fn foreign(name: &str) -> Entity {
    Entity::new(&format!("#imported/{}", iri(name)), "SoftwareApplication")
        .text("name", name)
        .text("description", "Gathered the results that were imported; which version of it, and where, is not told")
        .text("softwareVersion", "not told")
}

fn agent_id(origin: &str, name: &str) -> String {
    format!("#agent/{origin}/{}", iri(name))
}

/// A path as the crate has it: without the payload's folder.
fn in_crate(place: &Place) -> String {
    let path = place.to_string();
    path.strip_prefix(PAYLOAD).map(str::to_owned).unwrap_or(path)
}
