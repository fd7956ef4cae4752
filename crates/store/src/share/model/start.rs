//! Runners of the model that start one command at any time, and some of them again: each finds its run, executes it and ends.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Random;
use super::schedule::schedule;
use super::world::{Cell, SimBoard, SimRun, UNUSABLE, World, folder_of};
use crate::digest::Digest;
use crate::error::StoreError;
use crate::generation::of_file_name;
use crate::names::RunId;
use crate::share::board::Mutant;
use crate::share::meeting::{Found, Meeting};

/// Runners that start the same command, with this seed; what went wrong.
pub(super) fn start(seed: u64, mutant: Option<Mutant>) -> Vec<String> {
    let mut random = Random(seed);
    let runners = 2 + random.next(3) as usize;
    let world = command(&mut random, runners);
    let course = schedule(&mut random, world, (runners, 25), mutant, SimBoard::starts);
    let (world, mut wrong) = (course.world, course.wrong);
    let failing = &world.failing;
    if !course.ends {
        return wrong;
    }
    let starts = world.starts.iter().map(Vec::len).sum::<usize>() as u32;
    let runs = world.runs.len() as u32;
    // Who joins a run while the last of its runners is stopped by hand may find itself in one that others do not find.
    let stopped = if world.is_by_hand { world.disturbed.asked } else { 0 };
    let excused = world.disturbed.crashes + world.disturbed.stalls + stopped;
    for cell in world.cells() {
        let (results, fails) = (world.results(cell, 0), failing.contains(&cell));
        if !fails && (results == 0 || results > 1 && !world.is_fresh) {
            wrong.push(format!("{cell:?} has {results} results"));
        }
        let most = match (fails, world.is_fresh) {
            (true, _) => starts,
            (false, true) => runs,
            (false, false) => 1,
        };
        let attempts = world.attempts.get(&cell).copied().unwrap_or_default();
        if attempts > most + excused {
            wrong.push(format!("{cell:?} was executed {attempts} times with {runs} runs and {:?}", world.disturbed));
        }
    }
    // Who crashes, or is stopped while others finish, leaves what is removed later.
    if world.disturbed.crashes == 0 {
        let is_left = |run: &SimRun| run.is_interrupted || !(run.is_finished || run.is_stopped && failing.is_empty());
        let stays = world.meetings().into_iter().filter(|run| !world.runs.get(run).is_some_and(is_left));
        wrong.extend(stays.map(|run| format!("claims of {run} stay")));
    }
    wrong
}

/// What is in the store before the first start.
fn command(random: &mut Random, runners: usize) -> World {
    let (is_fresh, is_by_hand) = (random.next(2) == 0, random.next(2) == 0);
    let starts = (0..runners).map(|_| {
        let delay = |random: &mut Random| match random.next(3) {
            0 => 0.0,
            1 => random.next(60) as f64,
            _ => random.next(400) as f64,
        };
        (0..=random.next(2)).map(|_| delay(random)).collect()
    });
    let (starts, blocks) = (starts.collect(), 1 + random.next(4) as u32);
    let mut world = World { starts, blocks, is_fresh, is_by_hand, ..World::default() };
    let has_results = random.next(3) > 0;
    for cell in world.cells() {
        let record = folder_of(cell.0, cell.1).join("local.json");
        match random.next(8) {
            0 => drop(world.files.insert(record, UNUSABLE.to_vec())),
            1..4 if has_results => drop(world.files.insert(record, b"before".to_vec())),
            4 if random.next(6) == 0 => drop(world.failing.insert(cell)),
            _ => {}
        }
    }
    world
}

impl World {
    /// The runs of which there are claims, or to which pointers lead.
    fn meetings(&self) -> BTreeSet<String> {
        let below = self.files.iter().filter_map(|(path, bytes)| Some((path.strip_prefix("claims").ok()?, bytes)));
        below.map(|(path, bytes)| run_of(path, bytes)).collect()
    }

    /// Runs that nobody has to join who comes now: they are finished, or nobody else is there and every cell was tried.
    fn closed(&self) -> BTreeSet<String> {
        let cells: Vec<Cell> = self.cells().collect();
        let is_closed = |run: &SimRun| run.is_finished || self.signs.len() == 1 && self.untried(run, &cells) == 0;
        self.runs.iter().filter(|(_, run)| is_closed(run)).map(|(name, _)| name.clone()).collect()
    }

    /// How many of these cells nobody has tried in a run.
    fn untried(&self, run: &SimRun, cells: &[Cell]) -> usize {
        let left = self.left(cells.iter().copied(), run.least());
        left.iter().filter(|cell| !run.failed.contains(cell)).count()
    }

    /// The generation after those of these cells.
    fn generation_after(&self, cells: &[Cell]) -> u32 {
        let of = |cell: &Cell| {
            let folder = folder_of(cell.0, cell.1);
            let records = self.files.keys().filter(move |path| path.starts_with(&folder));
            let name = |path: &PathBuf| Some(of_file_name(path.file_name()?.to_str()?)?.1);
            records.filter_map(name).max().unwrap_or_default()
        };
        cells.iter().map(of).max().unwrap_or_default() + 1
    }
}

