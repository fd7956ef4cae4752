//! `matrix bundle`.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use matrix_archive::{CreateOptions, Inventory, MergeOptions, Selection};
use matrix_bundle::bag::REPORT;
use matrix_bundle::temporary::Folder;
use matrix_bundle::{AGENT_FIELD, Binary, BundleError, BundleInfo, BundleReader, Extraction, Tree};
use matrix_derived::derive::{self, Besides};
use matrix_derived::verify::{self, Findings};
use matrix_plan::CellState;
use matrix_run::{RunError, results};
use matrix_store::{Origin, Store};
use serde::Serialize;

use super::{FilterArgs, Format, FormatArgs, ResultsArgs};
use crate::exit::{CommandResult, Exit, Failure};
use crate::{output, program, source};

/// Share results as one file that anyone can verify, re-derive and extend
#[derive(Debug, Args)]
pub(crate) struct BundleArgs {
    #[command(subcommand)]
    command: BundleCommand,
}

#[derive(Debug, Subcommand)]
enum BundleCommand {
    Create(CreateArgs),
    Extract(ExtractArgs),
    Merge(MergeArgs),
    Replay(super::replay::ReplayArgs),
    Sign(SignArgs),
}

/// Make a bundle of a store and print the SHA-256 that names it
///
/// The same store gives the same bytes. Tables, figures and a README are derived from the results and put beside them.
#[derive(Debug, Args)]
struct CreateArgs {
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

/// Unpack a bundle into a new folder, after checking every byte
#[derive(Debug, Args)]
struct ExtractArgs {
    /// The bundle
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The folder, new or empty
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// Make a store of it, to go on in, instead of the bag as it is
    #[arg(long)]
    as_store: bool,
    /// Also unpack a page (`report.html`) that this version cannot derive again, so that nothing is known of what it says and
    /// does in a browser
    #[arg(long)]
    unverified: bool,
    #[command(flatten)]
    size: SizeArgs,
    #[command(flatten)]
    format: FormatArgs,
}

/// Unite bundles; two results for one cell and origin are a conflict
#[derive(Debug, Args)]
struct MergeArgs {
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

/// Sign a bundle with an OpenSSH key; `ssh-keygen -Y verify -n matrix-bundle` accepts the signature too
#[derive(Debug, Args)]
struct SignArgs {
    /// The bundle; the signature goes into FILE.sig
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The private key: Ed25519, without a passphrase
    #[arg(short, long, value_name = "KEY")]
    key: PathBuf,
    #[command(flatten)]
    format: FormatArgs,
}

#[derive(Serialize)]
struct SignJson<'a> {
    #[serde(serialize_with = "output::lossy::path")]
    signature: &'a Path,
}

pub(crate) use super::SizeArgs;

pub(crate) fn bundle(args: BundleArgs) -> CommandResult {
    match args.command {
        BundleCommand::Create(args) => create(args),
        BundleCommand::Extract(args) => extract(&args),
        BundleCommand::Merge(args) => merge(&args),
        BundleCommand::Replay(args) => super::replay::replay(&args),
        BundleCommand::Sign(args) => sign(&args),
    }
}

fn create(args: CreateArgs) -> CommandResult {
    let store = Store::open(&args.results.results)?;
    let filter = args.filter.filter.as_deref();
    let binary = args.with_binary.then(own_binary).transpose()?;
    let experiments = named(&store, &args.files)?;
    let options = program::CreateOptions {
        run: args.run.as_deref(),
        experiments: &experiments.programs,
        filter,
        origin: args.origin.as_ref(),
        allow_incomplete: args.allow_incomplete,
        with_source: args.with_source,
        binary: binary.clone(),
        identify: args.identify.as_deref(),
        out: &args.out,
    };
    let made = if experiments.built_in.is_empty() { program::create(&store, &options)? } else { None };
    if let Some(made) = made {
        let left = Left { left_out: made.left_out, filter, missing_shards: made.missing_shards };
        return describe(made.info, &args.out, &left, args.format.format);
    }
    let filter_of_cells = args.filter.parse(&results::regions(&store)?)?;
    let selection = Selection { run: args.run, experiments: experiments.built_in, filter: filter_of_cells };
    let options = CreateOptions {
        allow_incomplete: args.allow_incomplete,
        origin: args.origin,
        identify: args.identify,
        workers: None,
    };
    let inventory = Inventory::gather(&store, &selection, options.origin.as_ref())?;
    derive::plans_follow(&store, &inventory)?;
    let source = if args.with_source { source::tree() } else { Tree::new() };
    let besides = Besides { source, binary: binary.as_ref().map(Binary::sha256) };
    let mut extras = derive::extras(&derive::parts(&store, &inventory)?, &inventory, besides)?;
    extras.binary = binary;
    let filter = args.filter.filter.as_deref();
    if let Some(filter) = filter {
        derive::name_filter(&mut extras, filter);
    }
    let place = output::place_of(&args.out)?;
    let made = matrix_archive::create_gathered(&store, inventory, &extras, &options, &place)?;
    let left = Left { left_out: made.left_out, filter, missing_shards: made.missing_shards };
    describe(made.info, &args.out, &left, args.format.format)
}

/// This program's own file.
fn own_binary() -> Result<Binary, Failure> {
    let path = std::env::current_exe()?;
    Ok(Binary::of(&path)?)
}

/// The names of experiments that were given by their files: those of programs, and those of the built-in workload.
#[derive(Default)]
struct Named {
    programs: BTreeSet<String>,
    built_in: BTreeSet<String>,
}

fn named(store: &Store, files: &[PathBuf]) -> Result<Named, Failure> {
    let mut named = Named::default();
    if files.is_empty() {
        return Ok(named);
    }
    let programs = program::report::experiments(store)?;
    let mut built_in = BTreeSet::new();
    for id in store.runs()? {
        built_in.insert(matrix_run::results::plan_of(&store.run(id.as_str())?)?.experiment);
    }
    for file in files {
        let (name, known, names) = match program::name_of(file)? {
            Some(name) => (name, &programs, &mut named.programs),
            None => {
                let input = matrix_run::Input::from_file(file, &matrix_run::Overrides::default())?;
                (input.experiment.name, &built_in, &mut named.built_in)
            }
        };
        if !known.contains(&name) {
            return Err(super::report::nothing_of(file));
        }
        names.insert(name);
    }
    if !named.programs.is_empty() && !named.built_in.is_empty() {
        return Err(Failure::usage(
            "experiments that run a program do not go into one bundle with others",
            "make a bundle of each kind",
        ));
    }
    Ok(named)
}

#[derive(Serialize)]
struct ExtractJson<'a> {
    #[serde(serialize_with = "output::lossy::path")]
    out: &'a Path,
    form: &'static str,
    /// Files that were left out because nothing is known of them.
    left_out: Vec<&'static str>,
}

