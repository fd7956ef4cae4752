//! Which experiments a store holds, and the cells that their runs planned.

use std::collections::BTreeMap;

use matrix_command::run::{Input, PlanDocument};
use matrix_command::{Cell, Experiment};
use matrix_core::Value;
use matrix_store::{Run, RunId, Store};

use crate::error::DerivedError;
use crate::shards::Shards;

/// An experiment and its cells.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The experiment.
    pub experiment: Experiment,
    /// Its cells.
    pub cells: Vec<Cell>,
}

impl Chosen {
    /// The experiment of a run as it was saved, with the cells that were planned; none if the run is of another schema.
    ///
    /// # Errors
    /// When the store cannot be read, or what the run saved is not what it should be.
    pub fn of_run(store: &Store, run: &Run) -> Result<Option<Self>, DerivedError> {
        let Some(mut plan) = PlanDocument::of_run(run)? else { return Ok(None) };
        Shards::complete(store, run, &mut plan)?;
        let id = run.id();
        let text = String::from_utf8(run.experiment()?)
            .map_err(|source| DerivedError::Experiment { run: id.clone(), source })?;
        let (_, experiment) = Input::without_files(&format!("experiment.toml of run {id}"), text)?;
        let mut cells = Vec::new();
        for planned in plan.cells {
            let value = |axis: &matrix_core::Axis| Value::of_json(planned.axes.get(&axis.name)?, axis.kind);
            let point: Option<Vec<Value>> = experiment.axes.axes.iter().map(value).collect();
            let point = point.filter(|point| point.len() == planned.axes.len()).ok_or_else(|| DerivedError::Plan {
                run: id.clone(),
                what: "a cell has other axes than the experiment".to_owned(),
            })?;
            let inputs = serde_json::Value::Null;
            cells.push(Cell { key: planned.key, point, round: planned.round, block: planned.block, seed: 0, inputs });
        }
        Ok(Some(Self { experiment, cells }))
    }

    /// The experiments of some runs, in the order of their names.
    ///
    /// # Errors
    /// As for [`of_run`](Self::of_run).
    pub fn of_runs(store: &Store, runs: &[RunId]) -> Result<Vec<Self>, DerivedError> {
        let mut experiments = Vec::new();
        for id in runs {
            experiments.extend(Self::of_run(store, &store.run(id.as_str())?)?);
        }
        experiments.sort_by(|one, other| one.experiment.name.cmp(&other.experiment.name));
        Ok(experiments)
    }

    /// The newest run of the only experiment in a store; none if the store has no experiment of a program.
    ///
    /// # Errors
    /// When there are several, and as for [`of_run`](Self::of_run).
    pub fn only(store: &Store) -> Result<Option<Self>, DerivedError> {
        if !store.runs()?.is_empty() {
            // There are experiments of both kinds, or none of this one: the other reader says so.
            let mut runs = Vec::new();
            for id in store.all_runs()? {
                if PlanDocument::of_run(&store.run_documents(id.as_str())?)?.is_some() {
                    runs.push(id);
                }
            }
            return if runs.is_empty() { Ok(None) } else { Err(DerivedError::TwoSchemas { runs }) };
        }
        let mut newest: Vec<(String, Run)> = Vec::new();
        for id in store.all_runs()? {
            let run = store.run(id.as_str())?;
            let Some(plan) = PlanDocument::of_run(&run)? else { continue };
            newest.retain(|(name, _)| *name != plan.experiment);
            newest.push((plan.experiment, run));
        }
        match newest.as_slice() {
            [] => Ok(None),
            [(_, run)] => Self::of_run(store, run),
            several => Err(DerivedError::Several {
                experiments: several.iter().map(|(name, run)| (name.clone(), run.id().clone())).collect(),
            }),
        }
    }
}

/// The newest run of each experiment of programs in a store, or the one of this name.
///
/// # Errors
/// When the store cannot be read, or a plan is not what it should be.
pub fn newest(store: &Store, name: Option<&str>) -> Result<Vec<RunId>, DerivedError> {
    let mut newest: BTreeMap<String, RunId> = BTreeMap::new();
    for id in store.all_runs()? {
        if name.is_some_and(|name| name != id.as_str()) {
            continue;
        }
        if let Some(plan) = PlanDocument::of_run(&store.run_documents(id.as_str())?)? {
            newest.insert(plan.experiment, id);
        }
    }
    Ok(newest.into_values().collect())
}

/// Every run of these experiments, so that every attempt that a journal names is there.
///
/// # Errors
/// As for [`newest`].
pub fn runs_of(store: &Store, experiments: &[Chosen]) -> Result<Vec<RunId>, DerivedError> {
    let mut runs = Vec::new();
    for id in store.all_runs()? {
        if let Some(plan) = PlanDocument::of_run(&store.run_documents(id.as_str())?)?
            && experiments.iter().any(|chosen| chosen.experiment.name == plan.experiment)
        {
            runs.push(id);
        }
    }
    Ok(runs)
}