/// The run of a file in `claims/`.
fn run_of(path: &Path, bytes: &[u8]) -> String {
    let mut parts = path.iter().map(|part| part.to_string_lossy().into_owned());
    match (parts.next(), parts.next()) {
        (Some(run), Some(_)) => run,
        _ => serde_json::from_slice::<serde_json::Value>(bytes).unwrap()["run"].as_str().unwrap().to_owned(),
    }
}

impl SimBoard {
    /// Starts the command, and starts it again after it ended or crashed.
    pub(super) fn starts(&mut self) -> Result<(), StoreError> {
        let delays = self.world.lock().unwrap().starts[self.me].clone();
        let mut ended = Ok(());
        for (number, delay) in delays.into_iter().enumerate() {
            self.name = format!("{}-{number}", self.me);
            self.turn(|world| {
                world.crashed.remove(&self.me);
                world.asked.remove(&self.me);
                world.names[self.me].clone_from(&self.name);
                world.stalled[self.me] = world.time + delay;
            })?;
            ended = self.command();
        }
        ended
    }

    fn command(&mut self) -> Result<(), StoreError> {
        self.begin()?;
        let (left, fresh, closed) = self.step(|world| {
            let left = world.left(world.cells(), 0);
            let fresh = world.cells().filter(|cell| world.is_fresh && !left.contains(cell)).collect::<Vec<_>>();
            (left, fresh, world.closed())
        })?;
        if !left.is_empty() || !fresh.is_empty() {
            self.session(&[left, fresh.clone()].concat(), &fresh, &closed)?;
        }
        self.end()
    }

    /// Executes a run of these cells, of which some are replaced.
    fn session(&mut self, planned: &[Cell], fresh: &[Cell], closed: &BTreeSet<String>) -> Result<(), StoreError> {
        let meaning = Digest::of(b"command");
        let run = self.find(planned, fresh, closed, &meaning)?;
        run.as_str().clone_into(&mut self.run);
        let (least, left) = self.step(|world| {
            let least = world.runs[run.as_str()].least();
            (least, world.left(planned.iter().copied(), least))
        })?;
        self.least = least;
        let is_asked = self.work(left.clone())?;
        let is_finished = self.step(|world| world.left(left.into_iter(), least).is_empty())?;
        let is_by_hand = self.step(|world| {
            let run = world.runs.get_mut(run.as_str()).unwrap();
            run.is_finished |= is_finished;
            run.is_stopped |= is_asked && world.is_by_hand;
            run.is_interrupted |= is_asked && !world.is_by_hand && !is_finished;
            is_asked && world.is_by_hand
        })?;
        if is_finished || is_by_hand {
            self.meeting().forget(&run)?;
        }
        Ok(())
    }

    fn meeting(&self) -> Meeting<'_, Self> {
        Meeting { board: self, claims: "claims".into(), me: self.name.clone() }
    }

    fn find(
        &self,
        planned: &[Cell],
        fresh: &[Cell],
        closed: &BTreeSet<String>,
        meaning: &Digest,
    ) -> Result<RunId, StoreError> {
        let meeting = self.meeting();
        let may_join = |id: &RunId| {
            let Some(is_finished) = self.step(|world| Some(world.runs.get(id.as_str())?.is_finished))? else {
                return Ok(None);
            };
            let has_left = || {
                let untried = self.step(|world| world.untried(&world.runs[id.as_str()], planned))?;
                Ok(!fresh.is_empty() && untried > 0)
            };
            meeting.goes_on(id, meaning, is_finished, has_left).map(Some)
        };
        let free_id = || self.step(|world| free_id(world))?.parse();
        match meeting.find(meaning, free_id, may_join)? {
            Found::Existing(id) => {
                meeting.enter(&id)?;
                meeting.lead_to(&id, meaning)?;
                if closed.contains(id.as_str()) {
                    self.step(|world| {
                        world.wrong.push(format!("{} joins {}, which was over", self.name, id.as_str()))
                    })?;
                }
                Ok(id)
            }
            Found::New(id) => {
                let generation = match fresh {
                    [] => None,
                    fresh => Some(self.step(|world| world.generation_after(fresh))?),
                };
                self.step(|world| self.make(world, &id, generation, planned))?;
                Ok(id)
            }
        }
    }

    /// Makes a run, unless one that replaces results is there and was not brought to its end.
    fn make(&self, world: &mut World, id: &RunId, generation: Option<u32>, planned: &[Cell]) {
        let is_open = |run: &SimRun| !run.is_finished && !run.is_stopped && world.untried(run, planned) > 0;
        let open = world.runs.iter().find(|(_, run)| is_open(run)).map(|(name, _)| name.clone());
        if let Some(open) = open.filter(|_| generation.is_some() && world.disturbed.stalls == 0) {
            world.wrong.push(format!("{} makes {} although {open} goes on", self.name, id.as_str()));
        }
        let run = SimRun { generation, ..SimRun::default() };
        if world.runs.insert(id.as_str().to_owned(), run).is_some() {
            world.wrong.push(format!("{} was there", id.as_str()));
        }
    }
}

/// A name for a run that nobody has.
fn free_id(world: &World) -> String {
    let is_taken = |name: &String| {
        let folder = Path::new("claims").join(name);
        world.runs.contains_key(name) || world.files.keys().any(|path| path.starts_with(&folder))
    };
    (0..).map(|number| format!("run-{number}")).find(|name| !is_taken(name)).unwrap()
}
