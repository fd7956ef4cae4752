//! Tests of `judge.rs`.

use super::*;
use crate::axes::{Axis, AxisSet};
use crate::claims::Selection;
use crate::series::{Number, Range};
use crate::value::Kind;

#[test]
fn an_interval_is_judged_by_both_of_its_ends() {
    let estimate = |low: f64, high: f64| Estimate { value: (low + high) / 2.0, low, high, rounds: 5 };
    for (low, high, bound, verdict) in [
        (2.1, 2.5, Bound::AtLeast(2.0), Verdict::Supported),
        (1.9, 2.5, Bound::AtLeast(2.0), Verdict::Inconclusive),
        (1.5, 1.9, Bound::AtLeast(2.0), Verdict::Contradicted),
        (1.5, 1.9, Bound::AtMost(2.0), Verdict::Supported),
        (1.0, 3.0, Bound::Within(0.5, 3.5), Verdict::Supported),
        (4.0, 5.0, Bound::Within(0.5, 3.5), Verdict::Contradicted),
        (2.1, f64::INFINITY, Bound::AtLeast(2.0), Verdict::Inconclusive),
    ] {
        assert_eq!(of_interval(&estimate(low, high), bound), verdict, "{low} {high} {bound:?}");
    }
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

/// A claim about an axis `engine` of these engines, each with its numbers by round: each number with its verdict.
fn judged(engines: &[(&str, &[f64])], statement: Statement, point: bool) -> Vec<String> {
    let engine = Axis::plain("engine", Kind::Text, engines.iter().map(|(name, _)| text(name)).collect());
    let axes = AxisSet { axes: vec![engine] };
    let series: Vec<Series> = engines
        .iter()
        .map(|(name, numbers)| Series {
            point: vec![text(name)],
            rounds: (1..).zip(numbers.iter().map(|number| Number::from(*number))).collect(),
            missing: 0,
        })
        .collect();
    let best = matches!(statement, Statement::BestOver { .. });
    let selection = if best { Selection::Pattern(vec![Some(vec![text("a")])]) } else { Selection::All };
    let claim = Claim {
        id: "C1".to_owned(),
        paper: None,
        says: String::new(),
        selection,
        statement,
        relation: Relation::default(),
        point,
        elsewhere: None,
        place: 0..0,
    };
    let context = Context { axes: &axes, paired: None, higher_is_better: Some(true), range: Range::Any, alpha: 0.05 };
    let found = judge(&claim, &series, &[], &context).details;
    found.iter().map(|detail| format!("{}: {}: {}", detail.what, detail.text, detail.verdict.name())).collect()
}

#[test]
fn a_bound_needs_three_rounds_and_a_number_alone_says_of_how_many_rounds_it_is() {
    let bound = Statement::Bound { metric: 0, bound: Bound::AtLeast(1.0) };
    let three: &[f64] = &[5.0, 5.0, 5.0];
    let of = |rounds: usize, point| judged(&[("a", &three[..rounds])], bound.clone(), point).join("\n");
    insta::assert_snapshot!([of(3, false), of(2, false), of(1, false), of(3, true), of(1, true)].join("\n"), @r"
    engine=a: 5 [5, 5], claimed at least 1: supported
    engine=a: 5 (2 rounds: an interval needs 3), claimed at least 1: inconclusive
    engine=a: 5 (1 round: an interval needs 3), claimed at least 1: inconclusive
    engine=a: 5 (mean of 3 rounds, no interval), claimed at least 1: met (no interval)
    engine=a: 5, claimed at least 1: met (one run)
    ");
    let unmet = Statement::Bound { metric: 0, bound: Bound::AtMost(1.0) };
    let verdicts = [1, 3].map(|rounds| judged(&[("a", &three[..rounds])], unmet.clone(), true).join(""));
    assert!(verdicts[0].ends_with("unmet (one run)") && verdicts[1].ends_with("unmet (no interval)"));
}

#[test]
fn intervals_that_hold_together_say_so() {
    let engines: [(&str, &[f64]); 3] = [("a", &[8.0, 8.1, 8.2]), ("b", &[4.0, 4.1, 4.2]), ("c", &[2.0, 2.1, 2.2])];
    let best = || Statement::BestOver { metric: 0, axis: 0 };
    let trend = Statement::Trend { metric: 0, rises: false, along: 0 };
    let shown = [
        judged(&engines, best(), false),
        judged(&engines, trend, false),
        judged(&engines[..2], best(), false),
        judged(&engines, best(), true),
    ];
    insta::assert_snapshot!(shown.concat().join("\n"), @r"
    engine=a against engine=b: 1.976 [1.849, 2.112] (95 % over 2 rivals together), claimed at least 1: supported
    engine=a against engine=c: 3.86 [3.314, 4.496] (95 % over 2 rivals together), claimed at least 1: supported
    engine=b after engine=a: 0.5061 [0.4735, 0.5409] (95 % over 2 steps together), claimed at most 1: supported
    engine=c after engine=b: 0.5119 [0.4496, 0.5828] (95 % over 2 steps together), claimed at most 1: supported
    engine=a against engine=b: 1.976 [1.878, 2.078], claimed at least 1: supported
    engine=a against engine=b: 1.976 (mean of 3 rounds, no interval), claimed at least 1: met (no interval)
    engine=a against engine=c: 3.86 (mean of 3 rounds, no interval), claimed at least 1: met (no interval)
    ");
}

#[test]
fn numbers_have_four_digits() {
    for (value, text) in [(1234.567, "1235"), (0.000_123_456, "0.0001235"), (0.0, "0"), (-2.5, "-2.5")] {
        assert_eq!(number(value), text);
    }
}
