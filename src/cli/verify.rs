//! `matrix verify`.

use std::fs::File;
use std::path::{Path, PathBuf};

use clap::Args;
use matrix_bundle::{Restored, Signer, Tree};
use matrix_store::verify::{Fault, Note};
use matrix_store::{Store, VerifyOptions};
use serde::Serialize;

use super::bundle::{SizeArgs, signature_of};
use super::{Format, FormatArgs};
use crate::derive::{self, RENDERER, RENDERER_FILE};
use crate::exit::{Exit, Failure, Outcome};
use crate::output;

/// Check every byte of a store or a bundle against the digests that cover it
///
/// Of a bundle, tables and figures are derived again and compared as well, and its claims are judged.
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

/// What was checked and found.
#[derive(Default, Serialize)]
struct Findings {
    sound: bool,
    checked: Vec<(String, u64)>,
    faults: Vec<Fault>,
    notes: Vec<Note>,
    claims: Vec<String>,
}

pub(crate) fn verify(args: VerifyArgs) -> Outcome {
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
    let checked = &report.checked;
    let checked = vec![
        ("records: own digest, key recomputed from inputs".to_owned(), checked.records),
        ("objects: bytes hash to the name".to_owned(), checked.objects),
        ("  uncompressed bytes".to_owned(), checked.object_bytes),
        ("  rows read and recounted".to_owned(), checked.rows),
        ("attempts: own digest".to_owned(), checked.attempts),
        ("runs: digests of experiment, model and plan".to_owned(), checked.runs),
        ("  journal lines: chained checksums".to_owned(), checked.journal_lines),
    ];
    Ok(Findings { checked, faults: report.faults, notes: report.notes, ..Findings::default() })
}

fn of_bundle(args: &VerifyArgs) -> Result<Findings, Failure> {
    let limits = args.size.limits();
    let file = File::open(&args.path)
        .map_err(|error| Failure::new(Exit::Usage, format!("{}: {error}", args.path.display())))?;
    let folder = tempfile::tempdir()?;
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
        ..Findings::default()
    };
    if let Some(signer) = &args.signer {
        signature(&args.path, signer, &mut findings)?;
    }
    if let Some(restored) = restored {
        derived(&Store::open(&place)?, restored, &mut findings)?;
    }
    Ok(findings)
}

fn signature(bundle: &Path, signer: &Path, findings: &mut Findings) -> Result<(), Failure> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).map_err(|error| Failure::new(Exit::Usage, format!("{}: {error}", path.display())))
    };
    let signer = Signer::parse(&read(signer)?)?;
    let signature = signature_of(bundle);
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

/// Derives tables and figures again and compares; judges the claims.
fn derived(store: &Store, restored: Restored, findings: &mut Findings) -> Result<(), Failure> {
    let Restored { inventory, extras, .. } = restored;
    let parts = derive::parts(store, &inventory)?;
    let again = derive::extras(&parts, &inventory, Tree::new())?;
    let same_renderer = extras.figures.get(RENDERER_FILE).is_none_or(|bytes| bytes == RENDERER.as_bytes());
    for (kind, theirs, ours) in
        [("tables", &extras.tables, &again.tables), ("figures", &extras.figures, &again.figures)]
    {
        let mut same = 0;
        let names: std::collections::BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
        for name in names {
            let file = PathBuf::from("data").join(kind).join(name);
            match (theirs.get(name), ours.get(name)) {
                (Some(theirs), Some(ours)) if theirs == ours => same += 1,
                _ if kind == "figures" && !same_renderer => {
                    findings.notes.push(Note { file, what: "redrawn: another renderer drew it".to_owned() });
                }
                (Some(_), Some(_)) => {
                    findings.faults.push(Fault { file, what: "it does not follow from the results".to_owned() });
                }
                (Some(_), None) => {
                    findings.faults.push(Fault { file, what: "nothing in the results leads to it".to_owned() });
                }
                (None, _) => findings.faults.push(Fault { file, what: "it is missing".to_owned() }),
            }
        }
        findings.checked.push((format!("{kind}: derived again, same bytes"), same));
    }
    for part in parts {
        for claim in &part.claims {
            findings.claims.push(format!("{}: {}: {}", part.name, claim.id, claim.verdict.as_str()));
        }
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
    for fault in &findings.faults {
        output::line(format_args!("FAULT: {}: {}", fault.file.display(), fault.what))?;
    }
    match findings.faults.len() {
        0 => output::line("sound: no fault found"),
        faults => output::line(format_args!("{faults} faults found")),
    }
}
