//! `matrix verify`.

mod cure;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use matrix_archive::DERIVER_VERSION;
use matrix_bundle::temporary::Folder;
use matrix_bundle::{BundleReader, Findings, Looks, Signer, Unpacked};
use matrix_command_derived::bundle as programs;
use matrix_core::text::counted;
use matrix_derived::derive;
use matrix_derived::verify;
use matrix_plan::printable::one_line;
use matrix_run::results;
use matrix_store::VerifyOptions;
use matrix_store::verify::{Fault, Note};
use serde::Serialize;

use super::bundle::signature_of;
use super::{Format, FormatArgs, SizeArgs};
use crate::exit::{CommandResult, Exit, Failure};
use crate::output;

/// Check every byte of a store or a bundle against the digests that cover it
///
/// A bundle may be a file, a pipe, or unpacked. Of a bundle, tables, figures and the README are derived again and compared as well, and its claims are judged.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The store or bundle; `-` reads a bundle from standard input
    #[arg(value_name = "PATH", default_value = "results")]
    path: PathBuf,
    /// Digests, keys and references only: read no rows, derive nothing
    #[arg(long)]
    quick: bool,
    /// Also check a bundle's signature (FILE.sig): the public key's file, or an allowed_signers file
    #[arg(long, value_name = "FILE")]
    signer: Option<PathBuf>,
    #[command(flatten)]
    size: SizeArgs,
    #[command(flatten)]
    format: FormatArgs,
}

/// What was found, and what to do about it.
#[derive(Default)]
struct Found {
    findings: Findings,
    /// What to do about each fault, in the same order.
    cures: Vec<String>,
    /// Whether it is no bundle at all, so that nothing was checked.
    is_other: bool,
}

#[derive(Serialize)]
struct FoundJson<'a> {
    sound: bool,
    checked: &'a [(String, u64)],
    faults: Vec<FaultJson<'a>>,
    notes: &'a [Note],
    claims: &'a [String],
    another_version: bool,
    /// The program that made a bundle, and the version by which its files were derived.
    #[serde(skip_serializing_if = "str::is_empty")]
    made_by: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    deriver: Option<u32>,
    not_verified: &'a [Note],
}

#[derive(Serialize)]
struct FaultJson<'a> {
    #[serde(serialize_with = "output::lossy::path")]
    file: &'a Path,
    what: &'a str,
    /// What to do about it.
    cure: &'a str,
}

impl<'a> FoundJson<'a> {
    fn new(found: &'a Found) -> Self {
        let Findings { checked, faults, notes, claims, another_version, made_by, deriver, not_verified, .. } =
            &found.findings;
        let sound = faults.is_empty();
        let cured = faults.iter().zip(&found.cures);
        let faults = cured.map(|(Fault { file, what }, cure)| FaultJson { file, what, cure }).collect();
        let (another_version, deriver) = (*another_version, *deriver);
        Self { sound, checked, faults, notes, claims, another_version, made_by, deriver, not_verified }
    }
}

pub(crate) fn verify(args: VerifyArgs) -> CommandResult {
    let is_input = args.path == Path::new("-");
    let name = if is_input { "standard input".to_owned() } else { output::path(&args.path) };
    let found = if is_input {
        of_bundle(&args, Box::new(std::io::stdin()))?
    } else if results::is_file(&args.path) {
        of_bundle(&args, Box::new(open(&args.path)?))?
    } else if results::is_unpacked(&args.path) {
        let folder = Unpacked::open(&args.path, args.size.limits())?;
        let beside = |file: &PathBuf| Note { file: file.clone(), what: "not part of the bundle".to_owned() };
        let notes: Vec<Note> = folder.others.iter().map(beside).collect();
        let mut found = of_bundle(&args, Box::new(folder))?;
        found.findings.notes.extend(notes);
        found
    } else {
        of_store(&args)?
    };
    match args.format.format {
        Format::Json => output::json(&FoundJson::new(&found))?,
        Format::Table => table(&found, &name)?,
    }
    Ok(if found.findings.faults.is_empty() { Exit::Ok } else { Exit::Integrity })
}

