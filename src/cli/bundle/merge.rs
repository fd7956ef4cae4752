//! `matrix bundle merge`.

use std::path::PathBuf;

use clap::Args;
use matrix_archive::{Inventory, MergeOptions};
use matrix_bundle::{BundleError, BundleReader};
use matrix_command_derived::bundle as programs;
use matrix_derived::derive::{self, Besides};
use matrix_run::RunError;
use matrix_store::Store;

use super::{Left, describe};
use crate::cli::{FormatArgs, SizeArgs};
use crate::exit::CommandResult;
use crate::output;

/// Unite bundles; two results for one cell and origin are a conflict
#[derive(Debug, Args)]
pub(super) struct MergeArgs {
    /// The bundles
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    /// Cells may be missing; the bundle then says so
    #[arg(long)]
    allow_incomplete: bool,
    #[command(flatten)]
    size: SizeArgs,
    #[command(flatten)]
    format: FormatArgs,
}

pub(super) fn merge(args: &MergeArgs) -> CommandResult {
    let limits = args.size.limits();
    let work = matrix_bundle::temporary::place()?;
    let options = MergeOptions { allow_incomplete: args.allow_incomplete, workers: None };
    // One that is no bundle is named before any is read.
    let mut of_programs = false;
    for file in &args.files {
        let reader = BundleReader::open(file, limits);
        of_programs |= reader.map_err(|error| RunError::of_bundle(&output::path(file), error))?.is_generic();
    }
    if of_programs {
        let place = output::place_of(&args.out)?;
        let made = programs::merge(&args.files, limits, args.allow_incomplete, &place)?;
        let left = Left { left_out: made.left_out, filter: None, missing_shards: made.missing_shards };
        return describe(made.info, &args.out, &left, args.format.format);
    }
    let readers = args.files.iter().map(|file| BundleReader::open(file, limits));
    // A failure of ours passes through the library as an error of its own.
    let mut failure = None;
    let mut left = Left::default();
    let mut derive = |store: &Store, inventory: &Inventory| {
        left = Left::of(inventory, None)?;
        let parts = derive::parts(store, inventory);
        parts.and_then(|parts| derive::extras(&parts, inventory, Besides::default())).map_err(|error| {
            failure = Some(error);
            BundleError::Derive("see above".into())
        })
    };
    let file = output::new_file(&args.out)?;
    let result = matrix_archive::merge(readers, &work, &mut derive, &options, &file);
    match (result, failure) {
        (Ok(info), _) => {
            output::keep_file(file, &args.out)?;
            describe(info, &args.out, &left, args.format.format)
        }
        (Err(_), Some(failure)) => Err(failure.into()),
        (Err(error), None) => Err(error.into()),
    }
}
