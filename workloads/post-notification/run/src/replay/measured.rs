//! Cells that were measured on real services. A measurement cannot be replayed: a fresh one is compared statistically.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use matrix_analysis::Change;
use matrix_antipode_artifact::Imported;
use matrix_archive::Inventory;
use matrix_store::{Digest, RunId, Store};
use matrix_traces::Record;

use super::bundle::{Cell, Status};
use crate::diff::{Pair, compare, matching};
use crate::error::RunError;
use crate::wording::{interval, word};

/// Compares measured results with those of the same cells in another store.
pub(super) fn against(bundle: &Store, measured: Vec<Record>, fresh: &Store) -> Result<Vec<Cell>, RunError> {
    let theirs = fresh.records::<Record>()?.collect::<Result<Vec<_>, _>>()?;
    let keys: BTreeSet<_> = measured.iter().map(|record| record.key).collect();
    let found = matching(measured, theirs.into_iter().filter(|record| keys.contains(&record.key)).collect())?;
    let changes = compare(bundle, fresh, &found.same_key)?;
    let compared = found.same_key.iter().zip(changes).map(|(pair, changes)| compared(pair, &changes));
    let missing = found.only_a.iter().map(|record| {
        Cell::new(record, Status::NotMeasuredAgain, "the other results do not have this cell".to_owned())
    });
    Ok(compared.chain(missing).collect())
}

fn compared(pair: &Pair, changes: &[Change]) -> Cell {
    if pair.is_identical() {
        return Cell::new(&pair.a, Status::SameMeasurement, "identical to the byte: no fresh measurement".to_owned());
    }
    let judged = changes.iter().filter(|change| change.overlaps().is_some()).count();
    let apart: Vec<String> = changes.iter().filter(|change| change.overlaps() == Some(false)).map(describe).collect();
    if judged == 0 {
        let what = "too few rounds for an interval (3 are needed on each side): not compared".to_owned();
        return Cell::new(&pair.a, Status::NotReplayed, what);
    }
    if apart.is_empty() {
        let what = format!("the 95 % intervals of all {judged} metrics overlap");
        return Cell::new(&pair.a, Status::Overlaps, what);
    }
    Cell::new(&pair.a, Status::Apart, apart.join("; "))
}

fn describe(change: &Change) -> String {
    let shown = |of: Option<matrix_plan::Interval>| {
        let number = |number: f64| format!("{number:.2}");
        of.map_or_else(String::new, |of| format!("{} {}", number(of.value), interval(of.low, of.high, number)))
    };
    let (metric, unit) = (change.metric, change.metric.unit());
    format!("{metric} {} {unit} in the bundle, {} measured again", shown(change.from), shown(change.to))
}

/// What is said of measured results that there is nothing to compare with.
pub(super) fn not_replayed(record: &Record) -> Cell {
    let why = match Imported::of(&record.inputs) {
        Some(_) => "imported: only its folder says what it was",
        None => "measured on real services: compare it with a fresh measurement, --against RESULTS",
    };
    Cell::new(record, Status::NotReplayed, why.to_owned())
}

/// The commands that measure the cells of a bundle again, where it has the experiments that they come from.
pub(super) fn commands(file: &Path, inventory: &Inventory, measured: &[Record]) -> Vec<String> {
    let runs: BTreeMap<&RunId, Digest> = inventory
        .journals
        .keys()
        .filter_map(|name| Some((&name.0, *inventory.files_of_run(name).ok()?.get("experiment.toml")?)))
        .collect();
    let of_record = |record: &Record| {
        let made_it = |attempt: &&matrix_traces::Attempt| {
            (attempt.key, &attempt.origin, attempt.object) == (record.key, &record.origin, Some(record.object.sha256))
        };
        let attempts = inventory.attempts.values().filter(made_it);
        attempts.filter_map(|attempt| runs.get(attempt.run.as_ref()?).copied()).collect::<Vec<_>>()
    };
    let experiments: BTreeSet<Digest> = measured.iter().flat_map(of_record).collect();
    if experiments.is_empty() {
        return Vec::new();
    }
    let file = word(file);
    let runs =
        experiments.iter().map(|digest| format!("matrix run bag/data/experiments/{digest}.toml --results fresh"));
    [format!("matrix bundle extract {file} -o bag")]
        .into_iter()
        .chain(runs)
        .chain([format!("matrix bundle replay {file} --against fresh")])
        .collect()
}
