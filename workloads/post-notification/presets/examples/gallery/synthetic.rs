//! Made-up tables: plausible ones, and odd ones that a figure must cope with.

use matrix_analysis::Nature;
use matrix_analysis::tables::{
    Basis, CurvePoint, DelayRow, Estimate, InconsistencyRow, LatencyCurve, OverheadRow, Source, StorageKind, WindowRow,
};
use matrix_plan::axes::BadRegionPair;
use matrix_plan::stats::Replicates;
use matrix_plan::{NotificationStorage, PostStorage, RegionPair};
use matrix_presets::{
    Drawing, Figure, FigureError, consistency_window, delay_vs_per_inconsistencies, inconsistencies, storage_overhead,
    visibility_latency,
};

/// One table of each kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    pub(crate) source: Source,
    pub(crate) windows: Vec<WindowRow>,
    pub(crate) delays: Vec<DelayRow>,
    pub(crate) overheads: Vec<OverheadRow>,
    pub(crate) inconsistencies: Vec<InconsistencyRow>,
    pub(crate) curves: Vec<LatencyCurve>,
}

impl Tables {
    /// A figure of these numbers, and of the authors' where it shows them.
    pub(crate) fn draw(&self, figure: Figure, authors: &Self) -> Result<Drawing, FigureError> {
        let source = &self.source;
        match figure {
            Figure::ConsistencyWindow => consistency_window(&self.windows, &authors.windows, source),
            Figure::DelayVsPerInconsistencies => delay_vs_per_inconsistencies(&self.delays, &authors.delays, source),
            Figure::StorageOverhead => storage_overhead(&self.overheads, source),
            Figure::Inconsistencies => inconsistencies(&self.inconsistencies, source),
            Figure::VisibilityLatency => visibility_latency(&self.curves, &authors.curves, source),
        }
    }
}

/// Every set of tables, by name.
pub(crate) fn cases() -> Result<Vec<(&'static str, Tables)>, BadRegionPair> {
    Ok(vec![
        ("sosp", tables(&["eu->us", "eu->sg"], PostStorage::ALL, 1.0)?),
        ("one_pair", tables(&["eu->us"], PostStorage::ALL, 1.0)?),
        ("five_pairs", tables(&["eu->us", "eu->sg", "us->eu", "us->sg", "sg->eu"], PostStorage::ALL, 1.0)?),
        ("one_storage", tables(&["eu->us"], &[PostStorage::Redis], 1.0)?),
        ("fast", tables(&["eu->us"], &[PostStorage::Redis, PostStorage::Mysql], 0.004)?),
        ("slow", tables(&["eu->us", "eu->sg"], PostStorage::ALL, 60.0)?),
        ("long_names", long_names()?),
        ("extremes", extremes()?),
        ("no_antipode", no_antipode()?),
        ("troubled", troubled()?),
        ("lone_delay", lone_delay()?),
        ("many_delays", many_delays()?),
        ("three_notifications", three_notifications()?),
        ("only_amq", only_amq()?),
        ("empty", Tables::default()),
    ])
}

/// Medians off and on (ms), misses at delay 0 and how fast they vanish (ms), and payload (bytes).
fn traits(storage: PostStorage) -> (f64, f64, f64, f64, u64) {
    match storage {
        PostStorage::Mysql => (1147.0, 1173.0, 0.62, 210.0, 1_000_032),
        PostStorage::Dynamo => (544.0, 1552.0, 0.94, 700.0, 350_012),
        PostStorage::S3 => (696.0, 18_455.0, 1.0, 15_000.0, 1_000_000),
        PostStorage::Redis => (375.0, 864.0, 0.81, 260.0, 2_871_043),
    }
}