fn open(path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|error| Failure::new(Exit::Usage, format!("{}: {error}", output::path(path))))
}

fn of_store(args: &VerifyArgs) -> Result<Found, Failure> {
    if args.signer.is_some() {
        return Err(Failure::usage("a store has no signature", "--signer is for bundles"));
    }
    let store = results::store_at(&args.path)?;
    let report = matrix_traces::verify(&store, VerifyOptions { rows: !args.quick })?;
    let mut faults = report.faults;
    let mut plans = Vec::new();
    if !args.quick && faults.is_empty() {
        for (_, run, what) in derive::wrong_plans(&store)? {
            faults.push(Fault { file: Path::new("runs").join(run).join("plan.json"), what });
        }
        let of_programs = matrix_command_derived::follow(&store)?;
        for (file, what) in of_programs.wrong {
            faults.push(Fault { file: file.in_store(&store)?, what });
        }
        let of_traces = store.runs()?.len() as u64;
        plans.extend((of_traces > 0 || of_programs.plans == 0).then(|| (verify::PLANS.to_owned(), of_traces)));
        plans.extend((of_programs.plans > 0).then(|| (matrix_command_derived::PLANS.to_owned(), of_programs.plans)));
    }
    let checked = &report.checked;
    let mut checked = vec![
        ("records: own digest, key recomputed from inputs".to_owned(), checked.records),
        ("objects: bytes hash to the name".to_owned(), checked.objects),
        ("  uncompressed bytes".to_owned(), checked.object_bytes),
        ("  rows read and recounted".to_owned(), checked.rows),
        ("attempts: own digest".to_owned(), checked.attempts),
        ("runs: digests of experiment, model and plan".to_owned(), checked.runs),
        ("  journal lines: chained checksums".to_owned(), checked.journal_lines),
    ];
    checked.extend(plans);
    let cures = faults.iter().map(|fault| cure::of(&store, &fault.file)).collect();
    let findings = Findings { checked, faults, notes: report.notes, ..Findings::default() };
    Ok(Found { findings, cures, is_other: false })
}

fn of_bundle(args: &VerifyArgs, input: Box<dyn Read + Send>) -> Result<Found, Failure> {
    let limits = args.size.limits();
    if args.signer.is_some() && !args.path.is_file() {
        return Err(Failure::usage(
            "the signature of a pipe or an unpacked bundle cannot be checked",
            "--signer needs the bundle's file, and FILE.sig beside it",
        ));
    }
    let reader = match BundleReader::new(input, limits) {
        Ok(reader) if reader.is_generic() => {
            let mut findings = programs::check(reader, args.quick)?;
            if let Some(signer) = &args.signer {
                signature(&args.path, signer, &mut findings)?;
            }
            count_not_verified(&mut findings);
            let cures = vec![cure::OF_A_BUNDLE.to_owned(); findings.faults.len()];
            return Ok(Found { findings, cures, is_other: false });
        }
        opened => opened,
    };
    let folder = Folder::new()?;
    let place = folder.path().join("store");
    let (report, restored) = if args.quick {
        (matrix_archive::verify_opened(reader, VerifyOptions { rows: false })?, None)
    } else {
        matrix_archive::verify_to_store(reader, &place)?
    };
    let checked = &report.checked;
    let mut findings = Findings {
        checked: vec![
            ("files: bytes hash to the manifest's digest".to_owned(), report.files),
            ("  payload bytes".to_owned(), report.payload_bytes),
            ("records: own digest, key recomputed from inputs".to_owned(), checked.records),
            ("objects: bytes hash to the name".to_owned(), checked.objects),
            ("  rows read and recounted".to_owned(), checked.rows),
            ("attempts: own digest".to_owned(), checked.attempts),
            ("runs: journals".to_owned(), checked.runs),
            ("  journal lines: chained checksums".to_owned(), checked.journal_lines),
        ],
        faults: report.faults,
        notes: report.notes,
        made_by: report.made_by.unwrap_or_default(),
        deriver: report.deriver,
        another_version: report.deriver.is_some_and(|deriver| deriver != DERIVER_VERSION),
        not_verified: report.not_verified,
        ..Findings::default()
    };
    let follow = ["bag-info.txt", "data/ro-crate-metadata.json"];
    let differs = |file: &&str| findings.not_verified.iter().any(|note| note.file == Path::new(file));
    let follow = follow.iter().filter(|file| !differs(file)).count() as u64;
    findings.checked.push(("bag-info.txt, ro-crate-metadata.json: follow from the rest".to_owned(), follow));
    if let Some(signer) = &args.signer {
        signature(&args.path, signer, &mut findings)?;
    }
    if let Some((store, restored)) = restored {
        verify::compare(&store, restored, &mut findings)?;
    }
    count_not_verified(&mut findings);
    let cure = report.looks.map_or(cure::OF_A_BUNDLE, Looks::advice);
    let cures = vec![cure.to_owned(); findings.faults.len()];
    Ok(Found { findings, cures, is_other: report.looks.is_some() })
}

