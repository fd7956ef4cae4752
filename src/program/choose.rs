//! Which experiment of a store a command means.

use matrix_command::cells::Cell;
use matrix_command::file::Experiment;
use matrix_command::run::{Input, PlanDocument};
use matrix_core::Value;
use matrix_store::{Run, RunDocuments, Store};

use matrix_run::Overrides;
use matrix_run::results::Select;

use super::shards::Shards;
use crate::exit::{Exit, Failure};

/// An experiment and its cells.
pub(crate) struct Chosen {
    pub(crate) experiment: Experiment,
    pub(crate) cells: Vec<Cell>,
}

/// The experiment of schema 2 that a command means, if it means one: the file or run that it names, or the newest run of
/// the only experiment in the store.
pub(crate) fn chosen(store: &Store, select: &Select) -> Result<Option<Chosen>, Failure> {
    if let Some(file) = &select.file {
        let Some(text) = super::text_of(file, &Overrides::default())? else { return Ok(None) };
        let input = Input::from_file(file, text, None)?;
        return Ok(Some(Chosen { experiment: input.experiment, cells: input.cells }));
    }
    if let Some(name) = &select.run {
        return of_run(store, &store.run(name)?);
    }
    if !store.runs()?.is_empty() {
        // There are experiments of both kinds, or none of this one: the other reader says so.
        let mut names = Vec::new();
        for id in store.all_runs()? {
            if plan_of(&store.run_documents(id.as_str())?)?.is_some() {
                names.push(format!("  --run {id}"));
            }
        }
        return match names.is_empty() {
            true => Ok(None),
            false => Err(Failure::usage(
                "the store has experiments of two schemas",
                format!("name the experiment's file, or a run of it, for example:\n{}", names.join("\n")),
            )),
        };
    }
    let mut newest: Vec<(String, Run)> = Vec::new();
    for id in store.all_runs()? {
        let run = store.run(id.as_str())?;
        let Some(plan) = plan_of(&run)? else { continue };
        newest.retain(|(name, _)| *name != plan.experiment);
        newest.push((plan.experiment, run));
    }
    match newest.as_slice() {
        [] => Ok(None),
        [(_, run)] => of_run(store, run),
        several => {
            let names: Vec<String> =
                several.iter().map(|(name, run)| format!("  {name}: --run {}", run.id())).collect();
            Err(Failure::usage(
                format!("the store has {} experiments", several.len()),
                format!("name the experiment's file, or a run of it:\n{}", names.join("\n")),
            ))
        }
    }
}

/// The plan of a run, if it is of schema 2.
pub(super) fn plan_of(run: &RunDocuments) -> Result<Option<PlanDocument>, Failure> {
    let bytes = run.plan()?;
    if !matrix_store::generic::is_generic(&bytes) {
        return Ok(None);
    }
    let plan = serde_json::from_slice(&bytes);
    plan.map(Some).map_err(|error| Failure::new(Exit::Integrity, format!("plan.json of run {}: {error}", run.id())))
}

/// The experiment of a run as it was saved, with the cells that were planned.
fn of_run(store: &Store, run: &Run) -> Result<Option<Chosen>, Failure> {
    let Some(mut plan) = plan_of(run)? else { return Ok(None) };
    Shards::complete(store, run, &mut plan)?;
    let name = format!("experiment.toml of run {}", run.id());
    let text = String::from_utf8(run.experiment()?)
        .map_err(|error| Failure::new(Exit::Integrity, format!("{name}: {error}")))?;
    let (_, experiment) = Input::without_files(&name, text)?;
    let bad = |what: &str| Failure::new(Exit::Integrity, format!("plan.json of run {}: {what}", run.id()));
    let mut cells = Vec::new();
    for planned in plan.cells {
        let value = |axis: &matrix_core::Axis| Value::of_json(planned.axes.get(&axis.name)?, axis.kind);
        let point: Option<Vec<Value>> = experiment.axes.axes.iter().map(value).collect();
        let point = point.filter(|point| point.len() == planned.axes.len());
        let point = point.ok_or_else(|| bad("a cell has other axes than the experiment"))?;
        let inputs = serde_json::Value::Null;
        cells.push(Cell { key: planned.key, point, round: planned.round, block: planned.block, seed: 0, inputs });
    }
    Ok(Some(Chosen { experiment, cells }))
}
