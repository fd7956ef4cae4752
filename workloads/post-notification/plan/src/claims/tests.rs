//! Verdicts, and their words.

use proptest::prelude::*;

use super::{Bound, Check, Column, Evidence, Metric, RowEvidence, Verdict, judge_every_row, judge_metric};
use crate::experiment::Experiment;
use crate::stats::{Interval, Replicates};

fn interval(low: f64, value: f64, high: f64) -> Interval {
    let replicates = Replicates::Blocks;
    Interval { value, low, high, observations: 3000, effective: 30.0, batches: 30, few_blocks: false, replicates }
}

/// Three thousand requests, all read.
fn read(missing_cells: u64) -> Evidence {
    Evidence { planned: 3000, reads: 3000, missing_cells }
}

proptest! {
    #[test]
    fn a_metric_is_supported_inside_contradicted_outside_and_else_open(
        low in -100i32..100, width in 0i32..50, least in -100i32..100, room in 0i32..50, missing_cells in 0u64..2,
    ) {
        let (low, high) = (f64::from(low), f64::from(low + width));
        let (least, most) = (f64::from(least), f64::from(least + room));
        let estimate = interval(low, low, high);
        // Every whole and half number stands for the values that the interval leaves possible.
        let possible: Vec<f64> = (0..=2 * width).map(|half| low + f64::from(half) / 2.0).collect();
        let centre = Bound::Within { value: 100.0 + (least + most) / 2.0, percent: (most - least) / 2.0 };
        for (bound, shift) in [(Bound::AtMost(most), 0.0), (Bound::AtLeast(least), 0.0), (centre, 100.0)] {
            let good = |value: f64| match bound {
                Bound::AtMost(_) => value <= most,
                Bound::AtLeast(_) => value >= least,
                Bound::Within { value: centre, percent } => (value + shift - centre).abs() <= percent * centre / 100.0,
            };
            if matches!(bound, Bound::Within { value, .. } if value <= 0.0) {
                continue;
            }
            let shifted = Interval { low: low + shift, value: low + shift, high: high + shift, ..estimate };
            let judged = judge_metric(Metric::WindowMeanMs, &bound, Some(&shifted), &read(missing_cells));
            let inside = possible.iter().filter(|value| good(**value)).count();
            let expected = match inside {
                0 if !matches!(bound, Bound::Within { .. }) => Verdict::Contradicted,
                // An interval may lie around the whole range without a half number in it.
                0 if high + shift < bound.range().0 || low + shift > bound.range().1 => Verdict::Contradicted,
                all if all == possible.len() && missing_cells == 0 => Verdict::Supported,
                _ => Verdict::Inconclusive,
            };
            prop_assert_eq!(judged.verdict, expected, "{:?} {:?}: {}", bound, shifted, judged.text);
        }
    }

    #[test]
    fn every_row_is_held_only_if_every_row_was_seen(
        consistent in 0u64..100, missed in 0u64..2, lost in 0u64..2, failed in 0u64..2, missing_cells in 0u64..2,
    ) {
        let judged = judge_every_row(&RowEvidence { consistent, missed, lost, failed, missing_cells });
        let expected = if missed > 0 {
            "contradicted"
        } else if consistent > 0 && lost + failed + missing_cells == 0 {
            "held"
        } else {
            "inconclusive"
        };
        prop_assert_eq!(judged.verdict.name(), expected);
        prop_assert!(judged.text.starts_with(expected));
    }
}

