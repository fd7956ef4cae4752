//! Checking a bundle: every byte, and that what stands beside its results follows from them.

use std::collections::BTreeMap;
use std::path::Path;

use matrix_bundle::temporary::Folder;
use matrix_bundle::{BundleReader, Extras, Findings, GenericRestored, Limits};
use matrix_command::results;
use matrix_store::generic::NoTraces;
use matrix_store::verify::Fault;
use matrix_store::{Store, VerifyOptions};

use super::extras::{extras, is_of_another_version};
use crate::chosen::{Chosen, Texts, newest};
use crate::error::DerivedError;
use crate::page;
use crate::plans::{PLANS, follow};

/// A bundle as a store, which goes with its folder.
fn unpack(reader: BundleReader) -> Result<(Folder, Store, GenericRestored), DerivedError> {
    let folder = Folder::new()?;
    let place = folder.path().join("store");
    let restored = matrix_bundle::restore_generic(reader, &place)?;
    let store = Store::open(&place)?;
    Ok((folder, store, restored))
}

/// Checks a bundle that was opened: every byte, every record, and that tables, figures and README follow from the rows. Nothing in it is
/// run.
///
/// # Errors
/// When it cannot be read, or is not the file that a bundle is. What is wrong with its contents is in the findings.
pub fn check(reader: BundleReader, quick: bool) -> Result<Findings, DerivedError> {
    let (_folder, store, restored) = unpack(reader)?;
    let report = store.verify::<NoTraces>(VerifyOptions { rows: !quick })?;
    let mut findings = Findings {
        checked: vec![
            ("files: bytes hash to the manifest's digest".to_owned(), restored.files),
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
    if quick || !findings.faults.is_empty() {
        return Ok(findings);
    }
    let followed = follow(&store)?;
    findings.checked.push((PLANS.to_owned(), followed.plans));
    findings.faults.extend(followed.wrong.into_iter().map(|(file, what)| Fault { file: file.in_bag(), what }));
    if !findings.faults.is_empty() {
        return Ok(findings);
    }
    let experiments = Chosen::of_runs(&store, &newest(&store, &Texts::new())?)?;
    let derived = extras(&store, &experiments, restored.binary)?;
    findings.another_version = is_of_another_version(&restored.extras);
    if !findings.another_version {
        let compared = compare(&restored.extras, &derived, &mut findings.faults);
        findings.checked.push(("tables, figures, README: derived again, same bytes".to_owned(), compared));
    }
    findings.page(&restored.extras.report, &derived.report);
    for chosen in &experiments {
        let loaded = results::load(&store, &chosen.experiment, &chosen.cells, None)?;
        for finding in results::findings(&loaded) {
            let name = &chosen.experiment.name;
            findings.claims.push(format!("{name}: {}: {}", finding.claim.id, finding.judged.verdict.name()));
        }
    }
    Ok(findings)
}

/// What is known of the page in a bundle: nothing is wrong with it, or what is.
///
/// # Errors
/// As for [`check`].
pub fn page_of(path: &Path, limits: Limits) -> Result<Findings, DerivedError> {
    let (_folder, store, restored) = unpack(BundleReader::open(path, limits)?)?;
    let experiments = Chosen::of_runs(&store, &newest(&store, &Texts::new())?)?;
    let names: Vec<&str> = experiments.iter().map(|chosen| chosen.experiment.name.as_str()).collect();
    let another_version = is_of_another_version(&restored.extras);
    let mut findings = Findings { made_by: restored.made_by(), another_version, ..Findings::default() };
    findings.page(&restored.extras.report, &page::of_bundle(&store, &names)?);
    Ok(findings)
}

/// Compares what stands beside results with what follows from them; how many files were compared.
fn compare(found: &Extras, derived: &Extras, faults: &mut Vec<Fault>) -> u64 {
    fn files(extras: &Extras) -> BTreeMap<String, &[u8]> {
        let mut files: BTreeMap<String, &[u8]> = BTreeMap::new();
        files.insert("README.md".to_owned(), &extras.readme);
        files.insert("cells.csv".to_owned(), &extras.cells);
        files.extend(extras.tables.iter().map(|(name, bytes)| (format!("tables/{name}"), bytes.as_slice())));
        files.extend(extras.figures.iter().map(|(name, bytes)| (format!("figures/{name}"), bytes.as_slice())));
        files
    }
    let (found, derived) = (files(found), files(derived));
    let mut names: Vec<&String> = found.keys().chain(derived.keys()).collect();
    names.sort();
    names.dedup();
    for name in &names {
        let what = match (found.get(*name), derived.get(*name)) {
            (Some(found), Some(derived)) if found == derived => continue,
            (Some(found), Some(derived)) => {
                format!("it does not follow from the results: {}", matrix_bundle::difference(found, derived))
            }
            (Some(_), None) => "nothing in the results gives it".to_owned(),
            (None, _) => "it is missing".to_owned(),
        };
        faults.push(Fault { file: Path::new("data").join(name), what });
    }
    names.len() as u64
}
