//! `matrix show`.

use std::io::Read;

use clap::Args;
use matrix_analysis::{CellData, Options, WindowSummary, load, window_summary};
use matrix_app::Outcome;
use matrix_plan::ConfiguredLag;
use matrix_plan::printable::one_line;
use matrix_run::results::{Traced, unreadable};
use matrix_store::Store;
use matrix_traces::{Attempt, Counts, Record};
use serde::Serialize;

use super::{Format, FormatArgs, ReadArgs};
use crate::exit::{CommandResult, Exit, Failure};
use crate::output;
use crate::program;

/// Show the result of a cell: what it is, how it ended and who executed it
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The cell: any unique beginning of its key
    #[arg(value_name = "CELL")]
    cell: String,
    /// Print the trace itself: CSV, one row per request
    #[arg(long)]
    trace: bool,
    /// Print what the last attempt wrote to standard error, where the cell ran a program
    #[arg(long, conflicts_with_all = ["trace", "stdout", "left"])]
    stderr: bool,
    /// Print what it wrote to standard output
    #[arg(long, conflicts_with_all = ["trace", "left"])]
    stdout: bool,
    /// Print something else that it left, as `matrix show CELL` names it
    #[arg(long, value_name = "NAME", conflicts_with = "trace")]
    left: Option<String>,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    read: ReadArgs,
}

#[derive(Serialize)]
struct ShowJson<'a> {
    records: &'a [Record],
    /// The consistency windows of each record.
    windows: Vec<WindowsJson>,
    attempts: &'a [Attempt],
}

/// The consistency window of a result: of all reads, and of those that found the post; null without a read.
#[derive(Serialize)]
struct WindowsJson {
    all_reads: Option<WindowSummary>,
    consistent_reads: Option<WindowSummary>,
}

impl WindowsJson {
    fn new(cell: &CellData) -> Self {
        Self { all_reads: window_summary(cell, false), consistent_reads: window_summary(cell, true) }
    }
}

pub(crate) fn show(args: ShowArgs) -> CommandResult {
    let store = args.read.open()?;
    let key = store.find_cell(&args.cell)?;
    let left = match (args.stderr, args.stdout) {
        (true, _) => Some("stderr"),
        (_, true) => Some("stdout"),
        _ => args.left.as_deref(),
    };
    if let Some(exit) = program::show(&store, &key, left, args.trace, args.format.format == Format::Json)? {
        return Ok(exit);
    }
    if left.is_some() {
        return Err(Failure::usage("the cell ran no program: it left only its trace", "print that with --trace"));
    }
    let mut records = Vec::new();
    for origin in store.origins(&key)? {
        records.extend(store.record::<Record>(&key, &origin)?);
    }
    if args.trace {
        if records.is_empty() {
            return Err(Failure::usage(
                format!("cell {} has no trace: it has no result", key.short()),
                "`matrix show` without --trace says how its attempts ended",
            ));
        }
        for record in &records {
            print_trace(&store, record)?;
        }
        return Ok(Exit::Ok);
    }
    let mut attempts = Vec::new();
    for id in store.attempts()? {
        attempts.extend(store.attempt::<Attempt>(&id)?.filter(|attempt| attempt.key == key));
    }
    let loaded = load(&Traced::in_order(&store, records.clone())?, &Options::default()).map_err(unreadable)?;
    let windows: Vec<WindowsJson> = loaded.cells().iter().map(WindowsJson::new).collect();
    match args.format.format {
        Format::Json => output::json(&ShowJson { records: &records, windows, attempts: &attempts })?,
        Format::Table => {
            for (record, windows) in records.iter().zip(&windows) {
                describe(record, windows)?;
            }
            if records.is_empty() {
                output::line(format_args!("cell {key}\nno result"))?;
            }
            for attempt in &attempts {
                let Attempt { id, started, ended, provenance, .. } = attempt;
                let error = attempt.error.as_ref().map(|error| format!(": {}", one_line(error))).unwrap_or_default();
                let status = format!("{:?}", attempt.status).to_lowercase();
                let (started, ended) = (one_line(started), one_line(ended));
                output::line(format_args!("attempt {id}: {status}{error}\n  from {started} to {ended}"))?;
                if let Some(host) = &attempt.host {
                    output::line(format_args!("  host: {}", one_line(host)))?;
                }
                for reason in &attempt.reasons {
                    output::line(format_args!("  {} x {}", reason.count, one_line(&reason.text)))?;
                }
                let unknown = || "unknown".to_owned();
                let toolchain = provenance.toolchain.clone().unwrap_or_else(unknown);
                let commit =
                    provenance.commit.as_deref().map_or_else(unknown, |commit| commit.chars().take(12).collect());
                let dirty = if provenance.dirty == Some(true) { ", with changes" } else { "" };
                let by = format!("by matrix {} ({commit}{dirty}), {toolchain}", provenance.matrix);
                output::line(format_args!("  {}", one_line(&by)))?;
            }
        }
    }
    Ok(Exit::Ok)
}

