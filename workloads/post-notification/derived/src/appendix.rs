//! An experiment of schema 1, and its results, as parts of an appendix.

use std::collections::{BTreeMap, BTreeSet};

use matrix_analysis::{ClaimResult, Nature, Options, Traces, evaluate};
use matrix_plan::{Axes, Cell, CellKey};
use matrix_report::appendix::{Appendix, Claim, Experiment, Measured};
use matrix_run::results::{Results, unreadable};
use matrix_run::{Input, Observer, RunError};
use matrix_store::{AttemptStatus, Origin, Store};
use matrix_traces::{Attempt, Record};

use crate::page::attempts::{environments, seconds};
use crate::page::claims::findings;

/// The appendix of an experiment: what it claims, what each matrix took, and what was found, as far as `store` has
/// results. `file` is the experiment's file as an evaluator types it.
///
/// # Errors
/// When results cannot be read.
pub fn of_results(
    input: &Input,
    store: Option<&Store>,
    file: &str,
    observer: &dyn Observer,
) -> Result<Appendix, RunError> {
    let experiment = &input.experiment;
    let mut appendix = Appendix::default();
    let matrices = &experiment.matrices;
    let points = |n: usize| experiment.points.iter().filter(move |axes| matrices[n].contains(axes));
    let results = store.map(|store| Found::of(store, input, observer)).transpose()?.unwrap_or_default();
    appendix.environments = results.environments.into_iter().collect();
    for (n, matrix) in matrices.iter().enumerate() {
        let cells = input.cells.iter().map(|(_, cell)| cell).filter(|cell| matrix.contains(cell.axes()));
        let mut measured = Measured::default();
        for (seconds, bytes) in cells.filter_map(|cell| results.cells.get(&cell.key)) {
            measured.add(*seconds, *bytes);
        }
        appendix.experiments.push(Experiment {
            name: matrix.name.clone(),
            nature: results.nature.clone(),
            cells: points(n).count() * experiment.rounds as usize,
            rounds: experiment.rounds,
            // Schema 1 has no place for it.
            human_minutes: None,
            measured,
            prepare: Vec::new(),
            run: vec![format!("matrix run {file} --plot"), format!("matrix check {file}")],
        });
    }
    for claim in &experiment.claims {
        let result = results.claims.iter().find(|result| result.id == claim.id);
        appendix.claims.push(Claim {
            id: claim.id.clone(),
            says: claim.says.clone(),
            paper: claim.source.clone(),
            backed_by: (0..matrices.len()).filter(|n| points(*n).any(|axes| claim.is_about(axes))).collect(),
            verdict: result.map(ClaimResult::verdict_and_nature),
            found: result.map(findings).unwrap_or_default(),
            uncovered: None,
        });
    }
    Ok(appendix)
}

/// What a store has of an experiment.
#[derive(Default)]
struct Found {
    /// Seconds and bytes of each cell with a result.
    cells: BTreeMap<CellKey, (f64, u64)>,
    claims: Vec<ClaimResult>,
    nature: String,
    environments: BTreeSet<String>,
}

impl Found {
    fn of(store: &Store, input: &Input, observer: &dyn Observer) -> Result<Self, RunError> {
        let results = Results::of(store, input, observer)?;
        let done: BTreeSet<CellKey> = results.traced.cells().iter().map(|cell| cell.key).collect();
        if done.is_empty() {
            return Ok(Self::default());
        }
        let chosen: BTreeSet<(CellKey, Origin)> = results.origins.chosen.iter().cloned().collect();
        let cells = input.cells.iter().map(|(_, cell)| cell);
        let not_done: Vec<Axes> =
            cells.filter(|cell| !done.contains(&cell.key)).map(|cell: &Cell| cell.axes().clone()).collect();
        let claims = evaluate(&input.experiment.claims, &results.traced, &not_done, &Options::default());
        let mut last: BTreeMap<CellKey, Attempt> = BTreeMap::new();
        for id in store.attempts()? {
            let Some(attempt) = store.attempt::<Attempt>(&id)? else { continue };
            let is_later = last.get(&attempt.key).is_none_or(|known| known.started <= attempt.started);
            if attempt.status == AttemptStatus::Done
                && is_later
                && chosen.contains(&(attempt.key, attempt.origin.clone()))
            {
                last.insert(attempt.key, attempt);
            }
        }
        let mut found = Self {
            claims: claims.map_err(unreadable)?,
            nature: words(&results.source().nature),
            environments: environments(last.values()),
            ..Self::default()
        };
        for (key, origin) in &chosen {
            let Some(record) = store.record::<Record>(key, origin)?.filter(|_| done.contains(key)) else { continue };
            if let Some(seconds) = last.get(key).and_then(seconds) {
                found.cells.insert(*key, (seconds, record.object.bytes));
            }
        }
        Ok(found)
    }
}

fn words(nature: &Nature) -> String {
    nature.words().join("; ")
}
