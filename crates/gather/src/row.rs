//! From results to rows and back.
//!
//! A folder tells one instant of each request, `reader_received_at`, and else only durations in whole milliseconds. What
//! a [`Row`] says of an imported result is therefore:
//!
//! | column | value |
//! |---|---|
//! | `i` | the row's place in `traces.csv` (order of arrival; the number of the request is not known) |
//! | `reader_received_us` | `reader_received_at`, exact; the epoch is 1970, so that it needs no other file |
//! | `consistent_read` | as it is |
//! | `notification_written_us` | `reader_received_us` less `notification_to_reader_spent_ms`: within 1 ms |
//! | `barrier_us` | `antipode_spent_ms`: within 1 ms |
//! | `post_read_us` | `reader_received_us` plus `barrier_us`: the earliest it can be, for how long the read took is not told |
//! | `writer_start_us` | `post_read_us` less `writer_visibility_latency_ms`: so the window is what the folder says |
//! | `client_sent_us` | `post_read_us` less `client_visibility_latency_ms` |
//! | `reply_us` | `client_sent_us` plus `client_latency_ms` |
//!
//! So these last four are exact to a millisecond among themselves, and all too early by the duration of the read
//! against `reader_received_us`. Everything else is empty: `key`, `post_written_us`, `barrier_polls`, `read_start_us`, the
//! bytes, the instances. The requests whose result is missing (`NUM_RESULTS`) are rows of outcome `lost`, after the others.
//!
//! The four latencies are three independent durations, each cut to whole milliseconds. Instants are moved by less than a
//! millisecond, the writer's last, where that is needed for all four to come out again. Where no such move exists the four
//! contradict each other; `writer_latency_ms` then is kept beside the rows.

use matrix_app::{Outcome, Row};

use crate::number::truncate;
use crate::traces::TraceRow;

/// The row of result number `i`, its times since 1970, and `writer_latency_ms` if it contradicts the other three.
#[must_use]
pub fn to_row(i: u64, result: &TraceRow) -> (Row, Option<i64>) {
    let received = result.reader_received_us;
    let barrier_us = result.antipode_ms.map(|ms| ms * 1000);
    let mut row = Row {
        reader_received_us: Some(received),
        consistent_read: Some(result.consistent_read),
        notification_written_us: result.notification_to_reader_ms.map(|ms| received - ms * 1000),
        barrier_us,
        ..empty(i, Outcome::Ok)
    };
    let (Some(client_visibility), Some(writer_visibility)) = (result.client_visibility_ms, result.writer_visibility_ms)
    else {
        return (row, None);
    };
    let post_read = received + barrier_us.unwrap_or(0);
    row.post_read_us = Some(post_read);
    row.client_sent_us = Some(post_read - client_visibility * 1000);
    row.writer_start_us = Some(post_read - writer_visibility * 1000);
    let (Some(client), Some(writer)) = (result.client_latency_ms, result.writer_latency_ms) else { return (row, None) };
    if let Some(durations) = reconcile(client, client_visibility, writer, writer_visibility) {
        let client_sent = post_read - durations.client_visibility_us;
        row.client_sent_us = Some(client_sent);
        row.reply_us = Some(client_sent + durations.client_us);
        row.writer_start_us = Some(post_read - durations.writer_visibility_us);
        return (row, None);
    }
    row.reply_us = row.client_sent_us.map(|sent| sent + client * 1000);
    (row, Some(writer))
}

/// The row of a request of which nothing came.
#[must_use]
pub fn lost(i: u64) -> Row {
    empty(i, Outcome::Lost)
}

/// The result that a row is, if it is one: its reader read. `epoch_us` is what the row's times count from, in microseconds
/// since 1970.
#[must_use]
pub fn from_row(row: &Row, epoch_us: i64) -> Option<TraceRow> {
    if row.outcome != Outcome::Ok {
        return None;
    }
    let received = row.reader_received_us?;
    let between = |from: Option<i64>, to: Option<i64>| Some(truncate(to?.checked_sub(from?)?));
    let (sent, start, read) = (row.client_sent_us, row.writer_start_us, row.post_read_us);
    let visibility = between(sent, read).zip(between(start, read));
    let latency = visibility.and(between(sent, row.reply_us)).zip(between(start, row.reply_us));
    Some(TraceRow {
        reader_received_us: received.checked_add(epoch_us)?,
        consistent_read: row.consistent_read?,
        notification_to_reader_ms: between(row.notification_written_us, Some(received)),
        antipode_ms: row.barrier_us.map(truncate),
        client_latency_ms: latency.map(|(client, _)| client),
        client_visibility_ms: visibility.map(|(client, _)| client),
        writer_latency_ms: latency.map(|(_, writer)| writer),
        writer_visibility_ms: visibility.map(|(_, writer)| writer),
    })
}

/// The three durations that the four latencies follow from, in microseconds.
struct Durations {
    client_us: i64,
    client_visibility_us: i64,
    writer_visibility_us: i64,
}

