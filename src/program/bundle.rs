//! Bundles of programs' results: made, and verified.

use std::collections::BTreeMap;
use std::path::Path;

use matrix_bundle::{BundleInfo, BundleReader, GenericExtras, Limits};
use matrix_command::results::{self, findings};
use matrix_store::verify::{Fault, Note};
use matrix_store::{Origin, RunId, Store, VerifyOptions};

use super::choose::{Chosen, chosen, plan_of};
use super::derive;
use matrix_run::results::Select;

use crate::exit::Failure;
use crate::output;

/// Whether a path is a bundle of programs' results.
pub(crate) fn is_program_bundle(path: &Path, limits: Limits) -> bool {
    path.is_file() && matrix_bundle::is_generic_bundle(path, limits).unwrap_or(false)
}

/// The newest run of each experiment of schema 2 in a store, or one that is named.
fn newest(store: &Store, name: Option<&str>) -> Result<Vec<RunId>, Failure> {
    let mut newest: BTreeMap<String, RunId> = BTreeMap::new();
    for id in store.all_runs()? {
        if name.is_some_and(|name| name != id.as_str()) {
            continue;
        }
        if let Some(plan) = plan_of(&store.run(id.as_str())?)? {
            newest.insert(plan.experiment, id);
        }
    }
    Ok(newest.into_values().collect())
}

fn of_runs(store: &Store, runs: &[RunId]) -> Result<Vec<Chosen>, Failure> {
    let mut experiments = Vec::new();
    for id in runs {
        let select = Select { file: None, run: Some(id.to_string()), origin: None };
        experiments.extend(chosen(store, &select)?);
    }
    experiments.sort_by(|one, other| one.experiment.name.cmp(&other.experiment.name));
    Ok(experiments)
}

/// Makes a bundle, if the store's experiments are of schema 2.
pub(crate) fn create(
    store: &Store,
    run: Option<&str>,
    origin: Option<&Origin>,
    allow_incomplete: bool,
    out: &Path,
) -> Result<Option<BundleInfo>, Failure> {
    let newest = newest(store, run)?;
    if newest.is_empty() {
        return Ok(None);
    }
    if run.is_none() && !store.runs()?.is_empty() {
        return Err(Failure::usage(
            "the store has experiments of two schemas, which do not go into one bundle",
            "name a run, whose experiment is bundled: --run NAME; `matrix status` lists them",
        ));
    }
    let experiments = of_runs(store, &newest)?;
    // Every run of these experiments, so that every attempt that a journal names is there.
    let mut runs = Vec::new();
    for id in store.all_runs()? {
        if let Some(plan) = plan_of(&store.run(id.as_str())?)?
            && experiments.iter().any(|chosen| chosen.experiment.name == plan.experiment)
        {
            runs.push(id);
        }
    }
    let extras = match origin {
        // What a bundle says follows from what is in it.
        Some(_) => GenericExtras::default(),
        None => derive::extras(store, &experiments)?,
    };
    let place = output::place_of(out)?;
    let Some(_) = origin else {
        return Ok(Some(matrix_bundle::create_generic(store, &runs, &extras, None, allow_incomplete, &place)?));
    };
    // Under another origin the results are others': they are derived from a store that has them so.
    let folder = matrix_bundle::temporary::Folder::new()?;
    let first = folder.path().join("renamed.tar.zst");
    matrix_bundle::create_generic(store, &runs, &extras, origin, allow_incomplete, &first)?;
    let renamed = folder.path().join("store");
    matrix_bundle::restore_generic(BundleReader::open(&first, Limits::default())?, &renamed)?;
    let renamed = Store::open(&renamed)?;
    let extras = derive::extras(&renamed, &of_runs(&renamed, &newest)?)?;
    Ok(Some(matrix_bundle::create_generic(&renamed, &runs, &extras, None, allow_incomplete, &place)?))
}

/// What a check of a bundle found.
pub(crate) struct Verified {
    pub(crate) checked: Vec<(String, u64)>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) notes: Vec<Note>,
    pub(crate) claims: Vec<String>,
    pub(crate) another_version: bool,
}

/// Checks a bundle: every byte, every record, and that tables, figures and README follow from the rows. Nothing in it is
/// run.
pub(crate) fn verify(path: &Path, limits: Limits, quick: bool) -> Result<Verified, Failure> {
    let folder = matrix_bundle::temporary::Folder::new()?;
    let place = folder.path().join("store");
    let restored = matrix_bundle::restore_generic(BundleReader::open(path, limits)?, &place)?;
    let store = Store::open(&place)?;
    let report = store.verify(VerifyOptions { rows: !quick, ..VerifyOptions::default() })?;
    let mut verified = Verified {
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
        claims: Vec::new(),
        another_version: false,
    };
    if quick || !verified.faults.is_empty() {
        return Ok(verified);
    }
    let experiments = of_runs(&store, &newest(&store, None)?)?;
    let derived = derive::extras(&store, &experiments)?;
    verified.another_version =
        restored.extras.tables.get(derive::DERIVER_FILE) != derived.tables.get(derive::DERIVER_FILE);
    if !verified.another_version {
        let compared = compare(&restored.extras, &derived, &mut verified.faults);
        verified.checked.push(("tables, figures, README: derived again, same bytes".to_owned(), compared));
    }
    for chosen in &experiments {
        let loaded = results::load(&store, &chosen.experiment, &chosen.cells, None)?;
        for finding in findings(&loaded) {
            let name = &chosen.experiment.name;
            verified.claims.push(format!("{name}: {}: {}", finding.claim.id, finding.judged.verdict.name()));
        }
    }
    Ok(verified)
}

/// Compares what stands beside results with what follows from them; how many files were compared.
fn compare(found: &GenericExtras, derived: &GenericExtras, faults: &mut Vec<Fault>) -> u64 {
    fn files(extras: &GenericExtras) -> BTreeMap<String, &[u8]> {
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