fn extract(args: &ExtractArgs) -> CommandResult {
    let name = output::path(&args.file);
    let refused = |error| RunError::of_bundle(&name, error);
    let reader = BundleReader::open(&args.file, args.size.limits()).map_err(refused)?;
    let page = reader.manifest().iter().any(|(path, _)| path == REPORT);
    let without_report = page && !args.as_store && !args.unverified && !is_known(args)?;
    let extraction = Extraction { without_report };
    let (form, out) = (if args.as_store { "store" } else { "bag" }, output::word(&args.out));
    if program::is_program_bundle(&args.file, args.size.limits()) {
        if args.as_store {
            matrix_bundle::restore_generic(reader, &args.out).map_err(refused)?;
        } else {
            matrix_bundle::extract_generic(reader, &args.out, extraction).map_err(refused)?;
        }
    } else if args.as_store {
        matrix_archive::to_store(reader, &args.out).map_err(refused)?;
    } else {
        matrix_archive::extract(reader, &args.out, extraction).map_err(refused)?;
    }
    let left_out: Vec<&str> = extraction.without_report.then_some(REPORT).into_iter().collect();
    match (args.format.format, args.as_store) {
        (Format::Json, _) => output::json(&ExtractJson { out: &args.out, form, left_out })?,
        (Format::Table, true) => output::line(format_args!("a store: matrix status --results {out}"))?,
        (Format::Table, false) => {
            let missing = if left_out.is_empty() { "" } else { " --ignore-missing" };
            output::line(format_args!("a bag: cd {out} && sha256sum{missing} -c manifest-sha256.txt"))?;
        }
    }
    Ok(Exit::Ok)
}