/// Durations that come out as all four numbers of milliseconds when they are cut: whole milliseconds where that works,
/// else first the client's are moved, and the window only where that is not enough.
fn reconcile(client: i64, client_visibility: i64, writer: i64, writer_visibility: i64) -> Option<Durations> {
    let (mut client_us, mut client_visibility_us) = (client * 1000, client_visibility * 1000);
    let mut writer_visibility_us = writer_visibility * 1000;
    // The writer's latency is the client's, less the client's visibility latency, plus the writer's.
    let sum = client_us - client_visibility_us + writer_visibility_us;
    let (low, high) = cut_to(writer);
    // By how much the sum must grow.
    let mut missing = (low - sum).max(0) + (high - sum).min(0);
    for (duration, ms, sign) in [
        (&mut client_us, client, 1),
        (&mut client_visibility_us, client_visibility, -1),
        (&mut writer_visibility_us, writer_visibility, 1),
    ] {
        let (low, high) = cut_to(ms);
        let moved = (*duration + sign * missing).clamp(low, high) - *duration;
        *duration += moved;
        missing -= sign * moved;
    }
    (missing == 0).then_some(Durations { client_us, client_visibility_us, writer_visibility_us })
}

/// The microseconds that are cut to so many milliseconds, the first and the last.
fn cut_to(ms: i64) -> (i64, i64) {
    let us = ms * 1000;
    match ms {
        0 => (-999, 999),
        1.. => (us, us + 999),
        _ => (us - 999, us),
    }
}

fn empty(i: u64, outcome: Outcome) -> Row {
    Row {
        i,
        key: None,
        outcome,
        client_sent_us: None,
        writer_start_us: None,
        post_written_us: None,
        notification_written_us: None,
        reply_us: None,
        reader_received_us: None,
        barrier_us: None,
        barrier_polls: None,
        barrier_last_miss_us: None,
        read_start_us: None,
        post_read_us: None,
        consistent_read: None,
        post_visible_us: None,
        notification_bytes: None,
        lineage_bytes: None,
        post_bytes: None,
        writer_instance: None,
        reader_instance: None,
        writer_cold: None,
        reader_cold: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::MAX_MS;
    use proptest::prelude::*;

    prop_compose! {
        /// What the original writes of a request: every duration cut on its own.
        fn measured()(
            sent in 0i64..1_000_000, start in -50_000i64..200_000, read in -2_000i64..5_000_000, reply in -2_000i64..3_000_000,
            received in 0i64..4_000_000_000_000_000, antipode in proptest::option::of(0i64..20_000), found: bool,
        ) -> TraceRow {
            let (start, read, reply) = (sent + start, sent + read, sent + reply);
            TraceRow {
                reader_received_us: received,
                consistent_read: found,
                notification_to_reader_ms: Some((received - sent) % 5_000),
                antipode_ms: antipode,
                client_latency_ms: Some(truncate(reply - sent)),
                client_visibility_ms: Some(truncate(read - sent)),
                writer_latency_ms: Some(truncate(reply - start)),
                writer_visibility_ms: Some(truncate(read - start)),
            }
        }
    }

    fn back(row: &Row, writer_latency: Option<i64>) -> TraceRow {
        let mut result = from_row(row, 0).unwrap();
        if writer_latency.is_some() {
            result.writer_latency_ms = writer_latency;
        }
        result
    }

    proptest! {
        #[test]
        fn what_was_measured_comes_back_with_its_window(result in measured()) {
            let (row, contradiction) = to_row(7, &result);
            prop_assert_eq!(contradiction, None);
            prop_assert_eq!(from_row(&row, 0), Some(result));
            // The client's durations take up all but a microsecond of what cutting adds, unless a clock ran backwards.
            let window = result.writer_visibility_ms.unwrap() * 1000;
            let forwards = [result.client_latency_ms, result.writer_latency_ms].iter().all(|ms| *ms > Some(0));
            let off = (row.window_us().unwrap() - window).abs();
            let allowed = if forwards && window > 0 { 1 } else { 999 };
            prop_assert!(off <= allowed);
            let line = |row: &Row| { let mut line = Vec::new(); row.write_csv(&mut line); String::from_utf8(line).unwrap() };
            prop_assert_eq!(Row::parse_csv(line(&row).trim_end()), Ok(row));
        }

        #[test]
        fn whatever_four_numbers_there_are_come_back(
            [a, b, c, d] in prop::array::uniform4(prop_oneof![-5i64..5, -MAX_MS..=MAX_MS]), result in measured(), known in 0..3,
        ) {
            let latencies = (known > 0).then_some(());
            let replies = (known > 1).then_some(());
            let result = TraceRow {
                client_latency_ms: replies.map(|()| a),
                client_visibility_ms: latencies.map(|()| b),
                writer_latency_ms: replies.map(|()| c),
                writer_visibility_ms: latencies.map(|()| d),
                ..result
            };
            let (row, contradiction) = to_row(0, &result);
            prop_assert_eq!(back(&row, contradiction), result);
        }
    }

    #[test]
    fn only_rows_that_read_are_results() {
        assert_eq!(from_row(&lost(3), 0), None);
        let row = Row { reader_received_us: Some(5), consistent_read: None, ..empty(0, Outcome::Ok) };
        assert_eq!(from_row(&row, 0), None);
        let row = Row { consistent_read: Some(true), outcome: Outcome::BarrierTimeout, ..row };
        assert_eq!(from_row(&row, 0), None);
        let row = Row { outcome: Outcome::Ok, barrier_us: Some(-1_999), ..row };
        let result = from_row(&row, 1_000_000).unwrap();
        assert_eq!((result.reader_received_us, result.antipode_ms), (1_000_005, Some(-1)));
    }
}
