use matrix_app::{Outcome, Row};
use matrix_plan::Axes;
use matrix_plan::claims::{Bound, Check, Claim, Metric};
use matrix_plan::experiment::Selector;

use super::*;
use crate::Options;
use crate::testing::{Memory, bare, read};

fn claim(id: &str, antipode: bool, check: Check) -> Claim {
    let cells = Selector { antipode: Some(vec![antipode]), ..Selector::default() };
    Claim { id: id.into(), says: format!("{id} is so"), source: None, cells, check }
}

fn mean_within(value: f64, pool: bool) -> Check {
    Check::Metric { metric: Metric::WindowMeanMs, bound: Bound::Within { value, percent: 5.0 }, pool }
}

/// Windows around 100 ms.
fn reads(found: bool) -> Vec<Row> {
    (0..200).map(|i| read(i, 100_000 + 37 * (i as i64 * 7919 % 101), found)).collect()
}

fn store() -> Memory {
    let mut memory = Memory::default();
    memory.add("mysql sns eu->us 0 off", &reads(false));
    memory.add("mysql sns eu->us 0 off", &reads(true));
    memory.add("mysql sns eu->us 0 on", &reads(true));
    memory
}

#[test]
fn verdicts_for_people_and_programs() {
    let memory = store();
    let claims = [
        claim("prevents", true, Check::EveryRowConsistent),
        claim("original-prevents", false, Check::EveryRowConsistent),
        claim("hundred", false, mean_within(100.0, false)),
        claim("hundred-pooled", false, mean_within(100.0, true)),
        claim("fifty", true, mean_within(50.0, false)),
    ];
    let results = evaluate(&claims, &memory, &[], &Options::default()).unwrap();
    let mut seen = claims_text(&results) + &serde_json::to_string_pretty(&results[2..4]).unwrap();
    for cell in &memory.cells {
        seen = seen.replace(&cell.key.to_string(), "<key>").replace(&cell.key.short(), "<key>");
    }
    insta::assert_snapshot!(seen);
}

#[test]
fn what_is_not_done_or_lost_leaves_a_claim_open() {
    let mut memory = store();
    let prevents = [claim("prevents", true, Check::EveryRowConsistent), claim("mean", true, mean_within(102.0, false))];
    let verdicts = |memory: &Memory, not_done: &[Axes]| -> Vec<&str> {
        let results = evaluate(&prevents, memory, not_done, &Options::default()).unwrap();
        results.iter().map(|result| result.verdict.name()).collect()
    };
    let (off, on) = (memory.cells[0].inputs.axes.clone(), memory.cells[2].inputs.axes.clone());
    assert_eq!(verdicts(&memory, &[]), ["held", "supported"]);
    assert_eq!(verdicts(&memory, &[off]), ["held", "supported"]);
    assert_eq!(verdicts(&memory, &[on]), ["inconclusive", "inconclusive"]);

    memory.add("redis sns eu->us 0 on", &[bare(0, Outcome::Lost)]);
    assert_eq!(verdicts(&memory, &[]), ["inconclusive", "inconclusive"]);
    memory.add("redis amq eu->us 0 on", &[read(0, 100_000, false)]);
    assert_eq!(verdicts(&memory, &[])[0], "contradicted");
}

#[test]
fn every_metric_is_computed_from_its_column() {
    let mut memory = Memory::default();
    let mut rows = reads(true);
    for row in &mut rows {
        row.barrier_us = Some(2_000);
        row.barrier_polls = Some(3);
    }
    rows[10].consistent_read = Some(false);
    rows[20] = bare(20, Outcome::Lost);
    memory.add("mysql sns eu->us 0 on", &rows);
    for metric in Metric::ALL {
        let check = Check::Metric { metric, bound: Bound::AtLeast(-1.0), pool: true };
        let result = &evaluate(&[claim("m", true, check)], &memory, &[], &Options::default()).unwrap()[0];
        let value = result.findings[0].value.unwrap();
        let (low, high) = match metric {
            Metric::InconsistencyPercent | Metric::LostPercent => (0.5, 0.5),
            Metric::BarrierMeanMs => (2.0, 2.0),
            Metric::BarrierPollsMean => (3.0, 3.0),
            // 199 answers in 1.995 s.
            Metric::ThroughputPerS => (99.7, 99.8),
            _ => (100.0, 104.0),
        };
        assert!((low..=high).contains(&value), "{metric}: {value}");
    }
}

