//! `matrix gc`.

use clap::Args;
use matrix_store::{Garbage, GarbageFile, Store};
use serde::Serialize;

use super::{Format, FormatArgs, ResultsArgs};
use crate::exit::{CommandResult, Exit};
use crate::output;

/// Remove what nothing in a store needs any more
///
/// Objects that no record names, records that later ones have replaced, attempts that no run names and no record comes from, and what
/// killed commands left in `tmp/`. Never anything that a record needs; nothing at all where a record, an attempt or a journal is damaged.
#[derive(Debug, Args)]
pub(crate) struct GcArgs {
    /// Only say what would go
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    results: ResultsArgs,
}

#[derive(Serialize)]
struct GcJson {
    dry_run: bool,
    files: usize,
    bytes: u64,
    garbage: Garbage,
}

pub(crate) fn gc(args: GcArgs) -> CommandResult {
    let path = &args.results.results;
    // A place without a store is not made one.
    let store = Store::open(path)?;
    let garbage = if args.dry_run {
        store.garbage()?
    } else {
        let store = Store::create_or_open_for_writing(path, "matrix gc")?;
        let garbage = store.collect_garbage()?;
        store.close()?;
        garbage
    };
    let sum = |files: &[GarbageFile]| files.iter().map(|file| file.bytes).sum::<u64>();
    let kinds = [
        ("objects", &garbage.objects),
        ("records that were replaced", &garbage.records),
        ("attempts", &garbage.attempts),
        ("temporary files", &garbage.temporary),
    ];
    let (files, bytes) = (garbage.files().count(), kinds.iter().map(|(_, files)| sum(files)).sum());
    if args.format.format == Format::Json {
        output::json(&GcJson { dry_run: args.dry_run, files, bytes, garbage })?;
        return Ok(Exit::Ok);
    }
    for GarbageFile { file, bytes } in garbage.files() {
        let verb = if args.dry_run { "would remove" } else { "removed" };
        output::line(format_args!("{verb} {} ({bytes} bytes)", output::path(file)))?;
    }
    let mut table = output::table(&["garbage", "number", "bytes"], &[1, 2]);
    for (kind, files) in kinds {
        table.add_row([kind.to_owned(), files.len().to_string(), sum(files).to_string()]);
    }
    table.add_row(["all".to_owned(), files.to_string(), bytes.to_string()]);
    output::line(table.trim_fmt())?;
    Ok(Exit::Ok)
}
