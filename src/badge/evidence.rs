//! What results have to show.

use std::collections::{BTreeMap, BTreeSet};

use matrix_analysis::{Options, Traces, evaluate};
use matrix_plan::{Axes, CellKey, CellSpec, Experiment, Verdict};
use matrix_run::results::{Traced, plan_of, unreadable};
use matrix_run::{RunError, with_causes};
use matrix_store::verify::Fault;
use matrix_store::{AttemptStatus, Record, Store, StoreError, VerifyOptions};

use super::{Check, Finding, Subject, runnable};

fn damaged(error: &StoreError) -> Finding {
    Finding::fail(with_causes(error), "`matrix verify` lists everything that is damaged")
}

fn failed(failure: RunError) -> Finding {
    Finding::fail(failure.to_string(), "`matrix verify` lists everything that is damaged")
}

/// The records that can be read; those that cannot are another item's.
fn records(store: &Store) -> Result<Vec<Record>, Finding> {
    let records: Vec<Record> = store.records().map_err(|error| damaged(&error))?.filter_map(Result::ok).collect();
    if records.is_empty() {
        return Err(Finding::fail("the results have no record", "run the experiment"));
    }
    Ok(records)
}

pub(super) fn environment(subject: &Subject) -> Check {
    let store = subject.results()?;
    let (mut known, mut environments) = (BTreeSet::new(), BTreeSet::new());
    for id in store.attempts().map_err(|error| damaged(&error))? {
        let Some(attempt) = store.attempt(&id).map_err(|error| damaged(&error))? else { continue };
        let told = &attempt.provenance;
        let described = (&told.toolchain, &told.kernel, &told.cpu_model, &told.lock_file);
        if let (AttemptStatus::Done, (Some(toolchain), Some(kernel), Some(cpu), Some(lock))) =
            (attempt.status, described)
        {
            known.insert((attempt.key, attempt.origin.clone()));
            environments.insert(format!("{toolchain}; {kernel}; {cpu}; Cargo.lock {}", lock.short()));
        }
    }
    // Who imported what others measured cannot know on what.
    let records = records(store)?;
    let ours = || records.iter().filter(|record| record.origin.as_str() != "imported");
    let unknown = ours().filter(|record| !known.contains(&(record.key, record.origin.clone()))).count();
    if unknown > 0 || environments.is_empty() {
        let seen = format!("of {unknown} of {} results nobody knows in what environment they were made", records.len());
        return Err(Finding::fail(seen, "run these cells again: `matrix run --fresh`"));
    }
    let environments = environments.into_iter().collect::<Vec<_>>().join(" | ");
    Ok(format!("of all {} results: {environments}", ours().count()))
}

pub(super) fn data(subject: &Subject) -> Check {
    let store = subject.results()?;
    let options = VerifyOptions { rows: false, ..VerifyOptions::default() };
    let report = store.verify(options).map_err(|error| damaged(&error))?;
    // Attempts and runs are other items'.
    let of_data = |fault: &&Fault| fault.file.starts_with("objects") || fault.file.starts_with("cells");
    let faults: Vec<&Fault> = report.faults.iter().filter(of_data).collect();
    if let Some(fault) = faults.first() {
        let seen = format!("{} faults, the first: {}: {}", faults.len(), fault.file.display(), fault.what);
        return Err(Finding::fail(seen, "`matrix verify` lists them; `matrix run` makes results anew"));
    }
    Ok(format!("{} records and {} objects, every digest matches", report.checked.records, report.checked.objects))
}

