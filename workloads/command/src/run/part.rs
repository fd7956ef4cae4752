//! Which part of an experiment a command means: a filter's cells, and of these a shard's.

use std::collections::{BTreeMap, BTreeSet};

use matrix_core::{Point, Problem, Shard, shard};

use super::Input;
use crate::cells::Cell;
use crate::file::Experiment;

/// The part of an experiment that is meant. Cells are known by point and round: keys are not final before everything is
/// prepared.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// The filter as written, or the name of the subset, if there was one.
    pub filter: Option<String>,
    /// The shard, if it is of one.
    pub shard: Option<Shard>,
    here: BTreeSet<(Point, u32)>,
    /// The number of the shard of each cell that the filter chooses, where there are shards.
    numbers: BTreeMap<(Point, u32), u32>,
}

impl Part {
    /// The cells that `selects` chooses, and of these the shard's.
    ///
    /// # Errors
    /// A shard without a block.
    pub fn new(
        input: &Input,
        filter: Option<&str>,
        shard: Option<Shard>,
        selects: &dyn Fn(&Cell) -> bool,
    ) -> Result<Self, Problem> {
        let mut part = Self { filter: filter.map(str::to_owned), shard, ..Self::default() };
        let Some(shard) = shard else {
            part.here = input.cells.iter().filter(|cell| selects(cell)).map(place).collect();
            return Ok(part);
        };
        let (axes, together) = (&input.experiment.axes.axes, together(&input.experiment));
        let group = |cell: &Cell| -> Vec<usize> {
            together.iter().filter_map(|axis| axes.get(*axis)?.rank(cell.point.get(*axis)?)).collect()
        };
        let numbers =
            shard::divide(shard.of(), input.cells.iter().map(|cell| (group(cell), cell.block, selects(cell))));
        for (cell, number) in input.cells.iter().zip(numbers) {
            part.numbers.extend(number.map(|number| (place(cell), number)));
            if number == Some(shard.number()) {
                part.here.insert(place(cell));
            }
        }
        if part.here.is_empty() && !part.numbers.is_empty() {
            let blocks: BTreeSet<u32> =
                input.cells.iter().filter(|cell| selects(cell)).map(|cell| cell.block).collect();
            let problem = Problem::new(format!("shard {shard} is empty: there are {} blocks to divide", blocks.len()));
            return Err(problem.help(
                "cells that differ only in the paired axis are one block, which is not divided: take fewer shards",
            ));
        }
        Ok(part)
    }

    /// Just these cells.
    pub fn of_cells<'c>(cells: impl Iterator<Item = &'c Cell>) -> Self {
        Self { here: cells.map(place).collect(), ..Self::default() }
    }

    /// Whether a cell is meant.
    #[must_use]
    pub fn has(&self, cell: &Cell) -> bool {
        self.here.contains(&place(cell))
    }

    /// How many cells are meant.
    #[must_use]
    pub fn len(&self) -> usize {
        self.here.len()
    }

    /// Whether no cell is meant.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.here.is_empty()
    }

    /// The number of the shard that has a cell, if the filter chooses it and there are shards.
    #[must_use]
    pub fn shard_of(&self, cell: &Cell) -> Option<u32> {
        self.numbers.get(&place(cell)).copied()
    }

    /// Whether another shard has a cell.
    #[must_use]
    pub fn is_of_another_shard(&self, cell: &Cell) -> bool {
        self.shard_of(cell).is_some_and(|number| self.shard.is_some_and(|shard| shard.number() != number))
    }

    /// Leaves out points that nothing can run here. They stay their shard's: another machine divides in the same way.
    pub fn without(&mut self, points: &BTreeMap<Point, String>) {
        self.here.retain(|(point, _)| !points.contains_key(point));
    }

    /// The points that are meant.
    #[must_use]
    pub fn points(&self) -> BTreeSet<Point> {
        self.here.iter().map(|(point, _)| point.clone()).collect()
    }
}

fn place(cell: &Cell) -> (Point, u32) {
    (cell.point.clone(), cell.round)
}

/// The axes whose values are kept together in shards, by position: what varies slowest, then what is prepared for each of
/// their values. Not the paired axis, in which the cells of one block differ.
fn together(experiment: &Experiment) -> Vec<usize> {
    let each = experiment.prepares.iter().flat_map(|prepare| &prepare.each);
    let mut found = Vec::new();
    for axis in experiment.design.outer.iter().chain(each) {
        if Some(*axis) != experiment.design.paired && !found.contains(axis) {
            found.push(*axis);
        }
    }
    found
}
