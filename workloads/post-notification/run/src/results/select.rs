//! Which experiment is meant, and which version of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use matrix_plan::printable::one_line;
use matrix_plan::{CellInputs, Plan};
use matrix_store::{Origin, Run, RunDocuments, Store};
use matrix_traces::Record;

use super::Opened;
use crate::edits::{self, Edit};
use crate::error::{FailureKind, RunError};
use crate::input::{Input, Overrides};
use crate::observer::Observer;

/// Which experiment's results to read.
#[derive(Clone, Debug, Default)]
pub struct Select {
    /// The file of the experiment; without it and without a run, the only experiment in the store is meant.
    pub file: Option<PathBuf>,
    /// A run in the store, whose saved experiment is meant.
    pub run: Option<String>,
    /// Whose results only; without it, of each cell what was measured here, else what the first origin did.
    pub origin: Option<Origin>,
}

/// The experiment that is meant: the file, the run, or the only experiment there is.
pub fn selected(store: &Opened, select: &Select, observer: &dyn Observer) -> Result<Input, RunError> {
    let run = match (&select.file, &select.run) {
        (Some(file), _) => return Input::from_file(file, &Overrides::default()),
        (None, Some(name)) => store.run(name)?,
        (None, None) => only_experiment(store, observer)?,
    };
    Input::from_run(&run).map_err(|failure| match failure.kind {
        // Nobody here wrote it: a bundle whose experiment cannot be planned is not what it should be.
        FailureKind::Input if store.unpacked.is_some() => failure.of_kind(FailureKind::Integrity),
        _ => failure,
    })
}

/// The results of a store without any run, such as one that folders were imported into, where no experiment is named.
pub fn without_run(store: &Store, select: &Select) -> Result<Option<Vec<Record>>, RunError> {
    if select.file.is_some() || select.run.is_some() || !store.runs()?.is_empty() {
        return Ok(None);
    }
    let records = store.records::<Record>()?.collect::<Result<Vec<_>, _>>()?;
    let wanted = |record: &Record| select.origin.as_ref().is_none_or(|origin| record.origin == *origin);
    let records: Vec<Record> = records.into_iter().filter(wanted).collect();
    Ok(Some(records).filter(|records| !records.is_empty()))
}

/// What results without an experiment are called: whose they are.
pub fn origins_of(records: &[Record]) -> String {
    let origins: BTreeSet<&str> = records.iter().map(|record| record.origin.as_str()).collect();
    origins.into_iter().collect::<Vec<_>>().join("+")
}

/// The newest run of the only experiment in the store.
fn only_experiment(store: &Store, observer: &dyn Observer) -> Result<Run, RunError> {
    let mut experiments: BTreeMap<String, Vec<Run>> = BTreeMap::new();
    for id in store.runs()? {
        let run = store.run(id.as_str())?;
        experiments.entry(plan_of(&run)?.experiment).or_default().push(run);
    }
    if experiments.len() > 1 {
        let names: Vec<String> = experiments
            .iter()
            .filter_map(|(name, runs)| Some(format!("  {}: --run {}", one_line(name), runs.last()?.id())))
            .collect();
        return Err(RunError::usage(
            format!("the store has {} experiments", experiments.len()),
            format!("name the experiment's file, or a run of it:\n{}", names.join("\n")),
        ));
    }
    let mut runs = experiments.into_values().next().unwrap_or_default();
    let newest = runs.pop().ok_or_else(|| RunError::usage("the store has no run", "name an experiment's file"))?;
    versions(&newest, &runs, observer)?;
    Ok(newest)
}

/// Says which version of an experiment is read, where runs had several, and how the others differ from it.
fn versions(newest: &Run, older: &[Run], observer: &dyn Observer) -> Result<(), RunError> {
    // Of each version the newest run.
    let (mut texts, mut others) = (vec![newest.experiment()?], Vec::new());
    for run in older.iter().rev() {
        let text = run.experiment()?;
        if !texts.contains(&text) {
            texts.push(text);
            others.push(run);
        }
    }
    if others.is_empty() {
        return Ok(());
    }
    observer.note(format_args!(
        "note: runs of {} versions of this experiment are here; read is the newest, of run {} (--run NAME reads another)",
        texts.len(),
        newest.id()
    ));
    let here = Input::from_run(newest)?;
    let cells: Vec<&CellInputs> = here.cells.iter().map(|(_, cell)| &cell.inputs).collect();
    for run in others {
        // A version that cannot be planned any more is no reason not to read the newest.
        let Ok(input) = Input::from_run(run) else {
            observer.note(format_args!("  run {}: cannot be planned by this version of matrix", run.id()));
            continue;
        };
        let inputs: Vec<&CellInputs> = input.cells.iter().map(|(_, cell)| &cell.inputs).collect();
        let mut differs: Vec<String> = edits::compare(&inputs, &cells)?.iter().map(Edit::parts).collect();
        differs.truncate(3);
        if inputs.len() != cells.len() {
            differs.push(format!("cells {} -> {}", inputs.len(), cells.len()));
        }
        if differs.is_empty() {
            differs.push("nothing that gives a cell its meaning".to_owned());
        }
        observer.note(format_args!("  since run {}: {}", run.id(), differs.join("; ")));
    }
    Ok(())
}

/// The plan that a run saved.
pub fn plan_of(run: &RunDocuments) -> Result<Plan, RunError> {
    Plan::parse(&run.plan()?)
        .map_err(|error| RunError::new(FailureKind::Integrity, format!("plan.json of run {}: {error}", run.id())))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use matrix_archive::{CreateOptions, Selection, create_file};
    use matrix_bundle::Extras;
    use matrix_plan::Part;
    use matrix_store::NewRun;

    use super::*;
    use crate::observer::Unobserved;
    use crate::results::open;

    #[test]
    fn a_bundle_whose_experiment_cannot_be_planned_is_not_what_it_should_be() {
        // With the model that is built in.
        let text = include_str!("../../../../../experiments/quick.toml").replacen("model = ", "# ", 1);
        let text = text.as_str();
        let input = Input::from_text(text).unwrap();
        let plan = serde_json::to_vec(&crate::plan(None, &input, &Part::default(), &matrix_plan::Again::None).unwrap())
            .unwrap();
        let model = input.model.as_ref().map(|(_, text)| text.as_bytes());
        let folder = tempfile::tempdir().unwrap();
        let read = |experiment: &str, name: &str| {
            let (place, bundle) = (folder.path().join(name), folder.path().join(format!("{name}.tar.zst")));
            let store = Store::create_or_open_for_writing(&place, "test").unwrap();
            let experiment = experiment.as_bytes();
            let new = NewRun { time: "20261122T130000Z", name: "quick", experiment, model, plan: &plan };
            drop(store.create_run(&new).unwrap());
            store.close().unwrap();
            let options = CreateOptions { allow_incomplete: true, ..CreateOptions::default() };
            create_file(&Store::open(&place).unwrap(), &Selection::default(), &Extras::default(), &options, &bundle)
                .unwrap();
            let select = Select::default();
            let failure = |results: &Path| {
                selected(&open(results).unwrap(), &select, &Unobserved).err().map(|failure| failure.kind)
            };
            (failure(&place), failure(&bundle))
        };
        assert_eq!(read(text, "good"), (None, None));
        // In a store of one's own it is what the person wrote.
        let forged = text.replacen("requests = 50", "requests = 0", 1);
        assert_ne!(forged, text);
        assert_eq!(read(&forged, "forged"), (Some(FailureKind::Input), Some(FailureKind::Integrity)));
    }
}
