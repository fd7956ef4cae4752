//! `matrix verify`.

use std::fs::File;
use std::path::{Path, PathBuf};

use clap::Args;
use matrix_bundle::temporary::Folder;
use matrix_bundle::{DERIVER_VERSION, Signer};
use matrix_report::derive;
use matrix_report::verify::{self, Findings};
use matrix_store::verify::Fault;
use matrix_store::{Store, VerifyOptions};

use super::bundle::{SizeArgs, signature_of};
use super::{Format, FormatArgs};
use crate::exit::{CommandResult, Exit, Failure};
use crate::output;

/// Check every byte of a store or a bundle against the digests that cover it
///
/// Of a bundle, tables, figures and the README are derived again and compared as well, and its claims are judged.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The store or bundle
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

pub(crate) fn verify(args: VerifyArgs) -> CommandResult {
    let mut findings = if args.path.is_file() { of_bundle(&args)? } else { of_store(&args)? };
    findings.sound = findings.faults.is_empty();
    match args.format.format {
        Format::Json => output::json(&findings)?,
        Format::Table => table(&findings)?,
    }
    Ok(if findings.sound { Exit::Ok } else { Exit::Integrity })
}

fn of_store(args: &VerifyArgs) -> Result<Findings, Failure> {
    if args.signer.is_some() {
        return Err(Failure::usage("a store has no signature", "--signer is for bundles"));
    }
    let store = Store::open(&args.path)?;
    let report = store.verify(VerifyOptions { rows: !args.quick, ..VerifyOptions::default() })?;
    let mut faults = report.faults;
    let mut plans = None;
    if !args.quick && faults.is_empty() {
        for (_, run, what) in derive::wrong_plans(&store)? {
            faults.push(Fault { file: Path::new("runs").join(run).join("plan.json"), what });
        }
        plans = Some((verify::PLANS.to_owned(), report.checked.runs));
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
    Ok(Findings { checked, faults, notes: report.notes, ..Findings::default() })
}

fn of_bundle(args: &VerifyArgs) -> Result<Findings, Failure> {
    let limits = args.size.limits();
    let file = File::open(&args.path)
        .map_err(|error| Failure::new(Exit::Usage, format!("{}: {error}", args.path.display())))?;
    let folder = Folder::new()?;
    let place = folder.path().join("store");
    let (report, restored) = if args.quick {
        (matrix_bundle::verify_input(file, limits, matrix_bundle::VerifyOptions { quick: true })?, None)
    } else {
        matrix_bundle::verify_to_store(file, limits, &place)?
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
    if let Some(restored) = restored {
        verify::compare(&Store::open(&place)?, restored, &mut findings)?;
    }
    if !findings.not_verified.is_empty() {
        let what = "NOT VERIFIED: files of another version that this one derives otherwise".to_owned();
        findings.checked.push((what, findings.not_verified.len() as u64));
    }
    Ok(findings)
}

fn signature(bundle: &Path, signer: &Path, findings: &mut Findings) -> Result<(), Failure> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).map_err(|error| Failure::new(Exit::Usage, format!("{}: {error}", path.display())))
    };
    let signer = Signer::parse(&read(signer)?)?;
    let signature = signature_of(bundle);
    if !signature.exists() {
        return Err(Failure::usage(
            format!("{}: there is no such file: the bundle's signature is to stand beside it", signature.display()),
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

fn table(findings: &Findings) -> Result<(), Failure> {
    let mut table = output::table(&["checked", "number"], &[1]);
    for (what, number) in &findings.checked {
        table.add_row([what.clone(), number.to_string()]);
    }
    output::line(table.trim_fmt())?;
    for claim in &findings.claims {
        output::line(format_args!("claim: {claim}"))?;
    }
    for note in &findings.notes {
        output::line(format_args!("note: {}: {}", note.file.display(), note.what))?;
    }
    for file in &findings.not_verified {
        output::line(format_args!("{}: {}", file.file.display(), file.what))?;
    }
    for fault in &findings.faults {
        output::line(format_args!("FAULT: {}: {}", fault.file.display(), fault.what))?;
    }
    match findings.faults.len() {
        0 if !findings.not_verified.is_empty() => output::line(format_args!(
            "sound but for what is NOT VERIFIED: {} files that {} derived otherwise than this version; results, keys and plans \
             were checked",
            findings.not_verified.len(),
            findings.made_by,
        )),
        0 => output::line("sound: no fault found"),
        faults => output::line(format_args!("{faults} faults found")),
    }
}
