//! Actions: what was executed, with what, and its result.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use matrix_bundle::bag::PAYLOAD;
use matrix_bundle::layout::BundlePath;
use matrix_plan::{Arrival, CellInputs, CellKey, ConfiguredLag, Invocation, Platform};
use matrix_store::{AttemptStatus, Digest, Origin, Provenance, RunId, parallel};
use matrix_traces::{Attempt, Record};
use serde::Deserialize;

use super::entity::{Entity, Names, iri, refs};
use super::label;
use crate::inventory::{CellFacts, Facts, Inventory};

/// Actions, one for each attempt, and the entities that they refer to. Of actions there are many: each is made by itself.
pub(super) struct Actions<'a> {
    inventory: &'a Inventory,
    facts: &'a Facts,
    /// The objects among the crate's files.
    objects: HashSet<Digest>,
    /// The cells, each with a result: attempts come in another order, so that each cell is looked up by itself.
    cells: HashMap<CellKey, (&'a CellFacts, Option<&'a Record>)>,
    /// What wrote each gathering, by the fingerprint that says so: many cells share one.
    imported: BTreeMap<&'a str, Option<Entity<'a>>>,
    /// The runners, by what attempts say of them.
    software: HashMap<usize, Entity<'a>>,
}

/// What an action refers to.
struct Used<'s, 'a> {
    cell: &'a CellFacts,
    record: Option<&'a Record>,
    inputs: Vec<Input>,
    is_imported: bool,
    /// What executed it.
    software: &'s Entity<'a>,
}

/// An action as JSON, and what it refers to: inputs that none before had, and what executed it.
struct Rendered<'s, 'a> {
    action: Vec<u8>,
    new: Vec<Input>,
    software: &'s Entity<'a>,
}

/// Attempts whose actions are rendered at a time.
const AT_A_TIME: usize = 1024;

/// What tells the provenance of one process from those of others.
fn provenance_of(attempt: &Attempt) -> usize {
    Arc::as_ptr(&attempt.provenance).addr()
}

/// The name and the value of an input.
type Input = (&'static str, Cow<'static, str>);

/// The entity of an input.
fn input_id(name: &str, value: &str) -> String {
    ["#input/", name, "/", &iri(value)].concat()
}

/// The entity of an attempt.
fn action_id(attempt: &Attempt) -> String {
    ["#attempt/", &iri(attempt.id.as_str())].concat()
}

/// The names of all actions, in their order.
#[derive(Debug)]
pub(super) struct Ids<'a> {
    pub(super) inventory: &'a Inventory,
    pub(super) facts: &'a Facts,
}

impl Names for Ids<'_> {
    fn names(&self) -> Box<dyn Iterator<Item = Cow<'_, str>> + '_> {
        let attempts = self.inventory.attempts.values();
        let there = attempts.filter(|attempt| self.facts.cells.contains_key(&attempt.key));
        Box::new(there.map(|attempt| action_id(attempt).into()))
    }
}

impl<'a> Actions<'a> {
    pub(super) fn new(inventory: &'a Inventory, facts: &'a Facts, files: &[(&str, u64)]) -> Self {
        // Both are in order of keys, and every record is of one of the cells.
        let mut records = inventory.records.iter().peekable();
        let with_record = |(key, cell): (&CellKey, &'a CellFacts)| {
            let mut first = None;
            while let Some((_, record)) = records.next_if(|((of, _), _)| of == key) {
                first.get_or_insert(record);
            }
            (*key, (cell, first))
        };
        let cells = facts.cells.iter().map(with_record).collect();
        let objects = files.iter().filter(|(path, _)| path.starts_with("objects/"));
        let objects = objects.filter_map(|(path, _)| match BundlePath::of(&format!("{PAYLOAD}{path}"))? {
            BundlePath::Object(digest) => Some(digest),
            _ => None,
        });
        let mut this = Self {
            inventory,
            facts,
            objects: objects.collect(),
            cells,
            imported: BTreeMap::new(),
            software: HashMap::new(),
        };
        this.learn();
        this
    }

