//! Shards: an experiment divided between runs that have no place in common.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::problem::Problem;

/// What schedulers call the index of a task, from 0, in the order in which they are asked: an array of Slurm's, of AWS Batch's, and an
/// indexed job of Kubernetes'.
pub const INDEX_VARIABLES: [&str; 3] = ["SLURM_ARRAY_TASK_ID", "AWS_BATCH_JOB_ARRAY_INDEX", "JOB_COMPLETION_INDEX"];

/// One of the slices of equal length into which the blocks of an experiment are divided, in the order in which they run. Written `2/4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    number: u32,
    of: u32,
}

impl Shard {
    /// The shard with this number, from 1, of so many; nothing if there is no such shard.
    #[must_use]
    pub fn new(number: u32, of: u32) -> Option<Self> {
        (1..=of).contains(&number).then_some(Self { number, of })
    }

    /// Its number, from 1.
    #[must_use]
    pub fn number(self) -> u32 {
        self.number
    }

    /// How many shards there are.
    #[must_use]
    pub fn of(self) -> u32 {
        self.of
    }

    /// Reads `2/4`, or `auto/4`, which takes the number from the first of [`INDEX_VARIABLES`] that `variable` has.
    ///
    /// # Errors
    /// A text of another form, a number outside, and `auto` where no variable has a number that is inside.
    pub fn parse(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self, Problem> {
        let problem = |message: String| Problem::new(message).at(0..text.len());
        let form = || problem("a shard is two whole numbers".to_owned()).help("for example 1/4, or auto/4");
        let (number, of) = text.split_once('/').ok_or_else(form)?;
        let of: u32 = of.parse().map_err(|_| form())?;
        if number != "auto" {
            let number: u32 = number.parse().map_err(|_| form())?;
            return Self::new(number, of)
                .ok_or_else(|| problem(format!("there is no shard {text}")).help("shards count from 1: 1/4 to 4/4"));
        }
        let Some((name, value)) = INDEX_VARIABLES.iter().find_map(|name| Some((name, variable(name)?))) else {
            let names = INDEX_VARIABLES.join(", ");
            return Err(problem(format!("no scheduler says which shard this is: none of {names} is set"))
                .help("`auto` is for array jobs; elsewhere give the number, for example 1/4"));
        };
        let index: Option<u32> = value.parse().ok();
        index.and_then(|index| Self::new(index.checked_add(1)?, of)).ok_or_else(|| {
            problem(format!("{name} is `{value}`, and {of} shards have the indices 0 to {}", i64::from(of) - 1)).help(
                "the number after the slash is the size of the whole array, also where a part of it is submitted again",
            )
        })
    }

    /// Which of `blocks` blocks it has, by their places in the order of running. Shards differ by one block at most.
    #[must_use]
    pub fn places(self, blocks: u32) -> Range<u32> {
        let begin = |number: u32| {
            let place = u64::from(blocks) * u64::from(number) / u64::from(self.of);
            u32::try_from(place).unwrap_or(blocks)
        };
        begin(self.number - 1)..begin(self.number)
    }

    /// For each of the cells, which come in the order of running with the numbers of their blocks, whether the shard has it. Cells that
    /// are not `selected` belong to no shard, and blocks without a selected cell are not counted.
    pub fn of_cells(self, cells: impl IntoIterator<Item = (u32, bool)>) -> Vec<bool> {
        let numbers = divide(self.of, cells.into_iter().map(|(block, selected)| ((), block, selected)));
        numbers.into_iter().map(|number| number == Some(self.number)).collect()
    }
}

/// Divides cells into so many shards: for each, the number of the shard that has it, from 1. Cells come in the order of running, each with
/// its group, the number of its block, and whether it is selected; what is not selected has no shard. Blocks are sliced in the order of
/// their groups, and within a group in the order of running: so at most one group is cut at each border.
pub fn divide<G: Ord>(of: u32, cells: impl IntoIterator<Item = (G, u32, bool)>) -> Vec<Option<u32>> {
    let cells: Vec<(Option<u32>, G)> =
        cells.into_iter().map(|(group, block, selected)| (selected.then_some(block), group)).collect();
    let mut blocks: Vec<(&G, u32)> = cells.iter().filter_map(|(block, group)| Some((group, (*block)?))).collect();
    // One group for each block: that of its first cell.
    let mut seen = BTreeSet::new();
    blocks.retain(|(_, block)| seen.insert(*block));
    blocks.sort_by(|one, other| one.0.cmp(other.0));
    let all = blocks.len().max(1) as u64;
    // The smallest number whose slice ends behind the block.
    let number = |rank: usize| u32::try_from(((rank as u64 + 1) * u64::from(of)).div_ceil(all)).unwrap_or(of);
    let numbers: BTreeMap<u32, u32> =
        blocks.iter().enumerate().map(|(rank, (_, block))| (*block, number(rank))).collect();
    cells.into_iter().map(|(block, _)| numbers.get(&block?).copied()).collect()
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

impl TryFrom<String> for Shard {
    type Error = Problem;
    fn try_from(text: String) -> Result<Self, Problem> {
        Self::parse(&text, |_| None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_selected_cell_is_in_one_shard_with_its_block(
            blocks in prop::collection::vec(prop::collection::vec(any::<bool>(), 1..4), 0..40),
            of in 1u32..9,
        ) {
            let cells: Vec<(u32, bool)> = (0..).zip(&blocks).flat_map(|(n, block)| block.iter().map(move |one| (n, *one))).collect();
            let shards: Vec<Vec<bool>> =
                (1..=of).map(|number| Shard::new(number, of).unwrap().of_cells(cells.iter().copied())).collect();
            for (at, (_, selected)) in cells.iter().enumerate() {
                let having = shards.iter().filter(|shard| shard[at]).count();
                prop_assert_eq!(having, usize::from(*selected));
            }
            let sizes: Vec<usize> = shards.iter().map(|shard| {
                let mut of_shard: Vec<u32> = cells.iter().zip(shard).filter(|(_, has)| **has).map(|((block, _), _)| *block).collect();
                of_shard.dedup();
                of_shard.len()
            }).collect();
            // Blocks stay whole, and sizes differ by one at most.
            let selected = blocks.iter().filter(|block| block.contains(&true)).count();
            prop_assert_eq!(sizes.iter().sum::<usize>(), selected);
            prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
        }
    }

    proptest! {
        #[test]
        fn groups_stay_together_and_are_cut_at_borders_only(
            groups in prop::collection::vec(0u8..5, 1..40),
            of in 1u32..9,
        ) {
            let cells: Vec<(u8, u32, bool)> = (0..).zip(&groups).map(|(block, group)| (*group, block, true)).collect();
            let numbers: Vec<u32> = divide(of, cells.iter().copied()).into_iter().map(Option::unwrap).collect();
            let parts: BTreeSet<(u8, u32)> = groups.iter().copied().zip(numbers.iter().copied()).collect();
            let kinds = groups.iter().collect::<BTreeSet<_>>().len();
            prop_assert!(parts.len() < kinds + of as usize);
            for number in 1..=of {
                let places = Shard::new(number, of).unwrap().places(groups.len() as u32);
                prop_assert_eq!(numbers.iter().filter(|other| **other == number).count(), places.len());
            }
        }
    }

    #[test]
    fn numbers_count_from_one_and_the_indices_of_schedulers_from_zero() {
        let read = |text: &str, set: &[(&str, &str)]| {
            let variable = |name: &str| set.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned());
            Shard::parse(text, variable).map(|shard| shard.to_string()).map_err(|problem| problem.message)
        };
        assert_eq!(read("1/1", &[]).unwrap(), "1/1");
        assert_eq!(read("4/4", &[]).unwrap(), "4/4");
        for wrong in ["", "1", "/", "0/4", "5/4", "1/0", "-1/4", "1/4/2", "auto", "a/4", "1/99999999999"] {
            read(wrong, &[]).unwrap_err();
        }
        for name in INDEX_VARIABLES {
            assert_eq!(read("auto/4", &[(name, "0")]).unwrap(), "1/4");
            assert_eq!(read("auto/4", &[(name, "3")]).unwrap(), "4/4");
            for outside in ["4", "-1", "", "x", "4294967295"] {
                assert!(read("auto/4", &[(name, outside)]).unwrap_err().contains(name));
            }
        }
        assert!(read("auto/4", &[]).unwrap_err().contains(INDEX_VARIABLES[0]));
    }
}
