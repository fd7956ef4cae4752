//! Versions of an experiment that runs of one store saved.

use std::collections::BTreeSet;

use matrix_command::cells::reading;
use matrix_command::run::PlanDocument;
use matrix_core::{CellKey, Value};
use matrix_store::{RunId, Store, StoreError};

use crate::chosen::Chosen;
use crate::error::DerivedError;

/// Most values of an axis that are named; of more, their number is.
const MOST_VALUES: usize = 6;

/// Another version of an experiment than the newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The newest run that saved it.
    pub run: RunId,
    /// How the newest version differs from it, in words.
    pub differs: Vec<String>,
}

/// The other versions of an experiment that runs before `newest` saved, the newest first.
///
/// # Errors
/// When the store cannot be read, or what a run saved is not what it should be.
pub fn versions(store: &Store, newest: &RunId) -> Result<Vec<Version>, DerivedError> {
    let newest = store.run(newest.as_str())?;
    let Some(here) = Chosen::of_run(store, &newest)? else { return Ok(Vec::new()) };
    let (mut texts, mut versions) = (vec![newest.experiment()?], Vec::new());
    for id in store.generic_runs()?.iter().rev().filter(|id| *id < newest.id()) {
        let run = store.run_documents(id.as_str())?;
        let text = run.experiment()?;
        if texts.contains(&text) || PlanDocument::experiment_of(&run)? != here.experiment.name {
            continue;
        }
        texts.push(text);
        let differs = match Chosen::of_run(store, &store.run(id.as_str())?) {
            Ok(Some(other)) => differences(&other, &here)?,
            Ok(None) => continue,
            // A version that cannot be read any more is no reason not to read the newest.
            Err(DerivedError::Input(_)) => vec!["this version of matrix cannot read it".to_owned()],
            Err(error) => return Err(error),
        };
        versions.push(Version { run: id.clone(), differs });
    }
    Ok(versions)
}

/// How one version of an experiment differs from another, in words.
fn differences(before: &Chosen, now: &Chosen) -> Result<Vec<String>, StoreError> {
    let values = |chosen: &Chosen, name: &str| {
        chosen.experiment.axes.axes.iter().find(|axis| axis.name == name).map(|axis| axis.values.clone())
    };
    let names = |chosen: &Chosen| -> BTreeSet<String> {
        chosen.experiment.axes.names().into_iter().map(str::to_owned).collect()
    };
    let mut differs = Vec::new();
    for name in names(before).union(&names(now)) {
        let (before, now) = (values(before, name), values(now, name));
        if before != now {
            differs.push(format!("{name} {} -> {}", shown(before.as_deref()), shown(now.as_deref())));
        }
    }
    let has_same_axes = differs.is_empty();
    if before.experiment.rounds != now.experiment.rounds {
        differs.push(format!("rounds {} -> {}", before.experiment.rounds, now.experiment.rounds));
    }
    let keys = |chosen: &Chosen| -> BTreeSet<CellKey> { chosen.cells.iter().map(|cell| cell.key).collect() };
    let (keys_before, keys_now) = (keys(before), keys(now));
    if differs.is_empty() && keys_before != keys_now {
        differs.push(format!("other keys of {} cells", keys_now.difference(&keys_before).count()));
    }
    if keys_before.len() != keys_now.len() {
        differs.push(format!("cells {} -> {}", keys_before.len(), keys_now.len()));
    }
    let (before, now) = (&before.experiment, &now.experiment);
    // Each of these says something of axes by their places and values.
    let parts = [
        ("how rows are read", reading(before)? != reading(now)?),
        ("metrics", before.metrics != now.metrics),
        ("claims", before.claims != now.claims),
        ("figures", before.figures != now.figures),
    ];
    differs
        .extend(parts.into_iter().filter(|(_, is_other)| has_same_axes && *is_other).map(|(part, _)| part.to_owned()));
    if differs.is_empty() {
        differs.push("nothing that results depend on".to_owned());
    }
    Ok(differs)
}

/// The values of an axis; none where there is no such axis.
fn shown(values: Option<&[Value]>) -> String {
    match values {
        None => "none".to_owned(),
        Some(values) if values.len() > MOST_VALUES => format!("{} values", values.len()),
        Some(values) => {
            let words: Vec<String> =
                values.iter().map(|value| matrix_core::printable::one_line(&value.to_string()).to_string()).collect();
            format!("[{}]", words.join(", "))
        }
    }
}
