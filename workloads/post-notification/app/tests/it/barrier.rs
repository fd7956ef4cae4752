//! The barrier's polling, backoff and deadline.

use matrix_app::host::ErrorKind;
use matrix_app::{BarrierPolicy, BarrierReport, Lineage, LineageId, Micros, StorageError, WriteId, barrier};
use proptest::prelude::*;

use crate::host::{Answer, CALL_US, Host};

const POLICY: BarrierPolicy = BarrierPolicy { min_ms: 1, max_ms: 50, deadline_ms: 2000 };

fn lineage<'a>(keys: &[&'a str]) -> Lineage<'a> {
    let mut lineage = Lineage::new(LineageId(42));
    keys.iter().for_each(|key| lineage.append(WriteId { key: (*key).into(), version: None }));
    lineage
}

fn wait(host: &Host, keys: &[&str], policy: BarrierPolicy) -> Result<BarrierReport, StorageError> {
    host.block_on(barrier(host, host, &lineage(keys), policy))
}

fn asked_at(host: &Host) -> Vec<i64> {
    host.polls.borrow().iter().map(|(at, _)| at / 1000).collect()
}

/// Fails for a barrier that returns at once.
#[test]
fn it_asks_until_the_write_is_visible_with_pauses_that_double() {
    let host = Host::answering([Answer::Missing; 9]);
    let report = wait(&host, &["a"], POLICY).unwrap();
    // Each question takes 1 ms; the pauses are 1, 2, 4, 8, 16, 32, 50, 50, 50 ms.
    let expected = [0, 2, 5, 10, 19, 36, 69, 120, 171, 222];
    assert_eq!(asked_at(&host), expected);
    let waited_us = 223_000;
    assert_eq!(report, BarrierReport { waited_us, polls: 10, last_miss_at: Some(Micros(171_000)), visible: true });
}

#[test]
fn every_write_of_the_lineage_is_waited_for_in_order() {
    let host = Host::answering([Answer::Missing, Answer::Visible, Answer::Missing, Answer::Visible]);
    assert!(wait(&host, &["a", "b"], POLICY).unwrap().visible);
    let asked: Vec<String> = host.polls.borrow().iter().map(|(_, question)| question.clone()).collect();
    assert_eq!(asked, ["a/-/42", "a/-/42", "b/-/42", "b/-/42"]);
    assert_eq!(asked_at(&host), [0, 2, 3, 5], "the pause begins anew with each write");
}

#[test]
fn a_lineage_without_writes_is_visible_at_once() {
    let report = wait(&Host::default(), &[], POLICY).unwrap();
    assert_eq!(report, BarrierReport { waited_us: 0, polls: 0, last_miss_at: None, visible: true });
}

#[test]
fn a_call_that_hangs_is_cut_at_the_deadline() {
    let host = Host::answering([Answer::Missing, Answer::Hangs]);
    let report = wait(&host, &["a"], POLICY).unwrap();
    let expected = BarrierReport { waited_us: 2_000_000, polls: 2, last_miss_at: Some(Micros(0)), visible: false };
    assert_eq!(report, expected);
}

#[test]
fn a_pause_is_cut_at_the_deadline_too() {
    let host = Host::answering([Answer::Missing; 9]);
    let report = wait(&host, &["a"], BarrierPolicy { deadline_ms: 3, ..POLICY }).unwrap();
    assert_eq!((report.waited_us, report.polls, report.visible), (3000, 2, false));
}

#[test]
fn an_answer_at_the_very_deadline_counts() {
    let host = Host::answering([Answer::Visible]);
    let report = wait(&host, &["a"], BarrierPolicy { deadline_ms: 1, ..POLICY }).unwrap();
    assert_eq!((report.waited_us, report.visible), (CALL_US, true));
}

#[test]
fn failures_in_passing_are_asked_again_and_are_no_misses() {
    let kinds = [ErrorKind::Unreachable, ErrorKind::Timeout, ErrorKind::Throttled];
    let host = Host::answering(kinds.map(Answer::Fails));
    let report = wait(&host, &["a"], POLICY).unwrap();
    assert_eq!((report.polls, report.last_miss_at, report.visible), (4, None, true));
}

#[test]
fn failures_for_good_end_the_barrier() {
    for kind in [ErrorKind::Refused, ErrorKind::Malformed] {
        let host = Host::answering([Answer::Missing, Answer::Fails(kind)]);
        assert_eq!(wait(&host, &["a"], POLICY).unwrap_err().kind, kind);
        assert_eq!(host.polls.borrow().len(), 2);
    }
}

proptest! {
    #[test]
    fn it_never_ends_early_nor_later_than_the_deadline(
        misses in 0usize..400, min_ms in 1u64..40, more_ms in 0u64..60, deadline_ms in 1u64..3000,
    ) {
        let host = Host::answering(vec![Answer::Missing; misses]);
        let report = wait(&host, &["a"], BarrierPolicy { min_ms, max_ms: min_ms + more_ms, deadline_ms }).unwrap();
        prop_assert!(report.waited_us <= deadline_ms as i64 * 1000);
        if report.visible {
            prop_assert_eq!(report.polls as usize, misses + 1);
        } else {
            prop_assert_eq!(report.waited_us, deadline_ms as i64 * 1000);
        }
    }
}
