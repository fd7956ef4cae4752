//! What follows from an inventory.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use matrix_bundle::container::dense;
use matrix_bundle::item::Make;
use matrix_bundle::layout::BundlePath;
use matrix_bundle::{BundleError, folder};
use matrix_plan::plan::Reason;
use matrix_plan::printable::one_line;
use matrix_plan::{Axes, CellKey, CellState, Platform, Shard, Tally};
use matrix_store::{
    AttemptId, AttemptStatus, Digest, JournalEntry, JournalState, JournalSummary, RunId, StoreError, parallel,
};

use super::Inventory;
use super::plans::Plans;

/// What follows for a cell.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CellFacts {
    pub(crate) axes: Axes,
    pub(crate) round: u32,
    pub(crate) platform: Platform,
    pub(crate) state: CellState,
}

/// What follows from an inventory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// The cells.
    pub(crate) cells: BTreeMap<CellKey, CellFacts>,
    /// How many of them stand in each state.
    pub(crate) tally: Tally,
    /// Names of the experiments.
    pub(crate) experiments: BTreeSet<String>,
    /// The files of each journal's run, by name: those that its first line names.
    pub(crate) runs: BTreeMap<(RunId, Digest), BTreeMap<String, Digest>>,
    /// Lines of journals.
    pub(crate) journal_lines: u64,
    /// Attempts whose end a journal reports and that are not in the inventory.
    pub(crate) missing_attempts: Vec<MissingAttempt>,
    /// Attempts that no journal names.
    pub(crate) unnamed_attempts: BTreeSet<AttemptId>,
    /// Cells that the plans have and that the bundle is not about: it is a selection, if there are any.
    pub(crate) left_out: u64,
    /// Shards of its experiments whose cells are not all among those that it is about.
    pub(crate) missing_shards: BTreeSet<(String, Shard)>,
    /// When the last attempt ended; the application's own epoch if there is none.
    pub(crate) date: String,
}

/// An attempt that is not in the inventory, the cell that a journal says it is of, and the journal.
#[derive(Clone, Debug)]
pub(crate) struct MissingAttempt {
    pub(crate) id: AttemptId,
    pub(crate) cell: CellKey,
    pub(crate) journal: (RunId, Digest),
}

/// What follows from an inventory, once somebody asked: it takes its time.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    facts: OnceLock<Arc<Facts>>,
    files: OnceLock<Arc<Files>>,
}

/// The SHA-256 and the bytes of the files of records and of attempts, in their order.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    pub(crate) records: Vec<(Digest, u64)>,
    pub(crate) attempts: Vec<(Digest, u64)>,
}

impl PartialEq for Known {
    /// It follows from the rest.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Facts {
    fn of(inventory: &Inventory) -> Result<Self, BundleError> {
        let mut facts = Self::default();
        let mut done: BTreeMap<CellKey, &matrix_traces::Record> = BTreeMap::new();
        for ((key, _), record) in &inventory.records {
            done.entry(*key).or_insert(record);
        }
        // Of the others something has to be found out: mostly there are few.
        let undone: HashSet<CellKey> = inventory.cells.iter().filter(|key| !done.contains_key(key)).copied().collect();
        let (plans, last) =
            parallel::beside(|| Plans::read(inventory, &undone), || facts.read_journals(inventory, &undone));
        let last = last?;
        let Plans { cells: plans, left_out, missing_shards, experiments } = plans?;
        facts.left_out = left_out.len() as u64;
        (facts.missing_shards, facts.experiments) = (missing_shards, experiments);
        drop(left_out);
        let mut attempts: BTreeMap<CellKey, (&str, AttemptStatus)> = BTreeMap::new();
        for attempt in inventory.attempts.values().filter(|attempt| undone.contains(&attempt.key)) {
            let newest = attempts.entry(attempt.key).or_insert(("", AttemptStatus::Done));
            if newest.0 <= attempt.ended.as_str() {
                *newest = (&attempt.ended, attempt.status);
            }
        }
        for key in &inventory.cells {
            let cell = match (done.get(key), plans.get(key)) {
                (Some(record), _) => CellFacts {
                    axes: record.inputs.axes.clone(),
                    round: record.inputs.round,
                    platform: record.platform,
                    state: CellState::Done,
                },
                (None, Some((planned, platform, reason))) => CellFacts {
                    axes: planned.0.clone(),
                    round: planned.1,
                    platform: *platform,
                    state: match (last.get(key), attempts.get(key), reason) {
                        (Some(JournalState::Failed), ..) => CellState::Failed,
                        (Some(JournalState::Partial | JournalState::Started), ..) => CellState::Partial,
                        (_, Some((_, AttemptStatus::Failed)), _) => CellState::Failed,
                        (_, Some((_, AttemptStatus::Partial)), _) => CellState::Partial,
                        (.., Reason::Filtered | Reason::OtherShard) => CellState::Skipped,
                        _ => CellState::Pending,
                    },
                },
                (None, None) => {
                    let what = format!("cell {} has neither a record nor a plan", key.short());
                    return Err(BundleError::contents(&BundlePath::Cells.to_string(), what));
                }
            };
            facts.tally.add(cell.state);
            facts.cells.insert(*key, cell);
        }
        facts.cells = dense(facts.cells);
        let ended = inventory.attempts.values().map(|attempt| attempt.ended.as_str()).max();
        facts.date =
            ended.and_then(|ended| ended.get(..10)).filter(|date| is_date(date)).unwrap_or("2021-10-01").to_owned();
        Ok(facts)
    }

