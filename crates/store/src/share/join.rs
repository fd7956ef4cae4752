//! Joining a run, and the claims on its blocks.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use matrix_core::CellKey;
use serde::{Deserialize, Serialize};

use super::board::{Board, Sign};
use super::claims::{End, Pending, Protocol, Turn};
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

/// How long a runner waits before it looks again for a run that another one is about to make.
const LOOK: Duration = Duration::from_millis(20);

/// What the first of several runners says of the run that it makes.
#[derive(Serialize, Deserialize)]
struct Pointer {
    run: RunId,
    runner: String,
}

/// The claims of a runner on the blocks of a run; threads may share them.
#[derive(Debug)]
pub(crate) struct Claims {
    shared: Arc<Shared>,
    run: RunId,
    protocol: Mutex<Protocol>,
}

/// What a runner does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NextBlock {
    /// Execute this block.
    Take(u32),
    /// Look again later: what is left is claimed, by others or by this runner.
    Wait(Vec<Pending>),
    /// Every block has ended.
    Over,
}

impl Claims {
    /// Claims the next block.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub(crate) fn next_block(&self) -> Result<NextBlock, StoreError> {
        Ok(match self.protocol().next(self.shared.as_ref())? {
            Turn::Take(block) => NextBlock::Take(block),
            Turn::Wait(pending) => NextBlock::Wait(pending),
            Turn::Over => NextBlock::Over,
        })
    }

    /// Says that every cell of a block has ended, and whether one failed. What is done is in the store by then.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub(crate) fn end(&self, block: u32, failed: bool) -> Result<(), StoreError> {
        self.protocol().end(self.shared.as_ref(), block, if failed { End::Failed } else { End::Done })
    }

    /// Gives back the blocks that this runner did not finish.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub(crate) fn release(&self) -> Result<(), StoreError> {
        self.protocol().release(self.shared.as_ref())
    }

    /// Removes the claims of a run in which nothing is left to do, unless others still look at them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) fn remove(self) -> Result<(), StoreError> {
        let shared = self.shared.as_ref();
        let folder = shared.layout.claims_of(&self.run);
        // Of those that end at the same time, the last one to leave finds nobody.
        shared.remove(&folder.join(RUNNERS).join(shared.runner_id()))?;
        if is_anybody_there(shared, &folder)? {
            return Ok(());
        }
        for (path, _) in pointers_to(&shared.layout.claims(), &self.run)? {
            // Another runner may be removing the same; what stays goes with `matrix gc`.
            let _ = shared.remove(&path);
        }
        let _ = shared.remove(&folder);
        Ok(())
    }

    fn protocol(&self) -> std::sync::MutexGuard<'_, Protocol> {
        self.protocol.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The files that say of a run that it is the one which runners of its meaning execute, each with the runner that made the run.
pub(super) fn pointers_to(claims: &Path, run: &RunId) -> Result<Vec<(PathBuf, String)>, StoreError> {
    let mut found = Vec::new();
    for item in list(claims)?.into_iter().filter(|item| !item.is_folder) {
        let path = claims.join(item.name);
        let pointer = read_small(&path)?.and_then(|bytes| serde_json::from_slice::<Pointer>(&bytes).ok());
        found.extend(pointer.filter(|pointer| pointer.run == *run).map(|pointer| (path, pointer.runner)));
    }
    Ok(found)
}

/// Whether a runner has a sign that executes the run of these claims.
fn is_anybody_there(shared: &Shared, claims: &Path) -> Result<bool, StoreError> {
    for runner in shared.list(&claims.join(RUNNERS))? {
        if matches!(shared.sign(&runner)?, Sign::Seen { .. }) {
            return Ok(true);
        }
    }
    Ok(false)
}

impl WritableStore {
    /// Joins the run of this meaning that other runners execute just now, or makes one. `meaning` is the digest of all that runners of one
    /// run have in common. A run that is made here replaces the results of the cells `replaced`, if there are any: with what generation is
    /// fixed then, for whoever joins it. Whether the run was made here.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn join_run(
        &self,
        meaning: &Digest,
        new: &NewRun<'_>,
        replaced: &[CellKey],
    ) -> Result<(Run, Journal, bool), StoreError> {
        let shared = self.shared.as_ref();
        shared.begin()?;
        for number in 0u32.. {
            let pointer = shared.layout.claims().join(format!("{}.{number}", meaning.short()));
            let mut seen: Option<(u128, Instant)> = None;
            loop {
                let found = shared.read(&pointer)?;
                let Some(found) = found.map(|bytes| serde_json::from_slice::<Pointer>(&bytes).ok()) else {
                    if let Some((run, journal)) = self.make(&pointer, meaning, new, replaced)? {
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
                    if run.journal().is_finished() || !self.is_executed(run.id(), meaning)? {
                        break;
                    }
                    self.must_be_shareable()?;
                    let journal = self.enter_run(&run)?;
                    return Ok((run, journal, false));
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
        replaced: &[CellKey],
    ) -> Result<Option<(Run, Journal)>, StoreError> {
        let shared = self.shared.as_ref();
        let id = loop {
            let id = self.free_id(new)?;
            // Whoever makes this file has the name.
            if shared.create(&shared.layout.claims_of(&id).join("meaning"), meaning.to_string().as_bytes())? {
                break id;
            }
        };
        self.enter(&id)?;
        let text = serde_json::to_vec(&Pointer { run: id.clone(), runner: shared.runner_id() })?;
        if !shared.create(pointer, &text)? {
            shared.remove(&shared.layout.claims_of(&id))?;
            return Ok(None);
        }
        let generation = match replaced {
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

    /// Takes up a run that exists, with a journal of this runner's own.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn enter_run(&self, run: &Run) -> Result<Journal, StoreError> {
        self.shared.begin()?;
        self.enter(run.id())?;
        self.replace_in(run)?;
        self.own_journal(run)
    }

    /// Says that this runner executes the run.
    fn enter(&self, run: &RunId) -> Result<(), StoreError> {
        let path = self.shared.layout.claims_of(run).join(RUNNERS).join(self.shared.runner_id());
        self.shared.create(&path, b"").map(drop)
    }

    /// Whether a runner that is there executes the run, of this meaning.
    fn is_executed(&self, run: &RunId, meaning: &Digest) -> Result<bool, StoreError> {
        let folder = self.shared.layout.claims_of(run);
        let has_meaning = self.shared.read(&folder.join("meaning"))? == Some(meaning.to_string().into_bytes());
        Ok(has_meaning && is_anybody_there(self.shared.as_ref(), &folder)?)
    }

    /// Claims on these blocks of a run, in the order in which they should be executed.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) fn claims(&self, run: &RunId, blocks: Vec<u32>) -> Result<Claims, StoreError> {
        let shared = Arc::clone(&self.shared);
        let folder = shared.layout.claims_of(run);
        let protocol = Protocol::new(shared.as_ref(), folder, &shared.runner_id(), blocks)?;
        Ok(Claims { shared, run: run.clone(), protocol: Mutex::new(protocol) })
    }

    /// Whether other processes may write the store at the same time.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        self.shared.runner.is_some()
    }
}
