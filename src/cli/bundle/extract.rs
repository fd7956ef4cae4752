//! `matrix bundle extract`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use matrix_bundle::bag::REPORT;
use matrix_bundle::temporary::Folder;
use matrix_bundle::{AGENT_FIELD, BundleReader, Extraction, Findings};
use matrix_command_derived::bundle as programs;
use matrix_derived::derive;
use matrix_run::RunError;
use matrix_store::Store;
use serde::Serialize;

use crate::cli::{Format, FormatArgs, SizeArgs};
use crate::exit::{CommandResult, Exit, Failure};
use crate::output;

/// Unpack a bundle into a new folder, after checking every byte
#[derive(Debug, Args)]
pub(super) struct ExtractArgs {
    /// The bundle
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The folder, new or empty
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// Make a store of it, to go on in, instead of the bag as it is
    #[arg(long)]
    as_store: bool,
    /// Also unpack a page (`report.html`) and pictures that this version cannot derive again, so that nothing is known of what they
    /// say and do in a browser
    #[arg(long)]
    unverified: bool,
    #[command(flatten)]
    size: SizeArgs,
    #[command(flatten)]
    format: FormatArgs,
}

#[derive(Serialize)]
struct ExtractJson<'a> {
    #[serde(serialize_with = "output::lossy::path")]
    out: &'a Path,
    form: &'static str,
    /// Files that were left out because nothing is known of them.
    left_out: Vec<&'a str>,
}

pub(super) fn extract(args: &ExtractArgs) -> CommandResult {
    let name = output::path(&args.file);
    let refused = |error| RunError::of_bundle(&name, error);
    let reader = BundleReader::open(&args.file, args.size.limits()).map_err(refused)?;
    let is_generic = reader.is_generic();
    let has_page = is_generic || reader.manifest().iter().any(|(path, _)| path == REPORT);
    let is_looked_at = has_page && !args.as_store && !args.unverified;
    let without = if is_looked_at { unknown(args, is_generic)? } else { BTreeSet::new() };
    let left_out: Vec<&str> = without.iter().map(String::as_str).collect();
    let extraction = Extraction { without: without.clone() };
    let (form, out) = (if args.as_store { "store" } else { "bag" }, output::word(&args.out));
    if is_generic {
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
    match (args.format.format, args.as_store) {
        (Format::Json, _) => output::json(&ExtractJson { out: &args.out, form, left_out })?,
        (Format::Table, true) => {
            output::line(format_args!("a store: matrix status --results {out}"))?;
            if let Some(how) = how_to_extend(&args.out)? {
                output::line(format_args!("to extend it: {how}"))?;
            }
        }
        (Format::Table, false) => {
            let missing = if left_out.is_empty() { "" } else { " --ignore-missing" };
            output::line(format_args!("a bag: cd {out} && sha256sum{missing} -c manifest-sha256.txt"))?;
            let bundle = output::word(&args.file);
            output::line(format_args!("to extend it: matrix bundle extract {bundle} --as-store -o results"))?;
        }
    }
    Ok(Exit::Ok)
}

/// How to go on with the experiment of a store's newest run. The experiment names its model by a path beside the file that
/// it was in, which is not here; the run has the model itself.
fn how_to_extend(store: &Path) -> Result<Option<String>, Failure> {
    let out = output::word(store);
    let store = Store::open(store)?;
    let Some(id) = store.all_runs()?.pop() else { return Ok(None) };
    let run = store.run(id.as_str())?;
    let saved = |name: &str| output::word(&run.directory().join(name));
    let copy = format!("cp {} mine.toml", saved("experiment.toml"));
    Ok(Some(match run.model()? {
        Some(_) => format!(
            "{copy} && cp {} model.toml; change an axis in mine.toml; matrix run mine.toml --set sim.model=model.toml --results {out}",
            saved("model.toml")
        ),
        None => format!(
            "{copy}, into the folder of its programs if it has any; change an axis in mine.toml; matrix run mine.toml --results {out}"
        ),
    }))
}

/// The files of a bundle that a browser may run and of which nothing is known: those of another version, as far as anybody can tell
/// here. One of this version that does not follow from the results is refused.
fn unknown(args: &ExtractArgs, of_programs: bool) -> Result<BTreeSet<String>, Failure> {
    let findings =
        if of_programs { programs::active_files_of(&args.file, args.size.limits())? } else { page_of(args)? };
    if let Some(fault) = findings.faults.first() {
        return Err(Failure::with_help(
            Exit::Integrity,
            format!("{}: {}: {}", output::path(&args.file), output::path(&fault.file), fault.what),
            "`matrix verify` checks the rest of the bundle; `--unverified` unpacks this file as well",
        ));
    }
    for note in &findings.not_verified {
        let file = output::path(&note.file);
        output::note(format_args!("{file} is left out: {}; --unverified unpacks it too", note.what));
    }
    Ok(findings.not_verified.iter().map(|note| note.file.to_string_lossy().into_owned()).collect())
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
    findings.page(&restored.extras.report, &ours);
    Ok(findings)
}
