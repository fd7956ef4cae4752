//! CPU time and memory of loading traces and making all tables of them: `cargo bench -p matrix-analysis`.
//!
//! Traces lie in memory, not compressed. CPU time is that of all threads, from `/proc` (Linux only), whose clock ticks a
//! hundred times a second.

use std::error::Error;
use std::io::{self, Read};
use std::sync::Arc;

use matrix_analysis::tables::Source;
use matrix_analysis::{
    CellMeta, Options, Pools, Traces, consistency_window, delay, inconsistencies, load, storage_overhead, summary,
    to_csv, visibility_latency,
};
use matrix_app::row::HEADER;
use matrix_app::{Outcome, PostKey, Row};
use matrix_plan::axes::Platform;
use matrix_plan::{Axes, CellInputs, Combination, Fingerprint, NotificationStorage, PostStorage};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Cells that share one trace without antipode and one with it.
struct Synthetic {
    cells: Vec<Arc<CellMeta>>,
    traces: [Vec<u8>; 2],
}

impl Traces for Synthetic {
    fn cells(&self) -> &[Arc<CellMeta>] {
        &self.cells
    }

    fn open(&self, n: usize) -> io::Result<Box<dyn Read + Send + '_>> {
        let cell = self.cells.get(n).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(&self.traces[usize::from(cell.inputs.axes.antipode)][..]))
    }
}

impl Synthetic {
    fn new(requests: u64) -> Result<Self> {
        let traces = [trace(requests, false)?, trace(requests, true)?];
        Ok(Self { cells: Vec::new(), traces })
    }

    fn add(&mut self, requests: u64, rounds: u32, axes: Axes) -> Result<()> {
        for round in 1..=rounds {
            let fingerprint = Fingerprint::new(&"bench")?;
            let defaults = CellInputs::with_defaults(axes.clone(), Platform::Sim, fingerprint, 1);
            let inputs = CellInputs { payload_bytes: 1_000_000, requests, round, seed: 2023, ..defaults };
            self.cells.push(Arc::new(CellMeta {
                disturbed: false,
                key: inputs.key()?,
                inputs,
                origin: "local".into(),
                simulated: true,
                configured_lag: false,
                outcomes: [(Outcome::Ok, requests)].into_iter().collect(),
                stated: matrix_analysis::StatedBytes::default(),
            }));
        }
        Ok(())
    }
}

/// A trace with the widths of a real one. The randomness only has to spread the windows.
fn trace(requests: u64, antipode: bool) -> Result<Vec<u8>> {
    let mut csv = format!("{HEADER}\n").into_bytes();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for i in 0..requests {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (sent, noise) = (i as i64 * 71_313, (state >> 44) as i64);
        let row = Row {
            i,
            key: PostKey::new(i, state),
            outcome: Outcome::Ok,
            client_sent_us: Some(sent),
            writer_start_us: Some(sent + 52_012),
            post_written_us: Some(sent + 91_211),
            notification_written_us: Some(sent + 91_211),
            reply_us: Some(sent + 131_001 + noise / 16),
            reader_received_us: Some(sent + 230_001 + noise / 8),
            barrier_us: antipode.then_some(noise),
            barrier_polls: antipode.then_some(5),
            barrier_last_miss_us: antipode.then_some(sent + 300_001),
            read_start_us: Some(sent + 330_001 + noise),
            post_read_us: Some(sent + 360_017 + noise),
            consistent_read: Some(antipode || noise % 3 == 0),
            post_visible_us: Some(sent + 500_000),
            notification_bytes: Some(if antipode { 312 } else { 250 }),
            lineage_bytes: Some(91),
            post_bytes: Some(1_000_012),
            writer_instance: Some(i % 8),
            reader_instance: Some(i % 13),
            writer_cold: Some(false),
            reader_cold: Some(false),
        };
        row.write_csv(&mut csv);
    }
    Ok(csv)
}

fn axes(
    post: PostStorage,
    notification: NotificationStorage,
    regions: &str,
    delay_ms: u64,
    antipode: bool,
) -> Result<Axes> {
    let combination = Combination { post_storage: post, notification_storage: notification, regions: regions.parse()? };
    Ok(Axes { combination, delay_ms, antipode })
}

/// The size of the SOSP store: 312 cells of 1000 requests.
fn sosp() -> Result<Synthetic> {
    let mut store = Synthetic::new(1_000)?;
    for &post in PostStorage::ALL {
        for &notification in NotificationStorage::ALL {
            for regions in ["eu->us", "eu->sg"] {
                for antipode in [false, true] {
                    store.add(1_000, 3, axes(post, notification, regions, 0, antipode)?)?;
                }
            }
        }
        for delay_ms in (100..=1_400).step_by(100) {
            store.add(1_000, 3, axes(post, NotificationStorage::Sns, "eu->us", delay_ms, false)?)?;
        }
    }
    Ok(store)
}

/// Cells of which every row is in every table and curve.
fn alike(requests: u64, rounds: u32) -> Result<Synthetic> {
    let mut store = Synthetic::new(requests)?;
    for &post in PostStorage::ALL {
        for antipode in [false, true] {
            store.add(requests, rounds, axes(post, NotificationStorage::Sns, "eu->us", 0, antipode)?)?;
        }
    }
    Ok(store)
}

fn measure(name: &str, store: &Synthetic) -> Result<()> {
    let rows: u64 = store.cells.iter().map(|cell| cell.inputs.requests).sum();
    let bytes: usize = store.cells.iter().map(|cell| store.traces[usize::from(cell.inputs.axes.antipode)].len()).sum();
    let before = cpu_seconds()?;
    let loaded = load(store, &Options::default())?;
    let after_load = cpu_seconds()?;
    let pools = Pools::new(&loaded);
    let source = Source::new(name, store.cells.len() as u64, &store.cells);
    let csv = [
        to_csv(&consistency_window(&pools), &source),
        to_csv(&delay(&pools), &source),
        to_csv(&storage_overhead(&pools), &source),
        to_csv(&inconsistencies(&pools), &source),
        to_csv(&visibility_latency(&pools), &source),
        to_csv(&summary(&pools), &source),
    ];
    let after_tables = cpu_seconds()?;
    let lines: usize = csv.iter().map(|csv| csv.lines().count()).sum();
    println!(
        "{name}: {} cells, {rows} rows, {} MB: load {:.2} CPU s, tables {:.2} CPU s ({lines} lines); peak memory so far {} MB",
        store.cells.len(),
        bytes / 1_000_000,
        after_load - before,
        after_tables - after_load,
        status("/proc/self/status", "VmHWM")?.trim_end_matches("kB").trim().parse::<u64>()? / 1_000,
    );
    Ok(())
}

/// User and system time of the process.
fn cpu_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks =
        fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<std::result::Result<u64, _>>()?;
    Ok(ticks as f64 / 100.0)
}

fn status(file: &str, name: &str) -> Result<String> {
    let text = std::fs::read_to_string(file)?;
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    Ok(line.split_once(':').unwrap_or_default().1.trim().to_owned())
}

fn main() -> Result<()> {
    println!("{}, {} threads", status("/proc/cpuinfo", "model name")?, std::thread::available_parallelism()?);
    measure("small", &alike(10, 1_250)?)?;
    measure("sosp", &sosp()?)?;
    measure("ten million", &alike(125_000, 10)?)
}
