//! The order in which cells run.
//!
//! A block holds the cells that differ only in the *paired* axis; they run next to each other, so that drift hits both
//! sides of a comparison alike. *Outer* axes vary slowest, in the order of the file: what a reboot or a rebuild changes.
//! Within one value of the outer axes, blocks and the cells of a block are ranked by the SipHash-2-4 of their values
//! under the seed: the order depends on nothing else, and old cells keep theirs when others join.

use siphasher::sip::SipHasher24;

use crate::axes::{AxisSet, Point};
use crate::key::canonical;
use crate::value::Value;

const ORDER: u64 = u64::from_le_bytes(*b"order  2");
const SEED: u64 = u64::from_le_bytes(*b"run seed");

/// Which axes the order treats in a special way, by position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Design {
    /// The treatment.
    pub paired: Option<usize>,
    /// What varies slowest, the slowest first.
    pub outer: Vec<usize>,
}

/// A point of one round in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// Number of the block, from 0 in the order of running.
    pub block: u32,
    /// The point.
    pub point: Point,
    /// The round, from 1.
    pub round: u32,
}

/// The bytes that stand for a point without its treatment, and a round.
fn block_bytes(axes: &AxisSet, design: &Design, point: &[Value], round: u32) -> Vec<u8> {
    let mut values = axes.to_json(point);
    if let Some(axis) = design.paired.and_then(|paired| axes.axes.get(paired)) {
        values.remove(&axis.name);
    }
    // Finite numbers always have a canonical form.
    canonical(&serde_json::json!([values, round])).unwrap_or_default()
}

/// Every point in every round, in the order in which they run.
#[must_use]
pub fn arrange(seed: u64, axes: &AxisSet, design: &Design, points: &[Point], rounds: u32) -> Vec<Placed> {
    let hasher = SipHasher24::new_with_keys(seed, ORDER);
    let mut ranked = Vec::new();
    for point in points {
        let outer: Vec<usize> =
            design.outer.iter().filter_map(|&axis| axes.axes.get(axis)?.rank(point.get(axis)?)).collect();
        for round in 1..=rounds {
            let block = block_bytes(axes, design, point, round);
            let mut own = block.clone();
            own.extend(
                design.paired.and_then(|paired| point.get(paired)).map(ToString::to_string).unwrap_or_default().bytes(),
            );
            // The bytes decide between equal hashes, so that even then a block stays together.
            ranked.push((outer.clone(), hasher.hash(&block), block, hasher.hash(&own), point, round));
        }
    }
    ranked.sort_by(|one, other| {
        (&one.0, one.1, &one.2, one.3, one.4).cmp(&(&other.0, other.1, &other.2, other.3, other.4))
    });
    let mut placed = Vec::with_capacity(ranked.len());
    let (mut number, mut last) = (0, None);
    for (_, _, block, _, point, round) in ranked {
        if last.as_ref().is_some_and(|last| *last != block) {
            number += 1;
        }
        last = Some(block);
        placed.push(Placed { block: number, point: point.clone(), round });
    }
    placed
}

/// What `{seed}` stands for: one number per pair and round, below 2^31 so that any program can take it.
#[must_use]
pub fn run_seed(seed: u64, axes: &AxisSet, design: &Design, point: &[Value], round: u32) -> u32 {
    let hash = SipHasher24::new_with_keys(seed, SEED).hash(&block_bytes(axes, design, point, round));
    (hash >> 33) as u32
}