    /// The journals, the newest run last: how the last attempt of each of these cells ended.
    fn read_journals(
        &mut self,
        inventory: &Inventory,
        undone: &HashSet<CellKey>,
    ) -> Result<BTreeMap<CellKey, JournalState>, BundleError> {
        let mut last = BTreeMap::new();
        // Whether a journal names each attempt.
        let mut named: HashMap<&AttemptId, bool> = inventory.attempts.keys().map(|id| (id, false)).collect();
        for (journal, text) in &inventory.journals {
            let place = BundlePath::Journal(journal.0.clone(), journal.1).to_string();
            let text = text.open().map_err(BundleError::io("unpacking a journal"))?;
            let summary = JournalSummary::read(place.as_ref(), text, |JournalEntry { event, .. }| {
                let Some((id, cell)) = event.attempt() else { return };
                if undone.contains(cell) {
                    last.extend(event.cell_state());
                }
                match named.get_mut(id) {
                    Some(named) => *named = true,
                    None if event.ended().is_some() => {
                        let (id, cell, journal) = (id.clone(), *cell, journal.clone());
                        self.missing_attempts.push(MissingAttempt { id, cell, journal });
                    }
                    None => {}
                }
            });
            let JournalSummary { files, lines, torn_bytes, .. } =
                summary.map_err(|error| BundleError::of_file(&place, error))?;
            self.journal_lines += lines;
            if torn_bytes > 0 {
                return Err(BundleError::contents(&place, "its last line is incomplete"));
            }
            for (name, digest) in &files {
                let there = match name.as_str() {
                    "experiment.toml" => inventory.experiments.contains_key(digest),
                    "plan.json" => inventory.plans.contains_key(digest),
                    "model.toml" => inventory.models.contains_key(digest),
                    _ => false,
                };
                if !there {
                    return Err(BundleError::contents(&place, format!("its {name} {} is missing", digest.short())));
                }
            }
            self.runs.insert(journal.clone(), files);
        }
        self.unnamed_attempts = named.into_iter().filter(|(_, named)| !named).map(|(id, _)| id.clone()).collect();
        Ok(last)
    }

    /// The folder of the bag.
    pub(crate) fn folder(&self) -> String {
        folder::folder_name(&self.experiments)
    }

    /// What a reader has to know first, where cells are missing or left out.
    pub(crate) fn notice(&self) -> Option<String> {
        let Tally { done, partial, failed, skipped, pending } = self.tally;
        let planned = self.tally.planned();
        let mut notice = String::new();
        if done < planned {
            notice += &format!(
                "> **Incomplete.** {done} of {planned} planned cells are done; {partial} partial, {failed} failed, {skipped} \
                 skipped, {pending} pending. `cells.csv` lists them.\n\n"
            );
        }
        if let Some(selection) = self.selection() {
            notice += &format!("> **A selection.** This bundle is about {selection}; the others were left out.\n\n");
        }
        if let Some(shards) = self.missing_shards() {
            notice += &format!("> **Missing shards:** {shards}. `matrix bundle merge` adds them.\n\n");
        }
        Some(notice).filter(|notice| !notice.is_empty())
    }

