//! What a program's results show to those who judge badges.

use matrix_badge::{Progress, Results, Stand};
use matrix_command::results;
use matrix_core::judge::Verdict;
use matrix_report::environment;
use matrix_store::Store;

use crate::attempts;
use crate::chosen::{Chosen, Texts, newest};
use crate::error::DerivedError;

/// A verdict as the checklists of badges count it.
#[must_use]
pub fn stand(verdict: Verdict) -> Stand {
    match verdict.holds() {
        Some(true) => Stand::Holds,
        Some(false) => Stand::Contradicted,
        None if verdict == Verdict::Uncovered => Stand::Uncovered,
        None => Stand::Open,
    }
}

/// Adds what a store has of experiments of programs.
///
/// # Errors
/// When the store cannot be read, or what it holds is not what its records say.
pub fn add_to(found: &mut Results, store: &Store) -> Result<(), DerivedError> {
    for chosen in Chosen::of_runs(store, &newest(store, &Texts::new())?)? {
        let loaded = results::load(store, &chosen.experiment, &chosen.cells, None)?;
        let name = &chosen.experiment.name;
        found.experiments.push(Progress {
            name: name.clone(),
            planned: loaded.cells.len() as u64,
            done: loaded.done() as u64,
        });
        for finding in results::findings(&loaded) {
            found.claims.push((format!("{} of {name}", finding.claim.id), stand(finding.judged.verdict)));
        }
        let tried = attempts::of_cells(store, &chosen.cells)?;
        for cell in loaded.cells.iter().filter(|cell| cell.record.is_some()) {
            let of_cell = tried.get(&cell.cell.key).into_iter().flatten();
            let is_known = |attempt: &&matrix_store::GenericAttempt| {
                attempt.provenance.kernel.is_some() && attempt.provenance.cpu_model.is_some()
            };
            let known: Vec<_> = of_cell.filter(is_known).collect();
            found.unknown.0 += u64::from(known.is_empty());
            found.unknown.1 += 1;
            found.environments.extend(known.iter().map(|attempt| environment(&attempt.provenance)));
        }
    }
    Ok(())
}
