//! `matrix store`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use matrix_store::layout::SCHEMA;
use matrix_store::{Copied, SharedCheck, Store, StoreError};
use serde::Serialize;

use super::{Format, FormatArgs};
use crate::exit::{CommandResult, Exit};
use crate::output;

/// Check a store for use by several runners, upgrade it, or copy between stores
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
    ///
    /// The creators are threads of one process, whose requests the system passes on one after another: this finds a place that lets a file be
    /// overwritten, and no server that errs when several machines ask at once. To find that, run an experiment on several machines together: its
    /// cells and its attempts are equally many.
    Check(CheckArgs),
    /// Bring a store to the newest schema, and say what changes
    ///
    /// Stores of every earlier version can be used as they are, and are upgraded by themselves when several runners share them or a result is
    /// replaced. Programs that know the old schema only refuse a store that was upgraded.
    Upgrade(UpgradeArgs),
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
struct UpgradeArgs {
    /// The store
    #[arg(value_name = "STORE")]
    store: PathBuf,
    #[command(flatten)]
    format: FormatArgs,
}

#[derive(Serialize)]
struct UpgradeJson {
    schema_before: u32,
    schema: u32,
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

pub(crate) fn store(args: StoreArgs) -> CommandResult {
    match &args.command {
        StoreCommand::Check(args) => check(args),
        StoreCommand::Upgrade(args) => upgrade(args),
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
            "{}: one of {} creators on this machine won each of {} files: several runners may share it",
            output::path(&args.store),
            found.creators,
            found.rounds
        ))?;
    }
    Ok(Exit::Ok)
}

fn upgrade(args: &UpgradeArgs) -> CommandResult {
    // A place without a store is not made one.
    Store::open(&args.store)?;
    let store = Store::create_or_open_for_writing(&args.store, "matrix store upgrade")?;
    let (schema_before, schema) = (store.upgrade()?, SCHEMA);
    store.close()?;
    if args.format.format == Format::Json {
        output::json(&UpgradeJson { schema_before, schema })?;
        return Ok(Exit::Ok);
    }
    let path = output::path(&args.store);
    if schema_before == schema {
        output::line(format_args!("{path}: schema {schema}, the newest: nothing to do"))?;
        return Ok(Exit::Ok);
    }
    output::line(format_args!("{path}: schema {schema_before} -> {schema} (in store.toml; nothing else changed)"))?;
    output::line(format_args!(
        "  a run may have a journal for each of its runners, and a replaced result stands beside the one before it until `matrix gc`"
    ))?;
    output::line(format_args!(
        "  versions of matrix that know schema {schema_before} only refuse the store from now on"
    ))?;
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
