//! A model of several runners on one store: the claims, the sweeping and the commits of this program, on a store in memory, where every
//! operation may come at any time, runners crash, stall and are asked to stop, and no two clocks agree. Cells may have results that cannot be
//! used, the run may replace the others too, some cells fail, some runners cannot execute some cells, and blocks that are claimed to be done
//! may have lost results. Runners all know one run and execute it (`runner.rs`), or they start a command at different times and find their run
//! (`start.rs`).

mod runner;
mod schedule;
mod start;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};

use self::schedule::schedule;
use self::start::start;
use self::world::{SimBoard, UNUSABLE, World, folder_of};
use super::board::Mutant;

const BLOCKS: u32 = 5;
const CELLS: u32 = 2;
/// Milliseconds of the runner's own clock.
const EXPIRES_MS: f64 = 100.0;
const SEEDS: u64 = 3000;
/// Those with which runners start at different times.
const START_SEEDS: u64 = 2000;
/// A runner that was there before all others.
const GONE: usize = 99;

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

/// One run that all runners execute, with this seed; what went wrong.
fn execute(seed: u64, mutant: Option<Mutant>) -> Vec<String> {
    let mut random = Random(seed);
    let runners = 2 + random.next(3) as usize;
    let world = run_of(&mut random, runners);
    let course = schedule(&mut random, world, (runners, 60), mutant, SimBoard::run);
    let (world, mut wrong) = (course.world, course.wrong);
    for cell in world.cells().filter(|_| course.ends) {
        let (results, fails) = (world.results(cell, world.least), world.failing.contains(&cell));
        if results != usize::from(!fails) {
            wrong.push(format!("{cell:?} has {results} results"));
        }
    }
    for (cell, attempts) in &world.attempts {
        // Each runner that comes after one that has gone tries again what failed.
        let most = if world.failing.contains(cell) { runners as u32 } else { 1 };
        if *attempts > most + world.disturbed.all() {
            wrong.push(format!("{cell:?} was executed {attempts} times with {:?}", world.disturbed));
        }
    }
    wrong
}

/// The first seed below this one with which something goes wrong, and what.
fn find(seeds: u64, simulate: impl Fn(u64) -> Vec<String> + Sync) -> Option<(u64, Vec<String>)> {
    // Those that are simulated mostly wait for each other.
    const AT_ONCE: u64 = 4;
    let first = AtomicU64::new(seeds);
    let search = &|offset| {
        let seeds = (offset..seeds).step_by(AT_ONCE as usize);
        let mut wrong =
            seeds.take_while(|seed| *seed < first.load(Ordering::Relaxed)).map(|seed| (seed, simulate(seed)));
        let found = wrong.find(|(_, wrong)| !wrong.is_empty());
        if let Some((seed, _)) = &found {
            first.fetch_min(*seed, Ordering::Relaxed);
        }
        found
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_ONCE).map(|offset| scope.spawn(move || search(offset))).collect();
        threads.into_iter().filter_map(|thread| thread.join().unwrap()).min()
    })
}

/// What is in the store when the runners start: some results that cannot be used, some that can, and whether the run replaces these; and
/// claims of a runner that has gone, whose results may have gone too.
fn run_of(random: &mut Random, runners: usize) -> World {
    let mut world = World { least: u32::from(random.next(3) == 0), blocks: BLOCKS, ..World::default() };
    for (block, cell) in world.cells() {
        let record = folder_of(block, cell).join("local.json");
        match random.next(8) {
            0 => drop(world.files.insert(record, UNUSABLE.to_vec())),
            1 | 2 => drop(world.files.insert(record, b"before".to_vec())),
            3 if random.next(3) == 0 => drop(world.failing.insert((block, cell))),
            _ => {}
        }
    }
    // One runner can execute all.
    for who in (1..runners).filter(|_| random.next(2) == 0).collect::<Vec<_>>() {
        world.lacking.extend(world.cells().filter(|_| random.next(4) == 0).map(|(block, cell)| (who, block, cell)));
    }
    for block in 0..BLOCKS {
        let claimed: &[&str] = match random.next(8) {
            0 => &["0", "0.done"],
            1 => &["0", "0.done", "1"],
            2 => &["0", "1", "0.done", "1.failed"],
            _ => &[],
        };
        for name in claimed {
            let claim = format!("{{\"runner\":\"{GONE}\"}}").into_bytes();
            world.files.insert(format!("claims/run/{block}/{name}").into(), claim);
        }
    }
    world
}

#[test]
fn whatever_runners_and_clocks_do_every_result_is_made_once_and_the_run_ends() {
    assert_eq!(find(SEEDS, |seed| execute(seed, None)), None);
}

#[test]
fn the_model_finds_each_mistake() {
    for mutant in [
        Mutant::TrustsClocks,
        Mutant::Overwrites,
        Mutant::SweepsAll,
        Mutant::NeverTakesOver,
        Mutant::ReplacesAgain,
        Mutant::KeepsUnusable,
        Mutant::ReadsTheFirst,
        Mutant::TriesAgain,
        Mutant::TrustsDone,
        Mutant::EndsIncomplete,
        Mutant::ForgetsLeft,
    ] {
        let found = find(SEEDS, |seed| execute(seed, Some(mutant)));
        assert!(found.is_some(), "{mutant:?} is not found");
    }
}

#[test]
fn whenever_runners_start_they_execute_one_run_and_leave_nothing() {
    assert_eq!(find(START_SEEDS, |seed| start(seed, None)), None);
}

#[test]
fn the_model_finds_each_mistake_of_a_start() {
    for mutant in [
        Mutant::TrustsPointers,
        Mutant::LooksOnce,
        Mutant::TrustsNames,
        Mutant::MakesUnseen,
        Mutant::JoinsUnseen,
        Mutant::KeepsReserved,
        Mutant::JoinsFinished,
        Mutant::MakesAnew,
        Mutant::StaysInside,
        Mutant::ForgetsOthers,
    ] {
        let found = find(START_SEEDS, |seed| start(seed, Some(mutant)));
        assert!(found.is_some(), "{mutant:?} is not found");
    }
}
