//! What a run would do, and why.

use std::collections::BTreeSet;

use matrix_core::{Again, CellKey, CellState, Reason, Shard, Tally};
use matrix_core::{Filter, Value};
use matrix_store::generic::is_generic;
use matrix_store::{RunDocuments, Store, StoreError};
use serde::{Deserialize, Serialize};

use super::{Input, Part};
use crate::cells::Cell;
use crate::file::Experiment;

/// Version of the plan's form.
pub(super) const SCHEMA: u32 = 3;

/// The ordered cells of a run, as `plan.json` has them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanDocument {
    /// Version of this form.
    pub schema: u32,
    /// Name of the experiment.
    pub experiment: String,
    /// The workload.
    pub workload: String,
    /// Seed that the order was drawn from; text, because JSON readers round large numbers.
    pub seed: String,
    /// Axes that vary slowest, in the order of the file: not randomised.
    pub not_randomised: Vec<String>,
    /// The filter as written, if there was one.
    pub filter: Option<String>,
    /// The shard, if it is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// Whether done cells were to run again.
    pub fresh: bool,
    /// The cells in the order in which they run.
    pub cells: Vec<PlannedCell>,
}

/// A cell in a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedCell {
    /// Its key.
    pub key: CellKey,
    /// Its values by axis.
    pub axes: serde_json::Map<String, serde_json::Value>,
    /// Its round, from 1.
    pub round: u32,
    /// Number of its block, from 0 in the order of running.
    pub block: u32,
    /// Where it stood as the run began.
    pub state: CellState,
    /// Why it runs or not.
    pub reason: Reason,
    /// The number of the shard that has it, where the experiment is divided and the filter chooses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<u32>,
}

impl PlannedCell {
    /// Its values and its round, which stay when its key does not: see [`Input::place`].
    #[must_use]
    pub fn place(&self) -> (String, u32) {
        (serde_json::Value::Object(self.axes.clone()).to_string(), self.round)
    }
}

impl PlanDocument {
    /// The plan that a run saved; nothing if the run is another workload's.
    ///
    /// # Errors
    /// When it cannot be read, or has another form than this version knows.
    pub fn of_run(run: &RunDocuments) -> Result<Option<Self>, StoreError> {
        let bytes = run.plan()?;
        if !is_generic(&bytes) {
            return Ok(None);
        }
        serde_json::from_slice(&bytes).map(Some).map_err(|error| unreadable(run, &error))
    }

    /// The name of the experiment whose plan a run of a program saved. The cells are passed over.
    ///
    /// # Errors
    /// As [`PlanDocument::of_run`].
    pub fn experiment_of(run: &RunDocuments) -> Result<String, StoreError> {
        #[derive(Deserialize)]
        struct Head {
            experiment: String,
        }
        let head: Head = serde_json::from_slice(&run.plan()?).map_err(|error| unreadable(run, &error))?;
        Ok(head.experiment)
    }

    /// Every cell, and why it runs or not.
    pub(super) fn planned(&self) -> impl Iterator<Item = (CellKey, Reason)> {
        self.cells.iter().map(|cell| (cell.key, cell.reason))
    }

    /// The keys of the cells that run, in order.
    pub fn to_run(&self) -> impl Iterator<Item = &PlannedCell> {
        self.cells.iter().filter(|cell| cell.reason.runs())
    }

    /// How many cells stood in each state as the run began.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.cells.iter().map(|cell| cell.state).collect()
    }
}

fn unreadable(run: &RunDocuments, error: &serde_json::Error) -> StoreError {
    let what = format!("this version of matrix cannot read it: {error}");
    StoreError::damaged(&run.directory().join("plan.json"), what)
}

/// Whether a filter over axes and round matches a cell.
#[must_use]
pub fn matches(filter: &Filter, cell: &Cell) -> bool {
    matches_at(filter, &cell.point, cell.round)
}

/// Whether it matches any cell of an experiment; what gives the cells their keys need not be there.
#[must_use]
pub fn matches_any(filter: &Filter, experiment: &Experiment) -> bool {
    (1..=experiment.rounds).any(|round| experiment.points.iter().any(|point| matches_at(filter, point, round)))
}

fn matches_at(filter: &Filter, point: &[Value], round: u32) -> bool {
    let round = Value::Whole(i64::from(round));
    filter.matches(&|field| if field == point.len() { Some(&round) } else { point.get(field) })
}

/// The cells whose results ran on a disturbed host; with a paired axis also those that they are compared with by
/// round, as both sides of a pair have to run next to each other.
///
/// # Errors
/// When the store cannot be read.
pub fn disturbed(store: Option<&Store>, input: &Input) -> Result<Again, StoreError> {
    let Some(store) = store else { return Ok(Again::None) };
    let loaded = crate::results::notes_of(store, &input.experiment, &input.cells)?;
    let blocks: BTreeSet<u32> = loaded.disturbed().map(|loaded| loaded.cell.block).collect();
    let cells: BTreeSet<CellKey> = loaded.disturbed().map(|loaded| loaded.cell.key).collect();
    let paired = input.experiment.design.paired.is_some();
    let again = |cell: &&Cell| cells.contains(&cell.key) || paired && blocks.contains(&cell.block);
    Ok(Again::These(input.cells.iter().filter(again).map(|cell| cell.key).collect()))
}

/// The plan of a run.
///
/// # Errors
/// When the store cannot be read.
pub fn plan(store: Option<&Store>, input: &Input, part: &Part, again: &Again) -> Result<PlanDocument, StoreError> {
    let states = states(store, &input.cells)?;
    let axes = &input.experiment.axes;
    let cells = input.cells.iter().zip(states).map(|(cell, state)| {
        let selected = part.has(cell);
        PlannedCell {
            key: cell.key,
            axes: axes.to_json(&cell.point),
            round: cell.round,
            block: cell.block,
            state: state.as_run_begins(selected),
            reason: match part.is_of_another_shard(cell) {
                true => Reason::OtherShard,
                false => Reason::of(state, selected, again.has(&cell.key)),
            },
            shard: part.shard_of(cell),
        }
    });
    let outer = input.experiment.design.outer.iter().filter_map(|axis| axes.axes.get(*axis));
    Ok(PlanDocument {
        schema: SCHEMA,
        experiment: input.experiment.name.clone(),
        workload: crate::WORKLOAD.to_owned(),
        seed: input.experiment.seed.to_string(),
        not_randomised: outer.map(|axis| axis.name.clone()).collect(),
        filter: part.filter.clone(),
        shard: part.shard,
        fresh: !again.is_none(),
        cells: cells.collect(),
    })
}

/// Where each cell stands, in the same order: done whoever measured it; else as its last attempt ended.
///
/// # Errors
/// When the store cannot be read.
pub fn states(store: Option<&Store>, cells: &[Cell]) -> Result<Vec<CellState>, StoreError> {
    let Some(store) = store else { return Ok(vec![CellState::Pending; cells.len()]) };
    let keys: Vec<CellKey> = cells.iter().map(|cell| cell.key).collect();
    let done = store.done(&keys)?;
    // A result that is not there any more: as if nothing had been tried.
    matrix_session::states(store, || store.all_runs(), &keys, &done, |_| Ok(CellState::Pending))
}
