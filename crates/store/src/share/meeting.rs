//! Where runners of one command meet: a file says which run they execute, and a folder who executes it.
//!
//! `claims/<digest>.<n>` is a pointer: it names a run of this meaning, and the runner that makes it. `claims/<run>` has the claims, the signs
//! of those who execute the run, and its meaning. Who makes a run, or joins it, gives its sign there before others can find or miss it; the
//! last one to leave removes all of it.

mod find;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

#[cfg(test)]
use super::board::Mutant;
use super::board::{Board, Sign};
use crate::digest::Digest;
use crate::error::StoreError;
use crate::names::RunId;

pub(super) use find::Found;

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

/// The place where runners meet, as one of them sees it.
pub(super) struct Meeting<'a, B> {
    pub(super) board: &'a B,
    /// The folder of all claims and pointers.
    pub(super) claims: PathBuf,
    pub(super) me: String,
}

impl<B: Board> Meeting<'_, B> {
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
            let pointer = self.read_pointer(&path)?;
            found.extend(pointer.filter(|pointer| pointer.run == *run).map(|_| path));
        }
        Ok(found)
    }

    fn read_pointer(&self, path: &Path) -> Result<Option<Pointer>, StoreError> {
        Ok(self.board.read(path)?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
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
