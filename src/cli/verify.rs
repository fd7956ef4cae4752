//! `matrix verify`.

use std::path::PathBuf;

use clap::Args;
use matrix_store::verify::{Checked, Fault, Note, Report};
use matrix_store::{Store, VerifyOptions};
use serde::Serialize;

use super::{Format, FormatArgs};
use crate::exit::{Exit, Failure, Outcome};
use crate::output;

/// Check every byte of a store against the digests that cover it
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The store
    #[arg(value_name = "PATH", default_value = "results")]
    path: PathBuf,
    /// Digests only: do not read and recount every row
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    format: FormatArgs,
}

#[derive(Serialize)]
struct VerifyJson<'a> {
    sound: bool,
    checked: Checked,
    faults: &'a [Fault],
    notes: &'a [Note],
}

pub(crate) fn verify(args: VerifyArgs) -> Outcome {
    let store = Store::open(&args.path)?;
    let report = store.verify(VerifyOptions { rows: !args.quick, ..VerifyOptions::default() })?;
    match args.format.format {
        Format::Json => {
            let Report { checked, faults, notes } = &report;
            output::json(&VerifyJson { sound: report.is_sound(), checked: *checked, faults, notes })?;
        }
        Format::Table => table(&report)?,
    }
    Ok(if report.is_sound() { Exit::Ok } else { Exit::Integrity })
}

fn table(report: &Report) -> Result<(), Failure> {
    let checked = &report.checked;
    let mut table = output::table(&["checked", "number"], &[1]);
    for (what, number) in [
        ("records: own digest, key recomputed from inputs", checked.records),
        ("objects: bytes hash to the name", checked.objects),
        ("  uncompressed bytes", checked.object_bytes),
        ("  rows read and recounted", checked.rows),
        ("attempts: own digest", checked.attempts),
        ("runs: digests of experiment, model and plan", checked.runs),
        ("  journal lines: chained checksums", checked.journal_lines),
    ] {
        table.add_row([what.to_owned(), number.to_string()]);
    }
    output::line(table.trim_fmt())?;
    for note in &report.notes {
        output::line(format_args!("note: {}: {}", note.file.display(), note.what))?;
    }
    for fault in &report.faults {
        output::line(format_args!("FAULT: {}: {}", fault.file.display(), fault.what))?;
    }
    match report.faults.len() {
        0 => output::line("sound: no fault found"),
        faults => output::line(format_args!("{faults} faults found")),
    }
}
