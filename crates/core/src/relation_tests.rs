//! Tests of `relation.rs`.

use super::*;
use crate::axes::Axis;
use crate::value::Kind;

fn axes() -> AxisSet {
    let texts = |values: &[&str]| values.iter().map(|value| Value::Text((*value).to_owned())).collect();
    let axis = |name: &str, values: &[&str]| Axis::plain(name, Kind::Text, texts(values));
    AxisSet { axes: vec![axis("engine", &["a", "b"]), axis("data", &["x", "y"])] }
}

fn series(engine: &str, data: &str, numbers: &[f64]) -> Series {
    let point = [engine, data].map(|text| Value::Text(text.to_owned())).to_vec();
    Series { point, rounds: (1..).zip(numbers.iter().map(|number| Number::from(*number))).collect(), missing: 0 }
}

fn all() -> Vec<Series> {
    vec![
        series("a", "x", &[10.0, 20.0, 30.0]),
        series("a", "y", &[1.0, 2.0, 3.0]),
        series("b", "x", &[40.0, 80.0, 120.0]),
        series("b", "y", &[1.0, 2.0, 3.0]),
    ]
}

fn engine_a() -> Pattern {
    vec![Some(vec![Value::Text("a".to_owned())]), None]
}

#[test]
fn a_ratio_by_round_cancels_what_rounds_share_and_a_geometric_mean_joins_data_sets() {
    let axes = axes();
    let context = Context { axes: &axes, paired: Some(0), higher_is_better: None, range: Range::Any, alpha: 0.05 };
    let plain = Relation { ratio_to: Some(engine_a()), over: None };
    let found = plain.apply(&all(), &|_| true, &context);
    let ratios: Vec<(f64, f64, f64)> =
        found.iter().filter_map(|related| related.estimate).map(|e| (e.value, e.low, e.high)).collect();
    assert_eq!(ratios.len(), 2);
    assert!(ratios.iter().zip([4.0, 1.0]).all(|((v, l, h), want)| [v, l, h].iter().all(|x| (**x - want).abs() < 1e-9)));
    let joined = Relation { ratio_to: Some(engine_a()), over: Some((Combine::Geomean, vec![1])) };
    let found = joined.apply(&all(), &|_| true, &context);
    assert_eq!(found.len(), 1);
    assert!((found[0].estimate.unwrap().value - 2.0).abs() < 1e-9);
    // Rounds that share no blocks are independent samples: the spread between rounds counts.
    let unpaired = Context { paired: None, ..context };
    let found = plain.apply(&all(), &|_| true, &unpaired);
    assert!(found[0].estimate.unwrap().low < 3.0);
}

#[test]
fn few_rounds_and_numbers_of_0_have_no_interval() {
    let axes = axes();
    let context = Context { axes: &axes, paired: Some(0), higher_is_better: None, range: Range::Any, alpha: 0.05 };
    let relation = Relation { ratio_to: Some(engine_a()), over: None };
    let two = [series("a", "x", &[1.0, 2.0]), series("b", "x", &[2.0, 4.0])];
    let found = relation.apply(&two, &|_| true, &context);
    assert_eq!(found[0].estimate.map(|e| (e.value.round(), e.is_bounded())), Some((2.0, false)));
    let zero = [series("a", "x", &[0.0, 2.0, 2.0]), series("b", "x", &[2.0, 4.0, 4.0])];
    assert_eq!(relation.apply(&zero, &|_| true, &context)[0].estimate, None);
    let alone = [series("b", "x", &[2.0, 4.0, 4.0])];
    let found = relation.apply(&alone, &|_| true, &context);
    assert!(found[0].why.as_ref().unwrap().contains("engine=a data=x"));
}