fn describe(record: &Record, windows: &WindowsJson) -> Result<(), Failure> {
    let Record { inputs, counts, totals, .. } = record;
    let extrapolated = match (inputs.fingerprint.extrapolated().post, inputs.fingerprint.extrapolated().notification) {
        (true, true) => ", post and notification storage extrapolated",
        (true, false) => ", post storage extrapolated",
        (false, true) => ", notification storage extrapolated",
        (false, false) => "",
    };
    let simulated = if record.simulated { format!(" (simulated{extrapolated})") } else { String::new() };
    let configured = match (record.configured_lag, ConfiguredLag::of(inputs).notification) {
        (true, true) => ", configured lag of posts and notifications",
        (true, false) => ", configured lag of posts",
        (false, true) => ", configured lag of notifications",
        (false, false) => "",
    };
    output::line(format_args!("cell {}\n{} round {}", record.key, inputs.axes, inputs.round))?;
    output::line(format_args!("platform {}{simulated}{configured}, origin {}", record.platform, record.origin))?;
    let object = &record.object;
    output::line(format_args!("object {} ({} bytes uncompressed)", object.sha256, object.bytes))?;
    let outcomes = Outcome::ALL.iter().map(|outcome| format!("{} {outcome}", counts.of(*outcome)));
    let outcomes = outcomes.collect::<Vec<_>>().join(" + ");
    output::line(format_args!("{} requests = {outcomes}", counts.planned))?;
    output::line(inconsistencies(counts))?;
    for (which, window) in [("all reads", windows.all_reads), ("reads that found the post", windows.consistent_reads)] {
        output::line(match window {
            Some(WindowSummary { reads, mean_ms, p50_ms, p99_ms }) => format!(
                "consistency window of {which} ({reads}): mean {mean_ms:.1} ms, p50 {p50_ms:.1} ms, p99 {p99_ms:.1} ms"
            ),
            None => format!("consistency window of {which}: there are none"),
        })?;
    }
    if counts.observed() == 0 {
        output::line("nothing observed: the cell is not done, and `matrix run` executes it again")?;
    }
    if inputs.axes.antipode {
        let seconds = totals.barrier_us as f64 / 1e6;
        output::line(format_args!("{seconds:.1} s of readers' time in the barrier, {} polls", totals.barrier_polls))?;
    }
    Ok(())
}

/// The share of inconsistencies as every table has it: of the planned requests, with the bound that those without a read
/// leave open.
fn inconsistencies(counts: &Counts) -> String {
    let unread = counts.planned.saturating_sub(counts.reads);
    let percent = |misses: u64| 100.0 * misses as f64 / counts.planned.max(1) as f64;
    match (counts.reads, unread) {
        (0, _) => format!("no read in {} requests: the share of inconsistencies is unknown", counts.planned),
        (_, 0) => {
            format!(
                "{} inconsistencies in {} requests ({:.1} %)",
                counts.misses,
                counts.planned,
                percent(counts.misses)
            )
        }
        _ => format!(
            "{} inconsistencies in {} requests ({:.1} %, up to {:.1} % with the {unread} that have no read)",
            counts.misses,
            counts.planned,
            percent(counts.misses),
            percent(counts.misses + unread),
        ),
    }
}

fn print_trace(store: &Store, record: &Record) -> Result<(), Failure> {
    let mut object = store.open_object(&record.object.sha256)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = object.read(&mut buffer).map_err(matrix_store::StoreError::from_read)?;
        if count == 0 {
            return Ok(());
        }
        output::bytes(&buffer[..count])?;
    }
}
