//! Keys, pair keys and order that users' stores stand on: 10,000 random inputs as records hold them, and the cells of random
//! experiments in the order in which they run, against what version 0.1.0 gave. They never move.
//!
//! Both are generated here as text, in the forms that are on users' disks, so that the types behind them may change.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::fmt::Write as _;

use matrix_plan::{Cell, CellInputs, CellKey, Experiment, Fingerprint, Platform, order};
use serde_json::{Value, json};

/// What version 0.1.0 gave: a line for every hundred inputs and for every experiment, with the digest of all their keys.
const V0_1_0: &str = include_str!("v0.1.0.txt");

/// SplitMix64: a generator that is written down here, so that no other crate's version changes what is generated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number from 0 up to, and without, `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u64) as usize]
    }

    /// At least one of these, in their order.
    fn some<'a>(&mut self, of: &[&'a str]) -> Vec<&'a str> {
        let chosen = 1 + self.below((1 << of.len()) - 1);
        of.iter().enumerate().filter(|(n, _)| chosen >> n & 1 == 1).map(|(_, name)| *name).collect()
    }
}

const POSTS: [&str; 4] = ["mysql", "dynamo", "s3", "redis"];
const NOTIFICATIONS: [&str; 3] = ["sns", "amq", "dynamo"];
const REGIONS: [&str; 6] = ["eu->us", "eu->sg", "us->eu", "us->sg", "sg->eu", "sg->us"];

/// The inputs of a cell, as its record holds them.
fn inputs(random: &mut Random) -> Value {
    let thousandths = |n: u64| n as f64 / 1000.0;
    let arrival = match random.below(3) {
        0 => json!({ "concurrency": 1 + random.below(1000) }),
        1 => json!({ "rate_per_s": 1 + random.below(1_000_000) }),
        _ => json!({ "rate_per_s": thousandths(1 + random.below(1_000_000_000)) }),
    };
    let mut fingerprint = serde_json::Map::new();
    for name in random.some(&["model", "sim_version", "ü", "versions", "a b"]) {
        let value = match random.below(4) {
            0 => json!(random.below(1 << 53)),
            1 => json!(thousandths(random.below(1_000_000))),
            2 => json!([random.one(&["8.0", "\"quoted\"", "é\n"]), null, true]),
            _ => json!({ "mean": random.below(5000), "law": random.one(&["lognormal", "constant"]) }),
        };
        fingerprint.insert(name.to_owned(), value);
    }
    json!({
        "antipode": random.below(2) == 1,
        "arrival": arrival,
        "barrier": { "deadline_ms": 1 + random.below(86_400_000), "max_ms": random.below(1000), "min_ms": random.below(100) },
        "delay_ms": random.below(900_001),
        "fingerprint": fingerprint,
        "invocation": random.one(&["RequestResponse", "Event"]),
        "notification_storage": random.one(&NOTIFICATIONS),
        "payload_bytes": 1 + random.below(5 << 30),
        "platform": random.one(&["sim", "local", "aws"]),
        "post_storage": random.one(&POSTS),
        "regions": random.one(&REGIONS),
        "requests": 1 + random.below(1_000_000_000),
        "round": 1 + random.below(1000),
        "schema": 1,
        "seed": random.next().to_string(),
        "workload_version": random.below(1 << 32),
    })
}

