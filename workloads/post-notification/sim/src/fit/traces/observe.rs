//! What rows show of each law, in milliseconds.

use matrix_app::Row;
use matrix_plan::CellInputs;

use super::Measured;
use super::censored::Interval;

fn between(from: Option<i64>, to: Option<i64>) -> Option<f64> {
    Some((to? - from?) as f64 / 1e3)
}

/// One way between the client and the writer's function, its start included, where the instance was warm.
pub(super) fn leg_ms<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<f64> {
    rows.filter(|row| row.writer_cold != Some(true))
        .filter_map(|row| between(row.client_sent_us, row.writer_start_us))
        .collect()
}

/// The same where the instance was new.
pub(super) fn cold_leg_ms<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<f64> {
    rows.filter(|row| row.writer_cold == Some(true))
        .filter_map(|row| between(row.client_sent_us, row.writer_start_us))
        .collect()
}

/// Storing a post.
pub(super) fn write_ms<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<f64> {
    rows.filter_map(|row| between(row.writer_start_us, row.post_written_us)).collect()
}

/// Reading a post, found or not.
pub(super) fn read_ms<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<f64> {
    rows.filter_map(|row| between(row.read_start_us, row.post_read_us)).collect()
}

/// A poll of the barrier: where there was only one, it is all that the barrier did.
pub(super) fn poll_ms<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<f64> {
    rows.filter(|row| row.barrier_polls == Some(1)).filter_map(|row| Some(row.barrier_us? as f64 / 1e3)).collect()
}

/// From just before the publishing of the notification to the writer's answer at the client.
pub(super) fn answer_ms<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<f64> {
    rows.filter_map(|row| between(row.notification_written_us, row.reply_us)).collect()
}

/// From just before the publishing of the notification to the reader's first line, in warm instances.
pub(super) fn delivery_ms<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<f64> {
    rows.filter(|row| row.reader_cold != Some(true))
        .filter_map(|row| between(row.notification_written_us, row.reader_received_us))
        .collect()
}

/// The rows of a cell that found the reader idle, where one reader takes one notification after the other: those of the
/// others show the queue, not the way.
pub(super) fn unqueued(cell: &Measured) -> Vec<&Row> {
    let mut rows: Vec<&Row> = cell.rows.iter().filter(|row| row.reader_received_us.is_some()).collect();
    rows.sort_by_key(|row| row.reader_received_us);
    let mut free = None;
    let mut found = Vec::new();
    for row in rows {
        if free.is_none_or(|free| row.notification_written_us > Some(free)) {
            found.push(row);
        }
        // Until the row's end is known the reader counts as busy.
        free = free.max(row.post_read_us.or(row.reader_received_us));
    }
    found
}

/// What each row shows of its post's lag: between which times after its writing it became visible.
pub(super) fn lags<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<Interval> {
    rows.filter_map(|row| {
        let written = row.post_written_us?;
        let since = |at: i64| (at - written) as f64 / 1e3;
        if let Some(at) = row.post_visible_us {
            return Some(Interval::exact(since(at).max(0.0)));
        }
        match (row.barrier_polls, row.barrier_us) {
            // The barrier's last question saw it, the one before did not.
            (Some(polls), Some(spent)) if polls > 0 && row.read_start_us.is_some() => {
                let begun = row.read_start_us? - spent;
                let low = row.barrier_last_miss_us.map(since);
                // The last question began after the last pause, and ended when the barrier did.
                let high = if polls == 1 { since(begun) } else { since(row.read_start_us?) };
                Some(Interval::new(low.unwrap_or(0.0), high.max(low.unwrap_or(0.0)).max(0.0)))
            }
            _ => match (row.consistent_read?, row.read_start_us?) {
                (true, at) => Some(Interval::new(0.0, since(at).max(0.0))),
                (false, at) => Some(Interval::after(since(at).max(0.0))),
            },
        }
    })
    .collect()
}

/// When the posts of a cell were written, in ascending order.
pub(super) fn commits_ms(cell: &Measured) -> Vec<f64> {
    let mut commits: Vec<i64> = cell.rows.iter().filter_map(|row| row.post_written_us).collect();
    commits.sort_unstable();
    commits.into_iter().map(|us| us as f64 / 1e3).collect()
}

/// The round trip of the cell's regions, in milliseconds: twice the link's delay, where the platform says one.
pub(super) fn rtt_ms(inputs: &CellInputs) -> Option<f64> {
    let fingerprint: serde_json::Value = serde_json::from_str(inputs.fingerprint.as_str()).ok()?;
    Some(2.0 * fingerprint.get("link")?.get("delay_ms")?.as_f64()?)
}
