//! The plan as it is written and read.

use std::collections::BTreeSet;

use matrix_core::{Again, CellState, Reason, Shard, Tally};
use serde::{Deserialize, Deserializer, Serialize};

use super::warning::{Warning, warnings};
use crate::axes::Platform;
use crate::cell::Cell;
use crate::experiment::Experiment;
use crate::filter::Filter;
use crate::key::CellKey;
use crate::point::Axes;

/// Version of the plan's form.
pub const SCHEMA: u32 = 1;

/// Version of a plan that is of a shard: the form of [`SCHEMA`], with `shard`.
pub const SCHEMA_WITH_SHARD: u32 = 2;

/// Which part of an experiment is meant.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// The cells that it lets pass, if there is a filter.
    pub filter: Option<Filter>,
    /// Of these, the ones of one shard.
    pub shard: Option<Shard>,
}

impl Part {
    /// Whether the filter lets a cell pass, whichever shard has it.
    #[must_use]
    pub fn selects(&self, cell: &Cell) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.matches(cell.axes(), cell.inputs.round))
    }

    /// The points of which the filter lets a round pass, in the experiment's order.
    fn points<'a>(&self, experiment: &'a Experiment) -> Vec<&'a Axes> {
        let passes = |axes: &&Axes| {
            let filter = self.filter.as_ref();
            filter.is_none_or(|filter| (1..=experiment.rounds).any(|round| filter.matches(axes, round)))
        };
        experiment.points.iter().filter(passes).collect()
    }

    /// For each cell, in the order of running: whether the filter lets it pass, and whether the shard has it besides.
    fn of_cells<'a>(&self, cells: impl Iterator<Item = (u32, &'a Cell)>) -> Vec<(bool, bool)> {
        let filtered: Vec<(u32, bool)> = cells.map(|(block, cell)| (block, self.selects(cell))).collect();
        match self.shard {
            None => filtered.into_iter().map(|(_, selected)| (selected, selected)).collect(),
            Some(shard) => {
                let here = shard.of_cells(filtered.iter().copied());
                filtered.into_iter().map(|(_, selected)| selected).zip(here).collect()
            }
        }
    }
}

/// The ordered cells of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Version of this form: [`SCHEMA`], or [`SCHEMA_WITH_SHARD`].
    pub schema: u32,
    /// Name of the experiment.
    pub experiment: String,
    /// What it runs on.
    pub platform: Platform,
    /// Seed that the order was drawn from. Text, because JSON readers round whole numbers above 2^53.
    pub seed: String,
    /// The filter as written, if there was one.
    pub filter: Option<String>,
    /// The shard, if it is of one.
    #[serde(default, deserialize_with = "named", skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// Whether done cells were to run again.
    pub fresh: bool,
    /// What the design of the experiment does not allow to tell apart.
    pub warnings: Vec<Warning>,
    /// The cells in the order in which they run.
    pub cells: Vec<PlannedCell>,
}

/// A shard that is named: schema 1 has no such field, so that `null` is no way to write that there is none.
fn named<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Shard>, D::Error> {
    Shard::deserialize(deserializer).map(Some)
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
    /// The plan of a run. `cells` are in order, each with the number of its block; `state_of` returns the state of a cell.
    #[must_use]
    pub fn new<'a>(
        experiment: &Experiment,
        part: &Part,
        again: &Again,
        cells: impl IntoIterator<Item = (u32, &'a Cell), IntoIter: Clone>,
        mut state_of: impl FnMut(&CellKey) -> CellState,
    ) -> Self {
        let cells = cells.into_iter();
        let parts = part.of_cells(cells.clone());
        let planned = cells.zip(parts).map(|((block, cell), (selected, here))| {
            let old = state_of(&cell.key);
            PlannedCell {
                key: cell.key,
                axes: cell.axes().clone(),
                round: cell.inputs.round,
                block,
                state: old.as_run_begins(here),
                reason: if selected && !here {
                    Reason::OtherShard
                } else {
                    Reason::of(old, here, again.has(&cell.key))
                },
            }
        });
        Self {
            schema: if part.shard.is_some() { SCHEMA_WITH_SHARD } else { SCHEMA },
            experiment: experiment.name.clone(),
            platform: experiment.platform,
            seed: experiment.seed.to_string(),
            filter: part.filter.as_ref().map(|filter| filter.as_str().to_owned()),
            shard: part.shard,
            fresh: !again.is_none(),
            // What the filter leaves out cannot be confused with anything.
            warnings: warnings(experiment, &part.points(experiment)),
            cells: planned.collect(),
        }
    }

    /// Reads a plan.
    ///
    /// # Errors
    /// Bytes that are no plan, and a version that this program does not know.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice::<Self>(bytes)?.checked().map_err(serde::de::Error::custom)
    }

    /// The plan, if its schema is that of its form.
    ///
    /// # Errors
    /// What is wrong, where it is another.
    pub fn checked(self) -> Result<Self, String> {
        let schema = if self.shard.is_some() { SCHEMA_WITH_SHARD } else { SCHEMA };
        match self.schema {
            got if got == schema => Ok(self),
            got => Err(format!("a plan of this form is of schema {schema}, and this says {got}")),
        }
    }

    /// Of the shards that it is one of, those that have a cell that is not among `cells`.
    #[must_use]
    pub fn missing_shards(&self, cells: &BTreeSet<CellKey>) -> Vec<Shard> {
        let Some(shard) = self.shard else { return Vec::new() };
        let blocks = || self.cells.iter().map(|cell| (cell.block, cell.reason != Reason::Filtered));
        let all = (1..=shard.of()).filter_map(|number| Shard::new(number, shard.of()));
        all.filter(|shard| {
            let here = shard.of_cells(blocks());
            self.cells.iter().zip(here).any(|(cell, here)| here && !cells.contains(&cell.key))
        })
        .collect()
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
