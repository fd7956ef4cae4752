//! A model of several runners on one store: the claims, the sweeping and the commits of this program, on a store in memory, where every
//! operation may come at any time, runners crash, stall and are asked to stop, and no two clocks agree. Cells may have results that cannot be
//! used, the run may replace the others too, some cells fail, some runners cannot execute some cells, and blocks that are claimed to be done
//! may have lost results.

mod runner;
mod world;

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use self::world::{SimBoard, UNUSABLE, World, all_cells, folder_of};
use super::board::Mutant;

const BLOCKS: u32 = 5;
const CELLS: u32 = 2;
/// Milliseconds of the runner's own clock.
const EXPIRES_MS: f64 = 100.0;
const SEEDS: u64 = 3000;
/// A runner that was there before all others.
const GONE: usize = 99;
/// More operations than any run that ends needs.
const MOST_STEPS: usize = 20_000;

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
    let world = Arc::new(Mutex::new(initial(&mut random, runners)));
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
    for cell in all_cells().filter(|_| steps <= MOST_STEPS) {
        let (results, fails) = (world.results(cell.0, cell.1), world.failing.contains(&cell));
        if results != usize::from(!fails) {
            wrong.push(format!("{cell:?} has {results} results"));
        }
    }
    for (cell, attempts) in &world.attempts {
        // Each runner that comes after one that has gone tries again what failed.
        let most = if world.failing.contains(cell) { runners as u32 } else { 1 };
        if *attempts > most + disturbed {
            wrong.push(format!("{cell:?} was executed {attempts} times with {disturbed} disturbances"));
        }
    }
    wrong
}

/// What is in the store when the runners start: some results that cannot be used, some that can, and whether the run replaces these; and
/// claims of a runner that has gone, whose results may have gone too.
fn initial(random: &mut Random, runners: usize) -> World {
    let mut world = World { least: u32::from(random.next(3) == 0), ..World::default() };
    for (block, cell) in all_cells() {
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
        world.lacking.extend(all_cells().filter(|_| random.next(4) == 0).map(|(block, cell)| (who, block, cell)));
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
    for seed in 0..SEEDS {
        let wrong = simulate(seed, None);
        assert!(wrong.is_empty(), "seed {seed}: {wrong:#?}");
    }
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
        let found = (0..SEEDS).find(|seed| !simulate(*seed, Some(mutant)).is_empty());
        assert!(found.is_some(), "{mutant:?} is not found");
    }
}
