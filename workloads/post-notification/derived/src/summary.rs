//! The closing summary: what the results of an experiment show, per combination.

use matrix_analysis::tables::{Estimate, Source, SummaryRow, TreatmentRow};
use matrix_analysis::{Options, Pools, load, summary};
use matrix_plan::NotificationStorage;
use matrix_report::{Column, fitted};
use matrix_run::RunError;
use matrix_run::results::{Traced, unreadable};
use matrix_run::wording::interval;
use serde::Serialize;

/// Reads results and sums them up: a row for each combination and delay.
///
/// # Errors
/// A trace cannot be read, or is not what was stored.
pub fn rows(traced: &Traced<'_>) -> Result<Vec<SummaryRow>, RunError> {
    let loaded = load(traced, &Options::default()).map_err(unreadable)?;
    Ok(summary(&Pools::new(&loaded)))
}

/// The summary as a script reads it: latencies in milliseconds, shares between 0 and 1. What was not observed, and an end
/// of an interval that the data cannot bound, is null.
#[derive(Serialize)]
pub struct SummaryJson {
    #[serde(flatten)]
    source: Source,
    summary: Vec<SummaryRow>,
}

impl SummaryJson {
    /// The summary that these rows are.
    #[must_use]
    pub fn new(summary: Vec<SummaryRow>, source: Source) -> Self {
        Self { source, summary }
    }
}

/// The summary as text, no wider than so many columns if that can be.
pub fn text(rows: &[SummaryRow], source: &Source, width: Option<usize>) -> String {
    let mut text = format!("\n{}{}\n", source.experiment, labels(source));
    text += &format!("\nWhat readers found, and how long it took (95 % intervals)\n{}\n", found(rows, width));
    if rows.iter().any(|row| row.on.is_some()) {
        text += &format!("\nThe price of antipode (95 % intervals)\n{}\n", price(rows, width));
    }
    text + "\n" + &closing(rows)
}

/// What must be said of the numbers' origin.
pub fn labels(source: &Source) -> String {
    let mut labels = source.nature.words();
    labels.push(format!("{} of {} cells done", source.done, source.planned));
    format!(" ({})", labels.join("; "))
}

/// Where the columns are explained.
const COLUMNS: &str = "every column is explained in docs/guide.md, section \"Columns\"";

/// Who hands over one notification at a time, so that requests queue.
const QUEUES: [NotificationStorage; 2] = [NotificationStorage::Amq, NotificationStorage::Dynamo];

/// What stands below the tables: totals, warnings, and what the marks and columns mean.
fn closing(rows: &[SummaryRow]) -> String {
    let treatments = || rows.iter().flat_map(|row| row.off.iter().chain(&row.on));
    let sum = |of: fn(&TreatmentRow) -> u64| treatments().map(of).sum::<u64>();
    let (planned, lost, failed) = (sum(|row| row.planned), sum(|row| row.lost), sum(|row| row.failed));
    let mut lines = vec![format!("{planned} requests: {lost} lost, {failed} failed or timed out")];
    let unread = rows.iter().flat_map(|row| [("off", &row.off), ("on", &row.on)].map(|(name, side)| (row, name, side)));
    for (row, name, side) in unread.filter_map(|(row, name, side)| Some((row, name, side.as_ref()?))) {
        if side.reads == 0 {
            let SummaryRow { post_storage, notification_storage, regions, delay_ms, .. } = row;
            lines.push(format!(
                "NOTHING OBSERVED: {post_storage} {notification_storage} {regions} delay {delay_ms} ms, antipode {name}: {} of {} \
                 requests failed, timed out or were lost",
                side.lost + side.failed,
                side.planned
            ));
        }
    }
    if treatments().any(|treatment| treatment.basis().few_blocks()) {
        lines.push("intervals stand on few rounds (fewer than 10): they say little about how rounds differ".to_owned());
    }
    if treatments().any(|treatment| treatment.basis().lack().is_some()) {
        lines.push(
            "no interval with fewer than 3 measured rounds: drift could not be told from an effect (`rounds = 3`)"
                .to_owned(),
        );
    }
    let unbounded = |row: &SummaryRow| {
        row.throughput_change_percent.is_some_and(|change| !(change.low.is_finite() && change.high.is_finite()))
    };
    if rows.iter().any(unbounded) {
        lines.push("unbounded: too few blocks stand behind the interval for the data to bound that end".to_owned());
    }
    lines.push(
        "window: from the writer's start to the end of the reader's read, whether or not it found the post".into(),
    );
    if rows.iter().any(|row| QUEUES.contains(&row.notification_storage)) {
        lines
            .push("amq and dynamo hand over one notification at a time: windows include the wait in that queue".into());
    }
    if rows.iter().any(|row| row.configured_lag || row.configured_notification_lag) {
        lines.push("[c] configured: the replication lag was set in the experiment, not measured".to_owned());
    }
    if rows.iter().any(|row| row.extrapolated) {
        lines.push(
            "[e] extrapolated: the model has no data of the pair, and shifts those of its reference pair".to_owned(),
        );
    }
    lines.push("p50 and p99 by nearest rank".to_owned());
    lines.push(COLUMNS.to_owned());
    lines.join("\n")
}

