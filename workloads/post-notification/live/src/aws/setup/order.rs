//! In what order stacks are removed: it is written on each, for those who find nothing else of the set-up.

use std::collections::BTreeMap;

use matrix_aws::StackSpec;
use matrix_aws::setup::{Removal, StackId};

/// Tag of a stack: the stacks with the highest number are removed first.
pub(crate) const RANK_TAG: &str = "matrix:rank";

/// The rank of stacks that are removed only when no other is left.
pub(crate) const LAST: usize = 0;

/// The rank of each stack: users of others above them, what goes before its users above all, and what goes after all
/// below.
pub(crate) fn ranks(specs: &[StackSpec]) -> BTreeMap<StackId, usize> {
    let mut ranks: BTreeMap<StackId, usize> = BTreeMap::new();
    // Each finds those that it needs before it.
    for spec in specs {
        let below = spec.needs().chain(&spec.after).filter_map(|id| ranks.get(id)).max().copied();
        let rank = if spec.removal == Removal::AfterAll { LAST } else { below.unwrap_or(LAST) + 1 };
        ranks.insert(spec.id.clone(), rank);
    }
    let top = ranks.values().max().copied().unwrap_or(0) + 1;
    for spec in specs.iter().filter(|spec| spec.removal == Removal::BeforeItsUsers) {
        ranks.insert(spec.id.clone(), top);
    }
    ranks
}
