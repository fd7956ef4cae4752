//! From results to rows and back.
//!
//! A folder has one instant of each request, `reader_received_at`, and else only durations in whole milliseconds. What
//! a [`Row`] contains of an imported result is therefore:
//!
//! | column | value |
//! |---|---|
//! | `i` | the row's place in `traces.csv` (order of arrival; the number of the request is not known) |
//! | `reader_received_us` | `reader_received_at`, exact; the epoch is 1970, so that it needs no other file |
//! | `consistent_read` | as it is |
//! | `notification_written_us` | `reader_received_us` less `notification_to_reader_spent_ms`: within 1 ms |
//! | `barrier_us` | `antipode_spent_ms`: within 1 ms |
//! | `post_read_us` | `reader_received_us` plus `barrier_us`: the earliest it can be, for how long the read took is not known |
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
//!
//! Where a folder lacks some of the four, the instants that none of the others needs are empty. Where no visibility latency
//! is told, `post_read_us` is, and `reply_us` stands at `reader_received_us`: a client's or writer's latency has to end
//! somewhere. A latency that the folder lacks and yet follows from the instants of others is named beside the rows.

use matrix_app::{Outcome, Row};

use crate::number::truncate;
use crate::traces::{Latency, TraceRow};

/// What a row cannot hold of a result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// `writer_latency_ms`, if it contradicts the other three.
    pub writer_latency_ms: Option<i64>,
    /// The latencies that the folder lacks, and that follow from the row all the same.
    pub not_told: Vec<Latency>,
}

/// The row of result number `i`, its times since 1970, and what it cannot hold.
#[must_use]
pub fn to_row(i: u64, result: &TraceRow) -> (Row, Beside) {
    let received = result.reader_received_us;
    let barrier_us = result.antipode_ms.map(|ms| ms * 1000);
    let mut row = Row {
        reader_received_us: Some(received),
        consistent_read: Some(result.consistent_read),
        notification_written_us: result.notification_to_reader_ms.map(|ms| received - ms * 1000),
        barrier_us,
        outcome: Outcome::Ok,
        i,
        ..Row::default()
    };
    let instants = Instants::of(result, received + barrier_us.unwrap_or(0));
    (row.client_sent_us, row.writer_start_us) = (instants.sent, instants.start);
    (row.post_read_us, row.reply_us) = (instants.read, instants.reply);
    let mut beside = Beside::default();
    let told = Latency::ALL.map(|latency| result.latency(latency));
    if let [Some(client), Some(client_visibility), Some(writer), Some(writer_visibility)] = told
        && let Some(post_read) = instants.read
    {
        if let Some(durations) = reconcile(client, client_visibility, writer, writer_visibility) {
            let client_sent = post_read - durations.client_visibility_us;
            row.client_sent_us = Some(client_sent);
            row.reply_us = Some(client_sent + durations.client_us);
            row.writer_start_us = Some(post_read - durations.writer_visibility_us);
        } else {
            beside.writer_latency_ms = Some(writer);
        }
    }
    let follows = |latency: &Latency| latency.of_row(&row).is_some() && result.latency(*latency).is_none();
    beside.not_told = Latency::ALL.into_iter().filter(follows).collect();
    (row, beside)
}

/// The row of a request of which nothing came.
#[must_use]
pub fn lost(i: u64) -> Row {
    Row { i, ..Row::default() }
}

/// The result that a row is, if it is one: its reader read. `epoch_us` is what the row's times count from, in microseconds
/// since 1970.
#[must_use]
pub fn from_row(row: &Row, epoch_us: i64) -> Option<TraceRow> {
    if row.outcome != Outcome::Ok {
        return None;
    }
    let received = row.reader_received_us?;
    let [client, client_visibility, writer, writer_visibility] = Latency::ALL.map(|latency| latency.of_row(row));
    Some(TraceRow {
        reader_received_us: received.checked_add(epoch_us)?,
        consistent_read: row.consistent_read?,
        notification_to_reader_ms: between(row.notification_written_us, Some(received)),
        antipode_ms: row.barrier_us.map(truncate),
        client_latency_ms: client,
        client_visibility_ms: client_visibility,
        writer_latency_ms: writer,
        writer_visibility_ms: writer_visibility,
    })
}

