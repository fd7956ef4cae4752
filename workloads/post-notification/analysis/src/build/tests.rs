use std::num::NonZeroUsize;
use std::sync::Arc;

use matrix_app::{Outcome, Row};

use super::*;
use crate::load::{Keep, Options, load};
use crate::tables::Source;
use crate::testing::{Memory, bare, read};
use crate::to_csv;

/// Reads with windows of 1, 2, … `n` ms; those of the first `missed` miss the post.
fn reads(n: u64, missed: u64) -> Vec<Row> {
    (0..n).map(|i| read(i, 1_000 * (i as i64 + 1), i >= missed)).collect()
}

/// As [`reads`], slower, with bytes for a lineage, in the barrier for 2 ms and 3 questions.
fn with_antipode(n: u64) -> Vec<Row> {
    let mut rows = reads(n, 0);
    for row in &mut rows {
        row.post_read_us = row.post_read_us.map(|at| at + 10_000);
        row.barrier_us = Some(2_000);
        row.barrier_polls = Some(3);
        row.notification_bytes = Some(250);
        row.post_bytes = Some(1_042);
    }
    rows
}

/// Two post storages, two region pairs, a delay, lost and failed requests, two rounds of one pool.
fn store() -> Memory {
    let mut memory = Memory::default();
    memory.add("mysql sns eu->us 0 off", &reads(20, 5));
    memory.add("mysql sns eu->us 0 off", &reads(20, 7));
    memory.add("mysql sns eu->us 0 on", &with_antipode(20));
    memory.add("mysql sns eu->us 0 on", &with_antipode(20));
    memory.add("mysql sns eu->us 100 off", &reads(20, 1));
    memory.add("mysql amq eu->us 0 off", &reads(4, 4));
    let mut troubled = reads(20, 2);
    troubled[3] = bare(3, Outcome::Lost);
    troubled[4] = bare(4, Outcome::Lost);
    troubled[5] = bare(5, Outcome::WriterError);
    troubled[6] = Row { barrier_us: Some(120_000_000), barrier_polls: Some(9), ..bare(6, Outcome::BarrierTimeout) };
    memory.add("redis sns eu->us 0 off", &troubled);
    memory.add("redis sns eu->sg 0 off", &reads(10, 0));
    memory
}

fn source(memory: &Memory) -> Source {
    Source::new("two, or more", 10, &memory.cells)
}

fn all_tables(memory: &Memory, options: &Options) -> String {
    let loaded = load(memory, options).unwrap();
    let pools = Pools::new(&loaded);
    let source = source(memory);
    [
        to_csv(&consistency_window(&pools), &source),
        to_csv(&delay(&pools), &source),
        to_csv(&storage_overhead(&pools), &source),
        to_csv(&inconsistencies(&pools), &source),
        to_csv(&visibility_latency(&pools)[..2], &source),
        to_csv(&summary(&pools), &source),
    ]
    .join("\n")
}

#[test]
fn tables_as_csv() {
    insta::assert_snapshot!(all_tables(&store(), &Options::default()));
}

/// Imported cells have no sizes in their rows, but in their folders' tags.
#[test]
fn stated_sizes_stand_for_those_that_rows_do_not_tell() {
    let mut memory = Memory::default();
    for (name, bytes) in [("redis sns eu->us 0 off", 40_000), ("redis sns eu->us 0 on", 41_000)] {
        let mut rows = reads(40, 0);
        rows.iter_mut().for_each(|row| (row.post_bytes, row.notification_bytes) = (None, None));
        rows.push(bare(40, Outcome::Lost));
        memory.add(name, &rows);
        Arc::make_mut(memory.cells.last_mut().unwrap()).stated.posts = Some(bytes);
    }
    let loaded = load(&memory, &Options::default()).unwrap();
    let rows = storage_overhead(&Pools::new(&loaded));
    let [row] = &rows[..] else { panic!("notifications have no size: {rows:?}") };
    assert_eq!((row.storage.as_str(), row.baseline_objects, row.baseline_total_bytes), ("redis", 40, 40_000));
    assert_eq!((row.overhead_bytes, row.overhead_percent), (25.0, 2.5));
    // Sizes in rows take precedence over stated ones.
    let mut known = store();
    let before = all_tables(&known, &Options::default());
    known.cells.iter_mut().for_each(|cell| Arc::make_mut(cell).stated.posts = Some(1));
    assert_eq!(all_tables(&known, &Options::default()), before);
}