fn count_not_verified(findings: &mut Findings) {
    if !findings.not_verified.is_empty() {
        let what = "NOT VERIFIED: files of another version that this one derives otherwise".to_owned();
        findings.checked.push((what, findings.not_verified.len() as u64));
    }
}

fn signature(bundle: &Path, signer: &Path, findings: &mut Findings) -> Result<(), Failure> {
    let read = |path: &Path| {
        std::fs::read_to_string(path)
            .map_err(|error| Failure::new(Exit::Usage, format!("{}: {error}", output::path(path))))
    };
    let signer = Signer::parse(&read(signer)?)?;
    let signature = signature_of(bundle);
    if !signature.exists() {
        return Err(Failure::usage(
            format!(
                "{}: there is no such file: the bundle's signature is to stand beside it",
                output::path(&signature)
            ),
            format!(
                "fetch it from where the bundle came from; who owns the key makes it by `matrix bundle sign {} --key KEY`",
                output::word(bundle)
            ),
        ));
    }
    let text = read(&signature)?;
    match matrix_bundle::verify_signature(File::open(bundle)?, &text, &signer) {
        Ok(()) => findings.checked.push(("signature: by the given signer".to_owned(), 1)),
        Err(error) if error.kind() == matrix_bundle::ErrorKind::Integrity => {
            findings.faults.push(Fault { file: signature, what: error.to_string() });
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

fn table(found: &Found, name: &str) -> Result<(), Failure> {
    let Found { findings, cures, is_other } = found;
    if !is_other && !findings.checked.is_empty() {
        let mut table = output::table(&["checked", "number"], &[1]);
        for (what, number) in &findings.checked {
            table.add_row([what.clone(), number.to_string()]);
        }
        output::line(table.trim_fmt())?;
    }
    for claim in &findings.claims {
        output::line(format_args!("claim: {}", one_line(claim)))?;
    }
    for note in &findings.notes {
        output::line(format_args!("note: {}: {}", output::path(&note.file), one_line(&note.what)))?;
    }
    for file in &findings.not_verified {
        output::line(format_args!("{}: {}", output::path(&file.file), one_line(&file.what)))?;
    }
    for (n, (Fault { file, what }, cure)) in findings.faults.iter().zip(cures).enumerate() {
        let file = if file == Path::new(".") { name.to_owned() } else { output::path(file) };
        output::line(format_args!("FAULT: {file}: {}", one_line(what)))?;
        // The same for all faults of a bundle: said once.
        if cures.get(n + 1) != Some(cure) {
            output::line(format_args!("  cure: {cure}"))?;
        }
    }
    match findings.faults.len() {
        0 if !findings.not_verified.is_empty() => output::line(format_args!(
            "sound but for what is NOT VERIFIED: {} that {} derived otherwise than this version; results, keys and plans \
             were checked",
            counted(findings.not_verified.len(), "file"),
            findings.made_by,
        )),
        0 => output::line("sound: no fault found"),
        faults => output::line(format_args!("{} found", counted(faults, "fault"))),
    }
}
