//! A session: a run begun or taken up again, up to what its journal says at the end.

use std::collections::BTreeSet;

use matrix_core::{CellKey, Reason};
use matrix_store::{Digest, Division, Event, Journal, NewRun, Pending, Run, StoreError, WritableStore};

use crate::execute::{Options, Work, Workers};

/// Most claims that runners divide a run by: a claim takes longer than a small cell.
const MOST_CLAIMS: u32 = 512;

/// A run, and the store that it writes.
#[derive(Debug)]
pub struct Session {
    store: WritableStore,
    run: Run,
    journal: Journal,
    beginning: Beginning,
}

/// How a session began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beginning {
    /// Its run was made.
    Made,
    /// Its run was there, made for the same.
    Joined,
    /// Its run was taken up by its name.
    Resumed,
}

/// The results of a session.
#[derive(Debug, Default)]
pub struct Report {
    /// Cells that have a result now, executed here.
    pub done: usize,
    /// Cells that broke, here or elsewhere.
    pub failed: usize,
    /// Cells that ended early here.
    pub partial: usize,
    /// Cells that have no result and did not fail.
    pub left: usize,
    /// Cells that other runners executed meanwhile.
    pub others: usize,
    /// What others have claimed, where nobody waits for them.
    pub pending: Vec<Pending>,
    /// What made the whole run stop, or kept its end from being written, if the store could not be read or written.
    pub broken: Option<StoreError>,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// Every cell has a result.
    Complete,
    /// Every cell was executed, and some failed.
    Failed,
    /// What is left is being executed by other runners.
    Pending,
    /// It was asked to stop before every cell was executed; what was done is saved.
    Interrupted,
}

impl Report {
    /// How the session ended, if the store could be written.
    #[must_use]
    pub fn end(&self) -> SessionEnd {
        match (self.left, self.failed) {
            (1.., _) if !self.pending.is_empty() => SessionEnd::Pending,
            (1.., _) => SessionEnd::Interrupted,
            (0, 0) => SessionEnd::Complete,
            (0, _) => SessionEnd::Failed,
        }
    }
}

impl Session {
    /// Begins a run that executes cells for these reasons. Where others may run cells at the same time, one that they execute is joined if it
    /// has the same `meaning`, the digest of what runners of one run have in common, and `fits`; and so is one that makes results anew and was
    /// not brought to its end.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn begin(
        store: WritableStore,
        new: &NewRun<'_>,
        meaning: &Digest,
        planned: impl Iterator<Item = (CellKey, Reason)>,
        fits: &dyn Fn(&Run) -> Result<bool, StoreError>,
    ) -> Result<Self, StoreError> {
        let (run, journal, is_new) = if store.is_joined() {
            store.join_run(meaning, new, &planned.collect::<Vec<_>>(), fits)?
        } else {
            let (run, journal) = store.create_run(new)?;
            (run, journal, true)
        };
        let beginning = if is_new { Beginning::Made } else { Beginning::Joined };
        Ok(Self { store, run, journal, beginning })
    }

    /// Takes up a run where it was left. `meaning` is what it was [begun](Self::begin) with.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn resume(store: WritableStore, run: Run, meaning: &Digest) -> Result<Self, StoreError> {
        let (run, journal) = if store.is_joined() {
            store.enter_run(run, meaning)?
        } else {
            let journal = store.journal(&run);
            (run, journal)
        };
        journal.append(&Event::Resumed)?;
        Ok(Self { store, run, journal, beginning: Beginning::Resumed })
    }

    /// Whether the run was made here.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.beginning == Beginning::Made
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &WritableStore {
        &self.store
    }

    /// The run.
    #[must_use]
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// The run's journal.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Executes cells to the end, or until a stop is asked for, and writes in the journal how that ended. `blocks` is how many blocks the
    /// whole experiment has: every runner divides them in the same way, whatever it has left. Cells that are left besides and that nobody can
    /// execute here are `left_out`: their blocks.
    ///
    /// # Errors
    /// When the store cannot be read before anything was executed; what happens later is in the report.
    pub fn execute<W: Work>(
        self,
        work: &W,
        cells: &[W::Cell],
        blocks: u32,
        left_out: &[u32],
        options: Options<'_>,
    ) -> Result<Report, StoreError> {
        let at_once = blocks.div_ceil(MOST_CLAIMS).max(1);
        let batch = |cell| {
            let (key, block) = work.key_and_block(cell);
            (key, block / at_once)
        };
        // Of the cells that others may execute as well.
        let batches: Vec<(CellKey, u32)> =
            if self.store.is_joined() { cells.iter().map(batch).collect() } else { Vec::new() };
        let incomplete: BTreeSet<u32> = left_out.iter().map(|block| block / at_once).collect();
        let division = self.store.division(&self.run, &batches, incomplete)?;
        let mut report = Workers::new(&self, work, cells, division.as_ref(), options).execute();
        report.left = cells.len().saturating_sub(report.done + report.failed);
        // What was done is reported whatever fails now.
        if let Err(error) = self.end(division, &batches, left_out.len(), options.cancel.is_by_hand(), &mut report) {
            report.broken.get_or_insert(error);
        }
        Ok(report)
    }

    /// Ends a run that has nothing to execute, and says so in the journal.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn finish(self) -> Result<(), StoreError> {
        let division = self.store.division(&self.run, &[], BTreeSet::new())?;
        self.end(division, &[], 0, false, &mut Report::default())
    }

    /// Gives back what was claimed, counts what other runners did, and writes in the journal how it ended.
    fn end(
        self,
        division: Option<Division>,
        batches: &[(CellKey, u32)],
        left_out: usize,
        is_by_hand: bool,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        if let Some(division) = &division {
            division.release()?;
        }
        if report.broken.is_some() {
            return self.store.close();
        }
        if division.is_some() {
            let here = report.left + report.failed;
            let keys: Vec<CellKey> = batches.iter().map(|(key, _)| *key).collect();
            (report.left, report.failed) = self.store.left_and_failed(&self.run, &keys)?;
            report.others = here.saturating_sub(report.left + report.failed);
        }
        if self.beginning == Beginning::Resumed {
            report.left += left_out;
        }
        let is_finished = report.end() == SessionEnd::Complete && (left_out == 0 || self.is_last(division.as_ref())?);
        match report.end() {
            SessionEnd::Complete if is_finished => self.journal.append(&Event::Finished)?,
            SessionEnd::Interrupted => self.journal.append(&Event::Interrupted)?,
            SessionEnd::Complete | SessionEnd::Failed | SessionEnd::Pending => {}
        }
        drop(self.journal);
        // What a person stops by hand is not gone on with by the command that makes results anew.
        if let Some(division) = division.filter(|_| is_finished || is_by_hand) {
            division.remove()?;
        }
        self.store.close()
    }

    /// Whether nobody has more to execute of the run than this runner, of whose cells some are left out: it made the run, and nobody who has joined
    /// it is still at work.
    fn is_last(&self, division: Option<&Division>) -> Result<bool, StoreError> {
        Ok(self.is_new() && !division.map_or(Ok(false), Division::has_others)?)
    }
}
