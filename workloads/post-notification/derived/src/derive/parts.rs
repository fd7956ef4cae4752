//! Which results belong together: each saved experiment, as each origin measured it, and what no run planned.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use matrix_analysis::tables::Source;
use matrix_analysis::{ClaimResult, Options, Traces, evaluate};
use matrix_archive::Inventory;
use matrix_plan::{Axes, CellKey, Experiment, Plan};
use matrix_run::costs::expected_seconds;
use matrix_run::results::{Hosts, Traced, unreadable};
use matrix_run::{FailureKind, RunError};
use matrix_store::{Digest, Origin, Store};
use matrix_traces::Record;

/// One experiment's results by one origin, or those that no run planned.
pub struct Part<'a> {
    /// What its files are called: the experiment; where several differ under one name, a short digest; and the origin where
    /// there are several.
    pub name: String,
    /// Who measured.
    pub origin: Origin,
    /// Where the numbers come from.
    pub source: Source,
    /// The newest run of this version of the experiment; none of what no run planned.
    pub run: Option<String>,
    /// The cells that it has, done or not.
    pub cells: BTreeSet<CellKey>,
    /// Its done cells.
    pub traced: Traced<'a>,
    /// What the experiment claims, judged.
    pub claims: Vec<ClaimResult>,
    /// Seconds that its done cells are estimated to take; empty where there is no estimate.
    pub estimated_s: BTreeMap<CellKey, f64>,
}

/// What a run planned: an experiment, and the cells that it is, whichever of them the run was to execute. A model, or a
/// version of this program, makes other cells of the same text.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Meaning {
    experiment: Digest,
    cells: BTreeMap<CellKey, Axes>,
}

/// The parts of an inventory: each experiment as each origin measured it, and what each origin has that no run planned.
pub fn parts<'a>(store: &'a Store, inventory: &Inventory) -> Result<Vec<Part<'a>>, RunError> {
    let mut parts = all_parts(store, inventory)?;
    parts.retain(|part| part.source.done > 0);
    Ok(parts)
}

/// The same, and experiments of which nothing is done.
pub fn all_parts<'a>(store: &'a Store, inventory: &Inventory) -> Result<Vec<Part<'a>>, RunError> {
    let mut experiments: BTreeMap<Digest, Experiment> = BTreeMap::new();
    let meanings = meanings(inventory)?;
    for digest in meanings.keys().map(|meaning| meaning.experiment) {
        if let Entry::Vacant(place) = experiments.entry(digest) {
            place.insert(experiment(inventory, digest)?);
        }
    }
    let runs: Vec<String> = meanings.values().cloned().collect();
    let of_text = |meaning: Meaning| Some((experiments.get(&meaning.experiment)?, meaning));
    let meanings: Vec<(&Experiment, Meaning)> = meanings.into_keys().filter_map(of_text).collect();
    let origins: BTreeSet<&Origin> = inventory.records.keys().map(|(_, origin)| origin).collect();
    let nobody = Origin::default();
    // A bundle that is verified has no store of attempts.
    let hosts = Hosts::among(inventory.attempts.values());
    let mut parts = Vec::new();
    for (((experiment, meaning), name), run) in meanings.iter().zip(names(&meanings)).zip(runs) {
        let mut cells = meaning.cells.clone();
        cells.retain(|key, _| inventory.cells.contains(key));
        let is_theirs =
            |origin: &&Origin| cells.keys().any(|key| inventory.records.contains_key(&(*key, (*origin).clone())));
        let mut measured: Vec<&Origin> = origins.iter().copied().filter(is_theirs).collect();
        if measured.is_empty() {
            measured.push(&nobody);
        }
        for origin in measured {
            let of_origin = |key: &CellKey| {
                let record = inventory.records.get(&(*key, origin.clone()))?;
                (record.counts.observed() > 0).then_some(record)
            };
            let records: Vec<&Record> = cells.keys().filter_map(of_origin).collect();
            let done: BTreeSet<CellKey> = records.iter().map(|record| record.key).collect();
            let not_done: Vec<Axes> =
                cells.iter().filter(|(key, _)| !done.contains(key)).map(|(_, axes)| axes.clone()).collect();
            let inputs = records.iter().map(|record| (record.key, &record.inputs));
            let estimated_s = expected_seconds(experiment, inputs);
            let traced = Traced::on_hosts(store, records, &hosts);
            let claims = evaluate(&experiment.claims, &traced, &not_done, &Options::default());
            parts.push(Part {
                name: fitting(if origins.len() <= 1 { name.clone() } else { format!("{name}@{origin}") }),
                origin: origin.clone(),
                cells: cells.keys().copied().collect(),
                source: Source::new(&experiment.name, cells.len() as u64, traced.cells()),
                claims: claims.map_err(unreadable)?,
                run: Some(run.clone()),
                estimated_s,
                traced,
            });
        }
    }
    let planned: BTreeSet<&CellKey> = meanings.iter().flat_map(|(_, meaning)| meaning.cells.keys()).collect();
    for origin in origins {
        let mine = |key: &CellKey, of: &Origin| of == origin && !planned.contains(key);
        let records = inventory.records.iter().filter(|((key, of), _)| mine(key, of));
        let records: Vec<&Record> = records.map(|(_, record)| record).collect();
        if !records.is_empty() {
            let is_taken = parts.iter().any(|part| part.name == origin.as_str());
            let name = if is_taken { format!("@{origin}") } else { origin.to_string() };
            parts.push(unplanned(store, name, origin, records, &hosts));
        }
    }
    parts.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(parts)
}

