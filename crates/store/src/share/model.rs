//! A model of several runners on one store: the claims, the sweeping and the commits of this program, on a store in memory, where every
//! operation may come at any time, runners crash, stall and are asked to stop, and no two clocks agree.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::board::{Board, Mutant, Sign, publish, sweep};
use super::claims::{End, Protocol, Turn};
use crate::error::StoreError;

const BLOCKS: u32 = 5;
const CELLS: u32 = 2;
/// Milliseconds of the runner's own clock.
const EXPIRES_MS: f64 = 100.0;
const SEEDS: u64 = 3000;
/// More operations than any run that ends needs.
const MOST_STEPS: usize = 20_000;

#[derive(Default)]
struct World {
    files: BTreeMap<PathBuf, Vec<u8>>,
    /// Milliseconds since the beginning, which nobody knows.
    time: f64,
    /// When each sign was renewed, by the clock of its runner, in nanoseconds.
    signs: BTreeMap<String, u128>,
    dead: BTreeSet<String>,
    crashed: BTreeSet<usize>,
    asked: BTreeSet<usize>,
    attempts: BTreeMap<PathBuf, u32>,
    wrong: Vec<String>,
}

struct SimBoard {
    me: usize,
    name: String,
    machine: usize,
    machines: Vec<usize>,
    rate: f64,
    offset: f64,
    world: Arc<Mutex<World>>,
    arrived: Sender<(usize, bool)>,
    go: Receiver<()>,
    mutant: Option<Mutant>,
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