fn judged(memory: &Memory, metric: Metric, bound: Bound) -> (Vec<ClaimFinding>, &'static str) {
    let check = Check::Metric { metric, bound, pool: false };
    let mut results = evaluate(&[claim("m", true, check)], memory, &[], &Options::default()).unwrap();
    let result = results.remove(0);
    (result.findings, result.verdict.name())
}

#[test]
fn nothing_observed_supports_no_metric() {
    let gave_up = |i| Row {
        client_sent_us: Some(0),
        reply_us: Some(1_000 * i as i64),
        barrier_us: Some(2_000),
        barrier_polls: Some(2),
        ..bare(i, Outcome::BarrierTimeout)
    };
    let rows: Vec<Row> = (0..20).map(gave_up).collect();
    let mut memory = Memory::default();
    for _ in 0..3 {
        memory.add("mysql sns eu->us 0 on", &rows);
    }
    for memory in [memory.clone(), memory.measured()] {
        for metric in Metric::ALL {
            for bound in [Bound::AtMost(0.0), Bound::AtMost(1e9), Bound::AtLeast(0.0), Bound::AtLeast(1e9)] {
                let (findings, verdict) = judged(&memory, metric, bound);
                assert_eq!(verdict, "inconclusive", "{metric} {bound:?}: {}", findings[0].text);
            }
        }
        let (findings, _) = judged(&memory, Metric::InconsistencyPercent, Bound::AtMost(20.0));
        assert_eq!((findings[0].value, findings[0].low, findings[0].high), (None, Some(0.0), Some(100.0)));
    }
}

#[test]
fn too_little_observed_supports_no_metric_of_reads() {
    let mut rows = reads(true);
    for row in rows.iter_mut().filter(|row| row.i % 20 > 8) {
        *row = bare(row.i, Outcome::Lost);
    }
    let mut memory = Memory::default();
    memory.add("mysql sns eu->us 0 on", &rows);
    assert_eq!(judged(&memory, Metric::WindowMeanMs, Bound::AtMost(200.0)).1, "inconclusive");
    // Ninety of two hundred found the post: at least these are consistent.
    assert_eq!(judged(&memory, Metric::InconsistencyPercent, Bound::AtMost(70.0)).1, "supported");
    assert_eq!(judged(&memory, Metric::InconsistencyPercent, Bound::AtMost(50.0)).1, "inconclusive");
}

#[test]
fn a_barrier_that_gave_up_bounds_no_wait_from_above() {
    let mut rows = reads(true);
    for row in &mut rows {
        (row.barrier_us, row.barrier_polls) = (Some(2_000), Some(3));
    }
    rows[7] = Row { barrier_us: Some(2_000), barrier_polls: Some(3), ..bare(7, Outcome::BarrierTimeout) };
    let mut memory = Memory::default();
    memory.add("mysql sns eu->us 0 on", &rows);
    assert_eq!(judged(&memory, Metric::BarrierMeanMs, Bound::AtMost(10.0)).1, "inconclusive");
    assert_eq!(judged(&memory, Metric::BarrierMeanMs, Bound::AtLeast(1.0)).1, "supported");
}

#[test]
fn measured_rounds_are_judged_as_one_and_fewer_than_three_not_at_all() {
    for rounds in 1..=3 {
        let mut memory = Memory::default();
        for _ in 0..rounds {
            memory.add("mysql sns eu->us 0 on", &reads(true));
            memory.add("redis sns eu->us 0 on", &reads(true));
        }
        let memory = memory.measured();
        let (findings, verdict) = judged(&memory, Metric::WindowMeanMs, Bound::AtMost(200.0));
        assert_eq!(findings.len(), 2);
        assert_eq!(verdict, if rounds < 3 { "inconclusive" } else { "supported" }, "{}", findings[0].text);
        // One counterexample is one however often it is measured.
        let results =
            evaluate(&[claim("all", true, Check::EveryRowConsistent)], &memory, &[], &Options::default()).unwrap();
        assert_eq!(results[0].verdict.name(), "held");
    }
}
