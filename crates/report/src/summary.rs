//! The closing summary: what the results of an experiment show, per combination.

use matrix_analysis::tables::{Estimate, Source, SummaryRow, TreatmentRow};
use matrix_analysis::{Options, Pools, load, summary};
use matrix_run::RunError;
use matrix_run::results::{Results, unreadable};
use matrix_run::wording::{UNBOUNDED, interval};
use serde::Serialize;

/// Reads the results: their summary as text.
///
/// # Errors
/// A trace cannot be read, or is not what was stored.
pub fn of(results: &Results<'_>) -> Result<String, RunError> {
    let loaded = load(&results.traced, &Options::default()).map_err(unreadable)?;
    Ok(text(&Pools::new(&loaded), &results.source()))
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
    /// Sums up results.
    #[must_use]
    pub fn of(pools: &Pools<'_>, source: Source) -> Self {
        Self { source, summary: summary(pools) }
    }
}

/// The summary as text.
pub fn text(pools: &Pools<'_>, source: &Source) -> String {
    let rows = summary(pools);
    let mut text = format!("\n{}{}\n", source.experiment, labels(source));
    text += &format!("\nInconsistencies (95 % interval) and consistency window\n{}\n", windows(&rows));
    if rows.iter().any(|row| row.on.is_some()) {
        let price = price(&rows);
        text += &format!("\nThe price of antipode\n{price}\n");
        if price.contains(UNBOUNDED) {
            text += "unbounded: too few blocks stand behind the interval for the data to bound that end\n";
        }
    }
    let treatments = || rows.iter().flat_map(|row| row.off.iter().chain(&row.on));
    let lost: u64 = treatments().map(|treatment| treatment.lost).sum();
    let failed: u64 = treatments().map(|treatment| treatment.failed).sum();
    let planned: u64 = treatments().map(|treatment| treatment.planned).sum();
    text += &format!("\n{planned} requests: {lost} lost, {failed} failed or timed out");
    let unread = rows.iter().flat_map(|row| [("off", &row.off), ("on", &row.on)].map(|(name, side)| (row, name, side)));
    for (row, name, side) in unread.filter_map(|(row, name, side)| Some((row, name, side.as_ref()?))) {
        if side.reads == 0 {
            let SummaryRow { post_storage, notification_storage, regions, delay_ms, .. } = row;
            text += &format!(
                "\nNOTHING OBSERVED: {post_storage} {notification_storage} {regions} delay {delay_ms} ms, antipode {name}: {} of {} \
                 requests failed, timed out or were lost",
                side.lost + side.failed,
                side.planned
            );
        }
    }
    if treatments().any(|treatment| treatment.basis().few_blocks()) {
        text += "\nintervals stand on few rounds (fewer than 10): they say little about how rounds differ";
    }
    if treatments().any(|treatment| treatment.basis().lack().is_some()) {
        text +=
            "\nno interval with fewer than 3 measured rounds: drift could not be told from an effect (`rounds = 3`)";
    }
    text += "\np50 and p99 by nearest rank";
    text
}

/// What must be said of the numbers' origin.
pub fn labels(source: &Source) -> String {
    let mut labels = source.nature.words();
    labels.push(format!("{} of {} cells done", source.done, source.planned));
    format!(" ({})", labels.join("; "))
}