#[test]
fn numbers_are_those_found_by_hand() {
    let memory = store();
    let loaded = load(&memory, &Options::default()).unwrap();
    let pools = Pools::new(&loaded);

    // Of 40 windows 1, 1, 2, 2, … 20, 20 ms the 20th is 10 ms; with antipode all are 10 ms longer.
    let windows = consistency_window(&pools);
    let mysql = &windows[0];
    assert_eq!((mysql.original_reads, mysql.original_p50_ms, mysql.missed.value), (40, 10.0, 0.3));
    assert_eq!((mysql.antipode_reads, mysql.antipode_p50_ms, mysql.extra_ms), (40, Some(20.0), Some(10.0)));
    // eu->us stands before eu->sg, and redis of eu->us missed 2 of 20 requests, of which 16 were read.
    let name =
        |row: &crate::tables::WindowRow| format!("{} {} {}", row.post_storage, row.notification_storage, row.regions);
    let order: Vec<_> = windows.iter().map(name).collect();
    assert_eq!(order, ["mysql sns eu->us", "mysql amq eu->us", "redis sns eu->us", "redis sns eu->sg"]);
    assert_eq!((windows[2].original_reads, windows[2].missed.value), (16, 0.1));
    assert_eq!((windows[2].antipode_reads, windows[2].antipode_p50_ms), (0, None));

    let delays: Vec<_> = delay(&pools).iter().map(|row| (row.delay_ms, row.misses, row.inconsistent.value)).collect();
    assert_eq!(delays, [(0, 12, 0.3), (100, 1, 0.05), (0, 4, 1.0), (0, 2, 0.1), (0, 0, 0.0)]);

    // 2 misses of 20, 2 lost and 2 failed: at least a tenth, at most three tenths.
    let troubled = &inconsistencies(&pools)[3];
    assert_eq!((troubled.planned, troubled.misses, troubled.lost, troubled.failed), (20, 2, 2, 2));
    assert!(troubled.inconsistent.low < 0.1 && troubled.inconsistent.high > 0.3, "{troubled:?}");

    let overhead = storage_overhead(&pools);
    let sizes: Vec<_> =
        overhead.iter().map(|row| (row.storage.as_str(), row.overhead_bytes, row.overhead_percent)).collect();
    assert_eq!(sizes, [("mysql", 42.0, 4.2), ("sns", 50.0, 25.0)]);
    assert_eq!((overhead[0].baseline_objects, overhead[0].baseline_total_bytes), (40, 40_000));

    let summary = summary(&pools);
    let mysql = &summary[0];
    let (off, on) = (mysql.off.as_ref().unwrap(), mysql.on.as_ref().unwrap());
    assert_eq!((off.rounds, off.reads, off.window_mean_ms.value, off.window_p99_ms), (2, 40, 10.5, 20.0));
    assert!(off.basis().few_blocks());
    // 20 requests from 0 to 190 ms + 5 ms, twice.
    assert!((off.throughput_per_s - 40.0 / 0.39).abs() < 1e-9);
    assert_eq!((on.barrier_s, on.barrier_polls), (0.08, 120));
    assert_eq!(mysql.throughput_change_percent.unwrap().value, 0.0);
}