pub(super) fn complete(subject: &Subject) -> Check {
    let store = subject.results()?;
    let done: BTreeSet<CellKey> =
        records(store)?.into_iter().filter(|record| record.counts.observed() > 0).map(|record| record.key).collect();
    let mut planned: BTreeMap<String, BTreeSet<CellKey>> = BTreeMap::new();
    for id in store.runs().map_err(|error| damaged(&error))? {
        let run = store.run(id.as_str()).map_err(|error| damaged(&error))?;
        let plan = plan_of(&run).map_err(failed)?;
        planned.entry(plan.experiment).or_default().extend(plan.cells.into_iter().map(|cell| cell.key));
    }
    let mut said = Vec::new();
    for (experiment, cells) in &planned {
        let left = cells.difference(&done).count();
        if left > 0 {
            let seen = format!("{experiment}: {left} of {} planned cells have no result", cells.len());
            return Err(Finding::fail(seen, "`matrix run` the experiment again: it goes on with what is left"));
        }
        said.push(format!("{experiment}: all {} planned cells are done", cells.len()));
    }
    if said.is_empty() {
        return Err(Finding::fail("the results have no run", "`matrix run` an experiment"));
    }
    Ok(format!("{}; running again has nothing to do", said.join(", ")))
}

/// The experiments of the project, and those that the results' runs saved: either may be missing. Runs that cannot be read
/// are another item's.
fn experiments(subject: &Subject, store: &Store) -> Result<Vec<Experiment>, Finding> {
    let of_project = runnable::experiments(subject).unwrap_or_default();
    let mut found: Vec<Experiment> = of_project.into_iter().filter_map(|(_, experiment)| experiment.ok()).collect();
    for id in store.runs().map_err(|error| damaged(&error))? {
        let text = store.run(id.as_str()).and_then(|run| run.experiment()).ok();
        found.extend(text.and_then(|text| Experiment::parse_saved(&String::from_utf8_lossy(&text)).ok()));
    }
    Ok(found)
}

/// What the results say of the claims of experiments that they are about. Cells that are not done leave claims open; that
/// is another item's.
pub(super) fn verdicts(subject: &Subject) -> Check {
    let store = subject.results()?;
    let mut records = records(store)?;
    records.retain(|record| record.counts.observed() > 0 && store.open_object(&record.object.sha256).is_ok());
    let (mut held, mut open, mut against) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut simulated = false;
    for experiment in experiments(subject, store)? {
        let cells = experiment.cells();
        let of_it = |record: &&Record| {
            let inputs = &record.inputs;
            let same = |cell: &CellSpec| {
                (&cell.axes, cell.round, cell.requests, cell.seed, cell.platform)
                    == (&inputs.axes, inputs.round, inputs.requests, inputs.seed, inputs.platform)
            };
            cells.iter().any(same)
        };
        let traced = Traced::new(store, records.iter().filter(of_it).cloned().collect());
        let done: BTreeSet<(&Axes, u32)> =
            traced.cells().iter().map(|cell| (&cell.inputs.axes, cell.inputs.round)).collect();
        if done.is_empty() {
            continue;
        }
        simulated |= traced.cells().iter().any(|cell| cell.simulated);
        let left = cells.iter().filter(|cell| !done.contains(&(&cell.axes, cell.round)));
        let not_done: Vec<Axes> = left.map(|cell| cell.axes.clone()).collect();
        let results = evaluate(&experiment.claims, &traced, &not_done, &Options::default());
        for claim in results.map_err(|error| failed(unreadable(error)))? {
            let name = format!("{} of {}", claim.id, experiment.name);
            match claim.verdict {
                Verdict::Contradicted => against.insert(name),
                Verdict::Supported | Verdict::Held { .. } => held.insert(name),
                Verdict::Inconclusive => open.insert(name),
            };
        }
    }
    let simulated = if simulated { " (simulated)" } else { "" };
    if !against.is_empty() {
        let seen = format!("contradicted{simulated}: {}", against.into_iter().collect::<Vec<_>>().join(", "));
        return Err(Finding::fail(seen, "`matrix check` shows by what"));
    }
    if held.is_empty() && open.is_empty() {
        return Err(Finding::fail("no claim is about cells of the results", "run an experiment with claims"));
    }
    Ok(format!("{} claims hold{simulated}, {} are open, none is contradicted", held.len(), open.len()))
}
