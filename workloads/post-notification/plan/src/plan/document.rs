//! The plan as it is written and read.

use matrix_core::{CellState, Reason, Tally};
use serde::{Deserialize, Serialize};

use super::warning::{Warning, warnings};
use crate::axes::Platform;
use crate::cell::Cell;
use crate::experiment::Experiment;
use crate::filter::Filter;
use crate::key::CellKey;
use crate::point::Axes;

/// Version of the plan's form.
pub const SCHEMA: u32 = 1;

/// The ordered cells of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Version of this form, [`SCHEMA`].
    pub schema: u32,
    /// Name of the experiment.
    pub experiment: String,
    /// What it runs on.
    pub platform: Platform,
    /// Seed that the order was drawn from. Text, because JSON readers round whole numbers above 2^53.
    pub seed: String,
    /// The filter as written, if there was one.
    pub filter: Option<String>,
    /// Whether done cells were to run again.
    pub fresh: bool,
    /// What the design of the experiment does not allow to tell apart.
    pub warnings: Vec<Warning>,
    /// The cells in the order in which they run.
    pub cells: Vec<PlannedCell>,
}

/// A cell in a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedCell {
    /// Its key.
    pub key: CellKey,
    /// One value of every axis.
    pub axes: Axes,
    /// Number of the round, from 1.
    pub round: u32,
    /// Number of the block, from 0 in the order of running.
    pub block: u32,
    /// Where it stood as the run began.
    pub state: CellState,
    /// Why it runs or not.
    pub reason: Reason,
}

impl Plan {
    /// The plan of a run. `cells` are in order, each with the number of its block; `state_of` tells where a cell stands.
    #[must_use]
    pub fn new<'a>(
        experiment: &Experiment,
        filter: Option<&Filter>,
        fresh: bool,
        cells: impl IntoIterator<Item = (u32, &'a Cell)>,
        mut state_of: impl FnMut(&CellKey) -> CellState,
    ) -> Self {
        let planned = cells.into_iter().map(|(block, cell)| {
            let (axes, round) = (cell.axes(), cell.inputs.round);
            let selected = filter.is_none_or(|filter| filter.matches(axes, round));
            let old = state_of(&cell.key);
            PlannedCell {
                key: cell.key,
                axes: axes.clone(),
                round,
                block,
                state: old.as_run_begins(selected),
                reason: Reason::of(old, selected, fresh),
            }
        });
        Self {
            schema: SCHEMA,
            experiment: experiment.name.clone(),
            platform: experiment.platform,
            seed: experiment.seed.to_string(),
            filter: filter.map(|filter| filter.as_str().to_owned()),
            fresh,
            warnings: warnings(experiment),
            cells: planned.collect(),
        }
    }

    /// The cells that run, in order.
    pub fn to_run(&self) -> impl Iterator<Item = &PlannedCell> {
        self.cells.iter().filter(|cell| cell.reason.runs())
    }

    /// How many cells stood in each state as the run began.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.cells.iter().map(|cell| cell.state).collect()
    }
}
