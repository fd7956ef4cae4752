//! `matrix store`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use matrix_store::{Copied, SharedCheck, Store, StoreError};

use super::{Format, FormatArgs};
use crate::exit::{CommandResult, Exit};
use crate::output;

/// Check a store for use by several runners, or copy between stores
#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    #[command(subcommand)]
    command: StoreCommand,
}

#[derive(Debug, Subcommand)]
enum StoreCommand {
    /// Let creators race for files of a store, and refuse a store that lets two of them win
    ///
    /// Several runners divide their work by files that are created if they are not there. What was found is kept in `store.toml`.
    Check(CheckArgs),
    /// Copy what store B lacks from store A
    ///
    /// Objects, attempts, records and runs. What both have stays as it is in B. After an interruption, the same command goes on.
    Push(CopyArgs),
    /// The same as push, for those who stand at B: copy what store B lacks from store A
    Pull(CopyArgs),
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// The store; it is made if there is none
    #[arg(value_name = "STORE")]
    store: PathBuf,
    #[command(flatten)]
    format: FormatArgs,
}

#[derive(Debug, Args)]
struct CopyArgs {
    /// The store to copy from
    #[arg(value_name = "A")]
    from: PathBuf,
    /// The store to copy to; it is made if there is none
    #[arg(value_name = "B")]
    to: PathBuf,
    #[command(flatten)]
    format: FormatArgs,
}

pub(crate) fn store(args: &StoreArgs) -> CommandResult {
    match &args.command {
        StoreCommand::Check(args) => check(args),
        StoreCommand::Push(args) | StoreCommand::Pull(args) => copy(args),
    }
}

fn check(args: &CheckArgs) -> CommandResult {
    let store = Store::create_or_open_for_writing(&args.store, "matrix store check")?;
    let found = store.check_sharing()?;
    store.close()?;
    if args.format.format == Format::Json {
        output::json(&found)?;
    }
    if !found.is_fit() {
        let SharedCheck { rounds, one_winner, .. } = found;
        return Err(StoreError::NotShareable { path: args.store.clone(), rounds, one_winner }.into());
    }
    if args.format.format == Format::Table {
        output::line(format_args!(
            "{}: one of {} creators won each of {} files: several runners may share it",
            output::path(&args.store),
            found.creators,
            found.rounds
        ))?;
    }
    Ok(Exit::Ok)
}

fn copy(args: &CopyArgs) -> CommandResult {
    let from = Store::open(&args.from)?;
    let to = Store::create_or_open_for_writing(&args.to, "matrix store push")?;
    let copied = to.copy_missing(&from)?;
    to.close()?;
    let Copied { objects, attempts, records, runs, differing } = &copied;
    if args.format.format == Format::Json {
        output::json(&copied)?;
    } else {
        output::line(format_args!("copied {records} records, {objects} objects, {attempts} attempts and {runs} runs"))?;
    }
    for path in differing {
        output::note(format_args!("differs, and stays as it is in {}: {}", output::path(&args.to), output::path(path)));
    }
    Ok(if differing.is_empty() { Exit::Ok } else { Exit::Cells })
}
