//! `matrix bundle`.

mod create;
mod extract;
mod merge;
mod sign;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use matrix_archive::Inventory;
use matrix_bundle::{BundleError, BundleInfo};
use serde::Serialize;

use super::Format;
use crate::exit::{CommandResult, Exit};
use crate::output;

/// Share results as one file that anyone can verify, re-derive and extend
#[derive(Debug, Args)]
pub(crate) struct BundleArgs {
    #[command(subcommand)]
    command: BundleCommand,
}

#[derive(Debug, Subcommand)]
enum BundleCommand {
    Create(create::CreateArgs),
    Extract(extract::ExtractArgs),
    Merge(merge::MergeArgs),
    Replay(super::replay::ReplayArgs),
    Sign(sign::SignArgs),
}

pub(crate) fn bundle(args: BundleArgs) -> CommandResult {
    match args.command {
        BundleCommand::Create(args) => create::create(args),
        BundleCommand::Extract(args) => extract::extract(&args),
        BundleCommand::Merge(args) => merge::merge(&args),
        BundleCommand::Replay(args) => super::replay::replay(&args),
        BundleCommand::Sign(args) => sign::sign(&args),
    }
}

/// What was made, for scripts.
#[derive(Serialize)]
struct MadeJson<'a> {
    #[serde(flatten)]
    info: BundleInfo,
    #[serde(flatten)]
    left: &'a Left<'a>,
}

/// What a bundle is not about.
#[derive(Default, Serialize)]
struct Left<'a> {
    /// Cells that its plans have and that were not selected.
    left_out: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<&'a str>,
    /// Shards whose cells are not all there.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_shards: Option<String>,
}

impl<'a> Left<'a> {
    fn of(inventory: &Inventory, filter: Option<&'a str>) -> Result<Self, BundleError> {
        Ok(Self { left_out: inventory.left_out()?, filter, missing_shards: inventory.missing_shards()? })
    }
}

fn describe(info: BundleInfo, out: &Path, left: &Left<'_>, format: Format) -> CommandResult {
    if format == Format::Json {
        output::json(&MadeJson { info, left })?;
        return Ok(Exit::Ok);
    }
    output::line(format_args!("{}  {}", info.sha256, output::path(out)))?;
    output::note(format_args!(
        "{}: {}; {} records, {} objects, {} attempts, {} files; {} bytes hold {}",
        info.experiments.join(", "),
        info.cells,
        info.records,
        info.objects,
        info.attempts,
        info.files,
        info.bytes,
        info.payload_bytes,
    ));
    if left.left_out > 0 {
        let filter = left.filter.map(|filter| format!(" ({filter})")).unwrap_or_default();
        let (kept, all) = (info.cells.planned(), info.cells.planned() + left.left_out);
        output::note(format_args!("a selection{filter}: {kept} of the {all} cells that its plans have"));
    }
    if let Some(shards) = &left.missing_shards {
        output::note(format_args!("missing shards: {}", shards));
    }
    Ok(Exit::Ok)
}

/// Where a bundle's signature stands.
pub(crate) fn signature_of(bundle: &Path) -> PathBuf {
    let mut name = bundle.as_os_str().to_owned();
    name.push(".sig");
    name.into()
}
