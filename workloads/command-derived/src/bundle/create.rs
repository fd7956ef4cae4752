//! A bundle of what a store holds, or of a selection.

use std::collections::BTreeSet;
use std::path::Path;

use matrix_bundle::temporary::Folder;
use matrix_bundle::{Binary, BundleReader, Extras, GenericOptions, Limits, Tree};
use matrix_command::run::PlanDocument;
use matrix_core::CellKey;
use matrix_store::{Origin, RunId, Store};

use super::{Made, extras};
use crate::chosen::{Chosen, Texts, newest, runs_of};
use crate::error::DerivedError;
use crate::plans::must_follow;
use crate::shards::Shards;

/// Which results of a store are meant.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'a> {
    /// Only the experiment of this run.
    pub run: Option<&'a str>,
    /// Only these experiments, and of each, if a run saved this text of it, the results up to the newest such run; all without any.
    pub experiments: &'a Texts,
    /// Only the cells that this filter chooses.
    pub filter: Option<&'a str>,
}

/// How a bundle is made, and what is put beside the results.
#[derive(Clone, Debug, Default)]
pub struct CreateOptions {
    /// Under which origin to publish what was measured here; `local` stays if there is none.
    pub origin: Option<Origin>,
    /// Whether cells that were planned may be missing.
    pub allow_incomplete: bool,
    /// Who measured, if the bundle is to say so.
    pub identify: Option<String>,
    /// The runner's own source; empty if it is not to be in the bundle.
    pub source: Tree,
    /// A program to put in.
    pub binary: Option<Binary>,
}

/// Results that go into a bundle.
#[derive(Debug)]
pub struct Contents<'s> {
    store: &'s Store,
    experiments: Vec<Chosen>,
    runs: Vec<RunId>,
    /// Only these cells; all that the runs planned without it.
    only: Option<BTreeSet<CellKey>>,
    left_out: u64,
    missing_shards: Option<String>,
}

impl<'s> Contents<'s> {
    /// The results that are meant; none if the store has no such run of a program.
    ///
    /// # Errors
    /// When there are experiments of both schemas and none is named, the filter has a mistake or chooses nothing, or the store
    /// cannot be read.
    pub fn of(store: &'s Store, selection: &Selection<'_>) -> Result<Option<Self>, DerivedError> {
        let mut newest = newest(store, selection.experiments)?;
        if let Some(name) = selection.run {
            let run = store.run_documents(name)?;
            newest = if PlanDocument::of_run(&run)?.is_some() { vec![run.id().clone()] } else { Vec::new() };
        }
        if newest.is_empty() {
            return Ok(None);
        }
        if !selection.experiments.is_empty() {
            let mut named = Vec::new();
            for id in newest {
                let plan = PlanDocument::of_run(&store.run_documents(id.as_str())?)?;
                named.extend(plan.filter(|plan| selection.experiments.contains_key(&plan.experiment)).map(|_| id));
            }
            newest = named;
        } else if selection.run.is_none() && !store.runs()?.is_empty() {
            return Err(DerivedError::TwoSchemasInOneBundle);
        }
        let experiments = Chosen::of_runs(store, &newest)?;
        let runs = runs_of(store, &experiments)?;
        let shards = Shards::of(store, &runs)?;
        let (mut only, mut left_out) = (shards.only().cloned(), shards.left_out());
        if let Some(filter) = selection.filter {
            let (mut filtered, all) = filtered(store, &runs, &experiments, filter)?;
            filtered.retain(|key| only.as_ref().is_none_or(|only| only.contains(key)));
            left_out = all - filtered.len() as u64;
            only = Some(filtered);
        }
        Ok(Some(Self { store, experiments, runs, only, left_out, missing_shards: shards.missing() }))
    }

    /// Makes a bundle of them at `out`, whole or not at all.
    ///
    /// # Errors
    /// When cells are missing and that was not allowed, the store is damaged, a figure cannot be drawn, or the file cannot be
    /// written.
    pub fn create(self, options: CreateOptions, out: &Path) -> Result<Made, DerivedError> {
        let CreateOptions { origin, allow_incomplete, identify, source, binary } = options;
        let Self { store, experiments, runs, only, left_out, missing_shards } = self;
        must_follow(store, &runs)?;
        let digest = binary.as_ref().map(Binary::sha256);
        let besides = |extras: Extras| Extras { source, binary, ..extras };
        let selection = GenericOptions { origin, allow_incomplete, identify, only };
        let made = |info| Made { info, left_out, missing_shards };
        let is_all = runs.len() == store.all_runs()?.len();
        if is_all && selection.origin.is_none() && selection.only.is_none() {
            let extras = besides(extras(store, &experiments, digest)?);
            return Ok(made(matrix_bundle::create_generic(store, &runs, &extras, &selection, out)?));
        }
        // What a bundle says follows from what is in it: a selection, or results under another name, are derived from a store
        // that has just these.
        let folder = Folder::new()?;
        let first = folder.path().join("selected.tar.zst");
        matrix_bundle::create_generic(store, &runs, &Extras::default(), &selection, &first)?;
        let selected = folder.path().join("store");
        matrix_bundle::restore_generic(BundleReader::open(&first, Limits::default())?, &selected)?;
        let selected = Store::open(&selected)?;
        let chosen = Chosen::of_runs(&selected, &newest(&selected, &Texts::new())?)?;
        let extras = besides(extras(&selected, &chosen, digest)?);
        // The names are given, and the selection is made, but what its plans have besides is still not in it.
        let again = GenericOptions { origin: None, ..selection };
        Ok(made(matrix_bundle::create_generic(&selected, &runs, &extras, &again, out)?))
    }
}

/// The cells that a filter chooses, of those that the runs planned; and how many there are.
fn filtered(
    store: &Store,
    runs: &[RunId],
    experiments: &[Chosen],
    filter: &str,
) -> Result<(BTreeSet<CellKey>, u64), DerivedError> {
    let (mut only, mut all) = (BTreeSet::new(), BTreeSet::new());
    for id in runs {
        let Some(chosen) = Chosen::of_run(store, &store.run(id.as_str())?)? else { continue };
        all.extend(chosen.cells.iter().map(|cell| cell.key));
        // Another version of the experiment may lack the axis: then it has none of these cells.
        let Ok(filter) = chosen.experiment.filter(filter) else { continue };
        let cells = chosen.cells.iter().filter(|cell| matrix_command::run::matches(&filter, cell));
        only.extend(cells.map(|cell| cell.key));
    }
    for chosen in experiments {
        let wrong = |problem| DerivedError::Filter { text: filter.to_owned(), problem };
        chosen.experiment.filter(filter).map_err(wrong)?;
    }
    if only.is_empty() {
        return Err(DerivedError::NothingMatches { cells: all.len() });
    }
    Ok((only, all.len() as u64))
}
