//! A runner of the model, and the store in memory on which it works.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{BLOCKS, CELLS, EXPIRES_MS};
use crate::error::StoreError;
use crate::generation::{file_name, of_file_name};
use crate::names::Origin;
use crate::share::board::{Board, Mutant, Sign, publish, sweep, target};
use crate::share::claims::{End, Protocol, Turn};

/// What is in a record whose object is gone.
pub(super) const UNUSABLE: &[u8] = b"unusable";

/// The folder of a cell's records.
pub(super) fn folder_of(block: u32, cell: u32) -> PathBuf {
    PathBuf::from(format!("cells/{block}-{cell}"))
}

#[derive(Default)]
pub(super) struct World {
    pub(super) files: BTreeMap<PathBuf, Vec<u8>>,
    /// The generation of the results that the run makes.
    pub(super) least: u32,
    /// Cells that fail whenever they are executed.
    pub(super) failing: BTreeSet<(u32, u32)>,
    /// Milliseconds since the beginning, which nobody knows.
    pub(super) time: f64,
    /// When each sign was renewed, by the clock of its runner, in nanoseconds.
    pub(super) signs: BTreeMap<String, u128>,
    pub(super) dead: BTreeSet<String>,
    pub(super) crashed: BTreeSet<usize>,
    pub(super) asked: BTreeSet<usize>,
    pub(super) attempts: BTreeMap<(u32, u32), u32>,
    /// Runners that have looked which blocks had failed before they came.
    pub(super) begun: BTreeSet<usize>,
    /// Claims that failed, each with the runners that had begun by then.
    pub(super) failed: BTreeMap<PathBuf, BTreeSet<usize>>,
    /// Which of these runners have seen that they failed.
    pub(super) seen: BTreeSet<(PathBuf, usize)>,
    pub(super) wrong: Vec<String>,
}

impl World {
    /// The results of a cell that can be used, of those that the run makes.
    pub(super) fn results(&self, block: u32, cell: u32) -> usize {
        let folder = folder_of(block, cell);
        let records = self.files.iter().filter(|(path, bytes)| path.starts_with(&folder) && *bytes != UNUSABLE);
        let name = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
        let generations = records.filter_map(|(path, _)| Some(of_file_name(&name(path)?)?.1));
        generations.filter(|generation| *generation >= self.least).count()
    }
}

pub(super) struct SimBoard {
    pub(super) me: usize,
    pub(super) name: String,
    pub(super) machine: usize,
    pub(super) machines: Vec<usize>,
    pub(super) rate: f64,
    pub(super) offset: f64,
    pub(super) world: Arc<Mutex<World>>,
    pub(super) arrived: Sender<(usize, bool)>,
    pub(super) go: Receiver<()>,
    pub(super) mutant: Option<Mutant>,
}

/// Most blocks whose results a runner makes records of together.
const GROUP_BLOCKS: usize = 2;

/// A block that was executed and has not ended yet: whether a cell failed, and where results are and belong.
struct Executed {
    block: u32,
    failed: bool,
    results: Vec<(PathBuf, PathBuf)>,
}

fn crash() -> StoreError {
    StoreError::BadName { what: "crash", name: String::new() }
}

impl SimBoard {
    /// One operation: it happens when the schedule says so.
    fn step<T>(&self, run: impl FnOnce(&mut World) -> T) -> Result<T, StoreError> {
        self.arrived.send((self.me, false)).unwrap();
        self.go.recv().map_err(|_| crash())?;
        let mut world = self.world.lock().unwrap();
        if world.crashed.contains(&self.me) { Err(crash()) } else { Ok(run(&mut world)) }
    }

    pub(super) fn run(&self) -> Result<(), StoreError> {
        let (tmp, signs) = (Path::new("tmp"), Path::new("runners"));
        let mine = tmp.join(&self.name);
        self.step(|world| {
            world.signs.insert(self.name.clone(), 0);
            world.files.insert(signs.join(format!("{}.json", self.name)), Vec::new());
        })?;
        self.step(|world| world.files.insert(mine.join("."), Vec::new()))?;
        sweep(self, tmp, signs, &self.name)?;
        let is_left = |world: &World, block| (0..CELLS).any(|cell| world.results(block, cell) == 0);
        let blocks = self.step(|world| (0..BLOCKS).filter(|block| is_left(world, *block)).collect())?;
        let mut protocol = Protocol::new(self, "claims/run".into(), &self.name, blocks)?;
        self.step(|world| world.begun.insert(self.me))?;
        let (mut number, mut open) = (0, Vec::new());
        loop {
            if self.step(|world| world.asked.contains(&self.me))? {
                self.commit(&mut protocol, &mut open)?;
                protocol.release(self)?;
                break;
            }
            match protocol.next(self)? {
                Turn::Take(block) => {
                    open.push(self.execute(block, &mine, &mut number)?);
                    if open.len() >= GROUP_BLOCKS {
                        self.commit(&mut protocol, &mut open)?;
                    }
                }
                Turn::Wait(_) if !open.is_empty() => self.commit(&mut protocol, &mut open)?,
                Turn::Wait(_) => self.step(|_| ())?,
                Turn::Over => {
                    self.step(|world| {
                        let all = (0..BLOCKS).flat_map(|block| (0..CELLS).map(move |cell| (block, cell)));
                        let missing: Vec<_> = all
                            .filter(|cell| !world.failing.contains(cell) && world.results(cell.0, cell.1) == 0)
                            .collect();
                        if !missing.is_empty() {
                            world.wrong.push(format!("{} ended without results of {missing:?}", self.name));
                        }
                    })?;
                    break;
                }
            }
        }
        self.remove(&mine)?;
        self.step(|world| {
            world.signs.remove(&self.name);
            world.files.remove(&signs.join(format!("{}.json", self.name)));
        })
    }
}

