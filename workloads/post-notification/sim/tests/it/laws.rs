//! Laws that hold of every simulated cell.

use matrix_app::{Outcome, Row};
use matrix_plan::{Arrival, Invocation, NotificationStorage, PostStorage};
use matrix_sim::SimDriver;
use matrix_sim::model::NotificationModel;
use proptest::prelude::*;

use crate::cells;
use crate::rows::{builtin, combinations, run, simulate};

/// Fails for a barrier that returns at once, for a writer that drops the lineage, and for a reader that skips the barrier.
#[test]
fn antipode_prevents_every_miss_which_a_hollow_barrier_or_a_dropped_lineage_does_not() {
    for (post, notification) in combinations() {
        let rows = simulate(post, notification, true, 150);
        for row in &rows {
            assert_eq!(row.outcome, Outcome::Ok, "{post}+{notification}: {row:?}");
            assert_eq!(row.consistent_read, Some(true), "{post}+{notification}: {row:?}");
            assert!(row.barrier_polls >= Some(1), "{post}+{notification}: {row:?}");
        }
        if notification == NotificationStorage::Sns && post != PostStorage::Mysql {
            let missed = simulate(post, notification, false, 150);
            let missed = missed.iter().filter(|row| row.consistent_read == Some(false)).count();
            assert!(missed > 100, "without antipode there is something to prevent: {post} missed {missed} of 150");
        }
    }
}

/// What must be true of every row that was read.
fn check(row: &Row) {
    let at = |time: Option<i64>| time.unwrap_or_else(|| panic!("a time is missing: {row:?}"));
    let found = at(row.read_start_us) >= at(row.post_visible_us);
    assert_eq!(row.consistent_read, Some(found), "a miss is exactly a read before visibility: {row:?}");
    if let Some(missed_at) = row.barrier_last_miss_us {
        assert!(missed_at < at(row.post_visible_us), "{row:?}");
    }
    let order = [
        row.client_sent_us,
        row.writer_start_us,
        row.post_written_us,
        row.notification_written_us,
        row.reader_received_us,
        row.read_start_us,
        row.post_read_us,
    ];
    assert!(order.map(at).is_sorted(), "{row:?}");
    assert!(at(row.post_visible_us) >= at(row.post_written_us), "{row:?}");
    assert_eq!(row.barrier_us.unwrap_or(0), at(row.read_start_us) - at(row.reader_received_us), "{row:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_miss_is_exactly_a_read_before_visibility(
        combination in prop::sample::select(combinations().collect::<Vec<_>>()),
        antipode: bool,
        delay_ms in prop::sample::select(vec![0, 100, 1000, 15_000]),
        arrival in prop_oneof![
            (1u32..40).prop_map(Arrival::Concurrency),
            (1.0..500.0).prop_map(Arrival::RatePerSecond),
        ],
        invocation in prop::sample::select(vec![Invocation::RequestResponse, Invocation::Event]),
        seed: u64,
    ) {
        let driver = SimDriver::new(builtin());
        let mut inputs = cells::inputs(driver.model(), combination.0, combination.1, antipode, 60);
        inputs.axes.delay_ms = delay_ms;
        inputs.arrival = arrival;
        inputs.invocation = invocation;
        inputs.seed = seed;
        for row in run(&driver, inputs) {
            check(&row);
            prop_assert!(row.notification_written_us.unwrap() >= row.post_written_us.unwrap() + delay_ms as i64 * 1000);
            prop_assert_eq!(row.reply_us.is_some(), invocation == Invocation::RequestResponse);
        }
    }
}

#[test]
fn an_on_off_pair_shares_its_draws() {
    for post in PostStorage::ALL {
        let [off, on] = [false, true].map(|antipode| simulate(*post, NotificationStorage::Sns, antipode, 200));
        for (off, on) in off.iter().zip(&on) {
            let shared = |row: &Row| {
                (
                    row.key,
                    row.client_sent_us,
                    row.writer_start_us,
                    row.post_written_us,
                    row.post_visible_us,
                    row.reply_us,
                )
            };
            assert_eq!(shared(off), shared(on), "{post}");
            let notified = |row: &Row| row.notification_bytes.unwrap() - row.lineage_bytes.unwrap();
            assert!(notified(off).abs_diff(notified(on)) < 64, "a message grows by the lineage alone: {off:?} {on:?}");
        }
    }
}

