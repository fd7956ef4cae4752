//! Claims: which runner executes which block of a run.
//!
//! `<block>/<epoch>` is a claim; it names its runner, whose sign of life keeps it. `<epoch>.done`, `.failed` and `.released` say how it ended.
//! The claim of the highest epoch counts. A runner is taken for dead when its sign did not change for longer than it promised, by the clock
//! of whoever looks: no two clocks are ever compared.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::board::{Board, Seen, Sign};
use crate::error::StoreError;

/// A block that another runner has claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The block.
    pub block: u32,
    /// The runner.
    pub runner: String,
}

/// What a runner does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Execute this block.
    Take(u32),
    /// Look again later: what is left is claimed.
    Wait(Vec<Pending>),
    /// Every block has ended.
    Over,
}

#[derive(Serialize, Deserialize)]
struct Claim {
    runner: String,
}

enum State {
    /// It may be claimed with this epoch.
    Free(u32),
    /// Claimed, with this epoch.
    Held(String, u32),
    Ended,
}

/// How a claim ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Done,
    Failed,
    Released,
}

impl End {
    fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Released => "released",
        }
    }
}

/// The claims of one runner on the blocks of a run.
#[derive(Debug)]
pub(crate) struct Protocol {
    folder: PathBuf,
    me: String,
    blocks: Vec<u32>,
    /// Those with cells besides that this runner cannot execute: it gives them back, so that others execute these.
    incomplete: BTreeSet<u32>,
    /// Those of which nothing is left to this runner.
    ended: BTreeSet<u32>,
    mine: BTreeMap<u32, u32>,
    /// Blocks that had ended before this runner came, each with the epoch of that claim, whose runner is no longer there: what failed is
    /// tried again, and what was done and is to be executed has lost a result since.
    again: BTreeMap<u32, u32>,
    seen: Seen,
}

impl Protocol {
    /// Claims on these blocks, in the order in which they should be executed, as files in `folder`. Each has a cell without a result that this
    /// runner can execute; those that are `incomplete` have others besides, which it cannot.
    pub(crate) fn new(
        board: &impl Board,
        folder: PathBuf,
        me: &str,
        blocks: Vec<u32>,
        incomplete: BTreeSet<u32>,
    ) -> Result<Self, StoreError> {
        let mut this = Self {
            folder,
            me: me.to_owned(),
            blocks,
            incomplete,
            ended: BTreeSet::new(),
            mine: BTreeMap::new(),
            again: BTreeMap::new(),
            seen: Seen::default(),
        };
        for name in board.list(&this.folder)? {
            let Some(block) = name.parse::<u32>().ok().filter(|block| this.blocks.contains(block)) else { continue };
            let ends = this.claims(board, block)?;
            let is_over = |end: &Option<End>| match end {
                #[cfg(test)]
                Some(End::Done) if board.mutant() == Some(super::board::Mutant::TrustsDone) => false,
                end => matches!(end, Some(End::Done | End::Failed)),
            };
            if let Some((&epoch, _)) = ends.iter().rfind(|(_, end)| is_over(end))
                && !this.is_there(board, block, epoch)?
            {
                this.again.insert(block, epoch);
            }
        }
        Ok(this)
    }

    /// The next block to execute. It is this runner's until [`end`](Self::end) or [`release`](Self::release).
    pub(crate) fn next(&mut self, board: &impl Board) -> Result<Turn, StoreError> {
        let mut pending = Vec::new();
        for block in self.blocks.clone() {
            if self.ended.contains(&block) || self.mine.contains_key(&block) {
                continue;
            }
            match self.state(board, block)? {
                State::Ended => {
                    self.ended.insert(block);
                }
                // Claimed here, although the system said that it was not.
                State::Held(runner, epoch) if runner == self.me => {
                    self.mine.insert(block, epoch);
                    return Ok(Turn::Take(block));
                }
                State::Held(runner, _) => pending.push(Pending { block, runner }),
                State::Free(epoch) => {
                    let claim = serde_json::to_vec(&Claim { runner: self.me.clone() })?;
                    if board.create(&self.path(block, &epoch.to_string()), &claim)? {
                        self.mine.insert(block, epoch);
                        return Ok(Turn::Take(block));
                    }
                    // Somebody was faster.
                    pending.push(Pending { block, runner: String::new() });
                }
            }
        }
        Ok(if pending.is_empty() && self.mine.is_empty() { Turn::Over } else { Turn::Wait(pending) })
    }