    /// The shards that are missing, as in a sentence; nothing if none is.
    pub(crate) fn missing_shards(&self) -> Option<String> {
        let names: Vec<String> = self
            .missing_shards
            .iter()
            .map(|(experiment, shard)| format!("{shard} of {}", one_line(experiment)))
            .collect();
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// Which part of its plans the bundle is about, if that is not all of them.
    pub(crate) fn selection(&self) -> Option<String> {
        let planned = self.tally.planned();
        (self.left_out > 0).then(|| format!("{planned} of the {} cells that its plans have", planned + self.left_out))
    }
}

/// Where each cell of an inventory stands.
#[derive(Clone, Debug)]
pub struct States(Arc<Facts>);

impl States {
    /// A cell's axes, its round, and where it stands.
    #[must_use]
    pub fn get(&self, key: &CellKey) -> Option<(&Axes, u32, CellState)> {
        self.0.cells.get(key).map(|cell| (&cell.axes, cell.round, cell.state))
    }
}

impl Inventory {
    /// What follows from it: read from journals and plans the first time.
    pub(crate) fn facts(&self) -> Result<Arc<Facts>, BundleError> {
        if let Some(facts) = self.known.facts.get() {
            return Ok(Arc::clone(facts));
        }
        let facts = Arc::new(Facts::of(self)?);
        Ok(Arc::clone(self.known.facts.get_or_init(|| facts)))
    }

    pub(crate) fn files(&self) -> Result<Arc<Files>, BundleError> {
        fn of<'f, T: Make + Sync + 'f>(files: impl Iterator<Item = &'f T>) -> Result<Vec<(Digest, u64)>, StoreError> {
            let made = |file: &T| file.make().map(|bytes| (Digest::of(&bytes), bytes.len() as u64));
            parallel::each(files.collect::<Vec<_>>(), made).into_iter().collect()
        }
        if let Some(files) = self.known.files.get() {
            return Ok(Arc::clone(files));
        }
        let files = Files { records: of(self.records.values())?, attempts: of(self.attempts.values())? };
        Ok(Arc::clone(self.known.files.get_or_init(|| Arc::new(files))))
    }

    /// Gets to know what a bundle's manifest says of records and attempts. Whoever makes a bundle can do it beside what is derived; it
    /// is done then if it was not.
    ///
    /// # Errors
    /// When one has no JSON.
    pub fn prepare(&self) -> Result<(), BundleError> {
        self.files().map(drop)
    }

    /// The cells, each with its axes, its round, and where it stands.
    ///
    /// # Errors
    /// When a journal or a plan cannot be read.
    pub fn states(&self) -> Result<States, BundleError> {
        self.facts().map(States)
    }

    /// How many cells the plans have that the bundle is not about. It is a selection, if there are any.
    ///
    /// # Errors
    /// When a journal or a plan cannot be read.
    pub fn left_out(&self) -> Result<u64, BundleError> {
        Ok(self.facts()?.left_out)
    }

    /// What stands before the README's own text in a bundle, where cells or shards are missing or left out.
    ///
    /// # Errors
    /// When a journal or a plan cannot be read.
    pub fn notice(&self) -> Result<Option<String>, BundleError> {
        Ok(self.facts()?.notice())
    }

    /// The shards whose cells are not all there, as in a sentence; nothing if none is missing.
    ///
    /// # Errors
    /// When a journal or a plan cannot be read.
    pub fn missing_shards(&self) -> Result<Option<String>, BundleError> {
        Ok(self.facts()?.missing_shards())
    }
}

fn is_date(text: &str) -> bool {
    let shape = |(at, byte): (usize, u8)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    text.len() == 10 && text.bytes().enumerate().all(shape)
}