#[test]
fn a_closed_loop_keeps_its_clients_busy_and_no_more() {
    let rows = simulate(PostStorage::S3, NotificationStorage::Amq, true, 300);
    let mut changes: Vec<(i64, i64)> =
        rows.iter().flat_map(|row| [(row.client_sent_us.unwrap(), 1), (row.reply_us.unwrap(), -1)]).collect();
    // An answer and the next request share their instant: the answer comes first.
    changes.sort_unstable();
    let (mut waiting, mut most) = (0, 0);
    for (_, change) in changes {
        waiting += change;
        most = most.max(waiting);
    }
    assert_eq!((waiting, most), (0, 8));
    let last_sent = rows.iter().map(|row| row.client_sent_us).max().unwrap();
    let answered_before_the_end = rows.iter().filter(|row| row.reply_us <= last_sent).count();
    assert_eq!(answered_before_the_end, 300 - 8, "every client sends again as soon as it is answered");
}

#[test]
fn an_open_loop_sends_evenly_whatever_the_answers() {
    let driver = SimDriver::new(builtin());
    let mut inputs = cells::inputs(driver.model(), PostStorage::Mysql, NotificationStorage::Sns, false, 100);
    inputs.arrival = Arrival::RatePerSecond(300.0);
    for row in run(&driver, inputs) {
        assert_eq!(row.client_sent_us, Some((row.i as f64 * 1e6 / 300.0).round() as i64));
    }
}

/// When each reader began and ended, in order of beginning.
fn readers(rows: &[Row]) -> Vec<(i64, i64)> {
    let mut readers: Vec<_> =
        rows.iter().map(|row| (row.reader_received_us.unwrap(), row.post_read_us.unwrap())).collect();
    readers.sort_unstable();
    readers
}

fn overlaps(rows: &[Row]) -> usize {
    readers(rows).windows(2).filter(|pair| pair[1].0 < pair[0].1).count()
}

#[test]
fn ordered_sources_deliver_in_order_to_one_reader_at_a_time() {
    let mut model = builtin();
    for notification in model.notification.values_mut() {
        if let NotificationModel::Ordered { lanes, .. } | NotificationModel::Stream { lanes, .. } = notification {
            *lanes = 1;
        }
    }
    let driver = SimDriver::new(model);
    for (notification, one_at_a_time) in
        [(NotificationStorage::Sns, false), (NotificationStorage::Amq, true), (NotificationStorage::Dynamo, true)]
    {
        for antipode in [false, true] {
            let rows = run(&driver, cells::inputs(driver.model(), PostStorage::S3, notification, antipode, 200));
            assert_eq!(overlaps(&rows) == 0, one_at_a_time, "{notification}");
        }
    }
    let mut rows = run(&driver, cells::inputs(driver.model(), PostStorage::S3, NotificationStorage::Amq, false, 200));
    rows.sort_by_key(|row| row.notification_written_us);
    assert!(rows.iter().map(|row| row.reader_received_us).is_sorted(), "a queue keeps the order of publishing");
}

#[test]
fn a_stream_has_as_many_readers_as_shards() {
    let rows = simulate(PostStorage::S3, NotificationStorage::Dynamo, true, 300);
    let busy = readers(&rows).into_iter().map(|(begin, _)| {
        rows.iter().filter(|row| row.reader_received_us.unwrap() <= begin && begin < row.post_read_us.unwrap()).count()
    });
    assert_eq!(busy.max(), Some(4));
}

#[test]
fn stored_bytes_follow_the_documented_rules() {
    for (post, without) in [
        (PostStorage::Mysql, 1_000_010),
        (PostStorage::Dynamo, 350_012),
        (PostStorage::S3, 1_000_000),
        (PostStorage::Redis, 2_871_010),
    ] {
        let [off, on] = [false, true].map(|antipode| simulate(post, NotificationStorage::Sns, antipode, 20));
        assert!(off.iter().all(|row| row.post_bytes == Some(without)), "{post}");
        assert!(on.iter().all(|row| (30..60).contains(&(row.post_bytes.unwrap() - without))), "{post}");
    }
}
