//! The store in memory on which the runners of the model work.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{CELLS, EXPIRES_MS};
use crate::error::StoreError;
use crate::generation::of_file_name;
use crate::share::board::{Board, Mutant, Sign};

/// What is in a record whose object is gone.
pub(super) const UNUSABLE: &[u8] = b"unusable";

/// The folder of a cell's records.
pub(super) fn folder_of(block: u32, cell: u32) -> PathBuf {
    PathBuf::from(format!("cells/{block}-{cell}"))
}

/// A cell: its block, and its number there.
pub(super) type Cell = (u32, u32);

/// A run that was made.
#[derive(Default)]
pub(super) struct SimRun {
    pub(super) generation: Option<u32>,
    pub(super) is_finished: bool,
    /// Whether somebody stopped it by hand.
    pub(super) is_stopped: bool,
    /// Whether somebody was asked to stop otherwise, who leaves the claims.
    pub(super) is_interrupted: bool,
    pub(super) failed: BTreeSet<Cell>,
}

impl SimRun {
    pub(super) fn least(&self) -> u32 {
        self.generation.unwrap_or_default()
    }
}

/// How often something disturbed a runner.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Disturbed {
    pub(super) crashes: u32,
    pub(super) stalls: u32,
    pub(super) asked: u32,
}

impl Disturbed {
    pub(super) fn all(self) -> u32 {
        self.crashes + self.stalls + self.asked
    }
}

#[derive(Default)]
pub(super) struct World {
    pub(super) files: BTreeMap<PathBuf, Vec<u8>>,
    /// The generation of the results that the run makes which every runner knows.
    pub(super) least: u32,
    pub(super) blocks: u32,
    pub(super) runs: BTreeMap<String, SimRun>,
    /// Cells that fail whenever they are executed.
    pub(super) failing: BTreeSet<(u32, u32)>,
    /// Cells that a runner cannot execute.
    pub(super) lacking: BTreeSet<(usize, u32, u32)>,
    /// Milliseconds since the beginning, which nobody knows.
    pub(super) time: f64,
    /// The name of each runner: one that starts again has another one.
    pub(super) names: Vec<String>,
    /// Until when each does nothing.
    pub(super) stalled: Vec<f64>,
    /// When each sign was renewed, by the clock of its runner, in nanoseconds.
    pub(super) signs: BTreeMap<String, u128>,
    pub(super) dead: BTreeSet<String>,
    pub(super) crashed: BTreeSet<usize>,
    pub(super) asked: BTreeSet<usize>,
    pub(super) disturbed: Disturbed,
    /// After what time each runner starts, and starts again.
    pub(super) starts: Vec<Vec<f64>>,
    /// Whether they replace what is there.
    pub(super) is_fresh: bool,
    /// Whether they are asked to stop by hand.
    pub(super) is_by_hand: bool,
    pub(super) attempts: BTreeMap<(u32, u32), u32>,
    /// Cells that failed, each with the runner that executed it.
    pub(super) tried: BTreeSet<(String, Cell)>,
    /// Blocks that a runner gave back although nobody asked it to stop.
    pub(super) left_blocks: BTreeSet<(String, PathBuf)>,
    /// Runners that have looked which blocks had failed before they came.
    pub(super) begun: BTreeSet<String>,
    /// Claims that failed, each with the runners that had begun by then.
    pub(super) failed: BTreeMap<PathBuf, BTreeSet<String>>,
    /// Which of these runners have seen that they failed.
    pub(super) seen: BTreeSet<(PathBuf, String)>,
    /// Signs of those who were in a run when a runner left it, which is named, with the folder of the run's claims.
    pub(super) inside: BTreeMap<(String, PathBuf), BTreeSet<PathBuf>>,
    pub(super) wrong: Vec<String>,
}

impl World {
    /// Every cell that is to be executed.
    pub(super) fn cells(&self) -> impl Iterator<Item = Cell> + use<> {
        (0..self.blocks).flat_map(|block| (0..CELLS).map(move |cell| (block, cell)))
    }

