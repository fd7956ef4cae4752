//! Where runners of one command meet: a file says which run they execute, and a folder who executes it.
//!
//! `claims/<digest>.<n>` is a pointer: it names a run of this meaning, and the runner that makes it. `claims/<run>` has the claims, the signs
//! of those who execute the run, and its meaning. Who makes a run, or joins it, gives its sign there before others can find or miss it; the
//! last one to leave removes all of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

#[cfg(test)]
use super::board::Mutant;
use super::board::{Board, Sign};
use crate::digest::Digest;
use crate::error::StoreError;
use crate::names::RunId;

/// The runners of a run, in the folder of its claims.
const RUNNERS: &str = "runners";

/// What runners of a run have in common, in the folder of its claims.
const MEANING: &str = "meaning";

/// What the first of several runners says of the run that it makes.
#[derive(Serialize, Deserialize)]
struct Pointer {
    run: RunId,
    runner: String,
}

/// The run of a meaning that a runner has found.
#[derive(Debug)]
pub(super) enum Found {
    /// One that exists, which it may join.
    Existing(RunId),
    /// One that this runner has to make now: it has the name, and others wait for it.
    New(RunId),
}

/// The place where runners meet, as one of them sees it.
pub(super) struct Meeting<'a, B> {
    pub(super) board: &'a B,
    /// The folder of all claims and pointers.
    pub(super) claims: PathBuf,
    pub(super) me: String,
}