/// Whether a bundle's page follows from its results. A page of another version does not, as far as anybody can tell here;
/// that is noted.
fn is_known(args: &ExtractArgs) -> Result<bool, Failure> {
    let limits = args.size.limits();
    let findings = match program::is_program_bundle(&args.file, limits) {
        true => program::page_of(&args.file, limits)?,
        false => page_of(args)?,
    };
    if let Some(fault) = findings.faults.first() {
        return Err(Failure::with_help(
            Exit::Integrity,
            format!("{}: {REPORT}: {}", output::path(&args.file), fault.what),
            "`matrix verify` checks the rest of the bundle; `--unverified` unpacks this page as well",
        ));
    }
    for note in &findings.not_verified {
        output::note(format_args!("{REPORT} is left out: {}; --unverified unpacks it too", note.what));
    }
    Ok(findings.not_verified.is_empty())
}

/// What is known of the page in a bundle of schema 1.
fn page_of(args: &ExtractArgs) -> Result<Findings, Failure> {
    let folder = Folder::new()?;
    let place = folder.path().join("store");
    let refused = |error| RunError::of_bundle(&output::path(&args.file), error);
    let reader = BundleReader::open(&args.file, args.size.limits()).map_err(refused)?;
    let made_by = reader.info().get(AGENT_FIELD).cloned().unwrap_or_default();
    let restored = matrix_archive::to_store(reader, &place).map_err(refused)?;
    let store = Store::open(&place)?;
    let ours = derive::report(&derive::parts(&store, &restored.inventory)?, &restored.inventory)?;
    let mut findings = Findings { made_by, ..Findings::default() };
    verify::report(&restored.extras.report, &ours, &mut findings);
    Ok(findings)
}

fn merge(args: &MergeArgs) -> CommandResult {
    let limits = args.size.limits();
    let work = std::env::temp_dir();
    let options = MergeOptions { allow_incomplete: args.allow_incomplete, workers: None };
    // One that is no bundle is named before any is read.
    for file in &args.files {
        BundleReader::open(file, limits).map_err(|error| RunError::of_bundle(&output::path(file), error))?;
    }
    if args.files.iter().any(|file| program::is_program_bundle(file, limits)) {
        let made = program::merge(&args.files, limits, args.allow_incomplete, &args.out)?;
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
    let counts = CellState::ALL.into_iter().map(|state| format!("{} {state}", info.cells.count(state)));
    let counts = counts.collect::<Vec<_>>().join(" + ");
    output::note(format_args!(
        "{}: {} cells = {counts}; {} records, {} objects, {} attempts, {} files; {} bytes hold {}",
        info.experiments.join(", "),
        info.cells.planned(),
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

fn sign(args: &SignArgs) -> CommandResult {
    let unreadable =
        |path: &Path, error: std::io::Error| Failure::new(Exit::Usage, format!("{}: {error}", output::path(path)));
    let key = std::fs::read_to_string(&args.key).map_err(|error| unreadable(&args.key, error))?;
    if key.starts_with("ssh-") || key.starts_with("ecdsa-") {
        return Err(Failure::usage(
            format!("{} is a public key", output::path(&args.key)),
            "name the private key: the same name without `.pub`",
        ));
    }
    let bundle = File::open(&args.file).map_err(|error| unreadable(&args.file, error))?;
    let signature = matrix_bundle::sign(bundle, &key)?;
    let out = signature_of(&args.file);
    output::write_file(&out, signature.as_bytes())?;
    match args.format.format {
        Format::Json => output::json(&SignJson { signature: &out })?,
        Format::Table => output::line(output::path(&out))?,
    }
    Ok(Exit::Ok)
}

/// Where a bundle's signature stands.
pub(crate) fn signature_of(bundle: &Path) -> PathBuf {
    let mut name = bundle.as_os_str().to_owned();
    name.push(".sig");
    name.into()
}