    /// Says how a block of this runner ended. One that is incomplete is given back, and not taken again.
    pub(crate) fn end(&mut self, board: &impl Board, block: u32, end: End) -> Result<(), StoreError> {
        let is_left = self.incomplete.contains(&block);
        #[cfg(test)]
        let is_left = is_left && board.mutant() != Some(super::board::Mutant::EndsIncomplete);
        self.end_as(board, block, if is_left { End::Released } else { end })?;
        #[cfg(test)]
        if is_left && board.mutant() == Some(super::board::Mutant::ForgetsLeft) {
            return Ok(());
        }
        self.ended.insert(block);
        Ok(())
    }

    /// Gives back the blocks that this runner did not finish.
    pub(crate) fn release(&mut self, board: &impl Board) -> Result<(), StoreError> {
        let blocks: Vec<u32> = self.mine.keys().copied().collect();
        blocks.into_iter().try_for_each(|block| self.end_as(board, block, End::Released))
    }

    fn end_as(&mut self, board: &impl Board, block: u32, end: End) -> Result<(), StoreError> {
        if let Some(epoch) = self.mine.remove(&block) {
            board.create(&self.path(block, &format!("{epoch}.{}", end.name())), b"")?;
        }
        Ok(())
    }

    fn path(&self, block: u32, name: &str) -> PathBuf {
        self.folder.join(block.to_string()).join(name)
    }

    /// The claims on a block by epoch, with how they ended.
    fn claims(&self, board: &impl Board, block: u32) -> Result<BTreeMap<u32, Option<End>>, StoreError> {
        Ok(ends_of(board.list(&self.folder.join(block.to_string()))?))
    }

    fn state(&mut self, board: &impl Board, block: u32) -> Result<State, StoreError> {
        let claims = self.claims(board, block)?;
        let counts = |epoch: u32| self.again.get(&block).is_none_or(|before| epoch > *before);
        // Whoever finished it: its results are there.
        if claims.iter().any(|(epoch, end)| *end == Some(End::Done) && counts(*epoch)) {
            return Ok(State::Ended);
        }
        let Some((&epoch, end)) = claims.last_key_value() else { return Ok(State::Free(0)) };
        #[cfg(test)]
        if board.mutant() == Some(super::board::Mutant::TriesAgain) && *end == Some(End::Failed) {
            return Ok(State::Free(epoch + 1));
        }
        Ok(match end {
            Some(End::Failed) if counts(epoch) => State::Ended,
            Some(_) => State::Free(epoch + 1),
            None => match self.holder(board, block, epoch)? {
                Some(runner) if runner == self.me || self.seen.is_alive(board, &runner)? => State::Held(runner, epoch),
                // After a power cut, a claim may be empty.
                _ => State::Free(epoch + 1),
            },
        })
    }

    fn holder(&self, board: &impl Board, block: u32, epoch: u32) -> Result<Option<String>, StoreError> {
        Ok(board.read(&self.path(block, &epoch.to_string()))?.and_then(|bytes| holder_of(&bytes)))
    }

    /// Whether the runner of a claim still has a sign that nothing says is over.
    fn is_there(&self, board: &impl Board, block: u32, epoch: u32) -> Result<bool, StoreError> {
        let Some(runner) = self.holder(board, block, epoch)? else { return Ok(false) };
        Ok(matches!(board.sign(&runner)?, Sign::Seen { .. }))
    }
}

/// The claims on a block by epoch, with how they ended, of the names in its folder.
pub(super) fn ends_of(names: impl IntoIterator<Item = String>) -> BTreeMap<u32, Option<End>> {
    let mut found: BTreeMap<u32, Option<End>> = BTreeMap::new();
    for name in names {
        let (epoch, end) = name.split_once('.').map_or((name.as_str(), None), |(epoch, end)| (epoch, Some(end)));
        let Ok(epoch) = epoch.parse::<u32>() else { continue };
        let end = end.and_then(|end| [End::Done, End::Failed, End::Released].into_iter().find(|e| e.name() == end));
        let known = found.entry(epoch).or_default();
        *known = end.or(*known);
    }
    found
}

/// The claim on a block that has not ended, if there is one.
pub(super) fn held(claims: &BTreeMap<u32, Option<End>>) -> Option<u32> {
    let is_done = claims.values().any(|end| *end == Some(End::Done));
    claims.last_key_value().filter(|(_, end)| end.is_none() && !is_done).map(|(epoch, _)| *epoch)
}

/// The runner that a claim's file names. After a power cut, it may name none.
pub(super) fn holder_of(bytes: &[u8]) -> Option<String> {
    serde_json::from_slice::<Claim>(bytes).ok().map(|claim| claim.runner)
}
