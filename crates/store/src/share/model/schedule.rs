//! The schedule of the model: which runner does its next operation, and who crashes, stalls or is asked to stop.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use super::world::{SimBoard, World};
use super::{EXPIRES_MS, Random};
use crate::error::StoreError;
use crate::share::board::Mutant;

/// More operations than any runners need that end.
const MOST_STEPS: usize = 20_000;

/// What became of the runners.
pub(super) struct Course {
    pub(super) world: World,
    /// Whether all of them ended.
    pub(super) ends: bool,
    pub(super) wrong: Vec<String>,
}

/// Lets runners do what `life` says, in an order that is drawn, until they end. Once in `calm` operations,
/// something disturbs one of them, if it is not over by then.
pub(super) fn schedule(
    random: &mut Random,
    world: World,
    (runners, calm): (usize, u64),
    mutant: Option<Mutant>,
    life: fn(&mut SimBoard) -> Result<(), StoreError>,
) -> Course {
    let machines: Vec<usize> = (0..runners).map(|_| random.next(2) as usize).collect();
    let clocks: Vec<(f64, f64)> =
        (0..runners).map(|_| (0.6 + random.next(80) as f64 / 100.0, random.next(2000) as f64 - 1000.0)).collect();
    // One in three is undisturbed.
    let mut disturbances = random.next(3) * (1 + random.next(2));
    let (names, stalled) = ((0..runners).map(|who| who.to_string()).collect(), vec![0.0; runners]);
    let least = world.least;
    let world = Arc::new(Mutex::new(World { names, stalled, ..world }));
    let (arrived, arrivals) = channel();
    let (mut gates, mut threads) = (Vec::new(), Vec::new());
    for me in 0..runners {
        let (gate, go) = channel();
        gates.push(gate);
        let (rate, offset) = clocks[me];
        let (world, arrived) = (Arc::clone(&world), arrived.clone());
        let (name, machines, machine) = (me.to_string(), machines.clone(), machines[me]);
        let run = String::new();
        let mut board = SimBoard { me, name, run, least, machine, machines, rate, offset, world, arrived, go, mutant };
        threads.push(std::thread::spawn(move || {
            let ended = life(&mut board);
            board.arrived.send((me, true)).unwrap();
            ended
        }));
    }
    let (mut ready, mut moving, mut steps) = (vec![false; runners], runners, 0);
    loop {
        while moving > 0 {
            let (who, ended) = arrivals.recv().unwrap();
            ready[who] = !ended;
            moving -= 1;
        }
        let waiting: Vec<usize> = (0..runners).filter(|who| ready[*who]).collect();
        if waiting.is_empty() || steps == MOST_STEPS {
            break;
        }
        steps += 1;
        let mut guard = world.lock().unwrap();
        guard.time += random.next(400) as f64 / 100.0;
        let time = guard.time;
        let free: Vec<usize> = waiting.iter().copied().filter(|who| guard.stalled[*who] <= time).collect();
        let who = if free.is_empty() { continue } else { free[random.next(free.len() as u64) as usize] };
        for other in &free {
            // A thread renews the sign, whatever else the runner does.
            let (rate, offset) = clocks[*other];
            let name = guard.names[*other].clone();
            if !guard.crashed.contains(other) && guard.signs.contains_key(&name) {
                let clock = ((time * rate + 1e6 + offset) / (EXPIRES_MS / 6.0)).floor() * (EXPIRES_MS / 6.0);
                guard.signs.insert(name, (clock * 1e6) as u128);
            }
        }
        if disturbances > 0 && random.next(calm) == 0 {
            disturbances -= 1;
            disturb(random, &mut guard, who);
        }
        if guard.stalled[who] > time {
            continue;
        }
        drop(guard);
        ready[who] = false;
        moving = 1;
        gates[who].send(()).unwrap();
    }
    drop(gates);
    let results: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let world = std::mem::take(&mut *world.lock().unwrap());
    let (ends, mut wrong) = (steps < MOST_STEPS, world.wrong.clone());
    if !ends {
        wrong.push("it does not end".to_owned());
    }
    for (who, result) in results.iter().enumerate() {
        if result.is_err() && !world.crashed.contains(&who) && ends {
            wrong.push(format!("{who} failed"));
        }
    }
    Course { world, ends, wrong }
}

/// Has a runner crash, stop for a while, or be asked to stop; the first one is left to finish.
fn disturb(random: &mut Random, world: &mut World, who: usize) {
    match random.next(3) {
        0 if who > 0 => {
            world.disturbed.crashes += 1;
            world.crashed.insert(who);
            world.dead.insert(world.names[who].clone());
        }
        1 if who > 0 => {
            world.disturbed.asked += 1;
            world.asked.insert(who);
        }
        _ => {
            world.disturbed.stalls += 1;
            world.stalled[who] = world.time + random.next(600) as f64;
        }
    }
}
