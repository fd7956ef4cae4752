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
    /// Cells that are meant and that this machine cannot run.
    absent: BTreeSet<(Point, u32)>,
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

    /// Leaves out points that nothing can run here. They stay their shard's, and their run's: another machine divides in the same way.
    pub fn without(&mut self, points: &BTreeMap<Point, String>) {
        let (absent, here) =
            std::mem::take(&mut self.here).into_iter().partition(|(point, _)| points.contains_key(point));
        self.here = here;
        self.absent.extend::<BTreeSet<_>>(absent);
    }

    /// Whether a cell would be meant if this machine could run it.
    pub(super) fn lacks(&self, cell: &Cell) -> bool {
        self.absent.contains(&place(cell))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::subsequence;

    use super::*;

    /// An experiment with three axes; something is prepared for each size.
    fn input(values: [&[i32]; 2], rounds: u32, seed: u32, paired: bool, outer: &[&str]) -> Input {
        let paired = if paired { "paired = \"engine\"" } else { "" };
        let text = format!(
            "schema = 2\nname = \"n\"\nworkload = \"command\"\nrounds = {rounds}\nseed = {seed}\nouter = {outer:?}\n{paired}\n\
             [site]\nprepared = \"made\"\n\
             [axes]\nengine = [\"a\", \"b\"]\nsize = {:?}\nthreads = {:?}\n\
             [[prepare]]\nname = \"data\"\neach = [\"size\"]\nrun = [\"make\", \"{{size}}\", \"{{prepared}}\"]\n\
             [command]\nrun = [\"run\", \"{{engine}}\", \"{{threads}}\", \"{{prepared:data}}\"]\nrows = \"csv:stdout\"\n\
             [columns]\nx = {{ unit = \"1\", type = \"integer\" }}\n",
            values[0], values[1]
        );
        Input::new("n.toml", text, std::path::Path::new("nowhere"), None).unwrap()
    }

    proptest! {
        #[test]
        fn every_cell_of_a_random_experiment_is_in_one_shard_together_with_its_pair(
            sizes in subsequence(vec![1, 2, 3], 1..=3),
            threads in subsequence(vec![1, 2, 4, 8], 1..=4),
            rounds in 1u32..4,
            seed: u32,
            paired: bool,
            outer in subsequence(vec!["size", "threads"], 0..=1),
            round in prop::option::of(1u32..3),
            of in 1u32..7,
        ) {
            let input = input([&sizes, &threads], rounds, seed, paired, &outer);
            let selects = |cell: &Cell| round.is_none_or(|round| cell.round == round);
            let selected: Vec<&Cell> = input.cells.iter().filter(|cell| selects(cell)).collect();
            let mut found: BTreeMap<(Point, u32), Vec<u32>> = BTreeMap::new();
            let mut lengths = Vec::new();
            for number in 1..=of {
                // More shards than blocks.
                let Ok(part) = Part::new(&input, None, Shard::new(number, of), &selects) else {
                    lengths.push(0);
                    continue;
                };
                let here: Vec<&Cell> = input.cells.iter().filter(|cell| part.has(cell)).collect();
                lengths.push(here.iter().map(|cell| cell.block).collect::<BTreeSet<u32>>().len());
                for cell in here {
                    found.entry(place(cell)).or_default().push(number);
                }
            }
            prop_assert_eq!(found.len(), selected.len());
            let mut of_blocks = BTreeMap::new();
            let mut of_pairs = BTreeMap::new();
            for cell in selected {
                let numbers = &found[&place(cell)];
                prop_assert_eq!(numbers.len(), 1);
                prop_assert_eq!(*of_blocks.entry(cell.block).or_insert(numbers[0]), numbers[0]);
                if paired {
                    let other_axes: Vec<_> = cell.point.iter().skip(1).cloned().collect();
                    prop_assert_eq!(*of_pairs.entry((other_axes, cell.round)).or_insert(numbers[0]), numbers[0]);
                }
            }
            prop_assert!(lengths.iter().max().unwrap() - lengths.iter().min().unwrap() <= 1);
        }
    }
}