    /// The results of a cell that can be used, of this generation or a later one.
    pub(super) fn results(&self, cell: Cell, least: u32) -> usize {
        let folder = folder_of(cell.0, cell.1);
        let records = self.files.iter().filter(|(path, bytes)| path.starts_with(&folder) && *bytes != UNUSABLE);
        let name = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
        let generations = records.filter_map(|(path, _)| Some(of_file_name(&name(path)?)?.1));
        generations.filter(|generation| *generation >= least).count()
    }

    /// Those of these cells that have no result of this generation.
    pub(super) fn left(&self, cells: impl Iterator<Item = Cell>, least: u32) -> Vec<Cell> {
        cells.filter(|cell| self.results(*cell, least) == 0).collect()
    }
}

pub(super) struct SimBoard {
    pub(super) me: usize,
    pub(super) name: String,
    /// The run that it executes, and the generation of the results that this makes.
    pub(super) run: String,
    pub(super) least: u32,
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
        self.turn(|world| if world.crashed.contains(&self.me) { Err(crash()) } else { Ok(run(world)) })?
    }

    /// The same, whether it has crashed or not.
    pub(super) fn turn<T>(&self, run: impl FnOnce(&mut World) -> T) -> Result<T, StoreError> {
        self.arrived.send((self.me, false)).unwrap();
        self.go.recv().map_err(|_| crash())?;
        Ok(run(&mut self.world.lock().unwrap()))
    }

    /// Takes note of who is in a run when a runner leaves it: the claims of those who are still there stay.
    fn note_leaving(&self, world: &mut World, path: &Path) {
        if path.ends_with(Path::new("runners").join(&self.name)) {
            let folder = path.with_file_name("");
            let inside = world.files.keys().filter(|sign| sign.starts_with(&folder) && *sign != path).cloned();
            world.inside.insert((self.name.clone(), folder.with_file_name("")), inside.collect());
        }
        for sign in world.inside.get(&(self.name.clone(), path.to_owned())).into_iter().flatten() {
            let name = sign.file_name().unwrap().to_string_lossy().into_owned();
            if world.files.contains_key(sign) && world.signs.contains_key(&name) && !world.dead.contains(&name) {
                world.wrong.push(format!("{} removes {}, where {name} is", self.name, path.display()));
            }
        }
    }

    /// Takes note of a file of a claim: a block that failed is not claimed again by a runner that was there and saw it, and one that was left
    /// is not claimed again by who left it.
    fn note(&self, world: &mut World, path: &Path) {
        if path.extension().is_some_and(|end| end == "failed") {
            world.failed.insert(path.with_extension(""), world.begun.clone());
        }
        let of_block = (self.name.clone(), path.with_file_name(""));
        if path.extension().is_some_and(|end| end == "released") && !world.asked.contains(&self.me) {
            world.left_blocks.insert(of_block);
        } else if path.extension().is_none() && world.left_blocks.contains(&of_block) {
            world.wrong.push(format!("{} left {} and takes it again", self.name, path.display()));
        }
        let before = path.file_name().and_then(|epoch| epoch.to_str()?.parse::<u32>().ok()?.checked_sub(1));
        if before.is_some_and(|epoch| world.seen.contains(&(path.with_file_name(epoch.to_string()), self.name.clone())))
        {
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
                world.failed.iter().filter(|(claim, there)| claim.starts_with(folder) && there.contains(&self.name));
            world.seen.extend(here.map(|(claim, _)| (claim.clone(), self.name.clone())));
            let below = world.files.keys().filter_map(|path| path.strip_prefix(folder).ok()?.iter().next());
            let names: BTreeSet<String> = below.map(|name| name.to_string_lossy().into_owned()).collect();
            names.into_iter().collect()
        })
    }

    fn remove(&self, path: &Path) -> Result<(), StoreError> {
        self.step(|world| {
            self.note_leaving(world, path);
            world.files.retain(|file, _| !file.starts_with(path));
            world.failed.retain(|claim, _| !claim.starts_with(path));
            world.seen.retain(|(claim, _)| !claim.starts_with(path));
            world.left_blocks.retain(|(_, block)| !block.starts_with(path));
        })
    }

    fn sign(&self, runner: &str) -> Result<Sign, StoreError> {
        let other: usize = runner.split('-').next().unwrap().parse().unwrap();
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