impl<B: Board> Meeting<'_, B> {
    /// The run that the runners of this meaning execute, or a new one with a name of `free_id`. `may_join` says of a run whether it is to be
    /// joined; nothing if it does not exist yet.
    pub(super) fn find(
        &self,
        meaning: &Digest,
        free_id: impl Fn() -> Result<RunId, StoreError>,
        may_join: impl Fn(&RunId) -> Result<Option<bool>, StoreError>,
    ) -> Result<Found, StoreError> {
        for number in 0u32.. {
            let pointer = self.pointer(meaning, number);
            let mut seen: Option<(u128, Duration)> = None;
            loop {
                let Some(found) = self.board.read(&pointer)? else {
                    if let Some(run) = self.reserve(&pointer, meaning, &free_id)? {
                        return Ok(Found::New(run));
                    }
                    // Where directories are cached, what another one made may not be seen at once.
                    self.board.pause()?;
                    continue;
                };
                // A power cut took what was in it.
                let Ok(Pointer { run, runner }) = serde_json::from_slice(&found) else { break };
                match may_join(&run)? {
                    Some(true) => return Ok(Found::Existing(run)),
                    Some(false) => break,
                    None => {}
                }
                #[cfg(test)]
                if self.does(Mutant::TrustsPointers) {
                    self.board.pause()?;
                    continue;
                }
                let Sign::Seen { stamp, expires_after, .. } = self.board.sign(&runner)? else { break };
                let now = self.board.now();
                let since = seen.filter(|(before, _)| *before == stamp).map_or(now, |(_, since)| since);
                if now.saturating_sub(since) > expires_after {
                    break;
                }
                seen = Some((stamp, since));
                self.board.pause()?;
            }
        }
        Err(StoreError::BadName { what: "a run", name: meaning.to_string() })
    }

    /// Takes a name for a new run, and leads others to it, unless another runner is about to make one.
    fn reserve(
        &self,
        pointer: &Path,
        meaning: &Digest,
        free_id: impl Fn() -> Result<RunId, StoreError>,
    ) -> Result<Option<RunId>, StoreError> {
        let run = loop {
            let run = free_id()?;
            // Whoever makes this file has the name.
            if self.keep_meaning(&run, meaning)? {
                break run;
            }
        };
        #[cfg(test)]
        if self.does(Mutant::MakesUnseen) && self.board.create(pointer, &self.pointing_to(&run)?)? {
            return Ok(Some(run));
        }
        self.enter(&run)?;
        if self.board.create(pointer, &self.pointing_to(&run)?)? {
            return Ok(Some(run));
        }
        #[cfg(test)]
        if self.does(Mutant::KeepsReserved) {
            return Ok(None);
        }
        self.board.remove(&self.folder(&run))?;
        Ok(None)
    }

    /// Whether a run of this meaning is to be joined: others execute it, or it has something left and no other run is to do that.
    pub(super) fn goes_on(
        &self,
        run: &RunId,
        meaning: &Digest,
        is_finished: bool,
        has_left: impl FnOnce() -> Result<bool, StoreError>,
    ) -> Result<bool, StoreError> {
        #[cfg(test)]
        let is_finished = is_finished && !self.does(Mutant::JoinsFinished);
        let of_run = self.board.read(&self.folder(run).join(MEANING))?;
        if is_finished || of_run != Some(meaning.to_string().into_bytes()) {
            return Ok(false);
        }
        #[cfg(test)]
        if self.does(Mutant::MakesAnew) {
            return self.has_others(run);
        }
        Ok(self.has_others(run)? || has_left()?)
    }

    /// Says that this runner executes the run.
    pub(super) fn enter(&self, run: &RunId) -> Result<(), StoreError> {
        #[cfg(test)]
        if self.does(Mutant::JoinsUnseen) {
            return Ok(());
        }
        self.board.create(&self.folder(run).join(RUNNERS).join(&self.me), b"").map(drop)
    }

    /// Leads others to a run that exists, unless something does so.
    pub(super) fn lead_to(&self, run: &RunId, meaning: &Digest) -> Result<(), StoreError> {
        if self.keep_meaning(run, meaning)? {
            let text = self.pointing_to(run)?;
            for number in 0u32.. {
                if self.board.create(&self.pointer(meaning, number), &text)? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Whether another runner that may be at work executes a run.
    pub(super) fn has_others(&self, run: &RunId) -> Result<bool, StoreError> {
        self.is_anybody_there(self.board.list(&self.folder(run).join(RUNNERS))?)
    }

    /// Whether one of these runners, other than this one, may be at work.
    pub(super) fn is_anybody_there(&self, runners: impl IntoIterator<Item = String>) -> Result<bool, StoreError> {
        for runner in runners.into_iter().filter(|runner| *runner != self.me) {
            if matches!(self.board.sign(&runner)?, Sign::Seen { .. }) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Removes the claims of a run, and what leads others to it, unless others execute it.
    pub(super) fn forget(&self, run: &RunId) -> Result<(), StoreError> {
        #[cfg(test)]
        if self.does(Mutant::StaysInside) && self.has_others(run)? {
            return Ok(());
        }
        // Of those that end at the same time, the last one to leave finds nobody.
        self.board.remove(&self.folder(run).join(RUNNERS).join(&self.me))?;
        #[cfg(test)]
        if self.does(Mutant::ForgetsOthers) {
            return self.clear(run);
        }
        if self.has_others(run)? { Ok(()) } else { self.clear(run) }
    }

    /// Removes the claims of a run, and what leads others to it.
    fn clear(&self, run: &RunId) -> Result<(), StoreError> {
        for path in self.pointers_to(run)? {
            // Another runner may be removing the same; what stays goes with `matrix gc`.
            let _ = self.board.remove(&path);
        }
        let _ = self.board.remove(&self.folder(run));
        Ok(())
    }

    /// The files that say of a run that it is the one which runners of its meaning execute.
    fn pointers_to(&self, run: &RunId) -> Result<Vec<PathBuf>, StoreError> {
        let mut found = Vec::new();
        for name in self.board.list(&self.claims)? {
            let path = self.claims.join(name);
            let pointer = self.board.read(&path)?.and_then(|bytes| serde_json::from_slice::<Pointer>(&bytes).ok());
            found.extend(pointer.filter(|pointer| pointer.run == *run).map(|_| path));
        }
        Ok(found)
    }

    fn folder(&self, run: &RunId) -> PathBuf {
        self.claims.join(run.as_str())
    }

    /// The file that says which run the runners of a meaning execute, the first or a later one.
    fn pointer(&self, meaning: &Digest, number: u32) -> PathBuf {
        self.claims.join(format!("{}.{number}", meaning.short()))
    }

    fn pointing_to(&self, run: &RunId) -> Result<Vec<u8>, StoreError> {
        Ok(serde_json::to_vec(&Pointer { run: run.clone(), runner: self.me.clone() })?)
    }

    /// Says what a run is for, unless that is there. Whether it did.
    fn keep_meaning(&self, run: &RunId, meaning: &Digest) -> Result<bool, StoreError> {
        self.board.create(&self.folder(run).join(MEANING), meaning.to_string().as_bytes())
    }

    #[cfg(test)]
    fn does(&self, mutant: Mutant) -> bool {
        self.board.mutant() == Some(mutant)
    }
}
