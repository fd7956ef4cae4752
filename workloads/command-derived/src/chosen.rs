//! Which experiments a store holds, and the cells that their runs planned.

use std::collections::BTreeMap;

use matrix_command::run::{Input, PlanDocument};
use matrix_command::{Cell, Experiment};
use matrix_core::Value;
use matrix_core::read::Reading;
use matrix_store::{Run, RunId, Store};

use crate::error::DerivedError;
use crate::shards::Shards;

/// An experiment and its cells.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The run that saved it; none if it is a file's.
    pub run: Option<RunId>,
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
        let name = format!("experiment.toml of run {id}");
        let (_, experiment) = Input::without_files(&name, run.experiment_text()?, Reading::Saved)?;
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
        Ok(Some(Self { run: Some(id.clone()), experiment, cells }))
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
            let runs = store.generic_runs()?;
            return if runs.is_empty() { Ok(None) } else { Err(DerivedError::TwoSchemas { runs }) };
        }
        let mut newest = with_texts(store, &Texts::new())?;
        match newest.pop_first() {
            None => Ok(None),
            Some((_, (run, _))) if newest.is_empty() => Self::of_run(store, &store.run(run.as_str())?),
            Some(first) => {
                let all = std::iter::once(first).chain(newest);
                Err(DerivedError::Several { experiments: all.map(|(name, (run, _))| (name, run)).collect() })
            }
        }
    }
}

/// Texts of experiments' files, by the names of the experiments.
pub type Texts = BTreeMap<String, String>;

/// The newest run of each experiment of programs in a store; of one whose text is given, the newest that saved this text, if a run
/// did.
///
/// # Errors
/// When the store cannot be read, or a plan is not what it should be.
pub fn newest(store: &Store, texts: &Texts) -> Result<Vec<RunId>, DerivedError> {
    Ok(with_texts(store, texts)?.into_values().map(|(run, _)| run).collect())
}

/// The experiments whose text is given and was saved by no run, each with the run that is read instead.
///
/// # Errors
/// As for [`newest`].
pub fn unsaved(store: &Store, texts: &Texts) -> Result<BTreeMap<String, RunId>, DerivedError> {
    let runs = with_texts(store, texts)?.into_iter();
    Ok(runs.filter_map(|(name, (run, is_wanted))| (!is_wanted).then_some((name, run))).collect())
}

/// The run of each experiment that is read, and whether it has the text that is given.
fn with_texts(store: &Store, texts: &Texts) -> Result<BTreeMap<String, (RunId, bool)>, DerivedError> {
    let mut newest: BTreeMap<String, (RunId, bool)> = BTreeMap::new();
    for id in store.generic_runs()? {
        let run = store.run_documents(id.as_str())?;
        let experiment = PlanDocument::experiment_of(&run)?;
        let is_wanted = match texts.get(&experiment) {
            Some(text) => run.experiment()? == text.as_bytes(),
            None => true,
        };
        if is_wanted || newest.get(&experiment).is_none_or(|(_, is_wanted)| !is_wanted) {
            newest.insert(experiment, (id, is_wanted));
        }
    }
    Ok(newest)
}

/// Every run of these experiments, so that every attempt that a journal names is there; but none that is newer than the one that an
/// experiment is of, as what is derived follows the newest.
///
/// # Errors
/// As for [`newest`].
pub fn runs_of(store: &Store, experiments: &[Chosen]) -> Result<Vec<RunId>, DerivedError> {
    let mut runs = Vec::new();
    for id in store.all_runs()? {
        if let Some(plan) = PlanDocument::of_run(&store.run_documents(id.as_str())?)?
            && experiments.iter().any(|chosen| {
                let is_newer = chosen.run.as_ref().is_some_and(|run| id > *run);
                chosen.experiment.name == plan.experiment && !is_newer
            })
        {
            runs.push(id);
        }
    }
    Ok(runs)
}
