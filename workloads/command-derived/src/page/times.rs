//! How long attempts took, by kind of cell.

use std::collections::BTreeMap;

use matrix_report::page::{self, Kind, Times, plain};
use matrix_report::seconds_between;
use matrix_store::{GenericAttempt, RecordFile};

use super::part::PartResults;

/// Axes that tell kinds of cells apart where times are shown.
pub(super) const KIND_AXES: usize = 2;

/// How long an attempt took, in seconds.
pub(super) fn took(attempt: &GenericAttempt) -> Option<f64> {
    seconds_between(&attempt.started, &attempt.ended)
}

/// Seconds of attempts, and bytes of what they left, by kind of cell.
fn times(results: &PartResults<'_>) -> BTreeMap<Vec<String>, Times> {
    let mut kinds: BTreeMap<Vec<String>, Times> = BTreeMap::new();
    for cell in &results.loaded.cells {
        let kind = cell.cell.point.iter().take(KIND_AXES).map(|value| plain(&value.to_string())).collect();
        let times = kinds.entry(kind).or_default();
        times.seconds.extend(results.tried.get(&cell.cell.key).into_iter().flatten().filter_map(took));
        let objects = cell.record.iter().flat_map(RecordFile::objects);
        times.bytes = objects.fold(times.bytes, |all, object| all.saturating_add(object.bytes));
    }
    kinds
}

pub(super) fn kinds(ours: &PartResults<'_>, their: Option<&PartResults<'_>>) -> Vec<Kind> {
    let theirs = their.map(times).unwrap_or_default();
    let expected = theirs.into_iter().map(|(kind, times)| (kind, times.seconds)).collect();
    page::kinds(times(ours), &expected)
}