/// Results that no run planned, such as imported ones. Nothing is claimed of them.
fn unplanned<'a>(store: &'a Store, name: String, origin: &Origin, records: Vec<&Record>, hosts: &Hosts) -> Part<'a> {
    let cells = records.iter().map(|record| record.key).collect();
    let traced = Traced::on_hosts(store, records, hosts);
    let source = Source::new(origin.as_str(), traced.cells().len() as u64, traced.cells());
    Part {
        name,
        origin: origin.clone(),
        cells,
        source,
        run: None,
        traced,
        claims: Vec::new(),
        estimated_s: BTreeMap::new(),
    }
}

/// What the runs planned, each once, with the newest run that planned it.
fn meanings(inventory: &Inventory) -> Result<BTreeMap<Meaning, String>, RunError> {
    let mut meanings: BTreeMap<Meaning, String> = BTreeMap::new();
    for name in inventory.journals.keys() {
        let run = &name.0;
        let place = format!("the journal of run {run}");
        let files = inventory.files_of_run(name)?;
        let file = |name: &str| files.get(name).copied();
        let missing =
            |name: &str| RunError::new(FailureKind::Integrity, format!("{place} names no {name} that is there"));
        let experiment = file("experiment.toml").ok_or_else(|| missing("experiment.toml"))?;
        let plan = file("plan.json").and_then(|plan| inventory.plans.get(&plan));
        let unreadable = |what: String| {
            RunError::new(FailureKind::Integrity, format!("the plan of run {run} cannot be read: {what}"))
        };
        let text = plan.ok_or_else(|| missing("plan.json"))?.bytes().map_err(|error| unreadable(error.to_string()))?;
        let plan: Plan = Plan::parse(&text).map_err(|error| unreadable(error.to_string()))?;
        drop(text);
        let cells = plan.cells.into_iter().map(|cell| (cell.key, cell.axes)).collect();
        let newest = meanings.entry(Meaning { experiment, cells }).or_default();
        *newest = newest.clone().max(run.to_string());
    }
    Ok(meanings)
}

fn experiment(inventory: &Inventory, digest: Digest) -> Result<Experiment, RunError> {
    let failed = |what: String| RunError::new(FailureKind::Integrity, format!("experiment {}: {what}", digest.short()));
    let bytes = inventory.experiments.get(&digest).ok_or_else(|| failed("it is missing".to_owned()))?;
    let text = std::str::from_utf8(bytes).map_err(|error| failed(error.to_string()))?;
    Experiment::parse_saved(text).map_err(|problems| failed(problems.to_string()))
}

/// Hexadecimal digits that tell apart what has one name.
const DIGITS: usize = 8;

/// A name for each: the experiment's own if that is enough; where it is not, with its text's digest; where one text means
/// several things, with the digest of its cells, too.
fn names(meanings: &[(&Experiment, Meaning)]) -> Vec<String> {
    let name = |(experiment, meaning): &(&Experiment, Meaning), digests: usize| {
        let keys: String = meaning.cells.keys().map(ToString::to_string).collect();
        let digests = [meaning.experiment, Digest::of(keys.as_bytes())].into_iter().take(digests);
        digests.fold(experiment.name.clone(), |name, digest| {
            format!("{name}-{}", digest.to_string().chars().take(DIGITS).collect::<String>())
        })
    };
    let mut digests = vec![0; meanings.len()];
    loop {
        let names: Vec<String> = meanings.iter().zip(&digests).map(|(one, digests)| name(one, *digests)).collect();
        let mut count: BTreeMap<&str, u64> = BTreeMap::new();
        names.iter().for_each(|name| *count.entry(name).or_default() += 1);
        let shared = |name: &str| count.get(name).is_some_and(|count| *count > 1);
        let more: Vec<bool> = names.iter().zip(&digests).map(|(one, digests)| *digests < 2 && shared(one)).collect();
        if !more.contains(&true) {
            return names;
        }
        digests.iter_mut().zip(more).for_each(|(digests, more)| *digests += usize::from(more));
    }
}

/// Longest name of a part: an archive's entry has 155 bytes for its folders.
const NAME_MAX: usize = 100;

/// A name that fits into an archive: the end of a longer one gives way to a digest of the whole.
fn fitting(name: String) -> String {
    match name.get(..NAME_MAX - 1 - DIGITS) {
        Some(start) if name.len() > NAME_MAX => {
            let digest: String = Digest::of(name.as_bytes()).to_string().chars().take(DIGITS).collect();
            format!("{start}-{digest}")
        }
        _ => name,
    }
}