fn windows(rows: &[SummaryRow]) -> String {
    let heads = [
        "post",
        "notification",
        "regions",
        "delay ms",
        "rounds",
        "off %",
        "(95 %)",
        "on %",
        "(95 %)",
        "p50 ms off",
        "on",
        "p99 ms off",
        "on",
        "lost",
        "failed",
    ];
    let mut table = crate::table(&heads, &[3, 4, 5, 7, 9, 10, 11, 12, 13, 14]);
    for row in rows {
        let share = |treatment: &Option<TreatmentRow>| {
            let none = || (dash(), dash());
            treatment.as_ref().map_or_else(none, |treatment| {
                // Of no reads there is neither a share nor an interval.
                if treatment.reads == 0 {
                    return (dash(), "no reads".to_owned());
                }
                let (share, interval) = percent(treatment.inconsistent);
                (share, treatment.basis().lack().unwrap_or(interval))
            })
        };
        let number = |treatment: &Option<TreatmentRow>, of: fn(&TreatmentRow) -> f64| {
            treatment.as_ref().map_or_else(dash, |treatment| milliseconds(of(treatment)))
        };
        let sum = |of: fn(&TreatmentRow) -> u64| row.off.iter().chain(&row.on).map(of).sum::<u64>();
        let rounds = row.off.iter().chain(&row.on).map(|treatment| treatment.rounds).max().unwrap_or(0);
        let ((off, off_interval), (on, on_interval)) = (share(&row.off), share(&row.on));
        table.add_row([
            row.post_storage.to_string(),
            row.notification_storage.to_string(),
            row.regions.to_string(),
            row.delay_ms.to_string(),
            rounds.to_string(),
            off,
            off_interval,
            on,
            on_interval,
            number(&row.off, |treatment| treatment.window_p50_ms),
            number(&row.on, |treatment| treatment.window_p50_ms),
            number(&row.off, |treatment| treatment.window_p99_ms),
            number(&row.on, |treatment| treatment.window_p99_ms),
            sum(|treatment| treatment.lost).to_string(),
            sum(|treatment| treatment.failed).to_string(),
        ]);
    }
    table.trim_fmt()
}

fn price(rows: &[SummaryRow]) -> String {
    let heads = [
        "post",
        "notification",
        "regions",
        "delay ms",
        "reader s waited",
        "per request ms",
        "polls",
        "per request",
        "throughput off /s",
        "on",
        "change %",
        "(95 %)",
    ];
    let mut table = crate::table(&heads, &[3, 4, 5, 6, 7, 8, 9, 10]);
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
        table.add_row([
            row.post_storage.to_string(),
            row.notification_storage.to_string(),
            row.regions.to_string(),
            row.delay_ms.to_string(),
            format!("{:.1}", on.barrier_s),
            milliseconds(per_request(on.barrier_s * 1e3)),
            on.barrier_polls.to_string(),
            format!("{:.1}", per_request(on.barrier_polls as f64)),
            row.off.as_ref().map_or_else(dash, |off| rate(off.throughput_per_s)),
            rate(on.throughput_per_s),
            change,
            interval_shown,
        ]);
    }
    table.trim_fmt()
}

fn dash() -> String {
    "-".to_owned()
}

fn percent(share: Estimate) -> (String, String) {
    let Estimate { value, low, high } = share;
    (format!("{:.1}", 100.0 * value), format!("[{:.1}, {:.1}]", 100.0 * low, 100.0 * high))
}

/// Requests a second.
fn rate(per_s: f64) -> String {
    if per_s.is_nan() { dash() } else { format!("{per_s:.2}") }
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
mod tests {
    use matrix_plan::stats::Replicates;

    use super::*;

    #[test]
    fn what_nobody_read_has_no_share_and_no_latency() {
        let nothing = TreatmentRow {
            planned: 5,
            rounds: 1,
            reads: 0,
            misses: 0,
            lost: 5,
            failed: 0,
            replicates: Replicates::Rounds,
            inconsistent: Estimate::UNKNOWN,
            window_mean_ms: Estimate { value: f64::NAN, low: f64::NAN, high: f64::NAN },
            window_p50_ms: f64::NAN,
            window_p99_ms: f64::NAN,
            throughput_per_s: 1.0,
            barrier_s: 0.0,
            barrier_polls: 0,
        };
        let row = SummaryRow {
            post_storage: matrix_plan::PostStorage::Mysql,
            notification_storage: matrix_plan::NotificationStorage::Sns,
            regions: "eu->us".parse().unwrap(),
            delay_ms: 0,
            off: Some(nothing),
            on: None,
            throughput_change_percent: None,
        };
        let table = windows(&[row]);
        let cells: Vec<&str> = table.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(cells[4..], ["1", "-", "no", "reads", "-", "-", "-", "-", "-", "-", "5", "0"], "{table}");
    }
}
