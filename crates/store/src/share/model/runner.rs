//! A runner of the model.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::CELLS;
use super::world::{Cell, SimBoard, UNUSABLE, World, folder_of};
use crate::error::StoreError;
use crate::generation::file_name;
use crate::names::Origin;
use crate::share::board::{Board, publish, sweep, target};
use crate::share::claims::{End, Protocol, Turn};

/// Most blocks whose results a runner makes records of together.
const GROUP_BLOCKS: usize = 2;

/// A block that was executed and has not ended yet: whether a cell failed, and where results are and belong.
struct Executed {
    block: u32,
    failed: bool,
    results: Vec<(PathBuf, PathBuf)>,
}

impl SimBoard {
    /// Executes a run that every runner knows.
    pub(super) fn run(&mut self) -> Result<(), StoreError> {
        self.begin()?;
        "run".clone_into(&mut self.run);
        let left = self.step(|world| world.left(world.cells(), self.least))?;
        self.work(left)?;
        self.end()
    }

    /// Gives the sign of life, and removes what dead runners left.
    pub(super) fn begin(&self) -> Result<(), StoreError> {
        let (tmp, signs) = (Path::new("tmp"), Path::new("runners"));
        self.step(|world| {
            world.signs.insert(self.name.clone(), 0);
            world.files.insert(signs.join(format!("{}.json", self.name)), Vec::new());
        })?;
        self.step(|world| world.files.insert(tmp.join(&self.name).join("."), Vec::new()))?;
        sweep(self, tmp, signs, &self.name)
    }

    /// Executes these cells of the run, as far as this runner can and others do not. Whether it was asked to stop before they had ended.
    pub(super) fn work(&self, left: Vec<Cell>) -> Result<bool, StoreError> {
        let (blocks, incomplete) = self.step(|world| {
            let (can, cannot): (Vec<_>, Vec<_>) = left.into_iter().partition(|cell| self.can(world, cell.0, cell.1));
            let blocks_of = |cells: Vec<Cell>| cells.into_iter().map(|cell| cell.0).collect::<BTreeSet<u32>>();
            (blocks_of(can).into_iter().collect(), blocks_of(cannot))
        })?;
        let claims = Path::new("claims").join(&self.run);
        let mut protocol = Protocol::new(self, claims, &self.name, blocks, incomplete)?;
        self.step(|world| world.begun.insert(self.name.clone()))?;
        let (mut number, mut open) = (0, Vec::new());
        loop {
            if self.step(|world| world.asked.contains(&self.me))? {
                self.commit(&mut protocol, &mut open)?;
                protocol.release(self)?;
                return Ok(true);
            }
            match protocol.next(self)? {
                Turn::Take(block) => {
                    open.push(self.execute(block, &mut number)?);
                    if open.len() >= GROUP_BLOCKS {
                        self.commit(&mut protocol, &mut open)?;
                    }
                }
                Turn::Wait(_) if !open.is_empty() => self.commit(&mut protocol, &mut open)?,
                Turn::Wait(_) => self.step(|_| ())?,
                Turn::Over => {
                    self.step(|world| {
                        let missing: Vec<_> = world
                            .cells()
                            .filter(|cell| !world.failing.contains(cell) && self.can(world, cell.0, cell.1))
                            .filter(|cell| world.results(*cell, self.least) == 0)
                            .collect();
                        if !missing.is_empty() {
                            world.wrong.push(format!("{} ended without results of {missing:?}", self.name));
                        }
                    })?;
                    return Ok(false);
                }
            }
        }
    }

    /// Removes what this runner has for itself, and takes its sign back.
    pub(super) fn end(&self) -> Result<(), StoreError> {
        self.remove(&Path::new("tmp").join(&self.name))?;
        self.step(|world| {
            world.signs.remove(&self.name);
            world.files.remove(&Path::new("runners").join(format!("{}.json", self.name)));
        })
    }

    fn can(&self, world: &World, block: u32, cell: u32) -> bool {
        !world.lacking.contains(&(self.me, block, cell))
    }

    /// The place of a cell's next record; none where there is a result.
    fn next(&self, folder: &Path) -> Result<Option<PathBuf>, StoreError> {
        let origin = Origin::default();
        let place = |generation| folder.join(file_name(origin.as_str(), generation));
        let is_usable = |generation| {
            let bytes = self.read(&place(generation))?;
            Ok(bytes.is_some_and(|bytes| bytes != UNUSABLE))
        };
        Ok(target(self, folder, &origin, self.least, is_usable)?.map(place))
    }

    /// Makes the results of executed blocks records, and then says that the blocks have ended.
    fn commit(&self, protocol: &mut Protocol, open: &mut Vec<Executed>) -> Result<(), StoreError> {
        for (temp, folder) in open.iter().flat_map(|executed| &executed.results) {
            if let Some(place) = self.next(folder)? {
                publish(self, temp, &place)?;
            }
            self.remove(temp)?;
        }
        for Executed { block, failed, .. } in open.drain(..) {
            protocol.end(self, block, if failed { End::Failed } else { End::Done })?;
        }
        Ok(())
    }

    /// Executes the cells of a block that have no result, as far as this runner can.
    fn execute(&self, block: u32, number: &mut u32) -> Result<Executed, StoreError> {
        let (done, cells) = self.step(|world| {
            let done: Vec<u32> = (0..CELLS).filter(|cell| world.results((block, *cell), self.least) > 0).collect();
            (done, (0..CELLS).filter(|cell| self.can(world, block, *cell)).collect::<Vec<u32>>())
        })?;
        let mut executed = Executed { block, failed: false, results: Vec::new() };
        for cell in cells {
            let folder = folder_of(block, cell);
            if self.next(&folder)?.is_none() {
                continue;
            }
            *number += 1;
            let temp = Path::new("tmp").join(&self.name).join(number.to_string());
            let measured = format!("{} {number}", self.name).into_bytes();
            let fails = self.step(|world| {
                if done.contains(&cell) {
                    world.wrong.push(format!("{} executed {block}-{cell}, which was done", self.name));
                }
                *world.attempts.entry((block, cell)).or_default() += 1;
                let fails = world.failing.contains(&(block, cell));
                if fails {
                    world.runs.entry(self.run.clone()).or_default().failed.insert((block, cell));
                }
                if fails && !world.tried.insert((self.name.clone(), (block, cell))) {
                    world.wrong.push(format!("{} executed {block}-{cell} again, which failed", self.name));
                }
                if !fails {
                    world.files.insert(temp.clone(), measured);
                }
                fails
            })?;
            executed.failed |= fails;
            if !fails {
                executed.results.push((temp, folder));
            }
        }
        Ok(executed)
    }
}
