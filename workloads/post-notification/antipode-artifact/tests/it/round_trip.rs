//! Out and in again: every value that the format can hold comes back.

use std::collections::BTreeMap;

use matrix_antipode_artifact::row::{from_row, lost};
use matrix_antipode_artifact::{ExportOptions, TraceRow, export};
use matrix_app::{Outcome, Row};
use matrix_plan::{Axes, NotificationStorage, Platform, PostStorage};
use proptest::prelude::*;

use crate::bench::{Memory, axes, cell, experiment, export_store, files, import_into, read, rows_of, tempdir};

/// What the format can hold of a cell.
#[derive(Debug, PartialEq)]
struct Held {
    axes: Axes,
    platform: Platform,
    configured_lag: bool,
    requests: u64,
    round: u32,
    results: Vec<TraceRow>,
}

const SIM_EPOCH_US: i64 = 1_633_046_400_000_000;

fn sorted(mut held: Vec<Held>) -> Vec<Held> {
    held.sort_by_key(|held| (held.axes.clone(), held.round, held.requests, format!("{held:?}")));
    held
}

fn put_in(memory: &Memory) -> Vec<Held> {
    let cells = memory.cells.iter().zip(&memory.traces).map(|(cell, trace)| {
        let text = str::from_utf8(trace).unwrap();
        let rows = text.lines().skip(1).map(|line| Row::parse_csv(line).unwrap());
        let epoch = cell.epoch_us.unwrap_or(SIM_EPOCH_US);
        let mut results: Vec<TraceRow> = rows.filter_map(|row| from_row(&row, epoch)).collect();
        results.sort_by_key(|result| result.reader_received_us);
        let inputs = &cell.inputs;
        Held {
            axes: inputs.axes.clone(),
            platform: inputs.platform,
            configured_lag: cell.configured_lag,
            requests: inputs.requests,
            round: inputs.round,
            results,
        }
    });
    sorted(cells.collect())
}

fn got_out(store: &std::path::Path) -> Vec<Held> {
    let cells = rows_of(store).into_iter().map(|(record, rows)| {
        assert_eq!(record.simulated, record.platform == Platform::Sim);
        assert_eq!(record.counts.planned, record.counts.ok + record.counts.lost);
        Held {
            axes: record.inputs.axes.clone(),
            platform: record.platform,
            configured_lag: record.configured_lag,
            requests: record.inputs.requests,
            round: record.inputs.round,
            results: rows.iter().filter_map(|row| from_row(row, 0)).collect(),
        }
    });
    sorted(cells.collect())
}

prop_compose! {
    fn any_row(antipode: bool)(
        noise in 0i64..10_000_000, found: bool, outcome in prop::sample::select(Outcome::ALL.to_vec()), ok in 0..4,
        skew in -300_000i64..300_000, reply: bool,
    ) -> Row {
        let row = read(0, noise, antipode, found);
        let skewed = |us: Option<i64>| us.map(|us| us + skew);
        if ok == 0 && outcome != Outcome::Ok {
            return Row { outcome, reader_received_us: row.reader_received_us, ..lost(0) };
        }
        Row {
            writer_start_us: skewed(row.writer_start_us),
            notification_written_us: skewed(row.notification_written_us),
            reply_us: row.reply_us.filter(|_| reply),
            ..row
        }
    }
}

fn any_cell() -> impl Strategy<Value = (matrix_antipode_artifact::ExportCell, Vec<Row>)> {
    let storages = (prop::sample::select(PostStorage::ALL), prop::sample::select(NotificationStorage::ALL));
    let platform = prop::sample::select(Platform::ALL);
    (storages, platform, 0u64..3, any::<bool>(), 1u32..3, any::<bool>()).prop_flat_map(
        |((post, notification), platform, delay, antipode, round, lag)| {
            prop::collection::vec(any_row(antipode), 1..12).prop_map(move |mut rows| {
                (0..).zip(&mut rows).for_each(|(i, row)| row.i = i);
                let axes = axes(post, notification, delay * 100, antipode);
                let mut cell = cell(axes, platform, rows.len() as u64, round);
                cell.configured_lag = lag && platform == Platform::Local;
                (cell, rows)
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_value_that_the_format_can_hold_comes_back(cells in prop::collection::vec(any_cell(), 1..6)) {
        // One result of a cell, as in a store.
        let unique: BTreeMap<_, _> =
            cells.into_iter().map(|(cell, rows)| (cell.inputs.canonical().unwrap(), (cell, rows))).collect();
        let memory = Memory::new(unique.into_values().collect());
        let expected = put_in(&memory);
        let dir = tempdir();
        let [out, store, again] = ["out", "results", "again"].map(|name| dir.path().join(name));
        export(&memory, &out, &ExportOptions::default()).unwrap();
        let report = import_into(&store, &out).unwrap();
        prop_assert_eq!(report.cells.iter().map(|cell| cell.contradictions).sum::<u64>(), 0);
        prop_assert_eq!(got_out(&store), expected);
        // And what is exported again is the same, to the byte.
        export_store(&store, &again);
        prop_assert_eq!(files(&again), files(&out));
    }
}

#[test]
fn the_order_of_the_cells_does_not_matter() {
    let dir = tempdir();
    let memory = experiment();
    let mut pairs: Vec<_> = memory.cells.iter().cloned().zip(memory.traces.clone()).collect();
    pairs.reverse();
    let (cells, traces) = pairs.into_iter().unzip();
    let reversed = Memory { cells, traces };
    export(&memory, &dir.path().join("one"), &ExportOptions::default()).unwrap();
    export(&reversed, &dir.path().join("other"), &ExportOptions::default()).unwrap();
    assert_eq!(files(&dir.path().join("one")), files(&dir.path().join("other")));
}

#[test]
fn an_export_says_that_it_is_simulated_and_imports_as_that() {
    let dir = tempdir();
    let out = dir.path().join("gather");
    let report = export(&experiment(), &out, &ExportOptions::default()).unwrap();
    // A target named `gather` is the folder itself.
    assert_eq!(report.gather, out);
    let files = files(&out);
    let file = |end: &str| files.iter().find(|(name, _)| name.ends_with(end)).unwrap();
    let (name, tags) = file("tags.yml");
    let (_, config) = file("matrix-eu-us-50.yml");
    let (_, info) = file("traces.info");
    let (_, traces) = file("traces.csv");
    let head = |text: &str| text.lines().take(4).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!("export", format!("{name}\n{tags}\n{info}\n{}\n\n{config}", head(traces)));
    for (name, text) in &files {
        assert!(name.ends_with(".csv") || text.starts_with("# SIMULATED"), "{name}");
    }
    let store = dir.path().join("results");
    import_into(&store, &out).unwrap();
    assert!(rows_of(&store).iter().all(|(record, _)| record.simulated));
}