/// Whole milliseconds from one instant to another.
fn between(from: Option<i64>, to: Option<i64>) -> Option<i64> {
    Some(truncate(to?.checked_sub(from?)?))
}

impl Latency {
    /// What the instants of a row say of it.
    fn of_row(self, row: &Row) -> Option<i64> {
        match self {
            Self::Client => between(row.client_sent_us, row.reply_us),
            Self::ClientVisibility => between(row.client_sent_us, row.post_read_us),
            Self::Writer => between(row.writer_start_us, row.reply_us),
            Self::WriterVisibility => between(row.writer_start_us, row.post_read_us),
        }
    }
}

/// The four instants that latencies are given between, as far as they are known.
#[derive(Clone, Copy, Debug, Default)]
struct Instants {
    sent: Option<i64>,
    start: Option<i64>,
    reply: Option<i64>,
    read: Option<i64>,
}

impl Instants {
    /// What follows from the latencies of a result whose read ended at `read`.
    fn of(result: &TraceRow, read: i64) -> Self {
        let us = |ms: Option<i64>| ms.map(|ms| ms * 1000);
        let [client, client_visibility, writer, writer_visibility] =
            Latency::ALL.map(|latency| us(result.latency(latency)));
        let read = client_visibility.or(writer_visibility).map(|_| read);
        let before = |end: Option<i64>, latency: Option<i64>| Some(end? - latency?);
        let after = |begin: Option<i64>, latency: Option<i64>| Some(begin? + latency?);
        let (mut sent, mut start) = (before(read, client_visibility), before(read, writer_visibility));
        let reply = after(sent, client).or(after(start, writer));
        // Latencies that are tied to no read end when the reader began.
        let reply = reply.or(client.or(writer).map(|_| result.reader_received_us));
        sent = sent.or(before(reply, client));
        start = start.or(before(reply, writer));
        Self { sent, start, reply, read }
    }
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

    fn back(row: &Row, beside: &Beside) -> TraceRow {
        let mut result = from_row(row, 0).unwrap();
        if beside.writer_latency_ms.is_some() {
            result.writer_latency_ms = beside.writer_latency_ms;
        }
        beside.not_told.iter().for_each(|latency| result.forget(*latency));
        result
    }

    proptest! {
        #[test]
        fn what_was_measured_comes_back_with_its_window(result in measured()) {
            let (row, beside) = to_row(7, &result);
            prop_assert_eq!(beside, Beside::default());
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
        fn whatever_numbers_there_are_come_back_and_no_others(
            [a, b, c, d] in prop::array::uniform4(prop::option::weighted(0.7, prop_oneof![-5i64..5, -MAX_MS..=MAX_MS])),
            result in measured(),
        ) {
            let result = TraceRow {
                client_latency_ms: a,
                client_visibility_ms: b,
                writer_latency_ms: c,
                writer_visibility_ms: d,
                ..result
            };
            let (row, beside) = to_row(0, &result);
            prop_assert_eq!(back(&row, &beside), result);
        }
    }

    #[test]
    fn only_rows_that_read_are_results() {
        assert_eq!(from_row(&lost(3), 0), None);
        let row = Row { reader_received_us: Some(5), outcome: Outcome::Ok, ..Row::default() };
        assert_eq!(from_row(&row, 0), None);
        let row = Row { consistent_read: Some(true), outcome: Outcome::BarrierTimeout, ..row };
        assert_eq!(from_row(&row, 0), None);
        let row = Row { outcome: Outcome::Ok, barrier_us: Some(-1_999), ..row };
        let result = from_row(&row, 1_000_000).unwrap();
        assert_eq!((result.reader_received_us, result.antipode_ms), (1_000_005, Some(-1)));
    }
}
