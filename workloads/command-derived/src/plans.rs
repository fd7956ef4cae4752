//! Whether what runs planned is what their experiments and the results come to, and whether results are of these experiments.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::{Path, PathBuf};

use matrix_bundle::layout::BundlePath;
use matrix_command::cells::{cells_of_text, reading, text_key};
use matrix_command::results::wrong_rows;
use matrix_command::run::{Input, PlanDocument};
use matrix_command::{Cell, Experiment, WORKLOAD, WORKLOAD_VERSION};
use matrix_core::CellKey;
use matrix_core::key::key_of;
use matrix_core::read::Reading;
use matrix_store::{Digest, GenericAttempt, GenericRecord, Origin, RunDocuments, RunId, Store, StoreError, parallel};
use serde_json::{Value, json};

use crate::error::DerivedError;

/// What a line of the table of `verify` says of plans.
pub const PLANS: &str = "plans: follow from experiment and results";

/// A file of a store or a bundle that is not what others of it say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WrongFile {
    /// A run's plan.
    Plan(RunId, Digest),
    /// A record.
    Record(CellKey, Origin),
}

impl WrongFile {
    /// Its path in a store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn in_store(&self, store: &Store) -> Result<PathBuf, StoreError> {
        Ok(match self {
            Self::Plan(run, _) => Path::new("runs").join(run.as_str()).join("plan.json"),
            Self::Record(key, origin) => {
                let path = store.record_path(key, origin)?;
                path.strip_prefix(store.path()).unwrap_or(&path).to_owned()
            }
        })
    }

    /// Its path in a bag.
    #[must_use]
    pub fn in_bag(&self) -> PathBuf {
        PathBuf::from(match self {
            Self::Plan(_, digest) => BundlePath::Plan(*digest).to_string(),
            Self::Record(key, origin) => BundlePath::Record(*key, origin.clone()).to_string(),
        })
    }
}

/// What was found when plans were compared with experiments and results.
#[derive(Clone, Debug, Default)]
pub struct Followed {
    /// How many plans were looked at.
    pub plans: u64,
    /// What is wrong, and where.
    pub wrong: Vec<(WrongFile, String)>,
}

/// Compares the plans of a store's runs with what they were made of: each has every cell of its experiment once, and the inputs of
/// each planned cell that has a result or a failed attempt are those that the experiment gives it. A plan says which result belongs to
/// which values, so that anything could be read from one that does not follow.
///
/// # Errors
/// When the store cannot be read.
pub fn follow(store: &Store) -> Result<Followed, DerivedError> {
    follow_of(store, &store.all_runs()?, true)
}

/// Refuses runs with a plan that does not follow: nobody could verify a bundle of them.
pub(crate) fn must_follow(store: &Store, runs: &[RunId]) -> Result<(), DerivedError> {
    match follow_of(store, runs, false)?.wrong.pop() {
        Some((WrongFile::Plan(run, _), what)) => Err(DerivedError::Plan { run, what }),
        _ => Ok(()),
    }
}

