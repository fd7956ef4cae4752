//! The store in memory on which the runners of the model work.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{BLOCKS, CELLS, EXPIRES_MS};
use crate::error::StoreError;
use crate::generation::of_file_name;
use crate::share::board::{Board, Mutant, Sign};

/// What is in a record whose object is gone.
pub(super) const UNUSABLE: &[u8] = b"unusable";

/// The folder of a cell's records.
pub(super) fn folder_of(block: u32, cell: u32) -> PathBuf {
    PathBuf::from(format!("cells/{block}-{cell}"))
}

/// Every cell: its block, and its number there.
pub(super) fn all_cells() -> impl Iterator<Item = (u32, u32)> {
    (0..BLOCKS).flat_map(|block| (0..CELLS).map(move |cell| (block, cell)))
}

#[derive(Default)]
pub(super) struct World {
    pub(super) files: BTreeMap<PathBuf, Vec<u8>>,
    /// The generation of the results that the run makes.
    pub(super) least: u32,
    /// Cells that fail whenever they are executed.
    pub(super) failing: BTreeSet<(u32, u32)>,
    /// Cells that a runner cannot execute.
    pub(super) lacking: BTreeSet<(usize, u32, u32)>,
    /// Milliseconds since the beginning, which nobody knows.
    pub(super) time: f64,
    /// When each sign was renewed, by the clock of its runner, in nanoseconds.
    pub(super) signs: BTreeMap<String, u128>,
    pub(super) dead: BTreeSet<String>,
    pub(super) crashed: BTreeSet<usize>,
    pub(super) asked: BTreeSet<usize>,
    pub(super) attempts: BTreeMap<(u32, u32), u32>,
    /// Cells that failed, each with the runner that executed it.
    pub(super) tried: BTreeSet<(usize, u32, u32)>,
    /// Blocks that a runner gave back although nobody asked it to stop.
    pub(super) left: BTreeSet<(usize, PathBuf)>,
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

fn crash() -> StoreError {
    StoreError::BadName { what: "crash", name: String::new() }
}

impl SimBoard {
    /// One operation: it happens when the schedule says so.
    pub(super) fn step<T>(&self, run: impl FnOnce(&mut World) -> T) -> Result<T, StoreError> {
        self.arrived.send((self.me, false)).unwrap();
        self.go.recv().map_err(|_| crash())?;
        let mut world = self.world.lock().unwrap();
        if world.crashed.contains(&self.me) { Err(crash()) } else { Ok(run(&mut world)) }
    }

    /// Takes note of a file of a claim: a block that failed is not claimed again by a runner that was there and saw it, and one that was left
    /// is not claimed again by who left it.
    fn note(&self, world: &mut World, path: &Path) {
        if path.extension().is_some_and(|end| end == "failed") {
            world.failed.insert(path.with_extension(""), world.begun.clone());
        }
        let of_block = (self.me, path.with_file_name(""));
        if path.extension().is_some_and(|end| end == "released") && !world.asked.contains(&self.me) {
            world.left.insert(of_block);
        } else if path.extension().is_none() && world.left.contains(&of_block) {
            world.wrong.push(format!("{} left {} and takes it again", self.name, path.display()));
        }
        let before = path.file_name().and_then(|epoch| epoch.to_str()?.parse::<u32>().ok()?.checked_sub(1));
        if before.is_some_and(|epoch| world.seen.contains(&(path.with_file_name(epoch.to_string()), self.me))) {
            world.wrong.push(format!("{} tries {} again, which failed", self.name, path.display()));
        }
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

    fn pause(&self) -> Result<(), StoreError> {
        self.step(|_| ())
    }

    fn mutant(&self) -> Option<Mutant> {
        self.mutant
    }
}
