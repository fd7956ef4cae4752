//! Whether what a run planned is what its experiment and its model come to.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use matrix_archive::Inventory;
use matrix_plan::{Axes, CellInputs, CellKey, Fingerprint, Plan};
use matrix_run::results::plan_of;
use matrix_run::{FailureKind, Input, RunError};
use matrix_store::{Digest, RunDocuments, Store};
use matrix_traces::Record;

/// What is wrong with the plans of a store's runs, each with the digest of its file and its run's name.
///
/// Cells are planned again: their axes and rounds have to be those of the experiment, and their keys those that experiment
/// and model give. Another version of the program gives other keys; then what records say of their cells has to be what the
/// experiment says, in all that does not depend on the version.
pub fn wrong_plans(store: &Store) -> Result<Vec<(Digest, String, String)>, RunError> {
    let of_cell = |key: &CellKey| {
        let mut found = Vec::new();
        for origin in store.origins(key)? {
            found.extend(store.record::<Record>(key, &origin)?.map(|record| record.inputs));
        }
        Ok(found)
    };
    wrong_plans_with(store, &of_cell)
}

/// The same where the records are those of an inventory, and only the runs are in the store.
pub fn wrong_plans_of(store: &Store, inventory: &Inventory) -> Result<Vec<(Digest, String, String)>, RunError> {
    // Only another version of the program plans other cells, for which this is needed.
    let inputs: OnceCell<BTreeMap<&CellKey, Vec<&CellInputs>>> = OnceCell::new();
    let by_cell = || {
        let mut inputs: BTreeMap<&CellKey, Vec<&CellInputs>> = BTreeMap::new();
        for ((key, _), record) in &inventory.records {
            inputs.entry(key).or_default().push(&record.inputs);
        }
        inputs
    };
    let of_cell = |key: &CellKey| {
        let of_cell = inputs.get_or_init(by_cell).get(key);
        Ok(of_cell.into_iter().flatten().map(|inputs| (*inputs).clone()).collect())
    };
    wrong_plans_with(store, &of_cell)
}

/// What records say that gives a cell its meaning, whoever measured it.
type OfCell<'a> = dyn Fn(&CellKey) -> Result<Vec<CellInputs>, RunError> + 'a;

fn wrong_plans_with(store: &Store, of_cell: &OfCell<'_>) -> Result<Vec<(Digest, String, String)>, RunError> {
    let mut wrong = Vec::new();
    for id in store.runs()? {
        let run = store.run_documents(id.as_str())?;
        if let Some(what) = wrong_plan(of_cell, &run)? {
            wrong.push((Digest::of(&run.plan()?), id.to_string(), what));
        }
    }
    Ok(wrong)
}

/// Refuses an inventory with a plan that does not follow from its experiment and its model.
pub fn plans_follow(store: &Store, inventory: &Inventory) -> Result<(), RunError> {
    let wrong = wrong_plans(store)?.into_iter().find(|(digest, ..)| inventory.plans.contains_key(digest));
    let Some((_, run, what)) = wrong else { return Ok(()) };
    let path = store.path().join("runs").join(run).join("plan.json");
    Err(RunError::with_help(
        FailureKind::Integrity,
        format!("{}: {what}", path.display()),
        "nobody could verify such a bundle: restore the store from a copy, or choose other runs with --run",
    ))
}

fn wrong_plan(of_cell: &OfCell<'_>, run: &RunDocuments) -> Result<Option<String>, RunError> {
    let plan = plan_of(run)?;
    let input = match Input::from_run(run) {
        Ok(input) => input,
        Err(failure) => {
            return Ok(Some(format!("its experiment cannot be planned: {failure}")));
        }
    };
    if let Some(what) = wrong_head(&input, &plan) {
        return Ok(Some(what));
    }
    let again: BTreeMap<(&Axes, u32), &matrix_plan::Cell> =
        input.cells.iter().map(|(_, cell)| ((cell.axes(), cell.inputs.round), cell)).collect();
    if again.len() != plan.cells.len() {
        return Ok(Some(format!("it has {} cells, its experiment {}", plan.cells.len(), again.len())));
    }
    let mut pairs = Vec::new();
    for cell in &plan.cells {
        let Some(same) = again.get(&(&cell.axes, cell.round)) else {
            let what = format!("its cell {} round {} is none of its experiment", cell.axes, cell.round);
            return Ok(Some(what));
        };
        pairs.push((cell.key, *same));
    }
    let same_version = pairs.iter().any(|(key, cell)| *key == cell.key);
    for (key, cell) in pairs {
        if key == cell.key {
            continue;
        }
        if same_version || differs(of_cell(&key)?, &cell.inputs) {
            let what = format!("its cell {} is not what its experiment and model come to", key.short());
            return Ok(Some(what));
        }
    }
    Ok(None)
}