impl SimBoard {
    /// Takes note of a file of a claim: a block that failed is not claimed again by a runner that was there and saw it.
    fn note(&self, world: &mut World, path: &Path) {
        if path.extension().is_some_and(|end| end == "failed") {
            world.failed.insert(path.with_extension(""), world.begun.clone());
        }
        let before = path.file_name().and_then(|epoch| epoch.to_str()?.parse::<u32>().ok()?.checked_sub(1));
        if before.is_some_and(|epoch| world.seen.contains(&(path.with_file_name(epoch.to_string()), self.me))) {
            world.wrong.push(format!("{} tries {} again, which failed", self.name, path.display()));
        }
    }

    /// The place of a cell's next record; none where there is a result.
    fn next(&self, folder: &Path) -> Result<Option<PathBuf>, StoreError> {
        let (least, origin) = (self.world.lock().unwrap().least, Origin::default());
        let place = |generation| folder.join(file_name(origin.as_str(), generation));
        let is_usable = |generation| {
            let bytes = self.read(&place(generation))?;
            Ok(bytes.is_some_and(|bytes| bytes != UNUSABLE))
        };
        Ok(target(self, folder, &origin, least, is_usable)?.map(place))
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

    /// Executes the cells of a block that have no result.
    fn execute(&self, block: u32, mine: &Path, number: &mut u32) -> Result<Executed, StoreError> {
        let done: Vec<u32> = self.step(|world| (0..CELLS).filter(|cell| world.results(block, *cell) > 0).collect())?;
        let mut executed = Executed { block, failed: false, results: Vec::new() };
        for cell in 0..CELLS {
            let folder = folder_of(block, cell);
            if self.next(&folder)?.is_none() {
                continue;
            }
            *number += 1;
            let temp = mine.join(number.to_string());
            let measured = format!("{} {number}", self.name).into_bytes();
            let fails = self.step(|world| {
                if done.contains(&cell) {
                    world.wrong.push(format!("{} executed {block}-{cell}, which was done", self.name));
                }
                *world.attempts.entry((block, cell)).or_default() += 1;
                let fails = world.failing.contains(&(block, cell));
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

impl Board for SimBoard {
    fn create(&self, path: &Path, bytes: &[u8]) -> Result<bool, StoreError> {
        self.step(|world| {
            let free = !world.files.contains_key(path);
            if free {
                world.files.insert(path.to_owned(), bytes.to_vec());
                self.note(world, path);
            }
            free
        })
    }

    fn link(&self, temp: &Path, path: &Path) -> Result<bool, StoreError> {
        self.step(|world| match world.files.get(temp).cloned() {
            None => {
                world.wrong.push(format!("{} lost {}", self.name, temp.display()));
                false
            }
            Some(bytes) if !world.files.contains_key(path) => {
                world.files.insert(path.to_owned(), bytes);
                true
            }
            Some(_) => false,
        })
    }

    fn rename(&self, temp: &Path, path: &Path) {
        let _ = self.step(|world| {
            let Some(bytes) = world.files.remove(temp) else { return };
            if let Some(before) = world.files.insert(path.to_owned(), bytes) {
                world.wrong.push(format!("{} was {before:?} before", path.display()));
            }
        });
    }

    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
        self.step(|world| world.files.get(path).cloned())
    }

    fn list(&self, folder: &Path) -> Result<Vec<String>, StoreError> {
        self.step(|world| {
            let here =
                world.failed.iter().filter(|(claim, there)| claim.starts_with(folder) && there.contains(&self.me));
            world.seen.extend(here.map(|(claim, _)| (claim.clone(), self.me)));
            let below = world.files.keys().filter_map(|path| path.strip_prefix(folder).ok()?.iter().next());
            let names: BTreeSet<String> = below.map(|name| name.to_string_lossy().into_owned()).collect();
            names.into_iter().collect()
        })
    }

    fn remove(&self, path: &Path) -> Result<(), StoreError> {
        self.step(|world| world.files.retain(|file, _| !file.starts_with(path)))
    }

    fn sign(&self, runner: &str) -> Result<Sign, StoreError> {
        let other: usize = runner.parse().unwrap();
        let sees = self.machines.get(other) == Some(&self.machine);
        self.step(|world| match world.signs.get(runner) {
            None => Sign::Gone,
            Some(_) if sees && world.dead.contains(runner) => Sign::Dead,
            Some(&stamp) => {
                Sign::Seen { stamp, expires_after: Duration::from_secs_f64(EXPIRES_MS / 1e3), abandoned: false }
            }
        })
    }

    fn now(&self) -> Duration {
        let time = self.world.lock().unwrap().time;
        Duration::from_secs_f64((time * self.rate + 1e6 + self.offset) / 1e3)
    }

    fn mutant(&self) -> Option<Mutant> {
        self.mutant
    }
}
