//! Tests of `summary.rs`.

use matrix_plan::stats::Replicates;

use super::*;

fn treatment(reads: u64, lost: u64, failed: u64) -> TreatmentRow {
    let observed = |value: f64| if reads == 0 { f64::NAN } else { value };
    TreatmentRow {
        planned: reads + lost + failed,
        rounds: 3,
        reads,
        misses: reads / 4,
        lost,
        failed,
        inconsistent: Estimate { value: 0.25, low: 0.125, high: 0.5 },
        window_mean_ms: Estimate::UNKNOWN,
        window_p50_ms: observed(543.2),
        window_p99_ms: observed(12_345.6),
        throughput_per_s: 14.0,
        barrier_s: 1.5,
        barrier_polls: 40,
        replicates: Replicates::Blocks,
    }
}

fn row(regions: &str, delay_ms: u64, off: Option<TreatmentRow>, on: Option<TreatmentRow>) -> SummaryRow {
    SummaryRow {
        post_storage: matrix_plan::PostStorage::Mysql,
        notification_storage: NotificationStorage::Dynamo,
        regions: regions.parse().unwrap(),
        delay_ms,
        configured_lag: false,
        configured_notification_lag: true,
        extrapolated: regions != "eu->us",
        off,
        on,
        throughput_change_percent: Some(Estimate { value: -1.0, low: -4.5, high: 2.5 }),
    }
}

#[test]
fn what_nobody_read_has_no_share_no_interval_and_no_latency() {
    let rows = [row("eu->us", 0, Some(treatment(0, 0, 5)), None), row("eu->us", 100, None, None)];
    let text = text(&rows, &Source::default(), None);
    let line = text.lines().find(|line| line.contains(" off ")).unwrap();
    let cells: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(cells[4..], ["off", "3", "-", "no", "reads", "-", "-", "0", "5"], "{text}");
    assert!(text.contains("NOTHING OBSERVED: mysql dynamo eu->us delay 0 ms, antipode off: 5 of 5"), "{text}");
}

#[test]
fn the_summary_fits_the_terminal_and_says_what_it_left_out() {
    let rows = [
        row("eu->us", 0, Some(treatment(40, 1, 0)), Some(treatment(40, 0, 0))),
        row("us->sg", 0, Some(treatment(40, 0, 2)), Some(treatment(0, 0, 40))),
        row("us->sg", 1500, Some(treatment(40, 0, 0)), None),
    ];
    let source = Source { experiment: "fits".to_owned(), planned: 5, done: 5, ..Source::default() };
    let wide = text(&rows, &source, None);
    assert!(wide.contains("us->sg[e]") && wide.contains("dynamo[c]") && wide.contains("window"), "{wide}");
    assert!(
        !wide.contains("left out")
            && wide.contains("NOTHING OBSERVED: mysql dynamo us->sg delay 0 ms, antipode on: 40"),
        "{wide}"
    );
    let narrow = text(&rows, &source, Some(80));
    assert!(narrow.contains("left out, for want of room: lost"), "{narrow}");
    let table = |line: &&str| !line.contains(':');
    assert!(narrow.lines().filter(table).all(|line| line.chars().count() <= 80), "{narrow}");
}