#[test]
fn verdicts_say_why() {
    let rows = |consistent, missed, lost, failed, missing_cells| {
        judge_every_row(&RowEvidence { consistent, missed, lost, failed, missing_cells }).text
    };
    let within = Bound::Within { value: 375.04, percent: 5.0 };
    let window = |estimate: Option<Interval>, missing| {
        judge_metric(Metric::WindowMeanMs, &within, estimate.as_ref(), &read(missing)).text
    };
    let few = Interval { few_blocks: true, ..interval(370.0, 372.123, 374.5) };
    let open = interval(40.0, 50.0, f64::INFINITY);
    let few_reads = |metric: Metric, reads| {
        let evidence = Evidence { planned: 20, reads, missing_cells: 0 };
        judge_metric(metric, &Bound::AtMost(20.0), Some(&interval(0.0, 0.0, 12.0)), &evidence).text
    };
    let rounds = |batches| {
        window(Some(Interval { batches, replicates: Replicates::Rounds, ..interval(390.0, 372.0, 402.0) }), 0)
    };
    let shown = [
        rows(36_000, 0, 0, 0, 0),
        rows(1200, 0, 0, 0, 0),
        rows(5_000_000, 0, 0, 0, 0),
        rows(1199, 1, 5, 0, 3),
        rows(1195, 0, 5, 2, 3),
        rows(0, 0, 0, 0, 1),
        rows(0, 0, 0, 0, 0),
        window(Some(interval(370.0, 372.123, 374.5)), 0),
        window(Some(few), 1),
        window(Some(interval(390.0, 400.0, 410.0)), 0),
        window(Some(interval(396.0, 400.0, 410.0)), 2),
        window(None, 3),
        judge_metric(Metric::WindowP99Ms, &Bound::AtMost(60.0), Some(&open), &read(0)).text,
        judge_metric(Metric::InconsistencyPercent, &Bound::AtLeast(0.01), Some(&interval(0.02, 0.03, 0.05)), &read(0))
            .text,
        few_reads(Metric::WindowMeanMs, 9),
        few_reads(Metric::InconsistencyPercent, 9),
        few_reads(Metric::InconsistencyPercent, 0),
        rounds(1),
        rounds(2),
        rounds(3),
    ];
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn claims_are_read_as_written() {
    let text = r#"schema = 1
name = "n"
requests = 1
[[matrix]]
name = "m"
post_storage = ["s3", "redis"]
notification_storage = ["sns"]
regions = ["eu->us"]
delay_ms = [0, 100, 200]
antipode = [false]
[[claim]]
id = "a"
says = "Windows are short"
source = "somebody"
where = { post_storage = ["cache"], delay_ms = { from = 200, to = 200, step = 100 } }
metric = "window_p99_ms"
within = { value = 5, percent = 0.5 }
pool = true
[[claim]]
id = "b"
says = "Few are lost"
metric = "lost_percent"
at_most = 1.5
"#;
    let experiment = Experiment::parse(text).unwrap();
    let [a, b] = &experiment.claims[..] else { panic!("two claims") };
    assert_eq!((a.id.as_str(), a.says.as_str(), a.source.as_deref()), ("a", "Windows are short", Some("somebody")));
    let bound = Bound::Within { value: 5.0, percent: 0.5 };
    assert_eq!(a.check, Check::Metric { metric: Metric::WindowP99Ms, bound, pool: true });
    assert_eq!(experiment.points.iter().filter(|axes| a.is_about(axes)).count(), 1);
    assert_eq!(b.check, Check::Metric { metric: Metric::LostPercent, bound: Bound::AtMost(1.5), pool: false });
    assert_eq!(experiment.points.iter().filter(|axes| b.is_about(axes)).count(), 6);
}

#[test]
fn metrics_are_computed_from_their_columns() {
    for metric in Metric::ALL {
        assert_eq!(metric.as_str().parse(), Ok(metric));
    }
    let rounds: Vec<Vec<f64>> = (0..3).map(|round| (0..100).map(|i| f64::from(round * 100 + i)).collect()).collect();
    let slices: Vec<&[f64]> = rounds.iter().map(Vec::as_slice).collect();
    let value = |metric: Metric, column: &[&[f64]]| metric.estimate(column, None, Replicates::Blocks).unwrap().value;
    assert_eq!(value(Metric::WindowMeanMs, &slices), 149.5);
    assert_eq!(value(Metric::WindowP50Ms, &slices), 149.0);
    assert_eq!(value(Metric::WindowP90Ms, &slices), 269.0);
    assert_eq!(value(Metric::WindowP99Ms, &slices), 296.0);
    let ones: &[f64] = &[0.0, 1.0, 0.0, 0.0, f64::NAN];
    assert_eq!(value(Metric::LostPercent, &[ones]), 25.0);
    assert_eq!(value(Metric::InconsistencyPercent, &[ones]), 25.0);
    // Four ends in two seconds.
    assert_eq!(Metric::ThroughputPerS.column(), Column::CompletionGapS);
    assert_eq!(value(Metric::ThroughputPerS, &[&[0.5, 0.25, 0.25, 1.0]]), 2.0);
    assert_eq!(Metric::BarrierMeanMs.estimate(&[&[f64::NAN]], None, Replicates::Blocks), None);
    // Lost requests raise the upper end of the share of inconsistencies.
    let (missed, lost): (&[f64], &[f64]) = (&[1.0, 0.0, 0.0, 0.0], &[0.0, 0.0, 1.0, 1.0]);
    let known = Metric::InconsistencyPercent.estimate(&[missed], None, Replicates::Blocks).unwrap();
    let open = Metric::InconsistencyPercent.estimate(&[missed], Some(&[lost]), Replicates::Blocks).unwrap();
    assert!(open.high > known.high && open.value == known.value && open.low == known.low);
}

proptest! {
    /// Whatever an estimate says, what nobody read supports nothing and contradicts nothing.
    #[test]
    fn nothing_observed_decides_nothing(metric in 0..Metric::ALL.len(), value in 0.0..100.0f64, least in 0u64..2, planned in 1u64..50) {
        let bound = if least == 1 { Bound::AtLeast(value) } else { Bound::AtMost(value) };
        let evidence = Evidence { planned, reads: 0, missing_cells: 0 };
        for estimate in [None, Some(interval(0.0, 0.0, 0.0)), Some(interval(100.0, 100.0, 100.0))] {
            let judged = judge_metric(Metric::ALL[metric], &bound, estimate.as_ref(), &evidence);
            prop_assert_eq!(judged.verdict, Verdict::Inconclusive);
        }
    }
}

#[test]
fn only_rounds_are_pooled() {
    let text = r#"schema = 1
name = "n"
requests = 1
[[matrix]]
name = "m"
post_storage = ["s3", "redis"]
notification_storage = ["sns"]
regions = ["eu->us", "eu->sg"]
delay_ms = [0]
antipode = [false]
[[claim]]
id = "a"
says = "Windows are short"
where = { post_storage = "s3" }
metric = "window_p99_ms"
at_most = 5
pool = true
"#;
    let problems = Experiment::parse(text).unwrap_err();
    insta::assert_snapshot!(crate::rendered::render(text, &problems));
    // A saved one means what it meant.
    assert_eq!(Experiment::parse_saved(text).unwrap().claims.len(), 1);
    let one = text.replace(r#"post_storage = "s3" }"#, r#"post_storage = "s3", regions = "eu->sg" }"#);
    assert!(Experiment::parse(&one).is_ok());
}