/// A cell's text with a mark, where there is one.
fn marked(text: impl std::fmt::Display, mark: &str, is_marked: bool) -> String {
    if is_marked { format!("{text}{mark}") } else { text.to_string() }
}

/// The four columns that name a combination and its delay.
fn names() -> Vec<Column> {
    vec![
        Column::left("post"),
        Column::left("notified\nby"),
        Column::left("regions").folded("regions"),
        Column::right("delay\nms").folded("delay in ms"),
    ]
}

fn named(row: &SummaryRow) -> Vec<String> {
    vec![
        marked(row.post_storage, "[c]", row.configured_lag),
        marked(row.notification_storage, "[c]", row.configured_notification_lag),
        marked(&row.regions, "[e]", row.extrapolated),
        row.delay_ms.to_string(),
    ]
}

/// One line for each combination, delay and treatment.
fn found(rows: &[SummaryRow], width: Option<usize>) -> String {
    let mut columns = names();
    columns.extend([
        Column::left("antipode"),
        Column::right("rounds").folded("rounds").rank(3),
        Column::right("missed\n%"),
        Column::left("(95 %)"),
        Column::right("window\np50 ms"),
        Column::right("window\np99 ms").rank(2),
        Column::right("lost").rank(1),
        Column::right("failed"),
    ]);
    let mut lines = Vec::new();
    for row in rows {
        for (on, treatment) in [("off", &row.off), ("on", &row.on)] {
            let Some(treatment) = treatment else { continue };
            // Of no reads there is neither a share nor an interval.
            let (share, interval) = match percent(treatment.inconsistent) {
                _ if treatment.reads == 0 => (dash(), "no reads".to_owned()),
                (share, interval) => (share, treatment.basis().lack().unwrap_or(interval)),
            };
            let mut line = named(row);
            line.extend([
                on.to_owned(),
                treatment.rounds.to_string(),
                share,
                interval,
                milliseconds(treatment.window_p50_ms),
                milliseconds(treatment.window_p99_ms),
                treatment.lost.to_string(),
                treatment.failed.to_string(),
            ]);
            lines.push(line);
        }
    }
    fitted(&columns, lines, width)
}

/// One line for each combination and delay that ran with antipode on.
fn price(rows: &[SummaryRow], width: Option<usize>) -> String {
    let mut columns = names();
    columns.extend([
        Column::right("barrier ms\nper request"),
        Column::right("polls\nper request").rank(1),
        Column::right("requests/s\noff").rank(3),
        Column::right("requests/s\non").rank(2),
        Column::right("change\n%"),
        Column::left("(95 %)"),
    ]);
    let mut lines = Vec::new();
    for row in rows {
        let Some(on) = &row.on else { continue };
        let per_request = |total: f64| if on.planned == 0 { 0.0 } else { total / on.planned as f64 };
        let (change, interval_shown) = row.throughput_change_percent.map_or_else(
            || (dash(), dash()),
            |change| {
                let number = |percent: f64| format!("{percent:+.1}");
                let shown = match row.off.as_ref().unwrap_or(on).basis().lack() {
                    Some(lack) => lack,
                    // Rounds of one treatment alone make no pair.
                    None if change.low.is_nan() => "too few pairs".to_owned(),
                    None => interval(change.low, change.high, number),
                };
                (number(change.value), shown)
            },
        );
        let mut line = named(row);
        line.extend([
            milliseconds(per_request(on.barrier_s * 1e3)),
            format!("{:.1}", per_request(on.barrier_polls as f64)),
            row.off.as_ref().map_or_else(dash, |off| per_second(off.throughput_per_s)),
            per_second(on.throughput_per_s),
            change,
            interval_shown,
        ]);
        lines.push(line);
    }
    fitted(&columns, lines, width)
}

fn dash() -> String {
    "-".to_owned()
}

fn per_second(rate: f64) -> String {
    if rate.is_nan() { dash() } else { format!("{rate:.2}") }
}

fn percent(share: Estimate) -> (String, String) {
    let Estimate { value, low, high } = share;
    (format!("{:.1}", 100.0 * value), format!("[{:.1}, {:.1}]", 100.0 * low, 100.0 * high))
}

/// Milliseconds with as many decimals as they deserve.
fn milliseconds(ms: f64) -> String {
    match ms {
        // Nothing was measured.
        ms if ms.is_nan() => dash(),
        ms if ms.abs() < 100.0 => format!("{ms:.1}"),
        ms => format!("{ms:.0}"),
    }
}

#[cfg(test)]
#[path = "summary_tests.rs"]
mod tests;