/// An experiment's file.
fn experiment(random: &mut Random, number: usize) -> String {
    let (platform, seed) = (random.one(&["sim", "local", "aws"]), random.next() >> 1);
    let (requests, rounds) = (1 + random.below(5000), 1 + random.below(4));
    let mut text = format!(
        "schema = 1\nname = \"random-{number}\"\nplatform = \"{platform}\"\nrequests = {requests}\nrounds = {rounds}\nseed = {seed}\n"
    );
    text += match random.below(3) {
        0 => "payload = \"original\"\n",
        1 => "payload = 1024\n",
        _ => "",
    };
    text += match random.below(4) {
        0 => "concurrency = 3\n",
        1 => "rate = 12.5\n",
        2 => "rate = 40\ninvocation = \"Event\"\n",
        _ => "",
    };
    if random.below(2) == 0 {
        let (min, deadline) = (1 + random.below(5), 1000 + random.below(100_000));
        let _ =
            writeln!(text, "[barrier]\nmin_ms = {min}\nmax_ms = {}\ndeadline_ms = {deadline}", min + random.below(90));
    }
    if platform == "local" && random.below(2) == 0 {
        let mean = 100 + random.below(900);
        let _ = writeln!(text, "[local.lag]\ns3 = {{ mean_ms = {mean}, cv = 0.25, max_ms = {} }}", 3 * mean);
    }
    if platform == "aws" && random.below(2) == 0 {
        let _ = writeln!(text, "[aws]\nmemory_mb = {}", 128 + random.below(1024));
    }
    // A local testbed has one region that writes.
    let writer = 2 * random.below(3) as usize;
    let regions = if platform == "local" { &REGIONS[writer..writer + 2] } else { &REGIONS[..] };
    for matrix in 0..1 + random.below(3) {
        let delays = match random.below(3) {
            0 => "[0]".to_owned(),
            1 => format!("[0, {}]", 1 + random.below(50_000)),
            _ => format!("{{ from = 100, to = {}, step = 100 }}", 100 * (1 + random.below(12))),
        };
        let antipode = random.one(&["[false]", "[true]", "[false, true]"]);
        let (posts, notifications, regions) = (random.some(&POSTS), random.some(&NOTIFICATIONS), random.some(regions));
        let _ = writeln!(
            text,
            "[[matrix]]\nname = \"m{matrix}\"\npost_storage = {posts:?}\nnotification_storage = {notifications:?}\n\
             regions = {regions:?}\ndelay_ms = {delays}\nantipode = {antipode}"
        );
    }
    text
}

/// The cells of an experiment in the order in which they run, each with the number of its block.
fn planned(text: &str) -> Vec<(u32, Cell)> {
    let experiment = Experiment::parse(text).unwrap_or_else(|problems| panic!("{problems:?} in\n{text}"));
    let placed = order::arrange(experiment.seed, experiment.cells());
    let cell = |placed: order::Placed| {
        let combination = &placed.spec.axes.combination;
        let fingerprint = match experiment.platform {
            Platform::Sim => Fingerprint::new(&json!({ "combination": combination.to_string() })).unwrap(),
            Platform::Local => experiment.local.fingerprint(combination).unwrap(),
            Platform::Aws => experiment.aws.fingerprint(combination, &experiment.regions).unwrap(),
        };
        (placed.block, placed.spec.with_fingerprint(fingerprint, 1).unwrap())
    };
    placed.into_iter().map(cell).collect()
}

fn line(block: u32, cell: &Cell) -> String {
    format!("{block} {} {}\n", cell.key, cell.inputs.pair_key().unwrap())
}

fn found() -> String {
    let mut found = String::new();
    let mut random = Random(2023);
    for hundred in 0..100 {
        let mut lines = String::new();
        for _ in 0..100 {
            let text = inputs(&mut random).to_string();
            let inputs: CellInputs = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"));
            lines += &line(0, &Cell::new(inputs).unwrap());
        }
        let _ = writeln!(found, "inputs {hundred} {}", CellKey::of(lines.as_bytes()));
    }
    let (mut number, mut count) = (0, 0);
    while count < 10_000 {
        let cells = planned(&experiment(&mut random, number));
        let lines: String = cells.iter().map(|(block, cell)| line(*block, cell)).collect();
        let _ = writeln!(found, "experiment {number} {} cells {}", cells.len(), CellKey::of(lines.as_bytes()));
        number += 1;
        count += cells.len();
    }
    found
}

#[test]
fn keys_pair_keys_and_order_are_those_of_version_0_1_0() {
    let found = found();
    let moved: Vec<_> = found.lines().zip(V0_1_0.lines()).filter(|(now, before)| now != before).collect();
    assert!(moved.is_empty(), "{} moved, the first (now, before): {:?}", moved.len(), moved[0]);
    assert_eq!(found.lines().count(), V0_1_0.lines().count());
}
