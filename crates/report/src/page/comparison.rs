//! How a claim compares with the authors'.

/// How a claim compares with the authors', by whether it holds here and there: `reproduced` where it holds on both sides and the
/// numbers agree (their intervals `overlap`, or there are none); `same direction` where it holds on both and an interval does not
/// overlap; `differs` where it is contradicted on a side; `undecided` where a side is inconclusive.
pub fn comparison(ours: Option<bool>, theirs: Option<bool>, overlap: impl FnOnce() -> bool) -> &'static str {
    match (ours, theirs) {
        (None, _) | (_, None) => "undecided",
        (Some(true), Some(true)) if overlap() => "reproduced",
        (Some(true), Some(true)) => "same direction",
        _ => "differs",
    }
}
