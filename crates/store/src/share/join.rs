//! Joining a run, and leaving it.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use matrix_core::{CellKey, Reason};
use serde::{Deserialize, Serialize};

use super::board::{Board, Sign};
use crate::digest::Digest;
use crate::error::StoreError;
use crate::journal::Journal;
use crate::listing::list;
use crate::names::RunId;
use crate::run::{NewRun, Run};
use crate::sealed::read_small;
use crate::shared::Shared;
use crate::writable::WritableStore;

/// The runners of a run, in the folder of its claims.
const RUNNERS: &str = "runners";

/// What runners of a run have in common, in the folder of its claims.
const MEANING: &str = "meaning";

/// How long a runner waits before it looks again for a run that another one is about to make.
const LOOK: Duration = Duration::from_millis(20);

/// What the first of several runners says of the run that it makes.
#[derive(Serialize, Deserialize)]
struct Pointer {
    run: RunId,
    runner: String,
}

/// The file that says which run the runners of a meaning execute, the first or a later one.
fn pointer(shared: &Shared, meaning: &Digest, number: u32) -> PathBuf {
    shared.layout.claims().join(format!("{}.{number}", meaning.short()))
}

/// The files that say of a run that it is the one which runners of its meaning execute.
fn pointers_to(claims: &Path, run: &RunId) -> Result<Vec<PathBuf>, StoreError> {
    let mut found = Vec::new();
    for item in list(claims)?.into_iter().filter(|item| !item.is_folder) {
        let path = claims.join(item.name);
        let pointer = read_small(&path)?.and_then(|bytes| serde_json::from_slice::<Pointer>(&bytes).ok());
        found.extend(pointer.filter(|pointer| pointer.run == *run).map(|_| path));
    }
    Ok(found)
}

