//! Bundles of programs' results: made, and verified.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use matrix_bundle::{Binary, BundleError, BundleInfo, BundleReader, Extras, Findings, GenericOptions, Limits};
use matrix_command::results;
use matrix_plan::CellKey;
use matrix_run::results::Select;
use matrix_store::verify::Fault;
use matrix_store::{Origin, RunId, Store, VerifyOptions};

use super::choose::{Chosen, chosen, plan_of};
use super::shards::Shards;
use super::{derive, in_text};
use crate::exit::Failure;
use crate::{output, source};

/// Whether a path is a bundle of programs' results.
pub(crate) fn is_program_bundle(path: &Path, limits: Limits) -> bool {
    path.is_file() && matrix_bundle::is_generic_bundle(path, limits).unwrap_or(false)
}

/// The newest run of each experiment of schema 2 in a store, or one that is named.
pub(super) fn newest(store: &Store, name: Option<&str>) -> Result<Vec<RunId>, Failure> {
    let mut newest: BTreeMap<String, RunId> = BTreeMap::new();
    for id in store.all_runs()? {
        if name.is_some_and(|name| name != id.as_str()) {
            continue;
        }
        if let Some(plan) = plan_of(&store.run_documents(id.as_str())?)? {
            newest.insert(plan.experiment, id);
        }
    }
    Ok(newest.into_values().collect())
}

pub(super) fn experiments_of(store: &Store, runs: &[RunId]) -> Result<Vec<Chosen>, Failure> {
    let mut experiments = Vec::new();
    for id in runs {
        let select = Select { file: None, run: Some(id.to_string()), origin: None };
        experiments.extend(chosen(store, &select)?);
    }
    experiments.sort_by(|one, other| one.experiment.name.cmp(&other.experiment.name));
    Ok(experiments)
}

/// What the user asked `matrix bundle create` for.
pub(crate) struct CreateOptions<'a> {
    pub(crate) run: Option<&'a str>,
    /// Only the experiments of these names; all without any.
    pub(crate) experiments: &'a BTreeSet<String>,
    pub(crate) filter: Option<&'a str>,
    pub(crate) origin: Option<&'a Origin>,
    pub(crate) allow_incomplete: bool,
    pub(crate) with_source: bool,
    /// A program to put in.
    pub(crate) binary: Option<Binary>,
    pub(crate) identify: Option<&'a str>,
    pub(crate) out: &'a Path,
}

/// A bundle that was made.
pub(crate) struct Made {
    pub(crate) info: BundleInfo,
    /// How many planned cells it leaves out.
    pub(crate) left_out: u64,
    /// The shards that are missing, in words.
    pub(crate) missing_shards: Option<String>,
}

/// Every run of these experiments, so that every attempt that a journal names is there.
pub(super) fn runs_of(store: &Store, experiments: &[Chosen]) -> Result<Vec<RunId>, Failure> {
    let mut runs = Vec::new();
    for id in store.all_runs()? {
        if let Some(plan) = plan_of(&store.run_documents(id.as_str())?)?
            && experiments.iter().any(|chosen| chosen.experiment.name == plan.experiment)
        {
            runs.push(id);
        }
    }
    Ok(runs)
}

/// The cells that a filter chooses, of those that the runs planned; and how many there are.
fn filtered(
    store: &Store,
    runs: &[RunId],
    experiments: &[Chosen],
    filter: &str,
) -> Result<(BTreeSet<CellKey>, u64), Failure> {
    let (mut only, mut all) = (BTreeSet::new(), BTreeSet::new());
    for id in runs {
        let select = Select { file: None, run: Some(id.to_string()), origin: None };
        let Some(chosen) = chosen(store, &select)? else { continue };
        all.extend(chosen.cells.iter().map(|cell| cell.key));
        // Another version of the experiment may lack the axis: then it has none of these cells.
        let Ok(filter) = chosen.experiment.filter(filter) else { continue };
        let cells = chosen.cells.iter().filter(|cell| matrix_command::run::matches(&filter, cell));
        only.extend(cells.map(|cell| cell.key));
    }
    for chosen in experiments {
        chosen.experiment.filter(filter).map_err(|problem| in_text("--filter", filter, problem.into()))?;
    }
    if only.is_empty() {
        return Err(Failure::usage(
            format!("the filter matches none of the {} cells", all.len()),
            "`matrix plan FILE --cells` lists the cells",
        ));
    }
    Ok((only, all.len() as u64))
}