#[test]
fn curves_run_from_the_smallest_window_to_the_largest() {
    for n in [1, 2, 3, 99, 100, 101, 1000] {
        let mut memory = Memory::default();
        memory.add("s3 sns eu->us 0 off", &reads(n, n / 2));
        let loaded = load(&memory, &Options::default()).unwrap();
        let curves = visibility_latency(&Pools::new(&loaded));
        let all = &curves[0];
        assert_eq!(all.points.len() as u64, n.min(100));
        assert_eq!((all.points[0].window_ms, all.points[0].share), (1.0, 1.0 / n as f64));
        assert_eq!(all.points.last().map(|point| (point.window_ms, point.share)), Some((n as f64, 1.0)));
        assert!(all.points.windows(2).all(|pair| pair[0].share < pair[1].share));
        // The windows are 1 ms, 2 ms, …: the share at a point is its window over n.
        assert!(all.points.iter().all(|point| point.share == point.window_ms / n as f64));
        assert_eq!(curves[1].reads, n - n / 2);
    }
}

#[test]
fn tables_do_not_depend_on_jobs_blocks_or_the_order_of_cells() {
    let memory = store();
    let expected = all_tables(&memory, &Options::default());
    let mut reversed = memory.clone();
    reversed.cells.reverse();
    reversed.traces.reverse();
    for (memory, jobs) in [(&memory, 1), (&memory, 3), (&memory, 8), (&reversed, 2)] {
        let options = Options { jobs: NonZeroUsize::new(jobs).unwrap(), block_bytes: 4096 + jobs, keep: Keep::TABLES };
        assert_eq!(all_tables(memory, &options), expected);
    }
}

#[test]
fn a_slower_treatment_shows_in_the_paired_change_of_throughput() {
    let mut memory = Memory::default();
    let slow = |rows: Vec<Row>| -> Vec<Row> {
        let stretch = |us: Option<i64>| us.map(|us| us * 2);
        rows.into_iter()
            .map(|row| Row { client_sent_us: stretch(row.client_sent_us), reply_us: stretch(row.reply_us), ..row })
            .collect()
    };
    for _ in 0..3 {
        memory.add("mysql sns eu->us 0 off", &reads(300, 0));
        memory.add("mysql sns eu->us 0 on", &slow(reads(300, 0)));
    }
    let loaded = load(&memory, &Options::default()).unwrap();
    let change = summary(&Pools::new(&loaded))[0].throughput_change_percent.unwrap();
    assert!((change.value + 50.0).abs() < 1e-9, "{change:?}");
    assert!(change.low <= -50.0 && change.high >= -50.0 && change.high - change.low < 1.0, "{change:?}");
}

#[test]
fn without_a_read_there_is_neither_share_nor_interval_nor_throughput() {
    let answered = |i| Row { client_sent_us: Some(0), reply_us: Some(i as i64), ..bare(i, Outcome::BarrierTimeout) };
    let mut memory = Memory::default();
    memory.add("mysql sns eu->us 0 off", &reads(20, 5));
    memory.add("mysql sns eu->us 0 on", &(0..20).map(answered).collect::<Vec<_>>());
    let loaded = load(&memory, &Options::default()).unwrap();
    let pools = Pools::new(&loaded);
    let row = &summary(&pools)[0];
    let on = row.on.as_ref().unwrap();
    assert_eq!((on.planned, on.reads, on.failed), (20, 0, 20));
    let estimates = [on.inconsistent, on.window_mean_ms, inconsistencies(&pools)[1].inconsistent];
    let numbers = estimates.iter().flat_map(|estimate| [estimate.value, estimate.low, estimate.high]);
    assert!(numbers.chain([on.throughput_per_s, on.window_p50_ms]).all(f64::is_nan), "{on:?}");
    assert_eq!(row.throughput_change_percent, None);
}

#[test]
fn errors_are_no_throughput() {
    let mut rows = reads(20, 0);
    for row in &mut rows[10..20] {
        *row = Row { outcome: Outcome::WriterError, consistent_read: None, post_read_us: None, ..row.clone() };
    }
    let mut memory = Memory::default();
    memory.add("mysql sns eu->us 0 off", &rows);
    let loaded = load(&memory, &Options::default()).unwrap();
    let off = summary(&Pools::new(&loaded))[0].off.clone().unwrap();
    // Ten answers until 90 ms + 5 ms.
    assert!((off.throughput_per_s - 10.0 / 0.095).abs() < 1e-9, "{off:?}");
    // Half of the requests could all have been inconsistent.
    assert!(off.inconsistent.value == 0.0 && off.inconsistent.high > 0.5, "{off:?}");
}

