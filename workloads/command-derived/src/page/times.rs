//! How long attempts took, by kind of cell.

use std::collections::BTreeMap;

use matrix_report::page::{Kind, duration, plain};
use matrix_report::seconds_between;
use matrix_store::{GenericAttempt, RecordFile};

use super::part::PartResults;

/// Axes that tell kinds of cells apart where times are shown.
pub(super) const KIND_AXES: usize = 2;

/// How long an attempt took, in seconds.
pub(super) fn took(attempt: &GenericAttempt) -> Option<f64> {
    seconds_between(&attempt.started, &attempt.ended)
}

type Times = BTreeMap<Vec<String>, (Vec<f64>, u64)>;

/// Seconds of attempts, and bytes of what they left, by kind of cell.
fn times(results: &PartResults<'_>) -> Times {
    let mut kinds = Times::new();
    for cell in &results.loaded.cells {
        let kind = cell.cell.point.iter().take(KIND_AXES).map(|value| plain(&value.to_string())).collect();
        let (seconds, bytes) = kinds.entry(kind).or_default();
        seconds.extend(results.tried.get(&cell.cell.key).into_iter().flatten().filter_map(took));
        *bytes += cell.record.iter().flat_map(RecordFile::objects).map(|object| object.bytes).sum::<u64>();
    }
    kinds
}

pub(super) fn kinds(ours: &PartResults<'_>, their: Option<&PartResults<'_>>) -> Vec<Kind> {
    let theirs = their.map(times).unwrap_or_default();
    let mean = |times: &[f64]| (!times.is_empty()).then(|| times.iter().sum::<f64>() / times.len() as f64);
    let words = |seconds: Option<f64>| seconds.map_or_else(|| "–".to_owned(), duration);
    let kind = |(values, (seconds, bytes)): (Vec<String>, (Vec<f64>, u64))| Kind {
        attempts: seconds.len(),
        mean_s: words(mean(&seconds)),
        longest_s: words(seconds.iter().copied().reduce(f64::max)),
        estimated_s: words(None),
        expected_s: words(theirs.get(&values).and_then(|(seconds, _)| mean(seconds))),
        values,
        bytes,
    };
    times(ours).into_iter().map(kind).collect()
}
