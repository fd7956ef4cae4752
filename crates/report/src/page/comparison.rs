//! How a claim compares with the authors'.

/// How a claim compares with the authors', by whether it holds here and there: `reproduced` where the verdict is the same on both
/// sides and the numbers agree (their intervals `overlap`, or there are none); `same direction` where it is the same and an interval
/// does not overlap; `differs` where it holds on one side only; `undecided` where a side is inconclusive.
pub fn comparison(ours: Option<bool>, theirs: Option<bool>, overlap: impl FnOnce() -> bool) -> &'static str {
    match (ours, theirs) {
        (None, _) | (_, None) => "undecided",
        (Some(ours), Some(theirs)) if ours != theirs => "differs",
        _ if overlap() => "reproduced",
        _ => "same direction",
    }
}

#[cfg(test)]
mod tests {
    use super::comparison;

    #[test]
    fn the_same_verdict_on_both_sides_is_no_difference_whatever_it_is() {
        for holds in [true, false] {
            assert_eq!(comparison(Some(holds), Some(holds), || true), "reproduced");
            assert_eq!(comparison(Some(holds), Some(holds), || false), "same direction");
            assert_eq!(comparison(Some(holds), Some(!holds), || true), "differs");
            assert_eq!(comparison(Some(holds), None, || true), "undecided");
            assert_eq!(comparison(None, Some(holds), || true), "undecided");
        }
    }
}
