//! Checking a bundle: every byte, and that what stands beside its results follows from them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::Path;

use matrix_bundle::layout::{BundlePath, DERIVER as DERIVER_FILE};
use matrix_bundle::temporary::Folder;
use matrix_bundle::{BundleReader, Extras, Findings, GenericRestored, Limits, difference};
use matrix_command::results;
use matrix_store::generic::NoTraces;
use matrix_store::verify::Fault;
use matrix_store::{Store, VerifyOptions};

use super::extras::{DERIVER, deriver_of, extras};
use crate::chosen::{Chosen, Texts, newest};
use crate::error::DerivedError;
use crate::plans::{PLANS, follow};

/// A bundle as a store.
fn unpack(reader: BundleReader, place: &Path) -> Result<(Store, GenericRestored), DerivedError> {
    let restored = matrix_bundle::restore_generic(reader, place)?;
    Ok((Store::open(place)?, restored))
}

/// Checks a bundle that was opened: every byte, every record, and that tables, figures and README follow from the rows. Nothing in it is
/// run.
///
/// # Errors
/// When it cannot be read. What is wrong with it is in the findings.
pub fn check(reader: BundleReader, quick: bool) -> Result<Findings, DerivedError> {
    let folder = Folder::new()?;
    let place = folder.path().join("store");
    check_at(&place, reader, quick).or_else(|error| {
        let faults = vec![error.into_fault(&place)?];
        Ok(Findings { faults, ..Findings::default() })
    })
}

fn check_at(place: &Path, reader: BundleReader, quick: bool) -> Result<Findings, DerivedError> {
    let (store, restored) = unpack(reader, place)?;
    let report = store.verify::<NoTraces>(VerifyOptions { rows: !quick })?;
    let mut findings = Findings {
        checked: vec![
            ("files: bytes hash to the manifest's digest".to_owned(), restored.payload.count()),
            ("  payload bytes".to_owned(), restored.payload_bytes),
            ("records: own digest, key recomputed from inputs".to_owned(), report.checked.records),
            ("objects: bytes hash to the name".to_owned(), report.checked.objects),
            ("attempts: own digest".to_owned(), report.checked.attempts),
            ("runs: digests of experiment and plan, journals".to_owned(), report.checked.runs),
        ],
        faults: report.faults,
        notes: report.notes,
        made_by: restored.made_by(),
        ..Findings::default()
    };
    if !findings.faults.is_empty() {
        return Ok(findings);
    }
    name_deriver(&restored.extras, &mut findings);
    matrix_bundle::check_generic(&store, &restored, &DERIVER, &mut findings)?;
    if quick {
        return Ok(findings);
    }
    let followed = follow(&store)?;
    findings.checked.push((PLANS.to_owned(), followed.plans));
    if !followed.wrong.is_empty() {
        findings.faults.extend(followed.wrong.into_iter().map(|(file, what)| Fault { file: file.in_bag(), what }));
        return Ok(findings);
    }
    let experiments = Chosen::of_runs(&store, &newest(&store, &Texts::new())?)?;
    let derived = extras(&store, &experiments, restored.binary)?;
    let compared = compare(&restored.extras, &derived, &mut findings);
    findings.checked.push(("tables, figures, README: derived again, same bytes".to_owned(), compared));
    for chosen in &experiments {
        let loaded = results::load(&store, &chosen.experiment, &chosen.cells, None)?;
        for finding in results::findings(&loaded) {
            let name = &chosen.experiment.name;
            findings.claims.push(format!("{name}: {}: {}", finding.claim.id, finding.judged.verdict.name()));
        }
    }
    Ok(findings)
}

/// What is known of the files of a bundle that a browser may run when they are opened, the page and the figures: nothing is wrong with
/// them, or what is.
///
/// # Errors
/// As for [`check`].
pub fn active_files_of(path: &Path, limits: Limits) -> Result<Findings, DerivedError> {
    let folder = Folder::new()?;
    let (store, restored) = unpack(BundleReader::open(path, limits)?, &folder.path().join("store"))?;
    let experiments = Chosen::of_runs(&store, &newest(&store, &Texts::new())?)?;
    let derived = extras(&store, &experiments, restored.binary)?;
    let mut findings = Findings { made_by: restored.made_by(), ..Findings::default() };
    name_deriver(&restored.extras, &mut findings);
    compare(&restored.extras, &derived, &mut findings);
    findings.faults.retain(|fault| is_active(&fault.file));
    findings.not_verified.retain(|note| is_active(&note.file));
    Ok(findings)
}

/// Whether a program that opens such a file may run what is in it: that of any name but those of text and numbers.
fn is_active(file: &Path) -> bool {
    let passive = ["csv", "txt", "tex", "md", "cff"];
    !file.ends_with("LICENSE")
        && !file.extension().and_then(OsStr::to_str).is_some_and(|extension| passive.contains(&extension))
}

/// Notes by which version of the rules what stands beside results was derived.
fn name_deriver(found: &Extras, findings: &mut Findings) {
    match deriver_of(found) {
        Ok(theirs) => (findings.deriver, findings.another_version) = (Some(theirs), theirs != DERIVER.version),
        Err(what) => findings.faults.push(Fault { file: BundlePath::Deriver.to_string().into(), what }),
    }
}

/// Compares what stands beside results with what follows from them; how many files are the same.
fn compare(found: &Extras, derived: &Extras, findings: &mut Findings) -> u64 {
    fn files(extras: &Extras) -> BTreeMap<String, &[u8]> {
        let mut files: BTreeMap<String, &[u8]> = BTreeMap::new();
        for (name, bytes) in [
            ("README.md", &extras.readme),
            ("LICENSE", &extras.license),
            ("CITATION.cff", &extras.citation),
            ("cells.csv", &extras.cells),
        ] {
            files.insert(name.to_owned(), bytes);
        }
        files.extend(extras.tables.iter().map(|(name, bytes)| (format!("tables/{name}"), bytes.as_slice())));
        files.extend(extras.figures.iter().map(|(name, bytes)| (format!("figures/{name}"), bytes.as_slice())));
        files
    }
    let (theirs, ours) = (files(found), files(derived));
    let names: BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
    let deriver = format!("tables/{DERIVER_FILE}");
    let mut same = 0;
    for name in names.into_iter().filter(|name| **name != deriver) {
        let file = Path::new("data").join(name);
        match (theirs.get(name), ours.get(name)) {
            (Some(theirs), Some(ours)) if theirs == ours => same += 1,
            (Some(theirs), Some(ours)) => findings.differs(&file, &DERIVER, || {
                format!("it does not follow from the results: {}", difference(theirs, ours))
            }),
            (Some(_), None) => findings.differs(&file, &DERIVER, || "nothing in the results gives it".to_owned()),
            // Another version may have derived no such file.
            (None, _) if findings.another_version => {}
            (None, _) => findings.faults.push(Fault { file, what: "it is missing".to_owned() }),
        }
    }
    findings.page(&found.report, &derived.report);
    same
}
