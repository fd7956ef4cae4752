//! Which results of two sides belong together.

use std::collections::{BTreeMap, BTreeSet};

use matrix_core::key_diff::{Difference, differences};
use matrix_plan::{Axes, CellKey};
use matrix_store::Origin;
use matrix_traces::Record;

use crate::error::RunError;
use crate::key_diff::parts;

/// Two results that are compared.
pub struct Pair {
    /// The result of side A.
    pub a: Record,
    /// The result of side B.
    pub b: Record,
    /// The parts of the keys that differ; none where the key is the same. `done` is A's value, `here` B's.
    pub differs: Vec<Difference>,
}

impl Pair {
    /// Whether the results are the same to the byte.
    pub fn is_identical(&self) -> bool {
        self.a.object == self.b.object
    }
}

/// Results, matched.
#[derive(Default)]
pub struct Matching {
    /// Results of the same cell.
    pub same_key: Vec<Pair>,
    /// Results of different cells that agree in axes and round.
    pub same_axes: Vec<Pair>,
    /// What has no counterpart in B.
    pub only_a: Vec<Record>,
    /// What has no counterpart in A.
    pub only_b: Vec<Record>,
}

/// Matches results: first those of the same key, then, among the rest, those that agree in axes and round, the nearest
/// first; each result at most once by its axes.
///
/// Of several origins of one key the same ones belong together. An origin that only one side has belongs to every one
/// that only the other has.
pub fn matching(a: Vec<Record>, b: Vec<Record>) -> Result<Matching, RunError> {
    let (mut a, mut b) = (by_key(a), by_key(b));
    let mut found = Matching::default();
    let keys: BTreeSet<CellKey> = a.keys().filter(|key| b.contains_key(key)).copied().collect();
    for key in keys {
        let (Some(mut ours), Some(mut theirs)) = (a.remove(&key), b.remove(&key)) else { continue };
        let mut pair = |a: &Record, b: &Record| {
            found.same_key.push(Pair { a: a.clone(), b: b.clone(), differs: Vec::new() });
        };
        let common: Vec<Origin> = ours.keys().filter(|origin| theirs.contains_key(origin)).cloned().collect();
        for origin in common {
            if let (Some(a), Some(b)) = (ours.remove(&origin), theirs.remove(&origin)) {
                pair(&a, &b);
            }
        }
        for a in ours.values() {
            theirs.values().for_each(|b| pair(a, b));
        }
        if theirs.is_empty() {
            found.only_a.extend(ours.into_values());
        } else if ours.is_empty() {
            found.only_b.extend(theirs.into_values());
        }
    }
    let rest = |side: BTreeMap<CellKey, BTreeMap<Origin, Record>>| side.into_values().flat_map(BTreeMap::into_values);
    let (mut a, mut b) = (by_axes(rest(a)), by_axes(rest(b)));
    for (place, ours) in &mut a {
        if let Some(theirs) = b.get_mut(place) {
            found.same_axes.extend(nearest(ours, theirs)?);
        }
    }
    found.only_a.extend(a.into_values().flatten());
    found.only_b.extend(b.into_values().flatten());
    let order = |record: &Record| (record.inputs.axes.clone(), record.inputs.round, record.key, record.origin.clone());
    found.only_a.sort_by_cached_key(order);
    found.only_b.sort_by_cached_key(order);
    found.same_key.sort_by_cached_key(|pair| (order(&pair.a), order(&pair.b)));
    found.same_axes.sort_by_cached_key(|pair| (order(&pair.a), order(&pair.b)));
    Ok(found)
}

fn by_key(records: Vec<Record>) -> BTreeMap<CellKey, BTreeMap<Origin, Record>> {
    let mut found: BTreeMap<CellKey, BTreeMap<Origin, Record>> = BTreeMap::new();
    for record in records {
        found.entry(record.key).or_default().insert(record.origin.clone(), record);
    }
    found
}

fn by_axes(records: impl Iterator<Item = Record>) -> BTreeMap<(Axes, u32), Vec<Record>> {
    let mut found: BTreeMap<(Axes, u32), Vec<Record>> = BTreeMap::new();
    for record in records {
        found.entry((record.inputs.axes.clone(), record.inputs.round)).or_default().push(record);
    }
    found
}

/// Takes pairs out of both sides, those first whose keys differ in the fewest parts.
fn nearest(ours: &mut Vec<Record>, theirs: &mut Vec<Record>) -> Result<Vec<Pair>, RunError> {
    let flat = |side: &[Record]| side.iter().map(|record| parts(&record.inputs)).collect::<Result<Vec<_>, _>>();
    let (flat_a, flat_b) = (flat(ours)?, flat(theirs)?);
    let mut candidates = Vec::new();
    for (a, parts_a) in flat_a.iter().enumerate() {
        for (b, parts_b) in flat_b.iter().enumerate() {
            let differs = differences(parts_a, parts_b);
            candidates.push((differs.len(), a, b, differs));
        }
    }
    // Both sides are in order of keys and origins, which settles what is equally near.
    candidates.sort_by_key(|(distance, a, b, _)| (*distance, *a, *b));
    let (mut taken_a, mut taken_b) = (BTreeSet::new(), BTreeSet::new());
    let mut pairs = Vec::new();
    for (_, a, b, differs) in candidates {
        if !taken_a.contains(&a)
            && !taken_b.contains(&b)
            && let (Some(from), Some(to)) = (ours.get(a), theirs.get(b))
        {
            taken_a.insert(a);
            taken_b.insert(b);
            pairs.push(Pair { a: from.clone(), b: to.clone(), differs });
        }
    }
    let keep = |side: &mut Vec<Record>, taken: &BTreeSet<usize>| {
        let mut number = 0..;
        side.retain(|_| number.next().is_none_or(|number| !taken.contains(&number)));
    };
    keep(ours, &taken_a);
    keep(theirs, &taken_b);
    Ok(pairs)
}
