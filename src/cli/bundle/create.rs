//! `matrix bundle create`.

use std::collections::BTreeSet;
use std::mem::ManuallyDrop;
use std::path::PathBuf;

use clap::Args;
use matrix_archive::{CreateOptions, Inventory, Selection};
use matrix_bundle::{Binary, Tree};
use matrix_command_derived::{Texts, bundle as programs};
use matrix_derived::derive::{self, Besides};
use matrix_run::results;
use matrix_store::{Origin, Store};

use super::{Left, describe};
use crate::cli::{FilterArgs, FormatArgs, ResultsArgs};
use crate::exit::{CommandResult, Failure};
use crate::{output, program, source};

/// Make a bundle of a store and print the SHA-256 that names it
///
/// The same store gives the same bytes. Tables, figures and a README are derived from the results and put beside them.
#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// Only these experiments
    #[arg(value_name = "FILE", conflicts_with = "run")]
    files: Vec<PathBuf>,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    /// Only the cells that this run planned
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    #[command(flatten)]
    filter: FilterArgs,
    /// Cells may be missing; the bundle then says so
    #[arg(long)]
    allow_incomplete: bool,
    /// Publish what was measured here under this origin, so that it can be told apart after a merge; what came with a
    /// bundle stays whose it is
    #[arg(long, value_name = "NAME")]
    origin: Option<Origin>,
    /// Put the runner's own source and lock file in, so that the file and a toolchain are enough for a replay
    #[arg(long)]
    with_source: bool,
    /// Put this program in, as `bin/matrix`, so that the file alone is enough to check it and look at it, without a toolchain
    #[arg(long)]
    with_binary: bool,
    /// Who measured, if the bundle is to say so
    #[arg(long, value_name = "NAME")]
    identify: Option<String>,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    results: ResultsArgs,
}

/// Most bytes of small objects that are kept in memory.
const KEPT: usize = 48 << 20;

pub(super) fn create(args: CreateArgs) -> CommandResult {
    // Traces are read twice: to derive what follows from them, and into the bundle.
    let store = Store::open(&args.results.results)?.keeping_small_objects(KEPT);
    let filter = args.filter.filter.as_deref();
    let binary = if args.with_binary { Some(Binary::of(&std::env::current_exe()?)?) } else { None };
    let texts = if args.run.is_some() { Texts::new() } else { program::texts(&store, &args.files)? };
    let built_in = named(&store, &args.files)?;
    if !texts.is_empty() && !built_in.is_empty() {
        return Err(Failure::usage(
            "experiments that run a program do not go into one bundle with others",
            "make a bundle of each kind",
        ));
    }
    let selection = programs::Selection { run: args.run.as_deref(), experiments: &texts, filter };
    let contents = if built_in.is_empty() { programs::Contents::of(&store, &selection)? } else { None };
    if let Some(contents) = contents {
        let options = programs::CreateOptions {
            origin: args.origin,
            allow_incomplete: args.allow_incomplete,
            identify: args.identify,
            source: if args.with_source { source::tree() } else { Tree::new() },
            binary,
        };
        let made = contents.create(options, &output::place_of(&args.out)?)?;
        let left = Left { left_out: made.left_out, filter, missing_shards: made.missing_shards };
        return describe(made.info, &args.out, &left, args.format.format);
    }
    let filter_of_cells = args.filter.parse(&results::regions(&store)?)?;
    let selection = Selection { run: args.run, experiments: built_in, filter: filter_of_cells };
    let options = CreateOptions {
        allow_incomplete: args.allow_incomplete,
        origin: args.origin,
        identify: args.identify,
        workers: None,
    };
    // The process ends with it: giving back the memory of many cells takes longer than leaving it.
    let mut inventory = ManuallyDrop::new(Inventory::gather(&store, &selection, options.origin.as_ref())?);
    let source = if args.with_source { source::tree() } else { Tree::new() };
    let besides = Besides { source, binary: binary.as_ref().map(Binary::sha256) };
    let mut extras = derive::extras_where_plans_follow(&store, &inventory, besides)?;
    extras.binary = binary;
    if let Some(filter) = filter {
        derive::name_filter(&mut extras, filter);
    }
    let place = output::place_of(&args.out)?;
    let made = matrix_archive::create_gathered(&store, &mut inventory, &extras, &options, &place)?;
    let left = Left { left_out: made.left_out, filter, missing_shards: made.missing_shards };
    describe(made.info, &args.out, &left, args.format.format)
}

/// The names of experiments of the built-in workload that were given by their files. A file of either kind has to have results.
fn named(store: &Store, files: &[PathBuf]) -> Result<BTreeSet<String>, Failure> {
    let mut named = BTreeSet::new();
    if files.is_empty() {
        return Ok(named);
    }
    let programs = matrix_command_derived::page::experiments(store)?;
    let mut built_in = BTreeSet::new();
    for id in store.runs()? {
        built_in.insert(matrix_run::results::plan_of(&store.run_documents(id.as_str())?)?.experiment);
    }
    for file in files {
        let is_known = match program::name_of(file)? {
            Some(name) => programs.contains(&name),
            None => {
                let input = matrix_run::Input::from_file(file, &matrix_run::Overrides::default())?;
                let name = input.experiment.name;
                crate::cli::report::note_unsaved(store, file, &name, &input.text)?;
                let is_known = built_in.contains(&name);
                named.insert(name);
                is_known
            }
        };
        if !is_known {
            return Err(crate::cli::report::nothing_of(file));
        }
    }
    Ok(named)
}