/// Whether one of these runners, other than this one, may be at work.
fn is_anybody_there(shared: &Shared, runners: impl IntoIterator<Item = String>) -> Result<bool, StoreError> {
    let me = shared.runner_id();
    for runner in runners.into_iter().filter(|runner| *runner != me) {
        if matches!(shared.sign(&runner)?, Sign::Seen { .. }) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether another runner that may be at work executes a run.
pub(super) fn has_others(shared: &Shared, run: &RunId) -> Result<bool, StoreError> {
    is_anybody_there(shared, shared.list(&shared.layout.claims_of(run).join(RUNNERS))?)
}

/// Removes the claims of a run, and what leads others to it, unless others execute it.
pub(super) fn forget(shared: &Shared, run: &RunId) -> Result<(), StoreError> {
    let folder = shared.layout.claims_of(run);
    // Of those that end at the same time, the last one to leave finds nobody.
    shared.remove(&folder.join(RUNNERS).join(shared.runner_id()))?;
    if has_others(shared, run)? {
        return Ok(());
    }
    for path in pointers_to(&shared.layout.claims(), run)? {
        // Another runner may be removing the same; what stays goes with `matrix gc`.
        let _ = shared.remove(&path);
    }
    let _ = shared.remove(&folder);
    Ok(())
}

impl WritableStore {
    /// Joins the run of this meaning that other runners execute just now, or makes one. `meaning` is the digest of what runners of one run
    /// have in common, and `fits` says of a run whether it has the rest. What is `planned` may replace results: with what generation is fixed
    /// when the run is made, for whoever joins it, and one that was not brought to its end is gone on with. Whether the run was made here.
    ///
    /// # Errors
    /// When runners may not share the store, or it cannot be read or written.
    pub fn join_run(
        &self,
        meaning: &Digest,
        new: &NewRun<'_>,
        planned: &[(CellKey, Reason)],
        fits: &dyn Fn(&Run) -> Result<bool, StoreError>,
    ) -> Result<(Run, Journal, bool), StoreError> {
        let shared = self.shared.as_ref();
        shared.begin()?;
        if self.has_company()? {
            self.must_be_shareable()?;
        }
        for number in 0u32.. {
            let pointer = pointer(shared, meaning, number);
            let mut seen: Option<(u128, Instant)> = None;
            loop {
                let found = shared.read(&pointer)?;
                let Some(found) = found.map(|bytes| serde_json::from_slice::<Pointer>(&bytes).ok()) else {
                    if let Some((run, journal)) = self.make(&pointer, meaning, new, planned)? {
                        self.replace_in(&run)?;
                        return Ok((run, journal, true));
                    }
                    // Where directories are cached, what another one made may not be seen at once.
                    std::thread::sleep(LOOK);
                    continue;
                };
                // A power cut took what was in it.
                let Some(Pointer { run, runner }) = found else { break };
                if shared.layout.run(&run).exists() {
                    let run = self.run(run.as_str())?;
                    if self.goes_on(&run, meaning, planned)? && fits(&run)? {
                        let (run, journal) = self.enter_run(run, meaning)?;
                        return Ok((run, journal, false));
                    }
                    break;
                }
                let Sign::Seen { stamp, expires_after, .. } = shared.sign(&runner)? else { break };
                let since = seen.filter(|(before, _)| *before == stamp).map_or_else(Instant::now, |(_, since)| since);
                if since.elapsed() > expires_after {
                    break;
                }
                seen = Some((stamp, since));
                std::thread::sleep(LOOK);
            }
        }
        Err(StoreError::BadName { what: "a run", name: meaning.to_string() })
    }

    /// Makes a run, unless another runner is about to.
    fn make(
        &self,
        pointer: &Path,
        meaning: &Digest,
        new: &NewRun<'_>,
        planned: &[(CellKey, Reason)],
    ) -> Result<Option<(Run, Journal)>, StoreError> {
        let shared = self.shared.as_ref();
        let id = loop {
            let id = self.free_id(new)?;
            // Whoever makes this file has the name.
            if shared.create(&shared.layout.claims_of(&id).join(MEANING), meaning.to_string().as_bytes())? {
                break id;
            }
        };
        self.enter(&id)?;
        let text = serde_json::to_vec(&Pointer { run: id.clone(), runner: shared.runner_id() })?;
        if !shared.create(pointer, &text)? {
            shared.remove(&shared.layout.claims_of(&id))?;
            return Ok(None);
        }
        let replaced = planned.iter().filter(|(_, reason)| *reason == Reason::Fresh).map(|(key, _)| *key);
        let generation = match replaced.collect::<Vec<_>>().as_slice() {
            [] => None,
            replaced => {
                self.keep_generations()?;
                Some(self.generation_after(replaced)?)
            }
        };
        self.create_run_as(id, new, generation).map(Some)
    }

    /// Lets what is written from now on replace what the run replaces.
    fn replace_in(&self, run: &Run) -> Result<(), StoreError> {
        self.look_for_generations()?;
        self.shared.least.store(run.generation().unwrap_or_default(), Ordering::Relaxed);
        Ok(())
    }

    /// Takes up a run that exists, with the digest of all that its runners have in common, by which others find it. Where never more than
    /// one runner at a time was at work in the store, this one goes on with the run's journal; else it has a journal of its own.
    ///
    /// # Errors
    /// When runners may not share the store, or it cannot be read or written.
    pub fn enter_run(&self, run: Run, meaning: &Digest) -> Result<(Run, Journal), StoreError> {
        let shared = self.shared.as_ref();
        shared.begin()?;
        self.enter(run.id())?;
        self.replace_in(&run)?;
        if shared.create(&shared.layout.claims_of(run.id()).join(MEANING), meaning.to_string().as_bytes())? {
            let text = serde_json::to_vec(&Pointer { run: run.id().clone(), runner: shared.runner_id() })?;
            for number in 0u32.. {
                if shared.create(&pointer(shared, meaning, number), &text)? {
                    break;
                }
            }
        }
        // Of two that come at the same time, each has given its sign by now, so one of them sees the other at least.
        if self.has_company()? {
            self.must_be_shareable()?;
        } else if !self.has_generations() {
            // Whoever wrote the journal before may have done so since it was read.
            let run = self.run(run.id().as_str())?;
            let journal = self.journal(&run);
            return Ok((run, journal));
        }
        let journal = self.own_journal(&run)?;
        Ok((run, journal))
    }

    /// Whether another runner may be at work in the store.
    fn has_company(&self) -> Result<bool, StoreError> {
        let signs = self.shared.list(&self.shared.layout.runners())?;
        let runners = signs.iter().filter_map(|name| name.strip_suffix(".json").map(str::to_owned));
        is_anybody_there(self.shared.as_ref(), runners)
    }

    /// Says that this runner executes the run.
    fn enter(&self, run: &RunId) -> Result<(), StoreError> {
        let path = self.shared.layout.claims_of(run).join(RUNNERS).join(self.shared.runner_id());
        self.shared.create(&path, b"").map(drop)
    }

    /// Whether a run of this meaning is to be joined: others execute it; or it makes results anew, and nobody tried all of what is planned.
    fn goes_on(&self, run: &Run, meaning: &Digest, planned: &[(CellKey, Reason)]) -> Result<bool, StoreError> {
        let shared = self.shared.as_ref();
        let of_run = shared.read(&shared.layout.claims_of(run.id()).join(MEANING))?;
        if run.journal().is_finished || of_run != Some(meaning.to_string().into_bytes()) {
            return Ok(false);
        }
        if has_others(shared, run.id())? {
            return Ok(true);
        }
        if !planned.iter().any(|(_, reason)| *reason == Reason::Fresh) {
            return Ok(false);
        }
        let keys: Vec<CellKey> = planned.iter().filter(|(_, reason)| reason.runs()).map(|(key, _)| *key).collect();
        let (left, _) = self.left_and_failed(run, &keys)?;
        Ok(left > 0)
    }

    /// Whether other processes may write the store at the same time.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        self.shared.runner.is_some()
    }
}

#[cfg(test)]
mod tests;