/// Makes a bundle, if the store's experiments are of schema 2.
pub(crate) fn create(store: &Store, options: &CreateOptions<'_>) -> Result<Option<Made>, Failure> {
    let mut newest = newest(store, options.run)?;
    if newest.is_empty() {
        return Ok(None);
    }
    if !options.experiments.is_empty() {
        let mut named = Vec::new();
        for id in newest {
            let plan = plan_of(&store.run_documents(id.as_str())?)?;
            named.extend(plan.filter(|plan| options.experiments.contains(&plan.experiment)).map(|_| id));
        }
        newest = named;
    } else if options.run.is_none() && !store.runs()?.is_empty() {
        return Err(Failure::usage(
            "the store has experiments of two schemas, which do not go into one bundle",
            "name a run, whose experiment is bundled: --run NAME; `matrix status` lists them",
        ));
    }
    let experiments = experiments_of(store, &newest)?;
    let runs = runs_of(store, &experiments)?;
    let shards = Shards::of(store, &runs)?;
    let (mut only, mut left_out) = (shards.only().cloned(), shards.left_out());
    if let Some(filter) = options.filter {
        let (mut filtered, all) = filtered(store, &runs, &experiments, filter)?;
        filtered.retain(|key| only.as_ref().is_none_or(|only| only.contains(key)));
        left_out = all - filtered.len() as u64;
        only = Some(filtered);
    }
    let made = |info| Made { info, left_out, missing_shards: shards.missing() };
    let place = output::place_of(options.out)?;
    let besides = |extras: Extras| Extras {
        source: if options.with_source { source::tree() } else { Default::default() },
        binary: options.binary.clone(),
        ..extras
    };
    let selection = GenericOptions {
        origin: options.origin.cloned(),
        allow_incomplete: options.allow_incomplete,
        identify: options.identify.map(str::to_owned),
        only,
    };
    let binary = options.binary.as_ref().map(Binary::sha256);
    let is_all = runs.len() == store.all_runs()?.len();
    if is_all && selection.origin.is_none() && selection.only.is_none() {
        let extras = besides(derive::extras(store, &experiments, binary)?);
        return Ok(Some(made(matrix_bundle::create_generic(store, &runs, &extras, &selection, &place)?)));
    }
    // What a bundle says follows from what is in it: a selection, or results under another name, are derived from a store
    // that has just these.
    let folder = matrix_bundle::temporary::Folder::new()?;
    let first = folder.path().join("selected.tar.zst");
    matrix_bundle::create_generic(store, &runs, &Extras::default(), &selection, &first)?;
    let selected = folder.path().join("store");
    matrix_bundle::restore_generic(BundleReader::open(&first, Limits::default())?, &selected)?;
    let selected = Store::open(&selected)?;
    let chosen = experiments_of(&selected, &self::newest(&selected, None)?)?;
    let extras = besides(derive::extras(&selected, &chosen, binary)?);
    // The names are given, and the selection is made, but what its plans have besides is still not in it.
    let again = GenericOptions { origin: None, ..selection };
    Ok(Some(made(matrix_bundle::create_generic(&selected, &runs, &extras, &again, &place)?)))
}

/// Makes one bundle of several.
pub(crate) fn merge(files: &[PathBuf], limits: Limits, allow_incomplete: bool, out: &Path) -> Result<Made, Failure> {
    if let Some(file) = files.iter().find(|file| !is_program_bundle(file, limits)) {
        return Err(Failure::usage(
            format!("{} is a bundle of another kind: results of schema 1", output::path(file)),
            "bundles of programs' results can be merged with each other, and so can those of schema 1",
        ));
    }
    let folder = matrix_bundle::temporary::Folder::new()?;
    let union = folder.path().join("store");
    matrix_bundle::unite_generic(files, limits, &union)?;
    let store = Store::open(&union)?;
    let experiments = experiments_of(&store, &newest(&store, None)?)?;
    let runs = runs_of(&store, &experiments)?;
    let shards = Shards::of(&store, &runs)?;
    if let Some(missing) = shards.missing().filter(|_| !allow_incomplete) {
        return Err(BundleError::MissingShards(missing).into());
    }
    let extras = derive::extras(&store, &experiments, None)?;
    let options = GenericOptions { allow_incomplete, only: shards.only().cloned(), ..GenericOptions::default() };
    let info = matrix_bundle::create_generic(&store, &runs, &extras, &options, &output::place_of(out)?)?;
    Ok(Made { info, left_out: shards.left_out(), missing_shards: shards.missing() })
}

/// Checks a bundle: every byte, every record, and that tables, figures and README follow from the rows. Nothing in it is
/// run.
pub(crate) fn check(path: &Path, limits: Limits, quick: bool) -> Result<Findings, Failure> {
    let folder = matrix_bundle::temporary::Folder::new()?;
    let place = folder.path().join("store");
    let restored = matrix_bundle::restore_generic(BundleReader::open(path, limits)?, &place)?;
    let store = Store::open(&place)?;
    let report = matrix_traces::verify(&store, VerifyOptions { rows: !quick })?;
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
    let experiments = experiments_of(&store, &newest(&store, None)?)?;
    let derived = derive::extras(&store, &experiments, restored.binary)?;
    findings.another_version =
        restored.extras.tables.get(derive::DERIVER_FILE) != derived.tables.get(derive::DERIVER_FILE);
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
pub(crate) fn page_of(path: &Path, limits: Limits) -> Result<Findings, Failure> {
    let folder = matrix_bundle::temporary::Folder::new()?;
    let place = folder.path().join("store");
    let restored = matrix_bundle::restore_generic(BundleReader::open(path, limits)?, &place)?;
    let store = Store::open(&place)?;
    let experiments = experiments_of(&store, &newest(&store, None)?)?;
    let names: Vec<&str> = experiments.iter().map(|chosen| chosen.experiment.name.as_str()).collect();
    let mut findings = Findings { made_by: restored.made_by(), ..Findings::default() };
    findings.page(&restored.extras.report, &super::report::of_bundle(&store, &names)?);
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
