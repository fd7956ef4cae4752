//! Finding the run of a meaning: others execute it, or are about to make it, or this runner makes it.

use std::collections::BTreeSet;

use super::{Meeting, Pointer};
use crate::digest::Digest;
use crate::error::StoreError;
use crate::names::RunId;
#[cfg(test)]
use crate::share::board::Mutant;
use crate::share::board::{Board, Seen};

/// The run of a meaning that a runner has found.
#[derive(Debug)]
pub(crate) enum Found {
    /// One that exists, which it may join.
    Existing(RunId),
    /// One that this runner has to make now: it has the name, and others wait for it.
    New(RunId),
}

impl<B: Board> Meeting<'_, B> {
    /// The run that the runners of this meaning execute, or a new one with a name of `free_id`. `may_join` says of a run whether it is to be
    /// joined; nothing if it does not exist yet.
    pub(crate) fn find(
        &self,
        meaning: &Digest,
        free_id: impl Fn() -> Result<RunId, StoreError>,
        may_join: impl Fn(&RunId) -> Result<Option<bool>, StoreError>,
    ) -> Result<Found, StoreError> {
        let (mut passed, mut seen) = (BTreeSet::new(), Seen::default());
        // The number and the name of a run that this runner is about to make.
        let mut mine: Option<(u32, RunId)> = None;
        loop {
            let numbers = self.numbers(meaning)?;
            let mut waits = false;
            for &number in &numbers {
                // A power cut may have taken what was in it.
                let Some(Pointer { run, runner }) = self.read_pointer(&self.pointer(meaning, number))? else {
                    continue;
                };
                if passed.contains(&run) || mine.as_ref().is_some_and(|(_, mine)| *mine == run) {
                    continue;
                }
                match may_join(&run)? {
                    Some(true) => {
                        mine.map_or(Ok(()), |(number, run)| self.take_back(meaning, number, &run))?;
                        return Ok(Found::Existing(run));
                    }
                    Some(false) => drop(passed.insert(run)),
                    None if self.is_awaited(&runner, &mut seen)? => {
                        waits = true;
                        // Of two who are about to make one, the later number gives way, and the other one waits for that.
                        if let Some((number, run)) = mine.take_if(|(mine, _)| *mine > number) {
                            self.take_back(meaning, number, &run)?;
                        }
                    }
                    None => {}
                }
            }
            match mine.take() {
                Some((_, run)) if !waits => return Ok(Found::New(run)),
                None if !waits => {
                    let bad = || StoreError::BadName { what: "a run", name: meaning.to_string() };
                    let number = numbers.last().map_or(Some(0), |last| last.checked_add(1)).ok_or_else(bad)?;
                    let is_made = |run: &RunId| Ok(may_join(run)?.is_some());
                    mine = self.reserve(meaning, number, &free_id, is_made)?.map(|run| (number, run));
                    // Others may have come, or have led others to another number, since this runner looked.
                    passed.clear();
                    #[cfg(test)]
                    if self.does(Mutant::LooksOnce)
                        && let Some((_, run)) = mine.take()
                    {
                        return Ok(Found::New(run));
                    }
                    if mine.is_some() {
                        continue;
                    }
                }
                kept => mine = kept,
            }
            // Where directories are cached, what another one made may not be seen at once.
            self.board.pause()?;
        }
    }

    /// Takes a name for a new run, and leads others to it, unless another runner has this number.
    fn reserve(
        &self,
        meaning: &Digest,
        number: u32,
        free_id: impl Fn() -> Result<RunId, StoreError>,
        is_made: impl Fn(&RunId) -> Result<bool, StoreError>,
    ) -> Result<Option<RunId>, StoreError> {
        let run = loop {
            let run = free_id()?;
            // Whoever makes this file has the name.
            if self.keep_meaning(&run, meaning)? {
                #[cfg(test)]
                if self.does(Mutant::TrustsNames) {
                    break run;
                }
                if !is_made(&run)? {
                    break run;
                }
                // Another runner made it, and it is over, since this one looked for a name.
                self.forget(&run)?;
            }
        };
        let (pointer, text) = (self.pointer(meaning, number), self.pointing_to(&run)?);
        #[cfg(test)]
        if self.does(Mutant::MakesUnseen) && self.board.create(&pointer, &text)? {
            return Ok(Some(run));
        }
        self.enter(&run)?;
        if self.board.create(&pointer, &text)? {
            return Ok(Some(run));
        }
        #[cfg(test)]
        if self.does(Mutant::KeepsReserved) {
            return Ok(None);
        }
        self.board.remove(&self.folder(&run))?;
        Ok(None)
    }

    /// Makes no run of a name and a number that this runner has.
    fn take_back(&self, meaning: &Digest, number: u32, run: &RunId) -> Result<(), StoreError> {
        self.board.remove(&self.pointer(meaning, number))?;
        self.board.remove(&self.folder(run))
    }

    /// Whether a runner that is about to make a run lives, as far as this one knows.
    fn is_awaited(&self, runner: &str, seen: &mut Seen) -> Result<bool, StoreError> {
        #[cfg(test)]
        if self.does(Mutant::TrustsPointers) {
            return Ok(true);
        }
        seen.is_alive(self.board, runner)
    }

    /// The numbers of the pointers to runs of a meaning, in order.
    fn numbers(&self, meaning: &Digest) -> Result<BTreeSet<u32>, StoreError> {
        let (names, prefix) = (self.board.list(&self.claims)?, format!("{}.", meaning.short()));
        Ok(names.iter().filter_map(|name| name.strip_prefix(&prefix)?.parse().ok()).collect())
    }
}
