//! The order in which cells run.
//!
//! A block holds the cells that differ only in antipode; they run next to each other, so that drift hits both sides of a
//! comparison alike. The order of the blocks, and of the cells within a block, is drawn from the seed: each block and
//! each cell is ranked by the SipHash-2-4 of its axes under that seed. So the order depends on nothing else, is the same
//! on every machine, and stays as it is among the old cells when others join.

use siphasher::sip::SipHasher24;

use crate::experiment::CellSpec;
use crate::point::Combination;

/// Second half of the hash's key: this use of the seed. A change of the order changes it.
const PURPOSE: u64 = u64::from_le_bytes(*b"order  1");

/// A cell in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// Number of the block, from 0 in the order of running.
    pub block: u32,
    /// The cell.
    pub spec: CellSpec,
}

/// The cells in the order in which they run.
#[must_use]
pub fn arrange(seed: u64, cells: Vec<CellSpec>) -> Vec<Placed> {
    let hasher = SipHasher24::new_with_keys(seed, PURPOSE);
    let mut bytes = Vec::new();
    // Places are sorted, as cells are large.
    let mut ranked: Vec<(u64, u64, usize)> = Vec::with_capacity(cells.len());
    for (place, cell) in cells.iter().enumerate() {
        let Combination { post_storage, notification_storage, regions } = &cell.axes.combination;
        bytes.clear();
        for name in
            [post_storage.as_str(), notification_storage.as_str(), regions.writer.as_str(), regions.reader.as_str()]
        {
            bytes.extend_from_slice(name.as_bytes());
            bytes.push(0);
        }
        bytes.extend_from_slice(&cell.axes.delay_ms.to_le_bytes());
        bytes.extend_from_slice(&cell.round.to_le_bytes());
        let block = hasher.hash(&bytes);
        bytes.push(u8::from(cell.axes.antipode));
        ranked.push((block, hasher.hash(&bytes), place));
    }
    // The axes decide between equal hashes, so that even then a block stays together.
    ranked.sort_by(|(block, own, place), (other_block, other_own, other)| {
        let rest = |cell: &CellSpec| (cell.axes.delay_ms, cell.round);
        let (cell, other) = (&cells[*place], &cells[*other]);
        block
            .cmp(other_block)
            .then_with(|| cell.axes.combination.cmp(&other.axes.combination))
            .then_with(|| rest(cell).cmp(&rest(other)))
            .then_with(|| own.cmp(other_own))
            .then_with(|| cell.axes.antipode.cmp(&other.axes.antipode))
    });
    let mut block = 0;
    let mut placed: Vec<Placed> = Vec::with_capacity(ranked.len());
    let mut cells: Vec<Option<CellSpec>> = cells.into_iter().map(Some).collect();
    for spec in ranked.into_iter().filter_map(|(_, _, place)| cells[place].take()) {
        if let Some(last) = placed.last()
            && !same_block(&last.spec, &spec)
        {
            block += 1;
        }
        placed.push(Placed { block, spec });
    }
    placed
}

fn same_block(one: &CellSpec, other: &CellSpec) -> bool {
    let of = |cell: &CellSpec| (cell.axes.delay_ms, cell.round);
    of(one) == of(other) && one.axes.combination == other.axes.combination
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::experiment::Experiment;

    fn cells(delays: u64, rounds: u32) -> Vec<CellSpec> {
        let text = format!(
            "schema = 1\nname = \"n\"\nrequests = 1\nrounds = {rounds}\n[[matrix]]\nname = \"m\"\n\
             post_storage = [\"mysql\", \"s3\"]\nnotification_storage = [\"sns\", \"amq\"]\n\
             regions = [\"eu->us\", \"eu->sg\"]\ndelay_ms = {{ from = 0, to = {delays}, step = 1 }}\n\
             antipode = [false, true]"
        );
        Experiment::parse(&text).unwrap().cells()
    }

    type Block = (Combination, u64, u32);

    fn block(cell: &CellSpec) -> Block {
        (cell.axes.combination.clone(), cell.axes.delay_ms, cell.round)
    }

    proptest! {
        #[test]
        fn blocks_stay_together_and_nothing_is_lost(seed: u64, delays in 0u64..4, rounds in 1u32..4) {
            let all = cells(delays, rounds);
            let placed = arrange(seed, all.clone());
            let mut back: Vec<CellSpec> = placed.iter().map(|placed| placed.spec.clone()).collect();
            back.sort_by(|one, other| (&one.axes, one.round).cmp(&(&other.axes, other.round)));
            prop_assert_eq!(&back, &all);
            let mut blocks: BTreeMap<Block, Vec<usize>> = BTreeMap::new();
            for (n, cell) in placed.iter().enumerate() {
                prop_assert_eq!(cell.block as usize, n / 2);
                blocks.entry(block(&cell.spec)).or_default().push(n);
            }
            for places in blocks.values() {
                prop_assert!(matches!(places[..], [one, other] if one + 1 == other));
            }
            // The order of the input does not matter, and a part keeps the order of the whole.
            let some: Vec<CellSpec> = all.iter().rev().step_by(3).cloned().collect();
            let part: Vec<CellSpec> = arrange(seed, some.clone()).into_iter().map(|placed| placed.spec).collect();
            let kept: Vec<CellSpec> = placed.into_iter().map(|placed| placed.spec).filter(|cell| some.contains(cell)).collect();
            prop_assert_eq!(part, kept);
        }
    }

    #[test]
    fn the_order_is_the_same_everywhere() {
        let shown: Vec<String> = arrange(2023, cells(0, 2))
            .iter()
            .map(|placed| format!("{:2} round {} {}", placed.block, placed.spec.round, placed.spec.axes))
            .collect();
        insta::assert_snapshot!(shown.join("\n"));
        let other = arrange(2024, cells(0, 2));
        assert_ne!(arrange(2023, cells(0, 2)), other);
    }

    #[test]
    fn both_treatments_come_first_about_equally_often() {
        let placed = arrange(1, cells(99, 1));
        let on_first = placed.iter().step_by(2).filter(|placed| placed.spec.axes.antipode).count();
        // 800 fair throws: 400, and within four standard errors of it.
        assert!(on_first.abs_diff(400) < 57, "{on_first}");
    }
}