fn follow_of(store: &Store, runs: &[RunId], with_rows: bool) -> Result<Followed, DerivedError> {
    let mut found = Followed::default();
    let (mut inputs, mut looked_at) = (None, BTreeSet::new());
    for id in runs {
        let run = store.run_documents(id.as_str())?;
        let file = || Ok::<_, StoreError>(WrongFile::Plan(id.clone(), Digest::of(&run.plan()?)));
        let plan = match PlanDocument::of_run(&run) {
            Ok(Some(plan)) => plan,
            Ok(None) => continue,
            Err(StoreError::Damaged { what, .. }) => {
                found.wrong.push((file()?, what));
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        found.plans += 1;
        let inputs = match &mut inputs {
            Some(inputs) => inputs,
            none => none.insert(Inputs::of(store)?),
        };
        match planned(&run, &plan, inputs)? {
            Ok(experiment) if with_rows => {
                let reading = reading(&experiment).map_err(StoreError::from)?;
                let keys = plan.cells.iter().map(|cell| cell.key).filter(|key| looked_at.insert((*key, reading)));
                let keys: Vec<CellKey> = keys.collect();
                for wrong in parallel::each(&keys, |key| wrong_results(store, &experiment, reading, key)) {
                    found.wrong.extend(wrong?);
                }
            }
            Ok(_) => {}
            Err(what) => found.wrong.push((file()?, what)),
        }
    }
    Ok(found)
}

/// What is wrong with the results of a cell.
fn wrong_results(
    store: &Store,
    experiment: &Experiment,
    reading: Digest,
    key: &CellKey,
) -> Result<Vec<(WrongFile, String)>, StoreError> {
    let mut wrong = Vec::new();
    for origin in store.origins(key)? {
        let Some(record) = store.record(key, &origin)? else { continue };
        let what = wrong_rows(store, experiment, reading, &record)?;
        wrong.extend(what.map(|what| (WrongFile::Record(*key, origin), what)));
    }
    Ok(wrong)
}

/// What is known of the inputs of each cell that was tried.
#[derive(Debug, Default)]
struct Inputs(BTreeMap<CellKey, Said>);

/// What inputs say, as a digest.
#[derive(Clone, Copy, Debug)]
enum Said {
    /// Everything that an experiment's text gives.
    Text(CellKey),
    /// What a plan shows, where another version of the workload gave cells their meaning.
    Shown(CellKey),
}

impl Said {
    fn of(inputs: &Value) -> Result<Self, StoreError> {
        let is_of_this_version = inputs["version"] == json!(WORKLOAD_VERSION);
        Ok(if is_of_this_version { Self::Text(text_key(inputs)?) } else { Self::Shown(shown(inputs)?) })
    }

    /// Whether it is said of a cell as the experiment's text gives it.
    fn is_of(self, cell: &Cell) -> Result<bool, StoreError> {
        Ok(match self {
            Self::Text(key) => key == cell.key,
            Self::Shown(key) => key == shown(&cell.inputs)?,
        })
    }
}

fn shown(inputs: &Value) -> Result<CellKey, serde_json::Error> {
    key_of(&json!([inputs["axes"], inputs["round"], inputs["seed"], inputs["workload"]]))
}

impl Inputs {
    fn of(store: &Store) -> Result<Self, DerivedError> {
        let mut inputs = BTreeMap::new();
        for record in store.records::<GenericRecord>()? {
            let record = record?;
            inputs.insert(record.key, Said::of(&record.inputs)?);
        }
        for id in store.attempts()? {
            let Some(GenericAttempt { key, inputs: Some(tried), .. }) = store.attempt(&id)? else { continue };
            inputs.insert(key, Said::of(&tried)?);
        }
        Ok(Self(inputs))
    }
}

/// The experiment that a run planned; what is wrong with its plan if it does not follow.
fn planned(
    run: &RunDocuments,
    plan: &PlanDocument,
    inputs: &Inputs,
) -> Result<Result<Experiment, String>, DerivedError> {
    let name = format!("experiment.toml of run {}", run.id());
    let unplanned = |why: &dyn Display| Ok(Err(format!("its experiment cannot be planned: {why}")));
    let experiment = match Input::without_files(&name, run.experiment_text()?, Reading::Saved) {
        Ok((_, experiment)) => experiment,
        Err(failure) => return unplanned(&DerivedError::from(failure)),
    };
    let cells = match cells_of_text(&experiment) {
        Ok(cells) => cells,
        Err(error) => return unplanned(&error),
    };
    Ok(match wrong_plan(&experiment, &cells, plan, inputs)? {
        Some(what) => Err(what),
        None => Ok(experiment),
    })
}

/// What is wrong with a plan.
fn wrong_plan(
    experiment: &Experiment,
    cells: &[Cell],
    plan: &PlanDocument,
    inputs: &Inputs,
) -> Result<Option<String>, StoreError> {
    if let Some(what) = wrong_head(experiment, plan) {
        return Ok(Some(what));
    }
    if cells.len() != plan.cells.len() {
        return Ok(Some(format!("it has {} cells, its experiment {}", plan.cells.len(), cells.len())));
    }
    let places = cells.iter().map(|cell| (Input::place_in(experiment, cell), cell));
    let places: BTreeMap<(String, u32), &Cell> = places.collect();
    let mut seen = BTreeSet::new();
    for planned in &plan.cells {
        let (key, place) = (planned.key.short(), planned.place());
        let Some(cell) = places.get(&place) else {
            return Ok(Some(format!("its cell {key} is none of its experiment: {} round {}", place.0, place.1)));
        };
        if !seen.insert(place) {
            return Ok(Some(format!("its cell {key} has the values and the round of another one")));
        }
        let Some(said) = inputs.0.get(&planned.key) else { continue };
        if !said.is_of(cell)? {
            return Ok(Some(format!("its cell {key} is not what its experiment and the result's inputs come to")));
        }
    }
    Ok(None)
}

/// What a plan says of the whole experiment, and is not so.
fn wrong_head(experiment: &Experiment, plan: &PlanDocument) -> Option<String> {
    let seed = experiment.seed.to_string();
    let said = [
        ("experiment", &plan.experiment, experiment.name.as_str()),
        ("workload", &plan.workload, WORKLOAD),
        ("seed", &plan.seed, seed.as_str()),
    ];
    let mut wrong = said.into_iter().filter(|(_, theirs, ours)| theirs != ours);
    wrong.next().map(|(what, theirs, ours)| format!("its {what} is {theirs}, and {ours} in its experiment"))
}