#[test]
fn measured_intervals_come_from_three_rounds_or_more() {
    for rounds in 1..=4 {
        let mut memory = Memory::default();
        for round in 0..rounds {
            memory.add("mysql sns eu->us 0 off", &reads(20, 5 + round));
            memory.add("mysql sns eu->us 0 on", &with_antipode(20));
        }
        let memory = memory.measured();
        let loaded = load(&memory, &Options::default()).unwrap();
        let pools = Pools::new(&loaded);
        let row = &summary(&pools)[0];
        let off = row.off.as_ref().unwrap();
        assert_eq!(off.window_mean_ms.value, 10.5);
        let change = row.throughput_change_percent.unwrap();
        assert!(change.value.abs() < 1e-9, "{change:?}");
        let bounded =
            [off.window_mean_ms, off.inconsistent, delay(&pools)[0].inconsistent, change].map(|e| e.low.is_finite());
        assert_eq!(bounded, [rounds >= 3; 4]);
        let lack = match rounds {
            1 => Some("1 round".to_owned()),
            2 => Some("2 rounds".to_owned()),
            _ => None,
        };
        assert_eq!((off.basis().lack(), off.basis().few_blocks()), (lack, false));
    }
}

#[test]
fn a_cells_window_is_summed_up_of_all_reads_and_of_consistent_ones() {
    let mut memory = Memory::default();
    memory.add("mysql sns eu->us 0 off", &reads(200, 100));
    memory.add("redis sns eu->us 0 off", &[bare(0, Outcome::Lost), bare(1, Outcome::WriterError)]);
    let loaded = load(&memory, &Options::default()).unwrap();
    let [mysql, redis] = loaded.cells() else { panic!("two cells") };
    // Windows of 1, 2, … 200 ms, the first hundred of which missed.
    let all = window_summary(mysql, false).unwrap();
    assert_eq!((all.reads, all.mean_ms, all.p50_ms, all.p99_ms), (200, 100.5, 100.0, 198.0));
    let consistent = window_summary(mysql, true).unwrap();
    assert_eq!(
        (consistent.reads, consistent.mean_ms, consistent.p50_ms, consistent.p99_ms),
        (100, 150.5, 150.0, 199.0)
    );
    assert_eq!((window_summary(redis, false), window_summary(redis, true)), (None, None));
}

#[test]
fn extrapolation_is_said_by_pair_and_storage() {
    let mut memory = Memory::default();
    for name in ["mysql sns eu->us 0 off", "mysql dynamo eu->sg 0 off", "redis sns us->sg 0 on"] {
        memory.add(name, &reads(2, 0));
    }
    let links = [(false, false), (false, true), (true, false)];
    for (cell, (post, notification)) in memory.cells.iter_mut().zip(links) {
        let link = |extrapolated: bool| std::collections::BTreeMap::from([("extrapolated", extrapolated)]);
        let links =
            std::collections::BTreeMap::from([("post_link", link(post)), ("notification_link", link(notification))]);
        Arc::make_mut(cell).inputs.fingerprint = matrix_plan::Fingerprint::new(&links).unwrap();
    }
    let source = source(&memory);
    assert_eq!(source.nature.words(), ["simulated", "extrapolated: eu->sg (dynamo notifications), us->sg (redis)"]);
    let loaded = load(&memory, &Options::default()).unwrap();
    let rows = summary(&Pools::new(&loaded));
    assert_eq!(rows.iter().map(|row| row.extrapolated).collect::<Vec<_>>(), [false, true, true]);
    let csv = to_csv(&rows, &source);
    assert!(csv.lines().nth(1).unwrap().contains(",us->sg:redis eu->sg:notification:dynamo,"), "{csv}");
}