    /// The people of whom the bundle says that they measured, by name.
    pub(super) fn agents(&self) -> BTreeMap<String, Entity<'a>> {
        let agents =
            self.inventory.agents.iter().flat_map(|(origin, names)| names.iter().map(move |name| (origin, name)));
        let entity = |(origin, name): (&Origin, &'a String)| {
            let id = agent_id(origin.as_str(), name);
            let entity = Entity::new(&id, "Person").text("name", name);
            (id, entity)
        };
        agents.map(entity).collect()
    }

    /// The action of each attempt, in the order of names, as JSON. What they refer to besides files and agents, by name.
    pub(super) fn each(
        &self,
        mut then: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<BTreeMap<String, Entity<'a>>> {
        let attempts: Vec<&'a Attempt> = self.inventory.attempts.values().collect();
        let runs: BTreeSet<&RunId> = attempts.iter().filter_map(|attempt| attempt.run.as_ref()).collect();
        let files: BTreeMap<&RunId, Vec<String>> =
            runs.into_iter().map(|run| (run, files_of(self.facts, run))).collect();
        let known: Mutex<HashSet<Input>> = Mutex::default();
        let rendered = |attempt: &&'a Attempt| -> io::Result<Option<Rendered<'_, 'a>>> {
            let Some(Used { cell, record, inputs, is_imported, software }) = self.used(attempt) else {
                return Ok(None);
            };
            let mut objects: Vec<String> = inputs.iter().map(|(name, value)| input_id(name, value)).collect();
            objects.extend(attempt.run.as_ref().and_then(|run| files.get(run)).into_iter().flatten().cloned());
            let name = format!("{} round {}", cell.axes, cell.round);
            let executed = Executed { name, attempt, record, is_imported, software: software.id(), objects };
            let action = serde_json::to_vec(&action(self.inventory, &self.objects, executed))?;
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            // Whoever adds one gives it on.
            let new = inputs.into_iter().filter(|input| !known.contains(input)).collect::<Vec<_>>();
            known.extend(new.iter().cloned());
            Ok(Some(Rendered { action, new, software }))
        };
        let mut entities = BTreeMap::new();
        parallel::in_order(&attempts, AT_A_TIME, rendered, |rendered| {
            let Some(Rendered { action, new, software }) = rendered? else { return Ok(()) };
            for (name, value) in new {
                let id = input_id(name, &value);
                let entity = Entity::new(&id, "PropertyValue").text("name", name).text("value", &value);
                entities.insert(id, entity);
            }
            if !entities.contains_key(software.id()) {
                entities.insert(software.id().to_owned(), software.clone());
            }
            then(&action)
        })?;
        Ok(entities)
    }

    /// Gets to know what executed attempts.
    fn learn(&mut self) {
        let attempts = self.inventory.attempts.values();
        let told = self.inventory.records.values().map(|record| &record.inputs);
        for told in told.chain(attempts.clone().filter_map(|attempt| attempt.inputs.as_deref())) {
            let known = self.imported.entry(told.fingerprint.as_str());
            known.or_insert_with(|| imported_by(told).map(|name| foreign(&name)));
        }
        for attempt in attempts {
            self.software.entry(provenance_of(attempt)).or_insert_with(|| software(&attempt.provenance));
        }
    }

    /// What the action of an attempt refers to; nothing where its cell is not one of the crate's.
    fn used(&self, attempt: &'a Attempt) -> Option<Used<'_, 'a>> {
        let (cell, record) = *self.cells.get(&attempt.key)?;
        let told = record.map(|record| &record.inputs).or(attempt.inputs.as_deref());
        let imported = told.and_then(|told| self.imported.get(told.fingerprint.as_str())?.as_ref());
        let software = imported.or_else(|| self.software.get(&provenance_of(attempt)))?;
        let mut inputs = vec![
            ("post_storage", cell.axes.combination.post_storage.as_str().into()),
            ("notification_storage", cell.axes.combination.notification_storage.as_str().into()),
            ("regions", cell.axes.combination.regions.to_string().into()),
            ("delay_ms", cell.axes.delay_ms.to_string().into()),
            ("antipode", yes_or_no(cell.axes.antipode)),
            ("round", cell.round.to_string().into()),
            ("platform", cell.platform.as_str().into()),
            ("simulated", yes_or_no(cell.platform == Platform::Sim)),
        ];
        match told {
            // What a folder of the original does not tell is not known, whatever the record has in its place.
            Some(told) if imported.is_some() => inputs.push(("requests", told.requests.to_string().into())),
            Some(told) => inputs.extend(further_inputs(told, record)),
            None => {}
        }
        Some(Used { cell, record, inputs, is_imported: imported.is_some(), software })
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
    objects: Vec<String>,
}