    fn run(&self) -> Result<(), StoreError> {
        let (tmp, signs) = (Path::new("tmp"), Path::new("runners"));
        let mine = tmp.join(&self.name);
        self.step(|world| {
            world.signs.insert(self.name.clone(), 0);
            world.files.insert(signs.join(format!("{}.json", self.name)), Vec::new());
        })?;
        self.step(|world| world.files.insert(mine.join("."), Vec::new()))?;
        sweep(self, tmp, signs, &self.name)?;
        let mut protocol = Protocol::new(self, "claims/run".into(), &self.name, (0..BLOCKS).collect())?;
        let mut number = 0;
        loop {
            if self.step(|world| world.asked.contains(&self.me))? {
                protocol.release(self)?;
                break;
            }
            match protocol.next(self)? {
                Turn::Take(block) => {
                    for cell in 0..CELLS {
                        let record = PathBuf::from(format!("cells/{block}-{cell}"));
                        if self.read(&record)?.is_some() {
                            continue;
                        }
                        number += 1;
                        let temp = mine.join(number.to_string());
                        let measured = format!("{} {number}", self.name).into_bytes();
                        self.step(|world| {
                            *world.attempts.entry(record.clone()).or_default() += 1;
                            world.files.insert(temp.clone(), measured);
                        })?;
                        publish(self, &temp, &record)?;
                        self.remove(&temp)?;
                    }
                    protocol.end(self, block, End::Done)?;
                }
                Turn::Wait(_) => self.step(|_| ())?,
                Turn::Over => {
                    self.step(|world| {
                        let results = world.files.keys().filter(|path| path.starts_with("cells")).count();
                        if results != (BLOCKS * CELLS) as usize {
                            world.wrong.push(format!("{} ended with {results} results", self.name));
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

impl Board for SimBoard {
    fn create(&self, path: &Path, bytes: &[u8]) -> Result<bool, StoreError> {
        self.step(|world| {
            let free = !world.files.contains_key(path);
            if free {
                world.files.insert(path.to_owned(), bytes.to_vec());
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
        let sees = self.machine == self.machines[other];
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

struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % below
    }
}

/// One run with this seed; what went wrong.
fn simulate(seed: u64, mutant: Option<Mutant>) -> Vec<String> {
    let mut random = Random(seed);
    let runners = 2 + random.next(3) as usize;
    let machines: Vec<usize> = (0..runners).map(|_| random.next(2) as usize).collect();
    let clocks: Vec<(f64, f64)> =
        (0..runners).map(|_| (0.6 + random.next(80) as f64 / 100.0, random.next(2000) as f64 - 1000.0)).collect();
    // One run in three is undisturbed.
    let mut disturbances = random.next(3) * (1 + random.next(2));
    let world = Arc::new(Mutex::new(World::default()));
    let (arrived, arrivals) = channel();
    let (mut gates, mut threads) = (Vec::new(), Vec::new());
    for me in 0..runners {
        let (gate, go) = channel();
        gates.push(gate);
        let (rate, offset) = clocks[me];
        let (world, arrived) = (Arc::clone(&world), arrived.clone());
        let board = SimBoard {
            me,
            name: me.to_string(),
            machine: machines[me],
            machines: machines.clone(),
            rate,
            offset,
            world,
            arrived,
            go,
            mutant,
        };
        threads.push(std::thread::spawn(move || {
            let ended = board.run();
            board.arrived.send((me, true)).unwrap();
            ended
        }));
    }
    let mut ready: Vec<bool> = vec![false; runners];
    let (mut over, mut stalled, mut disturbed, mut steps) = (vec![false; runners], vec![0.0; runners], 0, 0);
    let mut wrong = Vec::new();
    let mut moving = runners;
    loop {
        while moving > 0 {
            let (who, ended) = arrivals.recv().unwrap();
            (ready[who], over[who]) = (!ended, ended);
            moving -= 1;
        }
        let waiting: Vec<usize> = (0..runners).filter(|who| ready[*who]).collect();
        if waiting.is_empty() {
            break;
        }
        steps += 1;
        if steps > MOST_STEPS {
            wrong.push("it does not end".to_owned());
            break;
        }
        let mut guard = world.lock().unwrap();
        guard.time += random.next(400) as f64 / 100.0;
        let time = guard.time;
        let free: Vec<usize> = waiting.iter().copied().filter(|who| stalled[*who] <= time).collect();
        let who = if free.is_empty() { continue } else { free[random.next(free.len() as u64) as usize] };
        for other in &free {
            // A thread renews the sign, whatever else the runner does.
            let (rate, offset) = clocks[*other];
            let name = other.to_string();
            if !guard.crashed.contains(other) && guard.signs.contains_key(&name) {
                let clock = ((time * rate + 1e6 + offset) / (EXPIRES_MS / 6.0)).floor() * (EXPIRES_MS / 6.0);
                guard.signs.insert(name, (clock * 1e6) as u128);
            }
        }
        if disturbances > 0 && random.next(60) == 0 {
            disturbances -= 1;
            disturbed += 1;
            // One runner is left to finish.
            match random.next(3) {
                0 if who > 0 => {
                    guard.crashed.insert(who);
                    guard.dead.insert(who.to_string());
                }
                1 if who > 0 => {
                    guard.asked.insert(who);
                }
                _ => stalled[who] = time + random.next(600) as f64,
            }
        }
        drop(guard);
        if stalled[who] > time {
            continue;
        }
        ready[who] = false;
        moving = 1;
        gates[who].send(()).unwrap();
    }
    drop(gates);
    let ends: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let world = world.lock().unwrap();
    wrong.extend(world.wrong.iter().cloned());
    for (who, end) in ends.iter().enumerate() {
        if end.is_err() && !world.crashed.contains(&who) && steps <= MOST_STEPS {
            wrong.push(format!("{who} failed"));
        }
    }
    for (cell, attempts) in &world.attempts {
        if *attempts > 1 + disturbed {
            wrong.push(format!("{} was executed {attempts} times with {disturbed} disturbances", cell.display()));
        }
    }
    wrong
}

#[test]
fn whatever_runners_and_clocks_do_every_result_is_made_once_and_the_run_ends() {
    for seed in 0..SEEDS {
        let wrong = simulate(seed, None);
        assert!(wrong.is_empty(), "seed {seed}: {wrong:#?}");
    }
}

#[test]
fn the_model_finds_each_mistake() {
    for mutant in [Mutant::TrustsClocks, Mutant::Overwrites, Mutant::SweepsAll, Mutant::NeverTakesOver] {
        let found = (0..SEEDS).find(|seed| !simulate(*seed, Some(mutant)).is_empty());
        assert!(found.is_some(), "{mutant:?} is not found");
    }
}
