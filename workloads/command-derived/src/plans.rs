//! Whether what runs planned is what their experiments and the results come to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use matrix_bundle::layout::BundlePath;
use matrix_command::cells::{cells_of_text, text_key};
use matrix_command::run::{Input, PlanDocument};
use matrix_command::{Cell, Experiment, WORKLOAD, WORKLOAD_VERSION};
use matrix_core::CellKey;
use matrix_core::key::key_of;
use matrix_core::read::Reading;
use matrix_store::{Digest, GenericAttempt, GenericRecord, Origin, Run, RunId, Store, StoreError};
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
    #[must_use]
    pub fn in_store(&self) -> PathBuf {
        match self {
            Self::Plan(run, _) => Path::new("runs").join(run.as_str()).join("plan.json"),
            Self::Record(key, origin) => Path::new("cells").join(key.to_string()).join(format!("{origin}.json")),
        }
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
    let mut found = Followed::default();
    let mut inputs = None;
    for id in store.all_runs()? {
        let run = store.run(id.as_str())?;
        let file = WrongFile::Plan(id, Digest::of(&run.plan()?));
        let plan = match PlanDocument::of_run(&run) {
            Ok(Some(plan)) => plan,
            Ok(None) => continue,
            Err(StoreError::Damaged { what, .. }) => {
                found.wrong.push((file, what));
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        found.plans += 1;
        let inputs = match &mut inputs {
            Some(inputs) => inputs,
            none => none.insert(Inputs::of(store)?),
        };
        found.wrong.extend(wrong_plan(&run, &plan, inputs)?.map(|what| (file, what)));
    }
    Ok(found)
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

/// What is wrong with a plan.
fn wrong_plan(run: &Run, plan: &PlanDocument, inputs: &Inputs) -> Result<Option<String>, DerivedError> {
    let unplanned = |why: DerivedError| Ok(Some(format!("its experiment cannot be planned: {why}")));
    let name = format!("experiment.toml of run {}", run.id());
    let experiment = match run.experiment_text().map_err(DerivedError::from).and_then(|text| {
        let (_, experiment) = Input::without_files(&name, text, Reading::Saved)?;
        Ok(experiment)
    }) {
        Ok(experiment) => experiment,
        Err(error) => return unplanned(error),
    };
    let cells = match cells_of_text(&experiment) {
        Ok(cells) => cells,
        Err(error) => return Ok(Some(format!("its experiment cannot be planned: {error}"))),
    };
    if let Some(what) = wrong_head(&experiment, plan) {
        return Ok(Some(what));
    }
    if cells.len() != plan.cells.len() {
        return Ok(Some(format!("it has {} cells, its experiment {}", plan.cells.len(), cells.len())));
    }
    let places = cells.iter().map(|cell| (Input::place_in(&experiment, cell), cell));
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
            return Ok(Some(format!("its cell {key} is not what the result's inputs are")));
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
