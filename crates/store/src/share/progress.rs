//! What the runners of a run are doing, as others see it.

use std::collections::BTreeSet;

use super::claims::{self, Pending};
use super::sign::{RunnerState, RunnerStatus};
use crate::error::StoreError;
use crate::journal::JournalState;
use crate::layout::{joined_journal, runner_of_journal};
use crate::listing::list;
use crate::names::RunId;
use crate::run::Run;
use crate::sealed::read_small;
use crate::store::Store;

/// What the runners of a run are doing.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// The runners that have a sign.
    pub runners: Vec<RunnerStatus>,
    /// Cells that runners execute which are alive.
    pub in_flight: usize,
    /// Cells that other runners began, and whose end nobody noted: they are executed again.
    pub abandoned: usize,
    /// Blocks that are claimed by runners which are not alive.
    pub silent: Vec<Pending>,
}

impl Store {
    /// What the runners of a run are doing. `is_alone`: somebody executes it who has the store alone.
    ///
    /// # Errors
    /// When signs, claims or journals cannot be read.
    pub fn progress_of(&self, run: &Run, is_alone: bool) -> Result<Progress, StoreError> {
        let runners = self.runners_of(run.id())?;
        if run.journal().is_finished {
            return Ok(Progress { runners, ..Progress::default() });
        }
        let is_alive =
            |name: &str| runners.iter().any(|runner| runner.name == name && runner.state == RunnerState::Alive);
        // Whoever has no journal of its own writes the run's.
        let has_own = |name: &str| run.directory().join(joined_journal(name)).exists();
        let is_main_written = is_alone || runners.iter().any(|runner| is_alive(&runner.name) && !has_own(&runner.name));
        let (mut in_flight, mut begun) = (BTreeSet::new(), BTreeSet::new());
        for journal in run.journals() {
            let is_executed = runner_of_journal(&journal.name).map_or(is_main_written, is_alive);
            let cells = if is_executed { &mut in_flight } else { &mut begun };
            cells.extend(journal.open.values().copied());
        }
        let undone = &run.journal().undone;
        begun.retain(|key| !in_flight.contains(key) && undone.get(key) == Some(&JournalState::Started));
        let silent = self.claimed(run.id())?.into_iter().filter(|claim| !is_alive(&claim.runner)).collect();
        Ok(Progress { in_flight: in_flight.len(), abandoned: begun.len(), silent, runners })
    }

    /// The blocks of a run that are claimed and have not ended.
    fn claimed(&self, run: &RunId) -> Result<Vec<Pending>, StoreError> {
        let folder = self.layout.claims_of(run);
        let mut claimed = Vec::new();
        for item in list(&folder)? {
            let Some(block) = item.folder().and_then(|name| name.parse::<u32>().ok()) else { continue };
            let claims = folder.join(&item.name);
            let names = list(&claims)?.into_iter().filter_map(|item| item.name.into_string().ok());
            if let Some(epoch) = claims::held(&claims::ends_of(names)) {
                let runner = read_small(&claims.join(epoch.to_string()))?.and_then(|bytes| claims::holder_of(&bytes));
                claimed.extend(runner.map(|runner| Pending { block, runner }));
            }
        }
        claimed.sort_unstable_by_key(|claim| claim.block);
        Ok(claimed)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::path::Path;
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    use matrix_core::CellKey;

    use super::*;
    use crate::fs::RealFilesystem;
    use crate::{AttemptId, Digest, Division, Event, Journal, NewRun, Share, WritableStore};

    fn key(cell: u8) -> CellKey {
        format!("{cell:02x}").repeat(32).parse().unwrap()
    }

    /// A runner that has claimed a cell and begun to execute it.
    struct Working {
        store: WritableStore,
        run: Run,
        journal: Journal,
        _division: Division,
    }

    fn begin(root: &Path) -> Working {
        let store = WritableStore::join_with(root, "test", Arc::new(RealFilesystem), None).unwrap();
        let new = NewRun { time: "20261122T130000Z", name: "test", experiment: b"", model: None, plan: b"{}" };
        let (run, journal, _) = store.join_run(&Digest::of(b"test"), &new, &[], &|_| Ok(true)).unwrap();
        let cells: Vec<(CellKey, u32)> = (0..3u8).map(|cell| (key(cell), u32::from(cell))).collect();
        let division = store.division(&run, &cells, BTreeSet::new()).unwrap().unwrap();
        let Share::Cells(places) = division.next_share(&store).unwrap() else { panic!("nothing is left") };
        let cell = cells[places[0]].0;
        journal.append(&Event::Started { attempt: attempt(cell), cell }).unwrap();
        Working { store, run, journal, _division: division }
    }

    fn attempt(cell: CellKey) -> AttemptId {
        format!("20261122T130000Z-{}-1", cell.short()).parse().unwrap()
    }

    #[test]
    fn what_runners_do_is_in_flight_and_what_dead_and_silent_ones_began_is_abandoned() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (begin(folder.path()), begin(folder.path()));
        let store = Store::open(folder.path()).unwrap();
        let seen = || {
            let progress = store.progress_of(&store.run(first.run.id().as_str()).unwrap(), false).unwrap();
            let silent: Vec<u32> = progress.silent.iter().map(|claim| claim.block).collect();
            (progress.in_flight, progress.abandoned, silent)
        };
        assert_eq!(seen(), (2, 0, vec![]));
        // The same sign without its lock is that of a process that was killed.
        let sign = |of: &Working| store.layout.runners().join(format!("{}.json", of.store.shared.runner_id()));
        let bytes = std::fs::read(sign(&first)).unwrap();
        std::fs::remove_file(sign(&first)).unwrap();
        std::fs::write(sign(&first), bytes).unwrap();
        assert_eq!(seen(), (1, 1, vec![0]));
        // One that was stopped has its lock.
        let old = SystemTime::now() - Duration::from_secs(3600);
        File::open(sign(&second)).unwrap().set_modified(old).unwrap();
        assert_eq!(seen(), (0, 2, vec![0, 1]));
        // What is done is no longer begun, whoever did it.
        second.journal.append(&Event::Done { attempt: attempt(key(0)), cell: key(0) }).unwrap();
        assert_eq!(seen(), (0, 1, vec![0, 1]));
    }
}