/// What a plan says of the whole experiment, and is not so.
fn wrong_head(input: &Input, plan: &Plan) -> Option<String> {
    let experiment = &input.experiment;
    let said = [
        ("experiment", plan.experiment.clone(), experiment.name.clone()),
        ("platform", plan.platform.to_string(), experiment.platform.to_string()),
        ("seed", plan.seed.clone(), experiment.seed.to_string()),
    ];
    let mut wrong = said.into_iter().filter(|(_, theirs, ours)| theirs != ours);
    wrong.next().map(|(what, theirs, ours)| format!("its {what} is {theirs}, and {ours} in its experiment"))
}

/// Whether a record's inputs differ from the experiment's although no other version explains it.
fn differs(of_records: Vec<CellInputs>, ours: &CellInputs) -> bool {
    of_records.into_iter().any(|mut theirs| {
        let another = theirs.workload_version != ours.workload_version
            || version(&theirs.fingerprint) != version(&ours.fingerprint);
        if another {
            theirs.workload_version = ours.workload_version;
            theirs.fingerprint = ours.fingerprint.clone();
        }
        theirs != *ours
    })
}

/// The simulator's version in a fingerprint, if it has one.
fn version(fingerprint: &Fingerprint) -> Option<serde_json::Value> {
    serde_json::to_value(fingerprint).ok()?.get("sim_version").cloned()
}

#[cfg(test)]
mod tests {
    use matrix_archive::Selection;
    use matrix_plan::Part;
    use matrix_store::NewRun;

    use super::*;
    use matrix_run::plan;

    const EXPERIMENT: &str = r#"
schema = 1
name = "small"
platform = "sim"
requests = 5
rounds = 1
seed = 7
concurrency = 2

[[matrix]]
name = "all"
post_storage = ["redis", "mysql"]
notification_storage = ["sns"]
regions = ["eu->us"]
delay_ms = [0]
antipode = [false, true]
"#;

    /// What is said of a run of this experiment and model with that plan.
    fn said(experiment: &str, model: &str, plan: &Plan) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open_for_writing(folder.path(), "test").unwrap();
        let plan = serde_json::to_vec(plan).unwrap();
        let new = NewRun {
            time: "20261122T130000Z",
            name: "small",
            experiment: experiment.as_bytes(),
            model: Some(model.as_bytes()),
            plan: &plan,
        };
        drop(store.create_run(&new).unwrap());
        let wrong = wrong_plans(&store).unwrap();
        let inventory = Inventory::gather(&store, &Selection::default(), None).unwrap();
        let refused = plans_follow(&store, &inventory).err().map(|failure| failure.kind);
        assert_eq!(refused, (!wrong.is_empty()).then_some(FailureKind::Integrity));
        wrong.into_iter().next().map(|(_, _, what)| what)
    }

    #[test]
    fn a_plan_follows_from_its_experiment_and_its_model() {
        let input = Input::from_text(EXPERIMENT).unwrap();
        let model = input.model.as_ref().map(|(_, text)| text.clone()).unwrap();
        let good = plan(None, &input, &Part::default(), &matrix_plan::Again::None).unwrap();
        assert_eq!(said(EXPERIMENT, &model, &good), None);
        let with = |change: &dyn Fn(&mut Plan)| {
            let mut plan = good.clone();
            change(&mut plan);
            said(EXPERIMENT, &model, &plan).unwrap_or_default()
        };
        assert_eq!(
            with(&|plan| plan.experiment = "zzz".to_owned()),
            "its experiment is zzz, and small in its experiment"
        );
        assert_eq!(with(&|plan| plan.seed = "1".to_owned()), "its seed is 1, and 7 in its experiment");
        assert_eq!(with(&|plan| drop(plan.cells.pop())), "it has 3 cells, its experiment 4");
        assert!(with(&|plan| plan.cells[0].round = 9).ends_with("is none of its experiment"));
        assert!(with(&|plan| plan.cells[0].key = plan.cells[1].key).ends_with("experiment and model come to"));
        let other = EXPERIMENT.replace("\"mysql\"", "\"s3\"");
        assert!(said(&other, &model, &good).unwrap().ends_with("is none of its experiment"));
        // What changes one storage's law alone leaves the other cells what they are.
        let other = model.replacen("mean = { value = 400,", "mean = { value = 401,", 1);
        assert_ne!(other, model);
        assert!(said(EXPERIMENT, &other, &good).unwrap().ends_with("experiment and model come to"));
    }
}