fn action<'a>(inventory: &Inventory, objects_there: &HashSet<Digest>, executed: Executed<'_>) -> Entity<'a> {
    let Executed { name, attempt, record, is_imported, software, objects } = executed;
    let done = attempt.status == AttemptStatus::Done;
    let result = attempt
        .object
        .filter(|object| objects_there.contains(object))
        .map(|object| in_crate(&BundlePath::Object(object)));
    let simulated = record.map_or("", label);
    let mut description = format!("Origin {}.", attempt.origin);
    if is_imported {
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
    Entity::new(&action_id(attempt), "CreateAction")
        .text("name", &name)
        .text("description", &description)
        .text("identifier", &attempt.key.to_string())
        .value("instrument", refs([software.to_owned()]))
        .value("agent", refs(agents))
        .value("object", refs(objects))
        .value("result", refs(result))
        .value("subjectOf", refs([in_crate(&BundlePath::Attempt(attempt.id.clone()))]))
        .text("startTime", &with_offset(&attempt.started))
        .text("endTime", &with_offset(&attempt.ended))
        .text("actionStatus", status)
        .text("error", &error)
}

/// An instant in UTC, with its offset written out, as the profile recommends.
fn with_offset(instant: &str) -> String {
    instant.strip_suffix('Z').map_or_else(|| instant.to_owned(), |start| format!("{start}+00:00"))
}

fn yes_or_no(is_so: bool) -> Cow<'static, str> {
    if is_so { "true" } else { "false" }.into()
}

fn further_inputs(inputs: &CellInputs, record: Option<&Record>) -> Vec<Input> {
    let configured_lag = record.map_or_else(|| ConfiguredLag::of(inputs).post, |record| record.configured_lag);
    let arrival = match inputs.arrival {
        Arrival::Concurrency(clients) => ("concurrency", clients.to_string().into()),
        Arrival::RatePerSecond(rate) => ("rate_per_s", rate.to_string().into()),
    };
    let invocation = match inputs.invocation {
        Invocation::RequestResponse => "RequestResponse",
        Invocation::Event => "Event",
    };
    let mut further = vec![
        arrival,
        ("requests", inputs.requests.to_string().into()),
        ("payload_bytes", inputs.payload_bytes.to_string().into()),
        ("seed", inputs.seed.to_string().into()),
        ("invocation", invocation.into()),
        ("barrier_min_ms", inputs.barrier.min_ms.to_string().into()),
        ("barrier_max_ms", inputs.barrier.max_ms.to_string().into()),
        ("barrier_deadline_ms", inputs.barrier.deadline_ms.to_string().into()),
        ("workload_version", inputs.workload_version.to_string().into()),
        ("configured_lag", yes_or_no(configured_lag)),
    ];
    // Only where it is so: bundles of other results stay what they were.
    if ConfiguredLag::of(inputs).notification {
        further.push(("configured_notification_lag", yes_or_no(true)));
    }
    further
}

/// The experiment and the model of a run.
fn files_of(facts: &Facts, run: &RunId) -> Vec<String> {
    let of_the_run = facts.runs.range((run.clone(), Digest::MIN)..=(run.clone(), Digest::MAX));
    let mut found: Vec<String> = of_the_run
        .flat_map(|(_, files)| files)
        .filter_map(|(name, digest)| match name.as_str() {
            "experiment.toml" => Some(in_crate(&BundlePath::Experiment(*digest))),
            "model.toml" => Some(in_crate(&BundlePath::Model(*digest))),
            _ => None,
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

/// The runner that executed an attempt. What tells two of them apart is in the name, which is a URI of its own: a UUID
/// drawn from a digest (RFC 9562, version 8).
fn software<'a>(provenance: &Provenance) -> Entity<'a> {
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
fn foreign<'a>(name: &str) -> Entity<'a> {
    Entity::new(&format!("#imported/{}", iri(name)), "SoftwareApplication")
        .text("name", name)
        .text("description", "Gathered the results that were imported; which version of it, and where, is not told")
        .text("softwareVersion", "not told")
}

fn agent_id(origin: &str, name: &str) -> String {
    format!("#agent/{origin}/{}", iri(name))
}

/// A path as the crate has it: without the payload's folder.
fn in_crate(place: &BundlePath) -> String {
    let path = place.to_string();
    path.strip_prefix(PAYLOAD).map(str::to_owned).unwrap_or(path)
}