fn estimate(value: f64) -> Estimate {
    // Wilson's 95 % interval for 3,000 requests.
    let (n, z) = (3000.0, 1.96);
    let centre = (value + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (value * (1.0 - value) / n + z * z / (4.0 * n * n)).sqrt();
    Estimate { value, low: (centre - half).clamp(0.0, value), high: (centre + half).clamp(value, 1.0) }
}

fn tables(pairs: &[&str], storages: &[PostStorage], slower: f64) -> Result<Tables, BadRegionPair> {
    let mut made = Tables {
        source: Source {
            experiment: "made-up".to_owned(),
            nature: Nature { simulated: true, ..Nature::default() },
            planned: 312,
            done: 312,
        },
        ..Tables::default()
    };
    for (place, pair) in pairs.iter().enumerate() {
        let regions: RegionPair = pair.parse()?;
        let farther = 1.0 + 0.17 * place as f64;
        for storage in storages {
            one_storage(&mut made, &regions, *storage, farther * slower, place == 0);
        }
    }
    for storage in storages {
        let payload = traits(*storage).4;
        let extra = if *storage == PostStorage::Mysql { 50.0 } else { 42.0 };
        made.overheads.push(overhead(StorageKind::Post, storage.as_str(), payload as f64, extra));
    }
    for (storage, bytes, extra) in [("sns", 421.0, 61.3), ("amq", 421.0, 61.3), ("dynamo", 337.0, 58.9)] {
        made.overheads.push(overhead(StorageKind::Notification, storage, bytes, extra));
    }
    Ok(made)
}

fn delay_row(regions: &RegionPair, storage: PostStorage, delay_ms: u64) -> DelayRow {
    let (_, _, missed, decay, _) = traits(storage);
    let share = missed / (1.0 + libm::pow(delay_ms as f64 / decay, 2.5));
    DelayRow {
        regions: regions.clone(),
        post_storage: storage,
        notification_storage: NotificationStorage::Sns,
        delay_ms,
        planned: 3000,
        misses: (share * 3000.0) as u64,
        lost: 0,
        failed: 0,
        inconsistent: estimate(share),
        basis: Basis { rounds: 3, replicates: Replicates::Blocks },
    }
}

fn one_storage(made: &mut Tables, regions: &RegionPair, storage: PostStorage, slower: f64, sweep: bool) {
    let (off, on, missed, _, _) = traits(storage);
    let (off, on) = (off * slower, (on * slower).max(off * slower));
    made.windows.push(WindowRow {
        regions: regions.clone(),
        post_storage: storage,
        notification_storage: NotificationStorage::Sns,
        original_reads: 3000,
        original_p50_ms: off,
        missed: estimate(missed),
        basis: Basis { rounds: 3, replicates: Replicates::Blocks },
        antipode_reads: 3000,
        antipode_p50_ms: Some(on),
        extra_ms: Some(on - off),
    });
    let delays: Vec<u64> = match storage {
        _ if !sweep => vec![0],
        PostStorage::S3 => [0, 500, 1000].into_iter().chain((2..=10).map(|step| step * 5000)).collect(),
        PostStorage::Dynamo => {
            [0, 100, 200, 300, 400, 500].into_iter().chain((3..=12).map(|step| step * 250)).collect()
        }
        _ => (0..=15).map(|step| step * 100).collect(),
    };
    made.delays.extend(delays.into_iter().map(|delay_ms| delay_row(regions, storage, delay_ms)));
    for notification in NotificationStorage::ALL {
        let share = match notification {
            NotificationStorage::Sns => missed,
            NotificationStorage::Amq => (missed * 1.08).min(1.0),
            NotificationStorage::Dynamo => missed * missed * 0.31,
        };
        for antipode in [false, true] {
            made.inconsistencies.push(InconsistencyRow {
                regions: regions.clone(),
                post_storage: storage,
                notification_storage: *notification,
                antipode,
                planned: 3000,
                misses: if antipode { 0 } else { (share * 3000.0) as u64 },
                lost: 0,
                failed: 0,
                inconsistent: estimate(if antipode { 0.0 } else { share }),
                basis: Basis { rounds: 3, replicates: Replicates::Blocks },
            });
        }
    }
    for (antipode, consistent_only) in [(false, false), (false, true), (true, false), (true, true)] {
        if !antipode && consistent_only && missed >= 1.0 {
            continue;
        }
        let median = match (antipode, consistent_only) {
            (true, _) => on,
            (false, true) => off * 1.12,
            (false, false) => off,
        };
        made.curves.push(LatencyCurve {
            regions: regions.clone(),
            post_storage: storage,
            notification_storage: NotificationStorage::Sns,
            antipode,
            consistent_only,
            reads: 3000,
            points: curve(median, if antipode { 0.28 } else { 0.16 }),
        });
    }
}

/// A curve of logistic shape in the logarithm of the window.
fn curve(median: f64, width: f64) -> Vec<CurvePoint> {
    (0..200)
        .map(|step| {
            let share = (f64::from(step) + 0.5) / 200.0;
            CurvePoint { share, window_ms: median * libm::exp(width * libm::log(share / (1.0 - share))) }
        })
        .collect()
}

fn overhead(kind: StorageKind, storage: &str, baseline: f64, extra: f64) -> OverheadRow {
    OverheadRow {
        kind,
        storage: storage.to_owned(),
        baseline_objects: 9000,
        baseline_total_bytes: (baseline * 9000.0) as u64,
        baseline_average_bytes: baseline,
        antipode_objects: 9000,
        antipode_total_bytes: ((baseline + extra) * 9000.0) as u64,
        antipode_average_bytes: baseline + extra,
        overhead_bytes: extra,
        overhead_percent: extra / baseline * 100.0,
    }
}

fn long_names() -> Result<Tables, BadRegionPair> {
    let mut made = tables(
        &["a-region-with-quite-a-long-name-of-its-own-1->another-region-with-a-name-that-goes-on-and-on-22", "eu->us"],
        PostStorage::ALL,
        1.0,
    )?;
    made.source.experiment = "an-experiment-whose-name-is-longer-than-anyone-would-want-to-type-".repeat(4);
    made.source.nature.configured_lag = PostStorage::ALL.to_vec();
    made.source.done = 1;
    let shifted = made.delays.iter().map(|row| DelayRow { regions: made.windows[5].regions.clone(), ..row.clone() });
    made.delays = made.delays.iter().cloned().chain(shifted).filter(|row| row.delay_ms > 0).collect();
    Ok(made)
}

/// Nothing or everything missed, windows from 1 ms to 10^6 ms, bytes from 1 to 10^9.
fn extremes() -> Result<Tables, BadRegionPair> {
    let mut made = tables(&["eu->us", "eu->sg"], PostStorage::ALL, 1.0)?;
    for (index, row) in made.windows.iter_mut().enumerate() {
        row.original_p50_ms = libm::exp10(f64::from(index as i32 % 7));
        row.antipode_p50_ms = Some(if index == 3 { 500.0 } else { 1e6 });
        row.extra_ms = row.antipode_p50_ms.map(|on| on - row.original_p50_ms);
        row.missed = estimate(if index % 2 == 0 { 0.0 } else { 1.0 });
    }
    for row in &mut made.delays {
        row.inconsistent = estimate(if row.post_storage == PostStorage::S3 { 1.0 } else { 0.0 });
    }
    for row in &mut made.inconsistencies {
        row.inconsistent = estimate(if row.antipode { 0.0 } else { 1.0 });
    }
    for (index, row) in made.overheads.iter_mut().enumerate() {
        let bytes = libm::exp10(f64::from((index as i32 * 3).min(9)));
        *row = overhead(row.kind, &row.storage, bytes, bytes * 3.0);
    }
    for (index, curve) in made.curves.iter_mut().enumerate() {
        let shift = libm::exp10(f64::from(index as i32 % 7)) / curve.points[100].window_ms;
        curve.points.iter_mut().for_each(|point| point.window_ms *= shift);
    }
    Ok(made)
}

fn no_antipode() -> Result<Tables, BadRegionPair> {
    let mut made = tables(&["eu->us", "eu->sg"], PostStorage::ALL, 1.0)?;
    for row in &mut made.windows {
        (row.antipode_reads, row.antipode_p50_ms, row.extra_ms) = (0, None, None);
    }
    made.inconsistencies.retain(|row| !row.antipode);
    made.curves.retain(|curve| !curve.antipode);
    for row in &mut made.overheads {
        (row.antipode_objects, row.antipode_total_bytes, row.antipode_average_bytes) = (0, 0, 0.0);
        (row.overhead_bytes, row.overhead_percent) = (f64::NAN, f64::NAN);
    }
    Ok(made)
}

/// Cells are missing, requests were lost, lag was configured; nothing was simulated.
fn troubled() -> Result<Tables, BadRegionPair> {
    let mut made = tables(&["eu->us", "eu->sg"], PostStorage::ALL, 1.0)?;
    made.source = Source {
        experiment: "local".to_owned(),
        nature: Nature {
            simulated: false,
            configured_lag: vec![PostStorage::Dynamo, PostStorage::S3],
            configured_notification_lag: vec![NotificationStorage::Dynamo],
            ..Nature::default()
        },
        planned: 312,
        done: 309,
    };
    made.windows.remove(6);
    made.windows[0].antipode_reads = 0;
    made.windows[1].extra_ms = Some(-44.4);
    made.windows[1].antipode_p50_ms = Some(499.6);
    made.inconsistencies.remove(4);
    made.inconsistencies[2].lost = 12;
    made.inconsistencies[7].failed = 1;
    made.inconsistencies[9].lost = 1024;
    made.inconsistencies[9].failed = 1024;
    made.curves.remove(5);
    made.delays[4].lost = 12;
    Ok(made)
}

/// A single delay, and it is not 0.
fn lone_delay() -> Result<Tables, BadRegionPair> {
    let mut made = tables(&["eu->us"], PostStorage::ALL, 1.0)?;
    made.delays.retain(|row| row.delay_ms == 500);
    Ok(made)
}

/// So many points on a line that their markers would touch, and a tail of small shares.
fn many_delays() -> Result<Tables, BadRegionPair> {
    let mut made = tables(&["eu->us"], &[PostStorage::Dynamo, PostStorage::Redis], 1.0)?;
    made.delays.clear();
    let regions = "eu->us".parse()?;
    for storage in [PostStorage::Dynamo, PostStorage::Redis] {
        made.delays.extend((0..=100).map(|step| delay_row(&regions, storage, step * 100)));
    }
    Ok(made)
}

/// All three notification storages, some numbers of which are extrapolated.
fn three_notifications() -> Result<Tables, BadRegionPair> {
    let mut made = tables(&["eu->us", "us->sg"], PostStorage::ALL, 1.0)?;
    let of = |row: NotificationStorage| if row == NotificationStorage::Amq { 18.0 } else { 3.0 };
    for notification in [NotificationStorage::Amq, NotificationStorage::Dynamo] {
        let sns = |kind: NotificationStorage| kind == NotificationStorage::Sns;
        for mut row in made.windows.clone().into_iter().filter(|row| sns(row.notification_storage)) {
            row.notification_storage = notification;
            row.original_p50_ms *= of(notification);
            row.antipode_p50_ms = row.antipode_p50_ms.map(|ms| ms * of(notification));
            row.extra_ms = row.antipode_p50_ms.map(|on| on - row.original_p50_ms);
            made.windows.push(row);
        }
        for mut row in made.delays.clone().into_iter().filter(|row| sns(row.notification_storage)) {
            row.notification_storage = notification;
            row.inconsistent = estimate(row.inconsistent.value * row.inconsistent.value);
            made.delays.push(row);
        }
        for mut curve in made.curves.clone().into_iter().filter(|row| sns(row.notification_storage)) {
            curve.notification_storage = notification;
            curve.points.iter_mut().for_each(|point| point.window_ms *= of(notification));
            made.curves.push(curve);
        }
    }
    let pair: RegionPair = "us->sg".parse()?;
    made.source.nature.extrapolated = PostStorage::ALL.iter().map(|storage| (pair.clone(), *storage)).collect();
    made.source.nature.extrapolated_notifications = vec![(pair, NotificationStorage::Dynamo)];
    Ok(made)
}

/// No SNS: every figure shows what there is.
fn only_amq() -> Result<Tables, BadRegionPair> {
    let mut made = tables(&["eu->us"], &[PostStorage::Redis], 1.0)?;
    made.windows.iter_mut().for_each(|row| row.notification_storage = NotificationStorage::Amq);
    made.delays.iter_mut().for_each(|row| row.notification_storage = NotificationStorage::Amq);
    made.curves.iter_mut().for_each(|row| row.notification_storage = NotificationStorage::Amq);
    made.inconsistencies.retain(|row| row.notification_storage == NotificationStorage::Amq);
    Ok(made)
}
