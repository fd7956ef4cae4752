//! Experiments that were divided into shards: which cells a store is about, and which shards are missing.

use std::collections::{BTreeMap, BTreeSet};

use matrix_command::Experiment;
use matrix_command::run::{PlanDocument, PlannedCell};
use matrix_core::printable::one_line;
use matrix_core::read::Reading;
use matrix_core::{CellKey, CellState, Reason, Shard};
use matrix_store::{Digest, Run, RunId, Store};

use crate::error::DerivedError;

/// A cell by its axes and round, in the runs of experiments that mean the same. The key of what another machine prepares is
/// not known where it was not prepared.
type AxesAndRound = (Digest, String, u32);

fn place(meaning: Digest, cell: &PlannedCell) -> AxesAndRound {
    let (axes, round) = cell.place();
    (meaning, axes, round)
}

/// What runs planned of experiments that were divided.
#[derive(Debug, Default)]
pub struct Shards {
    /// The cells of the runs' own shards, by where they stand.
    own: BTreeMap<AxesAndRound, CellKey>,
    keys: BTreeSet<CellKey>,
    /// Shards of which a cell is nobody's.
    missing: BTreeSet<(String, Shard)>,
    /// How many cells are nobody's.
    nobodys: u64,
    divided: bool,
}

impl Shards {
    /// What these runs planned.
    pub fn of(store: &Store, runs: &[RunId]) -> Result<Self, DerivedError> {
        let mut plans = Vec::new();
        for id in runs {
            let run = store.run(id.as_str())?;
            plans.extend(
                PlanDocument::of_run(&run)?.map(|plan| Ok::<_, DerivedError>((meaning_of(&run)?, plan))).transpose()?,
            );
        }
        let mut this = Self { divided: plans.iter().any(|(_, plan)| plan.shard.is_some()), ..Self::default() };
        for (meaning, plan) in &plans {
            // What another shard has is not this run's, unless it is done here all the same.
            let is_own = |cell: &&PlannedCell| cell.reason != Reason::OtherShard || cell.state == CellState::Done;
            for cell in plan.cells.iter().filter(is_own) {
                this.own.insert(place(*meaning, cell), cell.key);
                this.keys.insert(cell.key);
            }
        }
        // The newest run that planned a cell says what is missing of it: an earlier version of the experiment need not be whole.
        let mut seen = BTreeSet::new();
        for (meaning, plan) in plans.iter().rev() {
            for cell in &plan.cells {
                if seen.insert((&plan.experiment, cell.place()))
                    && let Some(shard) = cell.shard.zip(plan.shard).and_then(|(n, shard)| Shard::new(n, shard.of()))
                    && !this.keys.contains(&cell.key)
                    && !this.own.contains_key(&place(*meaning, cell))
                {
                    this.missing.insert((plan.experiment.clone(), shard));
                    this.nobodys += 1;
                }
            }
        }
        Ok(this)
    }

    /// The cells that the runs are about, if some of what they planned is other shards'.
    pub fn only(&self) -> Option<&BTreeSet<CellKey>> {
        self.divided.then_some(&self.keys)
    }

    /// How many cells are missing shards'.
    pub fn left_out(&self) -> u64 {
        self.nobodys
    }

    /// The shards that are missing, as in a sentence; nothing if none is.
    pub fn missing(&self) -> Option<String> {
        let names: Vec<String> =
            self.missing.iter().map(|(experiment, shard)| format!("{shard} of {}", one_line(experiment))).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// Gives the cells of other shards in a run's plan the keys that those planned them with.
    pub fn complete(store: &Store, run: &Run, plan: &mut PlanDocument) -> Result<(), DerivedError> {
        if plan.shard.is_none() {
            return Ok(());
        }
        let all = Self::of(store, &store.all_runs()?)?;
        let meaning = meaning_of(run)?;
        for cell in plan.cells.iter_mut().filter(|cell| cell.reason == Reason::OtherShard) {
            if let Some(key) = all.own.get(&place(meaning, cell)) {
                cell.key = *key;
            }
        }
        Ok(())
    }
}

/// What tells a run's experiment from those whose cells mean something else: neither comments nor claims do. The text itself,
/// where this version cannot read it.
fn meaning_of(run: &Run) -> Result<Digest, DerivedError> {
    let text = run.experiment_text()?;
    let Ok(experiment) = Experiment::read(&text, Reading::Saved) else { return Ok(Digest::of(text.as_bytes())) };
    let Experiment { name, seed, command, prepares, args, .. } = &experiment;
    Ok(Digest::of(format!("{:?}", (name, seed, command, prepares, args)).as_bytes()))
}
