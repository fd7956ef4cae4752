//! How long attempts took, by kind of cell.

use std::collections::BTreeMap;

use super::model::Kind;
use super::text::duration;

/// What is known of the cells of one kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Times {
    /// Seconds that each attempt took.
    pub seconds: Vec<f64>,
    /// Seconds that cells were estimated to take.
    pub estimated: Vec<f64>,
    /// Bytes of what they left.
    pub bytes: u64,
}

/// The lines of the table of times: a kind is what cells have in common, in words. `expected` are the seconds that the authors'
/// attempts took.
#[must_use]
pub fn kinds(times: BTreeMap<Vec<String>, Times>, expected: &BTreeMap<Vec<String>, Vec<f64>>) -> Vec<Kind> {
    let mean = |times: &[f64]| (!times.is_empty()).then(|| times.iter().sum::<f64>() / times.len() as f64);
    let words = |seconds: Option<f64>| seconds.map_or_else(|| "–".to_owned(), duration);
    let kind = |(values, Times { seconds, estimated, bytes }): (Vec<String>, Times)| Kind {
        attempts: seconds.len(),
        mean_s: words(mean(&seconds)),
        longest_s: words(seconds.iter().copied().reduce(f64::max)),
        estimated_s: words(mean(&estimated)),
        expected_s: words(expected.get(&values).and_then(|seconds| mean(seconds))),
        values,
        bytes,
    };
    times.into_iter().map(kind).collect()
}
