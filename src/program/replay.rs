//! `matrix bundle replay` of programs' results: the bundle's experiment runs again here, and every metric is compared.

use std::num::NonZeroUsize;
use std::path::Path;

use matrix_bundle::Limits;
use matrix_command_derived::compare::holds_programs;
use matrix_command_derived::{Chosen, Texts, newest};
use matrix_core::read::Reading;
use matrix_run::results::open_within;
use matrix_store::{RunId, Store};

use super::diff::{Comparing, compared, print};
use super::run::RunOptions;
use super::{consent, run};
use crate::exit::{CommandResult, Exit, Failure};
use crate::output;

/// What the user asked for.
pub(crate) struct ReplayOptions<'a> {
    pub(crate) bundle: &'a Path,
    pub(crate) limits: Limits,
    /// Where the programs are.
    pub(crate) dir: &'a Path,
    pub(crate) filter: Option<&'a str>,
    pub(crate) subset: Option<&'a str>,
    pub(crate) site: Option<&'a Path>,
    pub(crate) results: Option<&'a Path>,
    pub(crate) against: Option<&'a Path>,
    pub(crate) jobs: Option<NonZeroUsize>,
    pub(crate) comparing: Comparing<'a>,
    pub(crate) yes: bool,
    pub(crate) json: bool,
}

pub(crate) fn replay(options: &ReplayOptions<'_>) -> CommandResult {
    let store = open_within(options.bundle, options.limits)?;
    if let Some(against) = options.against {
        let against = open_within(against, Limits::default())?;
        compare(&store, &against, options)?;
        return Ok(Exit::Ok);
    }
    if !options.dir.is_dir() {
        let shown = output::path(options.dir);
        return Err(Failure::usage(
            format!("{shown} is no folder"),
            "--dir names the folder that the experiment's file was in: its programs and inputs are looked for there",
        ));
    }
    let runs = newest(&store, &Texts::new())?;
    let experiments = Chosen::of_runs(&store, &runs)?;
    let listed: Vec<_> = experiments.iter().map(|chosen| &chosen.experiment).collect();
    consent::ask(&listed, options.dir, options.yes)?;
    let folder = matrix_bundle::temporary::Folder::new()?;
    let place = options.results.map_or_else(|| folder.path().join("results"), Path::to_owned);
    let mut worst = Exit::Ok;
    for id in &runs {
        match again(&store, id, options, &place)? {
            Exit::Ok => {}
            Exit::Interrupted => return Ok(Exit::Interrupted),
            other => worst = other,
        }
    }
    let Some(fresh) = Store::open_if_present(&place)? else { return Ok(worst) };
    output::note("A is the bundle, B was measured here");
    compare(&store, &fresh, options)?;
    Ok(worst)
}

/// Compares the bundle with other results, and prints how they differ.
fn compare(bundle: &Store, other: &Store, options: &ReplayOptions<'_>) -> Result<(), Failure> {
    if !holds_programs(other)? {
        return Err(crate::cli::of_other_workloads());
    }
    print(&compared(bundle, other, options.comparing)?, options.comparing, options.json)
}

/// Runs the experiment of one run of the bundle, into another store.
fn again(store: &Store, id: &RunId, options: &ReplayOptions<'_>, results: &Path) -> CommandResult {
    let run = store.run(id.as_str())?;
    run::run(&RunOptions {
        // What is relative in it is relative to the folder, and messages name the file that it was.
        file: options.dir.join("experiment.toml"),
        text: run.experiment_text()?,
        reading: Reading::Saved,
        results: results.to_owned(),
        filter: options.filter,
        subset: options.subset,
        site: options.site,
        wait: true,
        jobs: options.jobs,
        quiet: true,
        ..RunOptions::default()
    })
}
