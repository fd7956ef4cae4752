//! What runners need of a place to divide work in it: files that are created once, and signs of life.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::error::StoreError;
use crate::generation;
use crate::names::Origin;

/// What can be seen of another runner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// It has no sign: it ended, and gave back what it had.
    Gone,
    /// The system knows that its process has ended.
    Dead,
    /// It has a sign.
    Seen {
        /// What changes whenever the sign is renewed.
        stamp: u128,
        /// How long it may stay the same while the runner lives, as the runner says.
        expires_after: Duration,
        /// Whether it has not been renewed for a day, by the clock of the file system, and nobody is known to live who has it.
        abandoned: bool,
    },
}

/// A place that runners share. Tests have one in memory.
pub(crate) trait Board {
    /// Creates a file with these bytes, unless there is one. Whether it did.
    fn create(&self, path: &Path, bytes: &[u8]) -> Result<bool, StoreError>;
    /// Gives a file a second name, unless there is a file of that name. Whether it did.
    fn link(&self, temp: &Path, path: &Path) -> Result<bool, StoreError>;
    /// The bytes of a file, if there is one.
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, StoreError>;
    /// The names in a folder, in order; none if there is no such folder.
    fn list(&self, folder: &Path) -> Result<Vec<String>, StoreError>;
    /// Removes a file or a folder, if it is there.
    fn remove(&self, path: &Path) -> Result<(), StoreError>;
    /// What can be seen of a runner.
    fn sign(&self, runner: &str) -> Result<Sign, StoreError>;
    /// The time that has passed on this runner's own clock, which nobody sets.
    fn now(&self) -> Duration;
    /// Waits a little, until this runner looks again at what another one is about to do.
    fn pause(&self) -> Result<(), StoreError>;
    /// What this runner does wrong.
    #[cfg(test)]
    fn mutant(&self) -> Option<Mutant> {
        None
    }
    /// Gives a file another name, whatever has it.
    #[cfg(test)]
    fn rename(&self, _temp: &Path, _path: &Path) {}
}

/// Mistakes that the model has to find.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// Compares the time of a sign with its own time of day.
    TrustsClocks,
    /// Takes the place of a record that is there.
    Overwrites,
    /// Removes what other runners have in `tmp/`.
    SweepsAll,
    /// Never takes over what a dead runner claimed.
    NeverTakesOver,
    /// Replaces a result that another runner of the same run has replaced.
    ReplacesAgain,
    /// Leaves a result that cannot be used.
    KeepsUnusable,
    /// Reads the first generation of a record.
    ReadsTheFirst,
    /// Tries a block again that failed in this run.
    TriesAgain,
    /// Takes a block for done that has lost a result.
    TrustsDone,
    /// Says of a block of which it can execute a part only that all is done.
    EndsIncomplete,
    /// Takes a block again that it left to others.
    ForgetsLeft,
    /// Waits for a run that a runner was about to make, whatever became of the runner.
    TrustsPointers,
    /// Makes a run once it has a number for it, without a look at what others did meanwhile.
    LooksOnce,
    /// Takes a name for free that was free before.
    TrustsNames,
    /// Makes a run and does not say that it executes it.
    MakesUnseen,
    /// Does not say which run it executes.
    JoinsUnseen,
    /// Leaves what it made for a run that another runner makes.
    KeepsReserved,
    /// Joins a run that is finished.
    JoinsFinished,
    /// Makes a run where one that replaces results was not brought to its end.
    MakesAnew,
    /// Says only then that it no longer executes a run when it removes the run's claims.
    StaysInside,
    /// Removes the claims of a run that others execute.
    ForgetsOthers,
}

/// The signs of other runners as this one saw them, each with when, by its own clock, it first saw it so.
#[derive(Debug, Default)]
pub(crate) struct Seen(BTreeMap<String, (u128, Duration)>);

impl Seen {
    /// Whether a runner lives, as far as this one knows: its sign changed within the time that it promised, since this runner first saw it.
    pub(crate) fn is_alive(&mut self, board: &impl Board, runner: &str) -> Result<bool, StoreError> {
        let Sign::Seen { stamp, expires_after, .. } = board.sign(runner)? else { return Ok(false) };
        #[cfg(test)]
        match board.mutant() {
            Some(Mutant::TrustsClocks) => {
                return Ok(board.now().as_nanos().saturating_sub(stamp) <= expires_after.as_nanos());
            }
            Some(Mutant::NeverTakesOver) => return Ok(true),
            _ => {}
        }
        let now = board.now();
        let seen = self.0.entry(runner.to_owned()).or_insert((stamp, now));
        if seen.0 != stamp {
            *seen = (stamp, now);
        }
        Ok(now.saturating_sub(seen.1) <= expires_after)
    }
}

/// The generation that a result of a cell gets: its records are the files of this origin in `folder`, and the run makes those of generation
/// `least`. None where a result stays that is there.
pub(crate) fn target(
    board: &impl Board,
    folder: &Path,
    origin: &Origin,
    least: u32,
    is_usable: impl FnOnce(u32) -> Result<bool, StoreError>,
) -> Result<Option<u32>, StoreError> {
    let names = board.list(folder)?;
    let generations = names.iter().filter_map(|name| generation::of_file_name(name));
    let generations = generations.filter(|(found, _)| found == origin).map(|(_, generation)| generation);
    #[cfg(test)]
    if board.mutant() == Some(Mutant::ReadsTheFirst) {
        let first = generations.min();
        return Ok(generation::next(first, least, first.map_or(Ok(false), is_usable)?));
    }
    let highest = generations.max();
    let is_usable = highest.map_or(Ok(false), is_usable)?;
    #[cfg(test)]
    match board.mutant() {
        Some(Mutant::ReplacesAgain) if least > 0 => return Ok(Some(highest.map_or(least, |highest| highest + 1))),
        Some(Mutant::KeepsUnusable) => return Ok(generation::next(highest, least, true)),
        _ => {}
    }
    Ok(generation::next(highest, least, is_usable))
}

/// Makes what a file in `tmp/` holds the result of this name, unless there is one. Whether it did.
pub(crate) fn publish(board: &impl Board, temp: &Path, path: &Path) -> Result<bool, StoreError> {
    #[cfg(test)]
    if board.mutant() == Some(Mutant::Overwrites) {
        board.rename(temp, path);
        return Ok(true);
    }
    board.link(temp, path)
}

/// Removes what runners left that are certain to be dead: the system says so, or they have been silent for a day where
/// the system cannot say it.
pub(crate) fn sweep(board: &impl Board, tmp: &Path, signs: &Path, me: &str) -> Result<(), StoreError> {
    let is_over = |runner: &str| -> Result<bool, StoreError> {
        #[cfg(test)]
        if board.mutant() == Some(Mutant::SweepsAll) {
            return Ok(true);
        }
        Ok(match board.sign(runner)? {
            // A runner has a sign before it has a folder, and as long.
            Sign::Gone | Sign::Dead => true,
            Sign::Seen { abandoned, .. } => abandoned,
        })
    };
    for name in board.list(tmp)? {
        if name != me && is_over(&name)? {
            board.remove(&tmp.join(name))?;
        }
    }
    for name in board.list(signs)? {
        if let Some(runner) = name.strip_suffix(".json")
            && runner != me
            && is_over(runner)?
        {
            board.remove(&signs.join(&name))?;
        }
    }
    Ok(())
}
